"""The floor that the soak's core is fed with: replies of a simulated floor, spoilt now and then.

They are made in a process of their own, so that the measured one holds the core and nothing else.
"""

from __future__ import annotations

import multiprocessing
import re
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from random import Random
from typing import Literal

from attrs import define, field, frozen

from deepcall_async.simulator import Floor, Pace

Status = Literal["all", "login"]
DAY = 86_400.0
HOUR = 3_600.0
ID = re.compile(rb'"I":"(\d+)"')
LIES = ("empty", "contradiction", "past")
LONGEST_OUTAGE = 40  # polls

PACE = Pace(idle=90.0, shift=3 * HOUR, time_off=40 * 60.0, tenure=18 * HOUR)  # a new team every day or so


@frozen
class Post:
    """What came of a poll. body: None when it failed.

    known: of how many agents a floor should know by now that has seen the posts so far: those of the last
    good reply, or of all within the last day when only logged-in agents have rows.
    """

    body: bytes | None
    known: int


@contextmanager
def producing(
    status: Status, polls: int, agents: int, interval: float, faults: float, seed: int
) -> Iterator[Iterator[Post]]:
    """The posts of so many polls, from another process, which ends with the block."""
    context = multiprocessing.get_context("spawn")  # a fork would begin with this process's memory
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(
        target=_produce, args=(theirs, status, polls, agents, interval, faults, seed), daemon=True
    )
    process.start()
    theirs.close()
    try:
        yield (ours.recv() for _ in range(polls))
    finally:
        ours.close()
        process.terminate()
        process.join()
        process.close()


def _produce(
    pipe: Connection, status: Status, polls: int, agents: int, interval: float, faults: float, seed: int
) -> None:
    floor = Floor(agents, seed=seed, pace=PACE)
    spoiler, roll = Spoiler(Random(seed), faults), Roll(status)
    for poll in range(polls):
        now = floor.start + poll * interval
        reply = floor.reply(now, status=status)
        floor.history.clear()
        body, is_good = spoiler.spoil(reply)
        if is_good:
            roll.note(reply, now)
        pipe.send(Post(body, len(roll.shown)))


@define
class Roll:
    """Whom a floor should remember, from the ids in the good replies. shown: when each was last."""

    status: Status
    shown: dict[bytes, float] = field(factory=dict)

    def note(self, reply: bytes, now: float) -> None:
        """A good reply."""
        self.shown.update(dict.fromkeys(ID.findall(reply), now))
        oldest = now - DAY if self.status == "login" else now
        self.shown = {agent: at for agent, at in self.shown.items() if at >= oldest}


@define
class Spoiler:
    """Spoils replies, seeded.

    share: of the polls with which something begins to go wrong. out: failures still to come of an outage.
    believed: the last two replies left whole.
    """

    random: Random
    share: float
    out: int = 0
    has_lied: bool = False
    believed: tuple[bytes, ...] = ()

    def spoil(self, reply: bytes) -> tuple[bytes | None, bool]:
        """What arrives, and whether it is to be believed. Truth follows a lie, lest it be confirmed."""
        if self.out:
            self.out -= 1
            return None, False
        if not self.believed or self.has_lied or self.random.random() >= self.share:
            self.has_lied = False
            self.believed = (*self.believed[-1:], reply)
            return reply, True
        kind = self.random.choice(("outage", "cut", "refused", "row", *LIES))
        if kind == "outage":
            self.out = self.random.randrange(LONGEST_OUTAGE)
            return None, False
        self.has_lied = kind in LIES
        return self._spoilt(kind, reply), kind == "row"

    def _spoilt(self, kind: str, reply: bytes) -> bytes:
        if kind == "cut":
            return reply[: self.random.randrange(len(reply))]
        if kind == "refused":
            return b'{"status":"error","message":"busy","code":1501}'
        if kind == "row":
            return re.sub(rb'"avT":\[[^]]*\]', b'"avT":"soon"', reply, count=1)
        return self.believed[0] if kind == "past" else _lie(kind, reply)


def _lie(kind: str, reply: bytes) -> bytes:
    """A whole reply that is not true: totals that contradict the rows, or no rows at all."""
    if kind == "contradiction":
        return re.sub(rb'"lA":(\d+)', rb'"lA":1\1', reply, count=1)
    start = reply.index(b'"pr":[') + len(b'"pr":[')
    return reply[:start] + reply[reply.rindex(b"]") :]
