"""Credentials: values that never show themselves.

The server takes an `ssid`, or a `userId` with a `token`, in the body of each request. The
two types make it impossible to send both. Neither shows a secret in its repr.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable

from attrs import field, frozen

from deepcall_async._model import ConfigurationError


def _hidden(_: object) -> str:
    return "***"


def _fault(**values: object) -> str:
    """What is wrong with a credential, in words that do not show it; empty when nothing is."""
    for name, value in values.items():
        if not isinstance(value, str):
            return f"{name} must be a string, got {type(value).__name__}"
        if not value:
            return f"{name} is empty"
        if not value.isprintable() or " " in value:
            return f"{name} contains a blank, a line break or a control character"
    return ""


@frozen(init=False)
class TokenAuth:
    """A user's id and token. Wire: `userId`, `token`, documented.

    user_id: digits, as a string or an int. token: as the provider's panel shows it.
    Raises `ConfigurationError` when one is empty or contains blanks.
    """

    user_id: str = field(repr=_hidden)
    token: str = field(repr=_hidden)

    def __init__(self, user_id: str | int, token: str) -> None:
        user_id = str(user_id) if type(user_id) is int else user_id
        fault = _fault(user_id=user_id, token=token)
        if fault:
            del user_id, token, self  # a traceback that shows locals must not show them
            raise ConfigurationError(fault)
        self.__attrs_init__(str(user_id), token)


@frozen(init=False)
class SsidAuth:
    """The id of a login session, which expires. Wire: `ssid`, documented.

    Raises `ConfigurationError` when it is empty or contains blanks.
    """

    ssid: str = field(repr=_hidden)

    def __init__(self, ssid: str) -> None:
        fault = _fault(ssid=ssid)
        if fault:
            del ssid, self
            raise ConfigurationError(fault)
        self.__attrs_init__(ssid)


Auth = TokenAuth | SsidAuth
AuthProvider = Callable[[], Awaitable[Auth]]


def auth_from_env() -> Auth:
    """The credentials of the environment. No secret is ever a local variable here."""
    names = ("DEEPCALL_SSID", "DEEPCALL_USER_ID", "DEEPCALL_TOKEN")
    given = [name for name in names if os.environ.get(name)]
    if given == ["DEEPCALL_SSID"]:
        return SsidAuth(os.environ["DEEPCALL_SSID"])
    if given == ["DEEPCALL_USER_ID", "DEEPCALL_TOKEN"]:
        return TokenAuth(os.environ["DEEPCALL_USER_ID"], os.environ["DEEPCALL_TOKEN"])
    told = f"{' and '.join(given)} is set" if given else "none of them is set"
    raise ConfigurationError(
        f"set DEEPCALL_SSID, or DEEPCALL_USER_ID and DEEPCALL_TOKEN, and not both kinds: {told}"
    )


def wire_fields(auth: Auth) -> dict[str, str]:
    if isinstance(auth, SsidAuth):
        return {"ssid": auth.ssid}
    return {"userId": auth.user_id, "token": auth.token}
