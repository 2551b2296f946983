"""What the server makes of a request's body: whom it lets in, what it is asked for, or why not."""

from __future__ import annotations

import json
import secrets
from collections.abc import Collection, Mapping
from typing import Any

from attrs import field, frozen

from ._floor import Status

SECRET_KEYS = ("userid", "token", "ssid")  # compared in lower case


MESSAGES = {  # the vendor's words where they are known
    1002: "userId not provided",
    1006: "GroupId does not exist",
    1014: "Invalid token",
    1015: "Permission denied",
    1020: "Token not found",
    1047: "Request body is empty or malformed",
    1502: "Invalid filter value",
}


class Refused(Exception):
    """The API says no, with one of its codes and its words for it."""

    def __init__(self, code: int, message: str | None = None) -> None:
        self.code = code
        self.message = MESSAGES.get(code, "Error") if message is None else message
        super().__init__(code, self.message)


def parse(raw: bytes) -> dict[str, Any] | None:
    """The body as an object, whatever its content type said; None when it is none."""
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def without_secrets(body: Mapping[str, Any]) -> dict[str, Any]:
    """The body with its credentials blotted out."""
    return {key: "***" if key.lower() in SECRET_KEYS else value for key, value in body.items()}


@frozen
class Credentials:
    """What opens the door: the ssid, or the user id with its token."""

    user_id: str = field(factory=lambda: str(10_000_000 + secrets.randbelow(90_000_000)), repr=False)
    token: str = field(factory=lambda: secrets.token_hex(10), repr=False)
    ssid: str = field(factory=lambda: secrets.token_urlsafe(24), repr=False)


@frozen
class Door:
    """Who is let in at present. None: nobody, that way."""

    user: tuple[str, str] | None = field(repr=False)
    ssid: str | None = field(repr=False)

    def admit(self, body: Mapping[str, Any]) -> None:
        """Return if the credentials are good; raise `Refused` if not."""
        ssid, user_id, token = (body.get(key) for key in ("ssid", "userId", "token"))
        if ssid and (user_id or token):
            raise Refused(1000, "Invalid parameters: send ssid, or userId and token")
        if not (ssid or token):
            raise Refused(1020)
        if token and not user_id:
            raise Refused(1002)
        good = ssid == self.ssid if ssid else (str(user_id), token) == self.user
        if not good:
            raise Refused(1014)


@frozen
class Wanted:
    """What a request asks for."""

    status: Status
    group: str | None


def read_parameters(body: Mapping[str, Any], groups: Collection[str]) -> Wanted:
    """The parameters beside the credentials. Raises `Refused` for what they cannot be."""
    status = body.get("status", "all")
    if not isinstance(status, str):
        raise Refused(1001, "Invalid data type: status")
    if status not in ("all", "login"):
        raise Refused(1000, "Invalid parameters: status")
    _check_detail(body.get("A", 0))
    _check_filter(body.get("filter", []))
    return Wanted("login" if status == "login" else "all", _group(body.get("groupid"), groups))


def _check_detail(detail: Any) -> None:
    if isinstance(detail, bool) or not isinstance(detail, int):
        raise Refused(1001, "Invalid data type: A")
    if detail not in (0, 1):
        raise Refused(1000, "Invalid parameters: A")


def _check_filter(conditions: Any) -> None:
    if not isinstance(conditions, list) or not all(isinstance(each, dict) for each in conditions):
        raise Refused(1502)


def _group(group: Any, groups: Collection[str]) -> str | None:
    if group is None or group == "":
        return None
    if not isinstance(group, str):
        raise Refused(1001, "Invalid data type: groupid")
    if group not in groups:
        raise Refused(1006)
    return group
