"""`DeepcallSession`: one account, its credentials, and the ways to see its floor.

The path of every request, from the outside in: `retrying` (named failures, bounded), credentials
(one renewal, one more try), transport (one HTTP exchange), and the reader that makes a value of
the reply. Whatever fails below leaves here as a `DeepcallError` without a secret in it.
"""

from __future__ import annotations

import logging
import math
import os
import ssl as ssl_module
import sys
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Self, TextIO, TypeVar, Unpack

import aiohttp

from deepcall_async._floor import LiveFloor
from deepcall_async._model import (
    AuthenticationError,
    ConfigurationError,
    DeepcallError,
    Snapshot,
    check_type,
    evolve,
    seconds,
)
from deepcall_async._persistence import RecordingFloor
from deepcall_async._wire import Request, live_request

from .base_url import live_url
from .credentials import Auth, AuthProvider, auth_from_env
from .feed import LiveFeed
from .log import AccountLog
from .options import PollOptions, SessionOptions, Status
from .readers import SNAPSHOTS, Reading, updates
from .renewal import Grant, credentials_from
from .retry import RetryPolicy, retrying
from .scope import AccountName
from .stop_scope import Stoppable
from .stream import LiveStream, Source
from .ticker import MIN_INTERVAL
from .transport import Transport

DEFAULT_BASE_URL = "https://v4-api.deepcall.com"
DEFAULT_RETRY = RetryPolicy()
MAX_REPLY_BYTES = 32 * 2**20

_T = TypeVar("_T")


