"""From a reply to a value, without holding the event loop.

A large reply is read in another thread, of the event loop's executor. The loop then waits for what
does not let it in between: single calls of the JSON parser, some milliseconds a megabyte, and the garbage
collector. Smaller replies are read in place: a thread would cost more.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Generic, TypeVar

from attrs import frozen

from deepcall_async._floor import LiveFloor, LiveUpdate
from deepcall_async._model import Snapshot
from deepcall_async._persistence import RecordingFloor
from deepcall_async._wire import decode_snapshot

from .transport import Reply

logger = logging.getLogger("deepcall_async")

LARGE = 2**18  # bytes, of about 1 200 agents: at worst, when all of them have news, some 50 ms of work

_T = TypeVar("_T")


@frozen
class Reading(Generic[_T]):
    """What to make of a reply.

    here: makes it at once. aside: makes it in another thread; cancelled, it was never made.
    large: the bytes of a reply from which on it is better read aside.
    """

    here: Callable[[Reply], _T]
    aside: Callable[[Reply], Awaitable[_T]]
    large: float = LARGE


def read_snapshot(reply: Reply) -> Snapshot:
    """The snapshot of a reply."""
    body = reply.strike(reply.body)
    return decode_snapshot(body, date=reply.date, received_at=reply.received_at, http_status=reply.status)


async def read_snapshot_aside(reply: Reply) -> Snapshot:
    """The same, read in another thread."""
    return await asyncio.to_thread(read_snapshot, reply)


def updates(floor: LiveFloor) -> Reading[LiveUpdate]:
    """The updates of a floor. A recording is written in order, so its replies are all read in place."""
    large = math.inf if isinstance(floor, RecordingFloor) else LARGE
    return Reading(partial(_receive, floor), _Aside(floor).receive, large)


class _Aside:
    """Reads the large replies of a floor, one at a time.

    A read that is cancelled goes on, as no thread can be stopped. Its reply was never taken, but the next
    read waits for its end, and goes on with what it has learned of the rows: so it takes far less time.
    """

    def __init__(self, floor: LiveFloor) -> None:
        self._floor = floor
        self._reading: tuple[LiveFloor, asyncio.Future[LiveUpdate]] | None = None

    async def receive(self, reply: Reply) -> LiveUpdate:
        """The update of a reply."""
        if self._reading is not None:
            abandoned, read = self._reading
            await asyncio.wait({read})
            self._floor.learn_from(abandoned)
        fork = self._floor.fork()
        read = asyncio.get_running_loop().run_in_executor(None, _receive, fork, reply)
        read.add_done_callback(_retrieved)
        self._reading = fork, read
        await asyncio.wait({read})  # whose cancellation does not reach the thread
        self._reading = None
        self._floor.learn_from(fork)
        update = read.result()
        self._floor.join(fork)  # nothing is awaited from here on
        return update


def _retrieved(read: asyncio.Future[LiveUpdate]) -> None:
    """An error that nobody waits for any more is no news."""
    if not read.cancelled():
        read.exception()


def _receive(floor: LiveFloor, reply: Reply) -> LiveUpdate:
    instants = {"date": reply.date, "received_at": reply.received_at}
    update = floor.receive(reply.body, **instants, strike=reply.strike)
    if floor.refusal and update.is_baseline and update.gap:  # a service's log is read, its warnings are not
        logger.warning("%s", floor.refusal)
    return update


SNAPSHOTS = Reading(read_snapshot, read_snapshot_aside)
