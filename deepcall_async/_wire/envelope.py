"""The envelope of a reply: what is a success, and which error the rest is.

    {"message": {...}, "status": "success", "code": 200}
    {"message": "Invalid token", "status": "error", "code": 1014}

`message` is an object on success and a string on error, so `status` decides first.
"""

from __future__ import annotations

import json
import math
from typing import Any

from deepcall_async._model import AgentErrorCode, ReplyError, api_error, describe_code, shown

from . import scalars as forms

SUCCESS_CODE = 200
EMPTY_CODES = (AgentErrorCode.NO_DATA_FOUND,)  # assumed: an "error" that only says that there are no agents


def read_message(body: bytes, http_status: int | None) -> dict[str, Any]:
    """The `message` of a success. Raises `ApiError` when the server says no, else `ReplyError`."""
    return message_of(_parse(body), http_status)


def message_of(reply: dict[str, Any], http_status: int | None) -> dict[str, Any]:
    """The same for a reply that is parsed already."""
    if _code(reply) in EMPTY_CODES:
        return {"pr": []}
    _raise_api_error(reply, http_status)
    message = reply.get("message")
    if not isinstance(message, dict):
        raise ReplyError(f"expected an object, got {shown(message)}", path="message")
    return message


def read_error(body: bytes, http_status: int) -> None:
    """Raise the `ApiError` that a reply with a bad HTTP status carries; return if it carries none."""
    try:
        _raise_api_error(_parse(body), http_status)
    except ReplyError:
        return


def _parse(body: bytes) -> dict[str, Any]:
    try:
        reply = json.loads(body, **STRICT)
    except RecursionError:
        raise ReplyError("the JSON is nested too deeply") from None
    except ValueError as error:
        kind = "HTML" if body.lstrip()[:1] == b"<" else f"{len(body)} bytes"
        raise ReplyError(f"not JSON but {kind}: {error}") from None
    if not isinstance(reply, dict):
        raise ReplyError(f"expected an object, got {type(reply).__name__}")
    return reply


def _no_constant(word: str) -> Any:
    raise ValueError(f"{word} is not JSON")


def _finite(text: str) -> float | str:
    """A number too large for a float stays text, so that it spoils one field and not the whole reply."""
    value = float(text)
    return value if math.isfinite(value) else text


STRICT: dict[str, Any] = {"parse_constant": _no_constant, "parse_float": _finite}


def _raise_api_error(reply: dict[str, Any], http_status: int | None) -> None:
    """An error says so in `status`, or gives itself away by a code of the vendor's table."""
    status, code = reply.get("status"), _code(reply)
    if describe_code(code) is None and _is_success(status, code):
        return
    if status is None and code is None:
        raise ReplyError("neither status nor code: this is no answer of the API")
    words = next((reply[key] for key in ("message", "msg", "error") if reply.get(key)), "")
    said = words[:200] if isinstance(words, str) else shown(words)
    raise api_error(code, said, http_status=http_status)


def _is_success(status: Any, code: int | None) -> bool:
    """The status decides; where there is none, a code of 200 does."""
    if status is None:
        return code == SUCCESS_CODE
    return isinstance(status, str) and status.lower() == "success"


def _code(reply: dict[str, Any]) -> int | None:
    """`code`, or `errCode` as one module has it; a number, or digits."""
    sent = next((reply[key] for key in ("code", "errCode") if reply.get(key) is not None), None)
    try:
        return forms.integer(sent)
    except forms.Unreadable:
        return None
