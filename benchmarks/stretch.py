"""How long a large floor holds the event loop at a stretch, while its replies are read.

    python -m benchmarks.stretch                    # half a minute

A stream of a large floor runs beside a task that wants to wake up every millisecond; the stretch is by how
much the latest of its wake-ups came late during a poll. "first" is a new stream's baseline; "quiet" a poll in
which nothing changed but the clocks, "busy" one in which every agent did. "in place" is the same with the
reading of large replies in another thread switched off, as it was done before and as small ones are read.
The server is a process of its own. Medians over so many streams, and the worst; the garbage collector is as
Python ships it.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from statistics import median
from typing import Any

from attrs import asdict, frozen

from benchmarks.machine import perform
from benchmarks.server import serving
from deepcall_async import DeepcallSession, TokenAuth
from deepcall_async._client import readers

BEAT = 0.001  # seconds between wake-ups
SIZES = (1_000, 10_000)
CHANGED = {"quiet": 0.0, "busy": 1.0}
POLLS = 3  # after the first
MODES = {"in place": math.inf, "ours": readers.LARGE}  # bytes from which on a reply is read aside


@frozen(kw_only=True)
class Result:
    """Seconds the loop was held at a stretch, and seconds a poll took: the median and the worst."""

    agents: int
    poll: str
    mode: str
    held: float
    longest: float
    took: float


class Lag:
    """By how much the latest wake-up came late since it was last asked."""

    def __init__(self) -> None:
        self._worst = 0.0

    def read(self) -> float:
        """Seconds; and begin anew."""
        worst, self._worst = self._worst, 0.0
        return worst

    async def beat(self) -> None:
        """Wake up for ever."""
        clock = asyncio.get_running_loop().time
        while True:
            due = clock() + BEAT
            await asyncio.sleep(BEAT)
            self._worst = max(self._worst, clock() - due)


@asynccontextmanager
async def lagging() -> AsyncIterator[Lag]:
    """Watch the running loop."""
    lag = Lag()
    task = asyncio.create_task(lag.beat())
    try:
        yield lag
    finally:
        task.cancel()


@contextmanager
def reading(large: float) -> Iterator[None]:
    """Read replies aside from this size on."""
    kept, readers.LARGE = readers.LARGE, large  # type: ignore[assignment]  # an infinity is a size, too
    try:
        yield
    finally:
        readers.LARGE = kept


async def watch(url: str, streams: int) -> tuple[list[tuple[float, float]], list[tuple[float, float]]]:
    """(held, took) of the first polls of so many new streams, and of those that follow."""
    first: list[tuple[float, float]] = []
    later: list[tuple[float, float]] = []
    clock = asyncio.get_running_loop().time
    async with lagging() as lag:
        for number in range(streams):
            auth = TokenAuth("1", "token-of-nobody")
            async with DeepcallSession(auth, base_url=f"{url}/{number}", timeout=300) as session:
                stream = session.poll_live(0.1)
                for poll in range(1 + POLLS):
                    await asyncio.sleep(2 * BEAT)
                    lag.read()
                    begun = clock()
                    await anext(stream)
                    await asyncio.sleep(2 * BEAT)
                    (later if poll else first).append((lag.read(), clock() - begun))
    return first, later


def measure(agents: int, streams: int) -> list[Result]:
    """A floor of this size, quiet and busy, read in place and as we do."""
    found: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for name, changed in CHANGED.items():
        with serving(agents, 2 + POLLS, changed) as address:
            for mode, large in MODES.items():
                with reading(large):
                    first, later = asyncio.run(watch(f"{address.http}/{mode.replace(' ', '')}", streams))
                found.setdefault(("first", mode), []).extend(first)
                found[name, mode] = later
    return [
        Result(
            agents=agents,
            poll=poll,
            mode=mode,
            held=median(held for held, _ in taken),
            longest=max(held for held, _ in taken),
            took=median(took for _, took in taken),
        )
        for (poll, mode), taken in found.items()
    ]


def run(*, quick: bool = False, tell: Callable[[str], None] = print) -> dict[str, Any]:
    """Measure, tell a table line by line, and return the figures."""
    results: list[Result] = []
    tell("agents  poll   read      held for   longest   the poll took")
    for agents in SIZES[:1] if quick else SIZES:
        for one in measure(agents, 1 if quick else 3):
            times = f"{one.held * 1e3:8.1f} ms{one.longest * 1e3:8.1f} ms{one.took * 1e3:10.1f} ms"
            tell(f"{one.agents:6}  {one.poll:6} {one.mode:9}{times}")
            results.append(one)
    return {"results": [asdict(one) for one in results]}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    perform("stretch", run, __doc__, arguments)


if __name__ == "__main__":
    main()
