"""The codes the API says no with: what becomes of a stream, and who must act."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from attrs import frozen

from deepcall_async._model.errors import (
    ApiError,
    AuthenticationError,
    InvalidRequest,
    PermissionDenied,
    ServerBusy,
    UnknownGroup,
)
from tests.fake_server import http

from .fault import MESSAGE


@frozen
class Refusal:
    """What the server says no for. word: of the advice. ends: whether the stream ends at once."""

    codes: tuple[int, ...]
    error: type[ApiError]
    word: str
    ends: bool = True


REFUSALS: dict[str, Refusal] = {
    "the credentials": Refusal((1014, 1020), AuthenticationError, "renew them if they have expired"),
    "a suspended account": Refusal((1039,), AuthenticationError, "must be settled with the provider"),
    "a missing permission": Refusal((1015,), PermissionDenied, "Ask an admin of the account"),
    "an unknown group": Refusal((1006,), UnknownGroup, "Check group_id"),
    "the request": Refusal(
        (*range(1000, 1006), 1047, *range(1502, 1531)), InvalidRequest, "Check group_id, status and filters"
    ),
    "a passing fault of the server's": Refusal(
        (1009, 1010, 1032, 1501), ServerBusy, "the request is sent again", ends=False
    ),
    "something else": Refusal((1043,), ApiError, "go by the message", ends=False),
}

# How an error may be wrapped.
ENVELOPES: dict[str, Callable[[int], bytes]] = {
    "as documented": lambda code: wrapped(code=code),
    "with the code as a string": lambda code: wrapped(code=str(code)),
    "with errCode": lambda code: wrapped(errCode=code),
    "without a status": lambda code: wrapped(status=None, code=code),
    "under success, with words": lambda code: wrapped(status="success", code=code),
    "under success, with rows": lambda code: wrapped(status="success", message=MESSAGE, code=code),
    "with HTTP 401": lambda code: wrapped(401, code=code),
    "with HTTP 500": lambda code: wrapped(500, code=code),
}


def wrapped(http_status: int = 200, *, date: str = "", **fields: Any) -> bytes:
    """An error of the API with these fields, and a Date header."""
    body = json.dumps({"status": "error", "message": "said the server", **fields})
    return http(body, http_status, date=date)
