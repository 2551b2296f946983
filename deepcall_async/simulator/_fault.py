"""What can go wrong with an answer, as a value to be scripted."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Literal, Self

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

    @classmethod
    def gateway(cls, status: int = 502, *, retry_after: str | None = None) -> Self:
        """The HTML page of the gateway before the real server, likely nginx."""
        title = f"{status} {HTTPStatus(status).phrase}"
        head = f"<head><title>{title}</title></head>"
        page = f"<html>\r\n{head}\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n"
        page += "<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
        headers = {} if retry_after is None else {"Retry-After": retry_after}
        return cls(status=status, body=page.encode(), headers=headers)


NO_FAULT = Fault()
