"""What can go wrong with an answer, as a value to be scripted."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Literal, Self

from attrs import field, frozen
from attrs.validators import ge, gt, in_, optional


@frozen(kw_only=True)
class Fault:
    """What goes wrong with one answer. What is not given stays as it would have been.

    delay: seconds of the event loop's time before anything is sent; the answer shows the floor as it is
        after the delay. math.inf: never, until the client gives up or the server closes.
    code, message: an error of the API in its envelope; `message` defaults to the vendor's words.
    status: the HTTP status. headers: set beside or in place of the usual ones.
    body: sent instead of the answer, as HTML where it looks like it, else as JSON.
    content_type: of the answer; "" leaves the header out.
    truncate: the full length is promised, but only so many bytes are sent; then the connection is closed.
    drip: bytes per second of the event loop's time at which the body is sent.
    reset: the connection is reset instead of an answer, or once the headers (and `truncate` bytes) are out.
    hang_up: the connection is closed right after the answer, which did not say so.
    raw: these very bytes instead of any HTTP answer; then the connection is closed.

    And what goes wrong with the reply in it, whose totals stay as they are:

    rows: "null", "object" or "missing" instead of the rows; "cut_short": only the first quarter of them.
    forgets: the server has lost its memory: every elapsed time is 0, and every `avD` this very second.
    clock_step: with this answer, the server's clock is set by so many seconds, for good; below zero: back.
    """

    delay: float = field(default=0.0, validator=ge(0))
    code: int | None = None
    message: str | None = None
    status: int | None = None
    headers: Mapping[str, str] = field(factory=dict)
    body: bytes | None = None
    content_type: str | None = None
    truncate: int | None = field(default=None, validator=optional(ge(0)))
    drip: float | None = field(default=None, validator=optional(gt(0)))
    reset: Literal["before_headers", "after_headers"] | None = field(
        default=None, validator=in_((None, "before_headers", "after_headers"))
    )
    hang_up: bool = False
    raw: bytes | None = None
    rows: Literal["null", "object", "missing", "cut_short"] | None = field(
        default=None, validator=in_((None, "null", "object", "missing", "cut_short"))
    )
    forgets: bool = False
    clock_step: int = 0

    @classmethod
    def gateway(cls, status: int = 502, *, retry_after: str | None = None) -> Self:
        """The HTML page of the gateway before the real server, likely nginx."""
        title = f"{status} {HTTPStatus(status).phrase}"
        head = f"<head><title>{title}</title></head>"
        page = f"<html>\r\n{head}\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n"
        page += "<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
        headers = {} if retry_after is None else {"Retry-After": retry_after}
        return cls(status=status, body=page.encode(), headers=headers)

    def garble(self, reply: bytes, now: float) -> bytes:
        """A floor's reply at the server's time `now`, with what goes wrong in it."""
        if self.rows is None and not self.forgets:
            return reply
        envelope = json.loads(reply)
        message = envelope["message"]
        if self.forgets:
            message["pr"] = [_forgotten(row, math.floor(now)) for row in message["pr"]]
        if self.rows == "missing":
            del message["pr"]
        elif self.rows == "cut_short":
            message["pr"] = message["pr"][: len(message["pr"]) // 4]
        elif self.rows:
            message["pr"] = None if self.rows == "null" else {}
        return json.dumps(envelope, separators=(",", ":"), ensure_ascii=False).encode()


def _forgotten(row: dict[str, Any], now: int) -> dict[str, Any]:
    """A row of a server that has just begun to count."""
    known = {key: _zero(value) for key, value in row.items()}
    if "avD" in known:
        known["avT"], known["avD"] = ["0", "00", "00"], type(row["avD"])(now)
    return known


def _zero(value: Any) -> Any:
    """A login, call or break that has just begun; anything else as it is."""
    if not isinstance(value, dict) or "duration" not in value:
        return value
    zeros: dict[type, Any] = {list: ["0", "00", "00"], str: "00:00:00", int: 0}
    return {**value, "duration": zeros[type(value["duration"])]}


NO_FAULT = Fault()
