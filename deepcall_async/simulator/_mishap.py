"""What breaks into the lives on a floor: crashes of the telephone system. Invented throughout."""

from __future__ import annotations

import math
from collections.abc import Iterator
from random import Random

from attrs import evolve, frozen

from ._fact import Fact
from ._pace import MINUTE, Pace


@frozen
class Crash:
    """The telephone system fails: who is logged in is logged out at `at`, and whatever was on ends.

    back: when they are back. spread: seconds within which the last of them follows the first.
    """

    at: float
    back: float
    spread: float


def crashes(pace: Pace, seed: int, start: float) -> Iterator[Crash]:
    """The crashes of a floor, the same for all its agents, in order of time."""
    random, at = Random(f"{seed}:crashes"), start
    while math.isfinite(pace.crash_every):
        at += random.expovariate(1 / pace.crash_every)
        back = at + random.uniform(1, 30)
        yield Crash(at, back, random.choice((0.0, 3.0)))
        at = back + MINUTE  # so long it runs at least


def cut_off(start: Fact, at: float) -> Fact:
    """The end, at this instant, of the ring, call, wrap-up or break that began with `start`."""
    match start.kind:
        case "ring_started":
            return evolve(start, at=at, kind="ring_ended", answered=False)
        case "call_started":
            talk_time = math.floor(at) - math.floor(start.at)
            return evolve(start, at=at, kind="call_ended", talk_time=talk_time)
        case "break_started":
            return evolve(start, at=at, kind="break_ended")
    return evolve(start, at=at, kind="wrap_up_ended")
