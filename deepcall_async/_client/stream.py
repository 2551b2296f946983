"""The tick around a `LiveFloor`: what `poll_live` returns.

There is no task behind a stream. A poll runs inside the consumer's own `anext`, so a stream
that is dropped leaves nothing behind, and a consumer that is slow merely skips ticks: what
happened meanwhile is in the differences of the next poll.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from types import TracebackType
from typing import Self

from attrs import frozen

from deepcall_async._floor import LiveUpdate
from deepcall_async._model import DeepcallError, bare

from .journal import Journal
from .log import AccountLog
from .retry import RetryPolicy
from .stop_scope import Stoppable
from .ticker import Ticker


@frozen(kw_only=True)
class Source:
    """What a stream stands on, given by the session.

    poll: fetches a reply, with retries that end by a loop time, and gives the update it makes.
    fail: the update for a tick that failed.
    scope: the session's own scope, in which all of this runs and ends when the session does.
    log: the session's log.
    """

    poll: Callable[[float], Awaitable[LiveUpdate]]
    fail: Callable[[DeepcallError], LiveUpdate]
    scope: Stoppable
    log: AccountLog


class LiveStream(AsyncGenerator[LiveUpdate, None]):
    """One `LiveUpdate` a tick, from `DeepcallSession.poll_live`. For `async for`, and `async with`.

    The first poll comes at once, the others at a fixed rate from then on, and only when asked for:
    a consumer that takes longer than the interval skips ticks, and loses nothing but the bounds of
    what happened in between. One request is in flight at most.

    A poll that fails gives an update with `outage`, not an exception. Exceptions are final:

    - before the first good reply, whatever the poll failed with;
    - an error with `ends_stream`: a person must act (credentials, permission, group, request);
    - the last poll's error, when polls have failed for `max_outage`, counted from the first that failed.

    After one, every further `anext` raises it again. After `aclose()` it is `StopAsyncIteration`,
    also in an `anext` that was waiting in another task. Cancelling a task that waits in `anext`
    stops the request; the stream stays usable, and what happened is told by its next poll.
    `break` leaves nothing running; the stream can be picked up again or dropped. Only a large reply
    that another thread is reading when a stream is stopped is read to its end there, and forgotten.
    """

    def __init__(
        self, source: Source, *, interval: float, max_outage: float | None, retry: RetryPolicy
    ) -> None:
        self._source = source
        self._ticker = Ticker(interval)
        self._max_outage = max_outage
        self._retry = retry
        self._failing_since: float | None = None  # loop time of the first failure; None while polls succeed
        self._journal = Journal(source.log)
        self._is_waiting = False
        self._error: DeepcallError | None = None
        self._scope = Stoppable(StopAsyncIteration, within=source.scope)

    async def __anext__(self) -> LiveUpdate:
        if self._is_waiting:
            raise RuntimeError("this stream is being read by another task: give each reader its own")
        self._is_waiting = True
        try:
            return await self._scope.run(self._next)
        except DeepcallError as error:
            self._note_end(error)
            raise
        finally:
            self._is_waiting = False

    async def asend(self, value: None, /) -> LiveUpdate:
        """The same as `anext`: a stream takes no values."""
        if value is not None:
            raise TypeError("a stream takes no values")
        return await self.__anext__()

    async def athrow(
        self,
        kind: type[BaseException] | BaseException,
        value: object = None,
        traceback: TracebackType | None = None,
        /,
    ) -> LiveUpdate:
        """Close the stream and raise the exception."""
        await self.aclose()
        error = kind if isinstance(kind, BaseException) else value
        if not isinstance(error, BaseException):
            error = kind() if value is None else kind(value)  # type: ignore[operator]
        raise error.with_traceback(traceback)

    async def aclose(self) -> None:
        """End the stream, also while another task waits in `anext`. Returns when nothing runs any more.

        Nothing but the thread that may still be reading a large reply, for whose end the event loop's waits.
        """
        await self._scope.stop()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def _next(self) -> LiveUpdate:
        if self._error is not None:
            raise self._error.with_traceback(None)
        clock = asyncio.get_running_loop().time
        next_tick = await self._ticker.wait()
        failure: DeepcallError | None = None
        try:
            update = await self._source.poll(next_tick)
        except DeepcallError as error:
            failure = bare(error)
        finally:
            now = clock()
            self._ticker.advance(now)
        if failure is None:
            self._failing_since = None
        else:
            update = self._failed(failure, now)
        self._journal.note(update)
        return update

    def _failed(self, error: DeepcallError, now: float) -> LiveUpdate:
        """The update of a failed tick, unless the failure is final."""
        if self._failing_since is None:
            self._failing_since = now
        if error.ends_stream or self._is_too_long(now - self._failing_since):
            raise error
        update = self._source.fail(error)
        self._ticker.postpone(now + (self._retry.pause(error) or 0.0))
        return update

    def _is_too_long(self, outage: float) -> bool:
        return self._max_outage is not None and outage >= self._max_outage

    def _note_end(self, error: DeepcallError) -> None:
        """Keep the error that ended the stream. It is logged once; the end of the session is none."""
        if self._error is None and not self._source.scope.is_stopped:
            self._source.log(logging.ERROR, "the stream has ended: %s", error, error=error)
        self._error = error
