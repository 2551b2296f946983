"""How contenders are measured: in turns, on the same replies, in one run; each in a process of its own.

In turns, so that what slows the machine for a while slows all of them. In processes, so that each has
its own heap: the garbage collector, left as Python ships it, goes through everything that lives in a
process, and in a shared one each contender would pay for what the others keep.
"""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection
from statistics import median
from typing import Any, TypeVar

from benchmarks.compared import PlainFloor
from deepcall_async import LiveFloor, LiveUpdate

T = TypeVar("T")
Contender = Callable[[bytes], Any]
Maker = Callable[[], Contender]  # a function of a module, so that another process can find it

BLOCK_ROWS = 2_000  # agents' rows to read in one turn; large replies are read one by one

# CPU time where it is told finely enough: what else the machine does counts for less then.
CLOCK = time.thread_time if time.get_clock_info("thread_time").resolution < 1e-6 else time.perf_counter


# --- contenders that everything is compared with -----------------------------------------------------


def ours() -> Callable[[bytes], LiveUpdate]:
    """The library."""
    return LiveFloor().receive


def plain() -> Callable[[bytes], LiveUpdate]:
    """The library without short cuts: every reply is decoded whole, then compared."""
    return PlainFloor().receive


def json_alone() -> Contender:
    """What the standard library takes to parse the same bytes."""
    return json.loads


def orjson_alone() -> Contender:
    """What the fastest parser takes."""
    import orjson  # noqa: PLC0415  # it may not be installed

    loads: Contender = orjson.loads
    return loads


# --- turns --------------------------------------------------------------------------------------------


class Turns:
    """Contenders, each waiting in its process. missing: why some do not take part, by name."""

    def __init__(self, lines: Mapping[str, Connection]) -> None:
        self._lines = dict(lines)
        self.missing: dict[str, str] = {}
        self._begin = 0
        self.renew()

    @property
    def names(self) -> list[str]:
        """Who takes part."""
        return list(self._lines)

    def renew(self) -> None:
        """Let all begin anew, having seen nothing."""
        for name in self.names:
            self._lines[name].send(None)
            fault = self._lines[name].recv()
            if fault is not None:
                self.leave_out(name, fault)

    def leave_out(self, name: str, why: str) -> None:
        """Go on without this contender."""
        self.missing[name] = why
        del self._lines[name]

    def read(self, name: str, bodies: Sequence[bytes]) -> list[float]:
        """Let one contender read these replies. Returns the CPU seconds of each."""
        self._lines[name].send(bodies)
        seconds: list[float] = self._lines[name].recv()
        return seconds

    def take(
        self, bodies: Iterable[bytes], block: int, *, patience: float | None = None
    ) -> dict[str, list[float]]:
        """Let all read these replies, so many in one turn. Returns the CPU seconds of each, by name.

        Another contender begins each time. patience: seconds for one reply; who takes longer is left out.
        """
        times: dict[str, list[float]] = {name: [] for name in self._lines}
        for part in _parts(bodies, block):
            for name in self._order():
                times[name] += self.read(name, part)
                if patience is not None and max(times[name]) > patience:
                    self.leave_out(name, f"one reply took {max(times.pop(name)):.1f} s")
        return times

    def _order(self) -> list[str]:
        order = deque(self._lines)
        order.rotate(-self._begin)
        self._begin += 1
        return list(order)


def block_of(agents: int) -> int:
    """How many replies of so many agents are read in one turn."""
    return max(1, BLOCK_ROWS // agents)


def _parts(bodies: Iterable[bytes], size: int) -> Iterator[list[bytes]]:
    part: list[bytes] = []
    for body in bodies:
        part.append(body)
        if len(part) == size:
            yield part
            part = []
    if part:
        yield part


@contextmanager
def in_turns(makers: Mapping[str, Maker]) -> Iterator[Turns]:
    """Start a process for each contender; end them all at the end."""
    context = get_context("spawn")
    processes, lines = [], {}
    try:
        for name, make in makers.items():
            lines[name], theirs = context.Pipe()
            process = context.Process(target=_work, args=(theirs, make), daemon=True)
            process.start()
            theirs.close()
            processes.append(process)
        yield Turns(lines)
    finally:
        for line in lines.values():
            line.close()  # which is how they know
        for process in processes:
            process.join(10)
            process.kill()


def _work(line: Connection, make: Maker) -> None:
    """A contender's process: reads replies, tells the times. None instead of replies: begin anew."""
    contender: Contender = len
    with suppress(EOFError, KeyboardInterrupt):
        while True:
            bodies = line.recv()
            if bodies is not None:
                line.send([_timed(contender, body) for body in bodies])
                continue
            try:
                contender = make()
            except ImportError as error:
                line.send(f"{error.name} is not installed")
            else:
                line.send(None)


def _timed(contender: Contender, body: bytes) -> float:
    started = CLOCK()
    contender(body)  # what it returns is dropped within the time, as a program drops it
    return CLOCK() - started


def rotated(contenders: Iterable[T]) -> Iterator[list[T]]:
    """The contenders in order, for ever; another one begins each time."""
    order = deque(contenders)
    while True:
        yield list(order)
        order.rotate(-1)


def medians(times: Mapping[str, Iterable[float]]) -> dict[str, float]:
    """The median of each contender's times."""
    return {name: median(taken) for name, taken in times.items()}
