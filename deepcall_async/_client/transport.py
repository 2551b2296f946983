"""The only file that talks HTTP: one request, one translation of everything that can go wrong.

The credentials are in the body. So no redirect is followed (a 307 would carry them to another
host), plain `http` is refused outside loopback, and the body travels in a `BytesPayload`, whose
repr shows nothing: a cancelled request has aiohttp's frames in its traceback, body and all.

No exception of aiohttp's leaves this file. Some quote the server's bytes, all of them hold
frames that hold the exchange; what they tell goes into the message of a `TransportError`.
"""

from __future__ import annotations

import asyncio
import math
import ssl
from collections.abc import Callable
from datetime import UTC, datetime

import aiohttp
from aiohttp import hdrs
from aiohttp.http_exceptions import HttpProcessingError
from attrs import field, frozen
from yarl import URL

from deepcall_async import _lazy
from deepcall_async._model import (
    ApiError,
    ConfigurationError,
    RequestTimeout,
    TransportError,
    UnexpectedStatus,
    bare,
)
from deepcall_async._wire import read_error

from .http_headers import read_date, read_retry_after

CONNECTIONS = 8  # per session: a poller needs one, `live()` beside it a few more
_CHUNK = 2**16
_FAILURES = (aiohttp.ClientError, HttpProcessingError, OSError, EOFError)  # TimeoutError is an OSError


@frozen(kw_only=True)
class Reply:
    """One HTTP answer, its body whole and decompressed.

    date: its Date header, None when missing or unreadable. received_at: this machine's clock.
    retry_after: seconds the server asked to be left alone for, None when it did not.
    strike: takes the credentials out of what it says, should it repeat them.
    """

    status: int
    content_type: str = field(repr=False)
    body: bytes = field(repr=False)
    date: datetime | None
    retry_after: float | None
    received_at: datetime
    strike: Callable[[bytes], bytes] = field(default=bytes, repr=False)

    def check_status(self) -> None:
        """Raise what an answer with a status other than 2xx says: an API error, or just its status."""
        if 200 <= self.status < 300:
            return
        failure = UnexpectedStatus(self._describe(), self.status, retry_after=self.retry_after)
        try:
            read_error(self.strike(self.body), self.status)
        except ApiError as error:
            if type(error) is ApiError:  # a code outside the table: then the status is all we know
                error.is_transient = failure.is_transient
            raise
        raise failure

    def _describe(self) -> str:
        said = self.strike(self.content_type.encode(errors="surrogateescape"))
        kind = ascii(said.decode(errors="surrogateescape")[:60])[1:-1] or "no content type"
        what = f"HTTP {self.status} ({kind}) instead of an answer of the API"
        if 300 <= self.status < 400:
            return f"{what}: redirects are not followed, as the credentials are in the body. Check base_url."
        return what


