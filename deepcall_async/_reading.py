"""From a reply to a value, without holding the event loop.

A large reply is read in another thread. The loop then waits for no more than the interpreter's switch
from thread to thread, some milliseconds. Smaller ones are read in place: a thread would cost more.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from attrs import frozen

from ._floor import LiveFloor
from ._model import Snapshot
from ._recording import RecordingFloor
from ._transport import Reply
from ._update import LiveUpdate
from ._wire import decode_snapshot

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
    return decode_snapshot(
        reply.body, date=reply.date, received_at=reply.received_at, http_status=reply.status
    )


async def read_snapshot_aside(reply: Reply) -> Snapshot:
    """The same, read in another thread."""
    return await asyncio.to_thread(read_snapshot, reply)


def updates(floor: LiveFloor) -> Reading[LiveUpdate]:
    """The updates of a floor. A recording is written in order, so its replies are all read in place."""

    async def aside(reply: Reply) -> LiveUpdate:
        fork = floor.fork()
        update = await asyncio.to_thread(_receive, fork, reply)
        floor.join(fork)  # nothing is awaited from here on
        return update

    large = math.inf if isinstance(floor, RecordingFloor) else LARGE
    return Reading(lambda reply: _receive(floor, reply), aside, large)


def _receive(floor: LiveFloor, reply: Reply) -> LiveUpdate:
    return floor.receive(reply.body, date=reply.date, received_at=reply.received_at)


SNAPSHOTS = Reading(read_snapshot, read_snapshot_aside)
