"""How long a save of a checkpoint holds the event loop, how long it takes, and how much it writes.

    python -m benchmarks.checkpoint                 # a minute

Every poll has news, of one agent in a hundred, so every update is saved. A task beside wants to wake up
every millisecond; "held" is by how much the latest of its wake-ups came late during a save. "first" is the
first save of a run, in which the text of every agent is made; "next" are those after it. "in place" is what a
caller does without a thread, `save_checkpoint(path, update.checkpoint)`; "ours" is `CheckpointFile.keep`;
"idle" is the same beside nothing at all, for a while: what the machine itself holds the loop. Medians, and
the longest; the garbage collector is as Python ships it. The file is in the system's temporary folder.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from attrs import asdict, frozen

from benchmarks.machine import perform
from benchmarks.payload import payload
from benchmarks.stretch import BEAT, lagging
from deepcall_async import CheckpointFile, LiveFloor, LiveUpdate, save_checkpoint

SIZES = (100, 1_000, 10_000)
SAVES = 20
IDLE = 0.1  # seconds
CHANGED = 0.01  # of the agents, from update to update

Save = Callable[[LiveUpdate], Awaitable[None]]


@frozen(kw_only=True)
class Result:
    """Seconds the loop was held at a stretch, and a save took: the median and the longest. size: bytes."""

    agents: int
    save: str
    mode: str
    held: float
    longest: float
    took: float
    size: int


def updates(agents: int, count: int) -> Iterator[LiveUpdate]:
    """So many updates with news."""
    live = LiveFloor()
    return map(live.receive, payload(agents, count, CHANGED))


async def measure(agents: int, saves: int, mode: str, folder: str) -> list[Result]:
    """Save so many updates, one after the other, beside a task that wants to wake up."""
    path, taken = Path(folder, "floor.json"), []
    clock = asyncio.get_running_loop().time
    async with lagging() as lag, CheckpointFile(path) as kept:

        async def in_place(update: LiveUpdate) -> None:
            save_checkpoint(path, update.checkpoint)

        async def idle(_: LiveUpdate) -> None:
            await asyncio.sleep(IDLE)

        save: Save = {"ours": kept.keep, "in place": in_place, "idle": idle}[mode]
        for update in updates(agents, saves):
            await asyncio.sleep(2 * BEAT)
            lag.read()
            begun = clock()
            await save(update)
            took = clock() - begun
            await asyncio.sleep(2 * BEAT)
            taken.append((lag.read(), took))
    size = path.stat().st_size if mode != "idle" else 0  # noqa: ASYNC240  # nothing waits any more
    return [
        Result(
            agents=agents,
            save=name,
            mode=mode,
            held=median(held for held, _ in some),
            longest=max(held for held, _ in some),
            took=median(took for _, took in some),
            size=size,
        )
        for name, some in (("first", taken[:1]), ("next", taken[1:]))
    ]


def run(*, quick: bool = False, tell: Callable[[str], None] = print) -> dict[str, Any]:
    """Measure, tell a table line by line, and return the figures."""
    results: list[Result] = []
    tell("agents  save   mode       held for    longest   the save took      bytes")
    for agents in SIZES[:1] if quick else SIZES:
        for mode in ("idle", "in place", "ours"):
            with TemporaryDirectory() as folder:
                for one in asyncio.run(measure(agents, 3 if quick else SAVES, mode, folder)):
                    times = f"{one.held * 1e3:8.1f} ms{one.longest * 1e3:8.1f} ms{one.took * 1e3:13.1f} ms"
                    tell(f"{one.agents:6}  {one.save:6} {one.mode:9}{times}{one.size:11,}")
                    results.append(one)
    return {"results": [asdict(one) for one in results]}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    perform("checkpoint", run, __doc__, arguments)


if __name__ == "__main__":
    main()