class DeepcallSession:
    """A connection to one account. `async with` opens it, verifies the credentials, and closes it.

    auth: `TokenAuth`, `SsidAuth`, or an async callable that returns one. A callable is asked when
        the session opens, and again when the server refuses what it gave (1014, 1020): once for
        all requests that wait for it, each of which is then tried once more. It may take `timeout`;
        a `TransportError` it raises counts as a failed poll, anything else is final.
    base_url: scheme and host, perhaps a path, of the provider's API. White-label resellers have their own.
    http_session: an `aiohttp.ClientSession` to use instead of an own one, for proxies and the like. It
        is never closed here. Its cookies, headers and trace hooks apply (a hook that is shown request
        bodies is shown the credentials); its timeouts, redirects and `raise_for_status` do not.
    timeout: of one request, from the connection to the body's last byte. Seconds or `timedelta`.
    retry: how often and how long failures are tried again.
    max_reply_bytes: a larger answer is an error. Counted after decompression.
    account: a label for the account: it stands in transition ids, checkpoints and log lines, and must stay
        the same over restarts. When empty, a name is made of the server and a digest of the user id, which
        does not show it. An ssid names nobody: give accounts that log in by `SsidAuth` a label.
    allow_plain_http: send the credentials unencrypted to a host that is not this machine.
    ssl: a context with your own certificates; the system's when None.

    Raises `ConfigurationError` for settings that cannot be right.
    """

    def __init__(
        self,
        auth: Auth | AuthProvider,
        *,
        base_url: str = DEFAULT_BASE_URL,
        http_session: aiohttp.ClientSession | None = None,
        timeout: float | timedelta = 30.0,
        retry: RetryPolicy = DEFAULT_RETRY,
        max_reply_bytes: int = MAX_REPLY_BYTES,
        account: str = "",
        allow_plain_http: bool = False,
        ssl: ssl_module.SSLContext | None = None,
    ) -> None:
        check_type("retry", retry, RetryPolicy)
        check_type("account", account, str)
        check_type("max_reply_bytes", max_reply_bytes, int)
        check_type("http_session", http_session, aiohttp.ClientSession, type(None))
        check_type("ssl", ssl, ssl_module.SSLContext, type(None))
        if max_reply_bytes < 1:
            raise ConfigurationError(f"max_reply_bytes must be at least 1, got {max_reply_bytes}")
        limit = seconds("timeout", timeout, least=0.001)
        url = live_url(base_url, allow_plain_http=allow_plain_http)
        self._name = AccountName(account, url.host_port_subcomponent or "")
        self._log = AccountLog(self._name)
        self._retry = retry
        self._credentials = credentials_from(auth, timeout=limit)
        self._transport = Transport(
            url, http_session=http_session, timeout=limit, max_reply_bytes=max_reply_bytes, ssl_context=ssl
        )
        self._is_warned = False
        self._scope = Stoppable(_closed)
        self._is_open = False
        self._last_success: datetime | None = None

    @classmethod
    def from_env(cls, **options: Unpack[SessionOptions]) -> Self:
        """A session with the credentials of the environment; options as for the class.

        Reads DEEPCALL_SSID, or DEEPCALL_USER_ID and DEEPCALL_TOKEN; and DEEPCALL_BASE_URL and
        DEEPCALL_ACCOUNT unless `base_url` and `account` are given. Raises `ConfigurationError` when the
        credentials are missing, or when both kinds are set.
        """
        if base_url := os.environ.get("DEEPCALL_BASE_URL"):
            options.setdefault("base_url", base_url)
        if account := os.environ.get("DEEPCALL_ACCOUNT"):
            options.setdefault("account", account)
        return cls(auth_from_env(), **options)

    async def open(self, *, wait: float | timedelta = 0.0) -> Self:
        """Verify the credentials with one real request. Raises what the last attempt at it fails with.

        wait: how long to try while the server is down or busy (`error.is_transient`), with the waits of
            `retry` but any number of attempts. Seconds or `timedelta`; 0: as often as `retry` says. An error
            that a person must mend is raised at once.

        A session that failed to open can be opened again; one that was closed cannot.
        """
        patience = seconds("wait", wait)
        if self._is_open:
            return self
        self._transport.open()
        try:
            await self._scope.run(self._verify, patience)
        except BaseException:
            await self._release()
            raise
        self._is_open = True
        return self

    async def aclose(self) -> None:
        """End what runs (it raises `ConfigurationError`), and close the connections. May be repeated."""
        await self._scope.stop()
        await self._release()

    async def __aenter__(self) -> Self:
        return await self.open()

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    @property
    def account(self) -> str:
        """What names the account in ids, checkpoints and log lines: its label, or what stands in for one.

        Without a label, it is known once the session is open: what an auth provider gives decides.
        """
        return self._name()

    @property
    def last_success(self) -> datetime | None:
        """When the last good answer came, on this machine's clock, in UTC: the value for a watchdog."""
        return self._last_success

    async def live(
        self,
        *,
        group_id: str | int | None = None,
        status: Status = "all",
        detail: bool = False,
        filters: Iterable[Mapping[str, Any]] = (),
    ) -> Snapshot:
        """The floor as it is now.

        group_id: only this group's agents. Wire: `groupid`, documented (default unclear).
        status: "all" agents, or only those with a "login". Wire: `status`, documented.
        detail: ask for more detail. Wire: `A`, documented; what it adds is not.
        filters: JSON objects, sent as they are. Wire: `filter`, documented as array of objects.

        Raises `ConfigurationError` for wrong arguments; otherwise `TransportError`, `ReplyError`
        or `ApiError`, when the last attempt failed with it.
        """
        self._check_open()
        request = live_request(group_id=group_id, status=status, detail=detail, filters=filters)
        return await self._scope.run(self._fetch, request, SNAPSHOTS)

    def poll_live(
        self,
        interval: float | timedelta,
        *,
        group_id: str | int | None = None,
        status: Status = "all",
        detail: bool = False,
        filters: Iterable[Mapping[str, Any]] = (),
        resume_from: Mapping[str, Any] | None = None,
        max_outage: float | timedelta | None = None,
        record_to: TextIO | None = None,
    ) -> LiveStream:
        """The floor as a stream: one `LiveUpdate` a tick, see `LiveStream`.

        interval: between ticks, at least 0.1 s. Seconds or `timedelta`.
        group_id, status, detail, filters: as for `live`.
        resume_from: the `checkpoint` of the last update that was dealt with, to go on from there.
        max_outage: how long polls may fail in a row before the last one's error is raised; None: for ever.
        record_to: a text file for the raw replies, without credentials; `replay` reads it. What writing
            raises is raised by `anext`.
        """
        self._check_open()
        tick = seconds("interval", interval, least=MIN_INTERVAL)
        patience = None if max_outage is None else seconds("max_outage", max_outage)
        request = live_request(group_id=group_id, status=status, detail=detail, filters=filters)
        self._warn_of_no_name()
        asked = self._identity(request) | {"resume_from": resume_from, "interval": tick}
        floor = (
            LiveFloor(status, **asked) if record_to is None else RecordingFloor(record_to, status, **asked)
        )
        poll = partial(self._fetch, request, updates(floor))
        source = Source(poll=poll, fail=floor.fail, scope=self._scope, log=self._log)
        return LiveStream(source, interval=tick, max_outage=patience, retry=self._retry)

    def _identity(self, request: Request) -> dict[str, Any]:
        """Whose floor a request asks for, and which part of it."""
        return {"scope": self.account, "view": request.view, "is_narrowed": request.is_narrowed}

    def live_feed(self, interval: float | timedelta, **options: Unpack[PollOptions]) -> LiveFeed:
        """The floor for several readers at the cost of one: see `LiveFeed`. Takes what `poll_live` takes."""
        return LiveFeed(self.poll_live(interval, **options), self._log)

    def _check_open(self) -> None:
        self._scope.check()
        if not self._is_open:
            raise ConfigurationError("this session is not open: use `async with`, or `await session.open()`")

    def _warn_of_no_name(self) -> None:
        """An ssid changes with each login, so nothing tells two such accounts on one server apart."""
        if self._name.is_shared and not self._is_warned:
            self._is_warned = True
            self._log(
                logging.WARNING,
                "an ssid does not tell whose it is: pass account=... (or set DEEPCALL_ACCOUNT), as otherwise "
                "ids and checkpoints of two accounts on this server can be the same",
            )

    async def _release(self) -> None:
        self._is_open = False
        await self._credentials.aclose()
        await self._transport.aclose()

    async def _verify(self, patience: float) -> None:

        def tell(number: int, error: BaseException | None) -> None:
            level = logging.WARNING if patience and number == 1 else logging.DEBUG
            self._log(level, "attempt %d to open failed: %s", number, error)

        policy = evolve(self._retry, attempts=sys.maxsize, max_total=patience) if patience else self._retry
        await retrying(partial(self._attempt, live_request(status="login"), SNAPSHOTS), policy, report=tell)

    async def _fetch(self, request: Request, read: Reading[_T], until: float = math.inf) -> _T:
        """One request with its retries; the value that `read` makes of its reply."""
        attempt = partial(self._attempt, request, read)
        return await retrying(attempt, self._retry, until=until, report=self._tell_of_attempt)

    def _tell_of_attempt(self, number: int, error: BaseException | None) -> None:
        self._log(logging.DEBUG, "attempt %d failed: %s", number, error)

    async def _attempt(self, request: Request, read: Reading[_T], end: float) -> _T:
        """One request; a second one if the credentials were refused and could be renewed."""
        grant = self._used(await self._credentials.current())
        try:
            return await self._ask(request, grant, read, end)
        except AuthenticationError as error:
            refusal = error
        renewed = self._used(await self._credentials.renewed(grant, refusal))
        return await self._ask(request, renewed, read, end)

    def _used(self, grant: Grant) -> Grant:
        """The grant, noted as the newest."""
        is_renewed = self._name.grant not in (None, grant)
        self._name.grant = grant
        if is_renewed:
            self._log(logging.INFO, "credentials renewed")
        return grant

    async def _ask(self, request: Request, grant: Grant, read: Reading[_T], end: float) -> _T:
        """One HTTP exchange, read. Nothing is awaited after that, so no cancellation can lose its value."""
        sent = await self._transport.post(grant.head + request.tail, until=end)
        reply = evolve(sent, strike=grant.strike_from)
        self._log(logging.DEBUG, "HTTP %d, %d bytes", reply.status, len(reply.body))
        try:
            reply.check_status()
            value = read.here(reply) if len(reply.body) < read.large else await read.aside(reply)
        except DeepcallError as error:
            failure = grant.clean(error)
        else:
            self._last_success = reply.received_at
            return value
        failure.retry_after = reply.retry_after
        raise failure


def _closed() -> ConfigurationError:
    return ConfigurationError("this session is closed: make a new one")
