"""What waits for a slow reader of a feed: bytes, when as many transitions wait as may.

    python -m benchmarks.waiting

`tracemalloc` counts what is allocated while a floor has one agent with news at every tick and nobody
reads: what `Pending` holds for one reader, that is what is freed when it is cleared.
"""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import Any

from attrs import asdict, evolve, frozen

from benchmarks.machine import perform
from benchmarks.payload import payload
from deepcall_async import LiveFloor, LiveUpdate, Snapshot
from deepcall_async._client.backlog import Pending
from deepcall_async._client.feed import MAX_PENDING
from deepcall_async._wire.decoder import decode_snapshot

SIZES = (100, 1_000, 10_000)
INTERVAL = timedelta(seconds=5)


@frozen(kw_only=True)
class Result:
    """What waits for one reader. floors: updates, each with its snapshot. kept: bytes."""

    agents: int
    transitions: int
    floors: int
    kept: int


def measure(agents: int, ticks: int) -> Result:
    """Let so many ticks with one transition each wait."""
    floor, pending = LiveFloor(), Pending(MAX_PENDING)
    pending.push(floor.take(snapshot := decode_snapshot(payload(agents, 1)[0])))
    tracemalloc.start()
    try:
        for update in _restless(floor, snapshot, ticks):
            pending.push(update)
        del update
        transitions, floors = sum(len(update.transitions) for update in pending), len(pending)
        gc.collect()
        before = tracemalloc.get_traced_memory()[0]
        pending.clear()
        gc.collect()
        kept = before - tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    return Result(agents=agents, transitions=transitions, floors=floors, kept=kept)


def _restless(floor: LiveFloor, snapshot: Snapshot, ticks: int) -> Iterator[LiveUpdate]:
    """At each tick another agent's phone goes online, or offline."""
    ids = [*snapshot.agents]
    for tick in range(ticks):
        key = ids[tick % len(ids)]
        agent = snapshot.agents[key]
        status = "offline" if agent.sip_status == "online" else "online"
        agents = {**snapshot.agents, key: evolve(agent, sip_status=status)}
        snapshot = evolve(snapshot, agents=agents, server_time=snapshot.server_time + INTERVAL)
        yield floor.take(snapshot)


def run(*, quick: bool = False, tell: Callable[[str], None] = print) -> dict[str, Any]:
    """Measure, tell a table line by line, and return the figures."""
    results = []
    tell("agents   transitions   floors        MB")
    for size in SIZES[:1] if quick else SIZES:
        result = measure(size, 20 if quick else MAX_PENDING)
        tell(f"{size:6}{result.transitions:14}{result.floors:9}{result.kept / 1e6:10.1f}")
        results.append(result)
    return {"results": [asdict(result) for result in results]}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    perform("waiting", run, __doc__, arguments)


if __name__ == "__main__":
    main()
