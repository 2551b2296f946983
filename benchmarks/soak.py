"""Whether a stream that is never restarted stays as it was: 100 000 polls, in warped time, with faults.

    python -m benchmarks.soak                          # all four runs, an hour
    python -m benchmarks.soak --runs login --polls 20000
    python -m benchmarks.soak --assert                 # exit code 1 if anything grew or leaked

Four runs. "all" and "login" are the pure core: a `LiveFloor` takes the replies of a simulated floor on
which agents are hired, work and go for good; another process makes the replies, so that all memory
measured is the core's. "compared" is "login" with a second floor beside the first that decodes every
reply whole: the run dies where they do not agree. "shell" is the whole of it: a `DeepcallSession` and its
stream against a real HTTP server, on a loop whose time is virtual. At 15 seconds a poll 100 000 polls are
17 days, many times the day after which an agent who logged out of view is to be forgotten.

Mixed in are outages, replies that are cut short, errors of the API, lies (an empty floor, totals that
contradict the rows, a reply from the past), rows that cannot be read; and in the shell timeouts, resets,
gateways' pages, and credentials that expire.

Memory is what Python's allocator holds after a full collection, at 10 %, 50 % and 100 % of the polls
(the median of the samples just before). Agents come and go, so it is the bytes per agent that must not grow,
and the number of agents remembered must be that of those seen within the day.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import math
import sys
import time
from array import array
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from statistics import median
from typing import Any, Literal

from attrs import asdict, define, evolve, field, frozen

from benchmarks.compared import ComparedFloor
from benchmarks.gauges import Allocations, Growth, descriptors, origin, quantiles, resident
from benchmarks.soak_floor import PACE, Post, producing
from deepcall_async import (
    Auth,
    DeepcallError,
    DeepcallSession,
    LiveFloor,
    LiveUpdate,
    SsidAuth,
    TransportError,
)
from deepcall_async.simulator import Fault, Floor, Simulator

Run = Literal["all", "login", "compared", "shell"]
RUNS: tuple[Run, ...] = ("all", "login", "compared", "shell")
CORES: dict[Run, tuple[Literal["all", "login"], type[LiveFloor]]] = {  # status, and what takes the replies
    "all": ("all", LiveFloor),
    "login": ("login", LiveFloor),
    "compared": ("login", ComparedFloor),
}
POINTS = 100  # of the series
SHARES = (0.1, 0.5, 1.0)  # of the polls, at which memory is told
AROUND = 0.05  # of the polls before, over which it is taken
MOST_GROWTH = 0.05  # of the memory per agent, from the first of these to the last
NOISE = 24_000  # bytes of growth in all that tell nothing: buffers, and the interpreter's free lists
TIMEOUT = 5.0  # seconds for a request in the shell, less than the interval
REHEARSAL = 200  # polls
EXPIRY = 997  # polls between two expiries of the credentials


@frozen(kw_only=True)
class Setting:
    """One run. interval: seconds of the floor's time between polls. faults: share of polls with one.

    samples: how often memory and the like are measured.
    """

    run: Run
    polls: int
    agents: int
    interval: float
    faults: float
    seed: int
    samples: int


@frozen(kw_only=True)
class Checkpoint:
    """How things stood. share: of the polls done. memory: bytes. remembered, known: agents.

    known: of how many agents it should know: those shown now, or within the day for status login.
    checkpoint_bytes: of the update's checkpoint as JSON. resident: of the process, bytes.
    """

    share: float
    memory: int
    memory_per_agent: float
    remembered: int
    known: int
    checkpoint_bytes: int
    resident: int
    descriptors: int
    tasks: int


@frozen(kw_only=True)
class Result:
    """What a run came to.

    days: of the floor's time. growth: of the memory per agent, first checkpoint to last; 0: none. series:
    bytes per agent, a hundred medians over the run. growing: the lines that grew most since the first.
    most_too_many: agents remembered beyond those known, at any sample. counts: of polls and what they told.
    residual: calls nothing explains, at the end. lateness: of the shell's undisturbed ticks against the ideal
    grid, in seconds of virtual time. drift: that of the last.
    descriptors_left, tasks_left: after the end, beyond those before the start.
    """

    setting: Setting
    seconds: float
    days: float
    checkpoints: list[Checkpoint]
    series: list[int]
    growth: float
    growing: list[Growth]
    most_too_many: int
    counts: dict[str, int]
    residual: int
    lateness: dict[str, float] | None = None
    drift: float | None = None
    descriptors_left: int = 0
    tasks_left: int = 0


# --- keeping the record ----------------------------------------------------------------------------

GAUGES = ("memory", "remembered", "known", "checkpoint_bytes", "resident", "descriptors", "tasks")


@define
class Record:
    """The samples of a run. Its arrays are made before memory is watched, and never grow."""

    setting: Setting
    counts: Counter[str] = field(factory=Counter)
    samples: dict[str, array[float]] = field(init=False)
    lateness: array[float] = field(init=False)
    every: int = field(init=False)
    taken: int = 0
    growing: list[Growth] = field(factory=list)
    started: float = field(factory=time.perf_counter)
    last: LiveUpdate | None = None

    def __attrs_post_init__(self) -> None:
        self.every = max(1, self.setting.polls // self.setting.samples)
        size = self.setting.polls // self.every
        self.samples = {name: array("d", bytes(8 * size)) for name in GAUGES}
        self.lateness = array("d", [math.nan]) * self.setting.polls

    def take(self, update: LiveUpdate, known: int, memory: Allocations) -> None:
        """Count a poll; measure whenever it is time to."""
        self.last = update
        told = {"polls": 1, "transitions": len(update.transitions), "held": bool(update.held)}
        self.counts.update(told | {"outages": bool(update.gap), "failed": update.outage is not None})
        self.counts["unreadable rows"] += 0 if update.is_stale else len(update.snapshot.quarantined)
        if self.counts["polls"] % self.every == 0 and self.taken < len(self.samples["memory"]):
            self._sample(update, known, memory)

    def _sample(self, update: LiveUpdate, known: int, memory: Allocations) -> None:
        checkpoint = update.checkpoint
        measured = {
            "remembered": len(checkpoint["state"]["memories"]),
            "known": known,
            "checkpoint_bytes": len(json.dumps(checkpoint)),
            "resident": resident(),
            "descriptors": descriptors(),
            "tasks": _tasks(),
        }
        del checkpoint
        for name, value in (measured | {"memory": memory.held()}).items():
            self.samples[name][self.taken] = value
        self.taken += 1
        if self.taken == max(1, round(SHARES[0] * len(self.samples["memory"]))):
            memory.mark()

    def close(self, memory: Allocations) -> None:
        """What grew, while it is still there."""
        self.growing = memory.growing()

    def result(self, **more: Any) -> Result:
        """The record in figures."""
        assert self.last is not None  # noqa: S101  # a run has at least one poll
        points = [self._checkpoint(share) for share in SHARES]
        excess = [a - b for a, b in zip(self.samples["remembered"], self.samples["known"], strict=True)]
        return Result(
            setting=self.setting,
            seconds=time.perf_counter() - self.started,
            days=self.setting.polls * self.setting.interval / 86_400,
            checkpoints=points,
            series=self._series(),
            growth=points[-1].memory_per_agent / points[0].memory_per_agent - 1,
            growing=self.growing,
            most_too_many=round(max(excess)),
            counts=dict(self.counts),
            residual=self.last.ledger.total.residual,
            **more,
        )

    def _checkpoint(self, share: float) -> Checkpoint:
        count = self.taken
        end = max(1, round(share * count))
        start = max(0, end - max(1, round(AROUND * count)))
        taken = {name: list(values[start:end]) for name, values in self.samples.items()}
        each = self._per_agent()[start:end]
        middle = {name: round(median(values)) for name, values in taken.items()}
        return Checkpoint(share=share, memory_per_agent=median(each), **middle)

    def _per_agent(self) -> list[float]:
        memory, agents = self.samples["memory"], self.samples["remembered"]
        return [of / max(1.0, by) for of, by in zip(memory, agents, strict=True)]

    def _series(self) -> list[int]:
        each = self._per_agent()
        step = max(1, len(each) // POINTS)
        return [round(median(each[start : start + step])) for start in range(0, len(each), step)]


def _tasks() -> int:
    try:
        return len(asyncio.all_tasks())
    except RuntimeError:  # no loop: the core
        return 0


# --- the core ----------------------------------------------------------------------------------------


def soak_core(setting: Setting) -> Result:
    """A `LiveFloor` and nothing else, fed by another process."""
    record = Record(setting)
    status, kind = CORES[setting.run]
    with producing(
        status, setting.polls, setting.agents, setting.interval, setting.faults, setting.seed
    ) as posts:
        before = descriptors()
        with Allocations() as memory:
            floor = kind(status, scope="soak")
            for post in posts:
                record.take(_receive(floor, post), post.known, memory)
            record.close(memory)
        return record.result(descriptors_left=descriptors() - before)


def _receive(floor: LiveFloor, post: Post) -> LiveUpdate:
    try:
        if post.body is None:
            return floor.fail(TransportError("no answer"))
        return floor.receive(post.body)
    except DeepcallError as error:
        return floor.fail(error)


# --- the shell ---------------------------------------------------------------------------------------


def soak_shell(setting: Setting) -> Result:
    """A session against a server, on a loop that never waits for the wall clock."""
    import looptime  # noqa: PLC0415  # of the extra `dev`; the other runs do without

    record = Record(setting)
    before = descriptors()
    with asyncio.Runner(loop_factory=looptime.new_event_loop) as runner:
        tasks = runner.run(_shell(record))
    undisturbed = [late for late in record.lateness if not math.isnan(late)]
    return record.result(
        lateness=quantiles(undisturbed),
        drift=undisturbed[-1],
        tasks_left=tasks,
        descriptors_left=descriptors() - before,
    )


async def _shell(record: Record) -> int:
    """Poll; how many tasks are left at the end."""
    with Allocations() as memory:
        async with _served(record.setting) as (server, session):
            await _watch(record, memory, server, session)
            record.close(memory)
        await asyncio.sleep(1)
        return _tasks() - 1


@asynccontextmanager
async def _served(setting: Setting) -> AsyncIterator[tuple[Simulator, DeepcallSession]]:
    async with Simulator(Floor(setting.agents, seed=setting.seed, pace=PACE)) as server:

        async def provider() -> Auth:
            return SsidAuth(server.ssid)

        async with DeepcallSession(provider, base_url=server.url, timeout=TIMEOUT) as session:
            yield server, session


async def _watch(record: Record, memory: Allocations, server: Simulator, session: DeepcallSession) -> None:
    setting, random = record.setting, Random(record.setting.seed)
    clock = asyncio.get_running_loop().time
    start, polls, requests = clock(), 0, server.request_count
    async with session.poll_live(setting.interval) as stream:
        async for update in stream:
            tick, late = divmod(clock() - start, setting.interval)
            if server.request_count == requests + 1 and update.outage is None:
                record.lateness[polls] = late
            polls, requests = polls + 1, server.request_count
            record.counts["ticks skipped"] = round(tick) + 1 - polls
            record.take(update, len(update.snapshot.agents), memory)
            server.floor.history.clear()
            if polls == setting.polls:
                break
            _disturb(server, random, polls, setting.faults)
    record.counts["requests"] = server.request_count


FAULTS: tuple[Fault, ...] = (
    Fault(reset="before_headers"),
    Fault(reset="after_headers"),
    Fault(truncate=200),
    Fault(hang_up=True),
    Fault.gateway(),
    Fault.gateway(429, retry_after="20"),
    Fault(body=b"<html>"),
    Fault(code=1501),
    Fault(delay=60.0),
    Fault(drip=10.0),
    Fault(raw=b"\x16\x03\x01"),
)


def _disturb(server: Simulator, random: Random, polls: int, share: float) -> None:
    """Perhaps something goes wrong with the next requests; often once only, sometimes for long."""
    if random.random() < share:
        server.script(*[random.choice(FAULTS)] * random.choice((1, 1, 1, 3, 3, 20)))
    if polls % EXPIRY == 0:
        server.accept(ssid=f"session{polls}")


# --- the report --------------------------------------------------------------------------------------


def soak(setting: Setting) -> Result:
    """One run, after a short rehearsal: what is loaded and made once, when first needed, is no growth."""
    for part in (evolve(setting, polls=min(REHEARSAL, setting.polls), faults=0.2, samples=2), setting):
        result = soak_shell(part) if part.run == "shell" else soak_core(part)
    return result


def faults_of(result: Result) -> list[str]:
    """What must not be: growth and leaks. Empty when all is well."""
    grown = result.growth * result.checkpoints[0].memory
    found = {
        f"memory per agent grew by {result.growth:.1%}": result.growth > MOST_GROWTH and grown > NOISE,
        f"{result.most_too_many} agents too many are remembered": result.most_too_many > 0,
        f"{result.descriptors_left} descriptors are left open": result.descriptors_left > 0,
        f"{result.tasks_left} tasks are left running": result.tasks_left > 0,
        f"the last tick is {result.drift} s off the grid": abs(result.drift or 0.0) > 0.1,
    }
    return [f"{result.setting.run}: {fault}" for fault, is_there in found.items() if is_there]


HEAD = "   polls    memory  per agent  remembered  known  checkpoint       RSS  files  tasks"


def report(result: Result) -> str:
    """A run for people."""
    done = result.setting
    told = ", ".join(f"{count} {what}" for what, count in result.counts.items())
    lines = [f"{done.run}: {told}", f"  {result.days:.1f} days of the floor in {result.seconds:.0f} s", HEAD]
    lines += [
        f"{point.share:8.0%}{point.memory / 1e3:7.0f} kB{point.memory_per_agent:9.0f} B{point.remembered:12}"
        f"{point.known:7}{point.checkpoint_bytes / 1e3:9.0f} kB{point.resident / 1e6:7.1f} MB"
        f"{point.descriptors:7}{point.tasks:7}"
        for point in result.checkpoints
    ]
    lines.append(f"  memory per agent grew by {result.growth:+.2%}; residual {result.residual}")
    lines += [f"  {line.bytes:+9} B  {line.where}" for line in result.growing]
    if result.lateness:
        late = ", ".join(f"{name} {seconds * 1e3:.3f} ms" for name, seconds in result.lateness.items())
        lines.append(f"  ticks late by {late}; the last by {(result.drift or 0.0) * 1e3:.3f} ms")
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str] | None = None) -> None:
    """Soak and tell."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", nargs="*", default=RUNS, choices=RUNS)
    parser.add_argument("--polls", type=int, default=100_000, help="per run")
    parser.add_argument("--agents", type=int, default=30)
    parser.add_argument("--interval", type=float, default=15.0, metavar="SECONDS", help="of the floor's time")
    parser.add_argument("--faults", type=float, default=0.02, help="share of polls with which one begins")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--samples", type=int, default=500, help="of memory, per run")
    parser.add_argument("--assert", dest="must_hold", action="store_true", help="exit 1 on growth or a leak")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    options = vars(parser.parse_args(arguments))
    shared = {name: options[name] for name in ("polls", "agents", "interval", "faults", "seed", "samples")}
    logging.getLogger("deepcall_async").setLevel(logging.ERROR)  # outages are meant here, and counted
    results = []
    for run in options["runs"]:
        results.append(soak(Setting(run=run, **shared)))
        print(report(results[-1]), flush=True)
    faults = [fault for result in results for fault in faults_of(result)]
    print("\n".join(faults) or "nothing grew, nothing leaked")
    if options["json"]:
        document = {**origin("soak", options), "results": [asdict(result) for result in results]}
        options["json"].write_text(json.dumps({**document, "faults": faults}, indent=1) + "\n")
    if faults and options["must_hold"]:
        sys.exit(1)


if __name__ == "__main__":
    main()