class Transport:
    """One endpoint and its connections: our own, or those of the caller's `http_session`.

    timeout: seconds for a whole exchange. max_reply_bytes: counted after decompression.
    """

    def __init__(
        self,
        url: URL,
        *,
        http_session: aiohttp.ClientSession | None,
        timeout: float,
        max_reply_bytes: int,
        ssl_context: ssl.SSLContext | None,
    ) -> None:
        self._url = url
        self._http = http_session
        self._is_ours = http_session is None
        self._timeout = timeout
        self._limit = _limit(timeout)
        self._max_reply_bytes = max_reply_bytes
        self._ssl = ssl_context or True

    def open(self) -> None:
        """Make the connection pool, unless the caller brought one. Needs a running event loop."""
        if self._http is None:
            self._http = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit_per_host=CONNECTIONS),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": _user_agent()},
            )

    async def aclose(self) -> None:
        """Close our own connections; a caller's session is left alone."""
        if self._is_ours and self._http is not None:
            http, self._http = self._http, None
            await http.close()

    async def post(self, body: bytes, *, until: float) -> Reply:
        """Send one request. until: loop time by which it must end, if its own timeout is not sooner.

        Raises `TransportError`, and nothing else but `ConfigurationError` for a closed http_session.
        """
        payload = aiohttp.BytesPayload(body, content_type="application/json")
        del body  # from here on no frame shows it
        allowed = self._timeout
        if until < math.inf:
            allowed = max(0.001, min(allowed, until - asyncio.get_running_loop().time()))
        try:
            return await self._exchange(payload, allowed)
        except _FAILURES as error:
            failure = _translated(error, allowed)
        raise failure

    async def _exchange(self, payload: aiohttp.BytesPayload, allowed: float) -> Reply:
        if self._http is None or self._http.closed:
            raise ConfigurationError("the http_session of this DeepcallSession is closed")
        async with self._http.post(
            self._url,
            data=payload,
            timeout=self._limit if allowed == self._timeout else _limit(allowed),
            allow_redirects=False,
            raise_for_status=False,  # these two in case the caller's session says otherwise
            auto_decompress=True,
            ssl=self._ssl,
        ) as response:
            content = await self._read(response)
            if content is None:
                response.close()
                raise TransportError(
                    f"the answer is larger than max_reply_bytes ({self._max_reply_bytes} bytes)"
                )
            return _to_reply(response, content)

    async def _read(self, response: aiohttp.ClientResponse) -> bytes | None:
        """The whole body; None when it is too large, in which case most of it was never read."""
        size = response.content_length
        if size is not None and size > self._max_reply_bytes:
            return None
        if size is not None and hdrs.CONTENT_ENCODING not in response.headers:
            return await response.read()  # no more than was announced
        chunks, size = [], 0
        async for chunk in response.content.iter_chunked(_CHUNK):
            chunks.append(chunk)
            size += len(chunk)
            if size > self._max_reply_bytes:
                return None
        return b"".join(chunks)


def _limit(seconds: float) -> aiohttp.ClientTimeout:
    """A limit for a whole exchange that aiohttp does not round up."""
    return aiohttp.ClientTimeout(total=seconds, ceil_threshold=math.inf)


def _user_agent() -> str:
    metadata = _lazy.load("importlib.metadata")  # only sessions with connections of their own need it
    try:
        return f"deepcall-async/{metadata.version('deepcall-async')}"
    except metadata.PackageNotFoundError:  # run from a bundle that left the metadata out
        return "deepcall-async"


def _to_reply(response: aiohttp.ClientResponse, body: bytes) -> Reply:
    now, headers = datetime.now(UTC), response.headers
    date = read_date(headers.get(hdrs.DATE))
    return Reply(
        status=response.status,
        body=body,
        content_type=headers.get(hdrs.CONTENT_TYPE, ""),
        date=date,
        retry_after=read_retry_after(headers.get(hdrs.RETRY_AFTER), date or now, now),
        received_at=now,
    )


def _translated(error: Exception, allowed: float) -> TransportError:
    """The one translation. The cause stays chained only where it is a plain error of the system's."""
    kind = type(error).__name__
    if isinstance(error, TimeoutError):
        return RequestTimeout(f"no complete answer within {allowed:g} s")
    if isinstance(error, aiohttp.ClientConnectorError):  # before OSError, which it is too
        return _caused_by(error.os_error, f"no connection to {error.host}:{error.port} ({kind})")
    if isinstance(error, OSError | aiohttp.ServerDisconnectedError):
        failure = _caused_by(error, f"the connection was lost before the answer was complete ({kind})")
        failure.retry_after = 0.0  # a kept-alive connection, closed meanwhile, is normal life
        return failure
    if isinstance(error, aiohttp.ClientPayloadError):
        return TransportError(f"the answer was cut short, or cannot be decompressed ({kind})")
    return TransportError(f"the answer is not HTTP ({kind})")


def _caused_by(error: Exception, message: str) -> TransportError:
    if not isinstance(error, OSError):
        return TransportError(message)
    failure = TransportError(f"{message}: {error}")
    failure.is_transient = not isinstance(error, ssl.SSLCertVerificationError)
    error.__cause__ = None
    failure.__cause__ = bare(error)
    return failure
