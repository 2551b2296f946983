"""What a floor keeps: bytes per agent, and whether that grows with the polls.

    python -m benchmarks.memory

`tracemalloc` counts what is allocated while a `LiveFloor` reads replies and is still there when they
are read, with the update dropped: the snapshot, what the next comparison and the checkpoint need, and
what the short cuts remember. The replies themselves were there before and do not count; a copy of one,
or of parts of it, does. "plain" is the same library without short cuts.
"""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from attrs import asdict, frozen

from benchmarks.machine import perform
from benchmarks.payload import payload
from benchmarks.turns import Contender, plain
from deepcall_async import LiveFloor

SIZES = (100, 1_000, 10_000)
FEW = 3  # replies after which a floor is looked at
MANY = (FEW, 100, 1_000)  # and after these, a small one
SMALL = 100  # agents
WARM_UP = 20  # replies


@frozen(kw_only=True)
class Result:
    """What one floor keeps after so many replies. per_agent: bytes."""

    agents: int
    polls: int
    name: str
    per_agent: float


def measure(agents: int, polls: Iterable[int]) -> list[Result]:
    """Look at both floors after each of these numbers of replies."""
    marks = sorted(polls)
    bodies = payload(agents, marks[-1])
    makers: dict[str, Callable[[], Contender]] = {"ours": lambda: LiveFloor().receive, "plain": plain}
    return [
        Result(agents=agents, polls=mark, name=name, per_agent=kept / agents)
        for name, make in makers.items()
        for mark, kept in zip(marks, _kept(make, bodies, marks), strict=True)
    ]


def _kept(make: Callable[[], Contender], bodies: Sequence[bytes], marks: Sequence[int]) -> list[int]:
    """Bytes a floor keeps after each of the marks."""
    another = make()  # what is made once, whatever the floor, is not the floor's
    for body in bodies[:WARM_UP]:
        another(body)
    del another
    found = []
    gc.collect()
    tracemalloc.start()
    try:
        receive = make()
        before = tracemalloc.get_traced_memory()[0]
        for number, body in enumerate(bodies, 1):
            receive(body)
            if number in marks:
                gc.collect()
                found.append(tracemalloc.get_traced_memory()[0] - before)
    finally:
        tracemalloc.stop()
    return found


def run(*, quick: bool = False, tell: Callable[[str], None] = print) -> dict[str, Any]:
    """Measure, tell a table line by line, and return the figures."""
    results: list[Result] = []
    tell("agents   replies  floor   bytes an agent")
    for size in SIZES[:1] if quick else SIZES:
        marks = MANY[: 2 if quick else None] if size == SMALL else (FEW,)
        for result in measure(size, marks):
            tell(f"{result.agents:6}{result.polls:10}  {result.name:6}{result.per_agent:16.0f}")
            results.append(result)
    return {"results": [asdict(result) for result in results]}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    perform("memory", run, __doc__, arguments)


if __name__ == "__main__":
    main()
