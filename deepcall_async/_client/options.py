"""The keyword options of `DeepcallSession` and its methods, as those who pass them on need them."""

from __future__ import annotations

import ssl as ssl_module
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, Literal, TextIO, TypedDict

import aiohttp

from .retry import RetryPolicy

Status = Literal["all", "login"]


class SessionOptions(TypedDict, total=False):
    """The keyword options of `DeepcallSession`, as `DeepcallSession.from_env` takes them too."""

    base_url: str
    http_session: aiohttp.ClientSession | None
    timeout: float | timedelta
    retry: RetryPolicy
    max_reply_bytes: int
    account: str
    allow_plain_http: bool
    ssl: ssl_module.SSLContext | None


class PollOptions(TypedDict, total=False):
    """The keyword options of `DeepcallSession.poll_live`, as `DeepcallSession.live_feed` takes them too."""

    group_id: str | int | None
    status: Status
    detail: bool
    filters: Iterable[Mapping[str, Any]]
    resume_from: Mapping[str, Any] | None
    max_outage: float | timedelta | None
    record_to: TextIO | None
