"""One poll a tick for any number of readers: what `live_feed` returns.

There is one task behind a feed, and it only polls. Handing an update over is putting it where it
waits for each reader, and never awaits anything: no reader can hold up the task, nor another reader.

The feed knows its readers weakly, so that one that is dropped is gone. Only those that wait in
`anext` are held: nothing else may hold a task that waits for something no timer and no socket brings.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from typing import Self
from weakref import WeakKeyDictionary

from deepcall_async._floor import LiveUpdate
from deepcall_async._model import ConfigurationError, DeepcallError, bare, check_type

from .backlog import Pending, baseline
from .log import AccountLog
from .stream import LiveStream

MAX_PENDING = 1000  # transitions


class Subscription(AsyncIterator[LiveUpdate]):
    """One reader's own updates, from `LiveFeed.subscribe`. For `async for`, and `async with`.

    The first is a baseline, `sequence` 0; the others tell all that happened since. What a reader has
    not read yet waits for it, and is merged where nothing is lost by it: a tick without news gives way
    to the next; transitions and gaps are kept one by one, up to `max_pending`. Beyond that the oldest
    are dropped, and the next update says in `missed` how many those were and when.

    An update's `checkpoint` covers what this reader was given up to it, and nothing that still waits.

    A fatal error of the feed comes after what waits, and again at every further `anext`. After
    `aclose()`, and after the feed's block, it is `StopAsyncIteration`, at once, also in an `anext` that
    was waiting in another task. Cancelling a task that waits in `anext` loses nothing. `break` leaves a
    subscription that can be picked up again or dropped; one that is dropped costs nothing any more.
    """

    def __init__(self, inbox: _Inbox) -> None:
        self._inbox = inbox

    async def __anext__(self) -> LiveUpdate:
        return await self._inbox.get()

    async def aclose(self) -> None:
        """End this subscription. The feed and its other readers go on."""
        self._inbox.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._inbox.close()


class LiveFeed:
    """A floor for several readers, from `DeepcallSession.live_feed`. For `async with`, once.

    Entering makes the first poll, and raises what it fails with. From then on one task polls at the
    fixed rate, whether or not anybody reads; `subscribe` gives each reader updates of its own.

    What would end a `LiveStream` ends the feed, and every reader gets it. If none did, leaving the
    block raises it, unless the block raises something itself. Leaving ends the task and all readers;
    so does `aclose`, for those who must end the readers before they can leave the block.
    """

    def __init__(self, stream: LiveStream, log: AccountLog) -> None:
        self._stream, self._log = stream, log
        self._task: asyncio.Task[None] | None = None
        self._newest: LiveUpdate | None = None
        self._opening: Pending | None = None
        self._inboxes: WeakKeyDictionary[_Inbox, None] = WeakKeyDictionary()
        self._waiting: set[_Inbox] = set()
        self._failure: _Failure | None = None
        self._is_used = self._is_over = False
        self._ended = asyncio.Event()

    async def __aenter__(self) -> Self:
        if self._is_used:
            raise ConfigurationError("a feed is entered once: make another one with `session.live_feed(...)`")
        self._is_used = True
        try:
            self._newest = first = await anext(self._stream)
        except StopAsyncIteration:
            raise ConfigurationError("this feed was closed before its first poll was done") from None
        if not first.is_baseline:
            self._opening = Pending(MAX_PENDING)
            self._opening.push(first)
        self._task = asyncio.create_task(self._run(), name="deepcall live feed")
        self._task.add_done_callback(self._stop)
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        await self.aclose()
        if kind is None and self._failure is not None and not self._failure.is_told:
            raise self._failure()

    async def aclose(self) -> None:
        """End the polling and all readers at once, as leaving the block does. May be repeated.

        For a service whose framework waits for its handlers before it leaves the block: call it from the
        framework's shutdown hook. Any task may, a reader of this feed too. What waits for readers is dropped.
        """
        self._end()
        if self._task is None:
            await self._stream.aclose()  # the first poll may be under way
        else:
            await _end_of(self._task)
        self._ended.set()

    @property
    def latest(self) -> LiveUpdate | None:
        """The newest update, for who wants to know how things stand without reading; None before the first.

        Its `transitions` are those of one tick, and its `sequence` counts the ticks of the feed.
        """
        return self._newest

    @property
    def is_running(self) -> bool:
        """Whether it polls: from entering on, until it is closed or an error ends it."""
        return self._task is not None and not self._is_over and self._failure is None

    @property
    def error(self) -> BaseException | None:
        """What ended the feed; None while it runs, and when it was closed. Reading it raises nothing."""
        return None if self._failure is None else self._failure.error

    async def wait_ended(self) -> None:
        """Wait until the feed was closed or has failed; `error` tells which."""
        await self._ended.wait()

    def subscribe(self, *, max_pending: int = MAX_PENDING) -> Subscription:
        """A reader's own updates, from the floor as it is now.

        max_pending: how many transitions may wait for this reader, at least 1. With 1, a slow reader
            gets hardly anything but the newest update.

        In a feed with `resume_from`, what happened before the feed began is told to whoever subscribes
        until the first tick that finds a reader: these begin with the `gap`, not with a baseline.

        After a fatal error the subscription raises that at once. Raises `ConfigurationError` outside of
        the feed's block, and for a wrong `max_pending`.
        """
        check_type("max_pending", max_pending, int)
        if max_pending < 1:
            raise ConfigurationError(f"max_pending must be at least 1, got {max_pending}")
        if self._newest is None or self._is_over:
            raise ConfigurationError(
                "this feed is not running: subscribe inside of `async with session.live_feed(...) as feed:`"
            )
        pending = Pending(max_pending)
        inbox = _Inbox(pending, self._waiting)
        self._inboxes[inbox] = None
        if self._failure is not None:
            inbox.end(self._failure)
        else:
            for update in self._opening or (baseline(self._newest),):
                pending.push(update)
        return Subscription(inbox)

    async def _run(self) -> None:
        async for update in self._stream:
            self._hand_over(update)

    def _hand_over(self, update: LiveUpdate) -> None:
        self._newest = update
        readers = [inbox for inbox in self._inboxes if inbox.is_open]
        if readers:
            self._opening = None
        elif self._opening is not None:
            self._opening.push(update)
        for inbox in readers:
            inbox.put(update)

    def _end(self) -> None:
        """Let the readers get nothing any more, and the task stop."""
        if self._is_over:
            return
        self._is_over = True
        for inbox in self._inboxes:
            inbox.close()
        if self._task is not None:
            self._task.cancel()

    def _stop(self, task: asyncio.Task[None]) -> None:
        """The task has ended. Unless that was asked for, tell the readers why."""
        self._ended.set()
        error = None if task.cancelled() else task.exception()
        if error is None:
            if self._is_over:
                return
            error = RuntimeError("the task of this feed was cancelled from outside")
        if not isinstance(error, DeepcallError):  # which the stream has logged
            self._log(logging.ERROR, "the feed has ended: %s: %s", type(error).__name__, error, error=error)
        self._failure = _Failure(error)
        for inbox in self._inboxes:
            inbox.end(self._failure)


async def _end_of(task: asyncio.Task[None]) -> None:
    """Wait for a task and what it calls when done, also when cancelled: it must not outlive its block."""
    cancellation: asyncio.CancelledError | None = None
    is_over = False
    while not is_over:
        try:
            await asyncio.wait([task])
            is_over = True
        except asyncio.CancelledError as error:
            cancellation = error
    if cancellation is not None:
        raise cancellation


class _Failure:
    """What ended a feed. is_told: whether anybody had it raised."""

    def __init__(self, error: BaseException) -> None:
        self.error = bare(error) if isinstance(error, DeepcallError) else error
        self._trace = error.__traceback__
        self.is_told = False

    def __call__(self) -> BaseException:
        """The error to raise: one object for all readers, so without what raising it before has added."""
        self.is_told = True
        return self.error.with_traceback(self._trace)


class _Inbox:
    """Where a reader waits for updates, and updates for the reader.

    waiting: all inboxes that have somebody waiting, held by the feed.
    """

    def __init__(self, pending: Pending, waiting: set[_Inbox]) -> None:
        self._pending = pending
        self._waiting = waiting
        self._waiter: asyncio.Future[None] | None = None
        self._end: Callable[[], BaseException] | None = None

    async def get(self) -> LiveUpdate:
        """The next update. Nothing is awaited after one is taken out, so no cancellation can lose it."""
        if self._waiter is not None:
            raise RuntimeError("this subscription is being read by another task: give each reader its own")
        while not self._pending:
            if self._end is not None:
                raise self._end()
            await self._wait()
        return self._pending.pop()

    @property
    def is_open(self) -> bool:
        """Whether anything that is put in still gets out."""
        return self._end is None

    def put(self, update: LiveUpdate) -> None:
        """Hand an update over."""
        self._pending.push(update)
        self._wake()

    def end(self, error: Callable[[], BaseException]) -> None:
        """Let the reader get what waits, and then the error."""
        if self._end is None:
            self._end = error
            self._wake()

    def close(self) -> None:
        """Let the reader get nothing any more."""
        self._pending.clear()
        self._end = StopAsyncIteration
        self._wake()

    async def _wait(self) -> None:
        self._waiter = asyncio.get_running_loop().create_future()
        self._waiting.add(self)
        try:
            await self._waiter
        finally:
            self._waiter = None
            self._waiting.discard(self)

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
