"""How many floors a core holds: a thousand sessions in one process, each polled once a second.

    python -m benchmarks.fleet                                # 1 000 sessions of 100 agents, a minute each
    python -m benchmarks.fleet --seconds 600 --json fleet.json
    python -m benchmarks.fleet --knee                         # how many before ticks are missed

The contenders take turns, each in a new process, against the same server in another one. "bare" is the
least that could be done: on the same ticks, a POST with aiohttp, and the body read. "ours" is a
`DeepcallSession` and its stream for every account, one consumer task each. The ticks are spread evenly over
the interval, a hundred streams are started a second, and nothing is measured before all are under way and
warm. The garbage collector is as Python ships it. A second of the server's floors is a second of the clock,
in which 1 % of the agents really change.

A tick is missed when a poll took so long that it was skipped. The latency of a poll is from the instant its
tick is due until the consumer has the update, or the body. The lag of the loop is by how much a task that
wants to wake up every 10 ms comes late.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import math
import multiprocessing
import time
import tracemalloc
from array import array
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from typing import Any, Literal

import aiohttp
from attrs import asdict, define, evolve, field, frozen

from benchmarks.gauges import allow_descriptors, descriptors, origin, quantiles, resident
from benchmarks.load_server import Load, Server, replaying
from deepcall_async import DeepcallSession, LiveStream, TokenAuth

Contender = Literal["bare", "ours"]
CONTENDERS: tuple[Contender, ...] = ("bare", "ours")
BEAT = 0.01  # seconds between the wake-ups that show the loop's lag
OPENING = 50  # sessions that are opened at once
STARTS = 100  # streams a second that are started: a first poll costs more, and a busy loop would bunch them
SETTLING = 30  # seconds for processes to start and sessions to open
TOO_LATE = 0.05  # seconds of lag, as the 99th percentile, at which a core holds no more
KNEE_START, KNEE_GROWTH, KNEE_MOST, KNEE_HALVINGS = 250, 1.5, 6_000, 3


@frozen(kw_only=True)
class Setting:
    """What a contender is to do. shared: all sessions use one pool of connections.

    trace: count what Python allocates; the times are not to be compared with others then.
    """

    contender: Contender
    sessions: int
    agents: int
    seconds: float
    interval: float
    warm_up: float
    shared: bool = False
    trace: bool = False


@frozen(kw_only=True)
class Result:
    """What it took. cpu: seconds of the client process, `collecting` of them in the garbage collector.

    longest_collection: of its CPU, too, when nothing else could run. cpu_per_poll: seconds. core: cpu as a
    share of the time. failed: polls without a good answer. lag, latency: seconds, as quantiles.
    memory_per_session: resident bytes beyond those before the first session; allocated_per_session: of
    Python's, only when traced.
    """

    setting: Setting
    polls: int
    missed: int
    failed: int
    transitions: int
    cpu: float
    collecting: float
    longest_collection: float
    cpu_per_poll: float
    core: float
    server_core: float
    lag: dict[str, float]
    latency: dict[str, float]
    memory_per_session: float
    allocated_per_session: float | None
    resident: int
    descriptors: int


# --- measuring, in the client's process ------------------------------------------------------------------


@define
class Meter:
    """What is measured between two loop times, `begin` and `end`; see `Result`."""

    setting: Setting
    begin: float = math.inf
    end: float = math.inf
    polls: int = 0
    failed: int = 0
    transitions: int = 0
    cpu: float = 0.0
    collecting: float = 0.0
    longest_collection: float = 0.0
    latency: array[float] = field(factory=lambda: array("d"))
    lag: array[float] = field(factory=lambda: array("d"))
    _collection: float = 0.0

    def note(self, due: float, now: float) -> None:
        """A poll was due, and is done."""
        if self.begin <= due < self.end:
            self.polls += 1
            self.latency.append(now - due)

    async def conduct(self) -> None:
        """Take the time from begin to end."""
        loop = asyncio.get_running_loop()
        await asyncio.sleep(self.begin - loop.time())
        gc.callbacks.append(self._collector)
        started, beat = time.process_time(), self.begin
        while beat < self.end:
            beat += BEAT * max(1, math.ceil((loop.time() - beat) / BEAT))
            await asyncio.sleep(beat - loop.time())
            self.lag.append(max(0.0, loop.time() - beat))
        self.cpu = time.process_time() - started
        gc.callbacks.remove(self._collector)

    def _collector(self, phase: str, _: object) -> None:
        now = time.process_time()
        if phase == "start":
            self._collection = now
        else:
            self.collecting += now - self._collection
            self.longest_collection = max(self.longest_collection, now - self._collection)


Poller = Callable[[], Awaitable[None]]


async def perform(setting: Setting, url: str) -> Result:
    """Be the contender."""
    meter = Meter(setting)
    if setting.trace:
        tracemalloc.start()
    gc.collect()
    before = resident()
    async with {"bare": bare, "ours": ours}[setting.contender](meter, url) as pollers:
        start = asyncio.get_running_loop().time() + 0.1
        ramp = math.ceil(setting.sessions / STARTS / setting.interval)  # intervals
        meter.begin = start + ramp * setting.interval + setting.warm_up
        meter.end = meter.begin + setting.seconds
        conductor = asyncio.create_task(meter.conduct())
        starts = [start + (n % ramp + n / setting.sessions) * setting.interval for n in range(len(pollers))]
        running = [asyncio.create_task(_later(*one)) for one in zip(starts, pollers, strict=True)]
        await conductor
        open_descriptors, after = descriptors(), resident()
        allocated = tracemalloc.get_traced_memory()[0] if setting.trace else None
        await asyncio.gather(*running)
    ticks = round(setting.seconds / setting.interval) * setting.sessions
    return Result(
        setting=setting,
        polls=meter.polls,
        missed=ticks - meter.polls,
        failed=meter.failed,
        transitions=meter.transitions,
        cpu=meter.cpu,
        collecting=meter.collecting,
        longest_collection=meter.longest_collection,
        cpu_per_poll=meter.cpu / max(1, meter.polls),
        core=meter.cpu / setting.seconds,
        server_core=0.0,
        lag=quantiles(meter.lag),
        latency=quantiles(meter.latency),
        memory_per_session=(after - before) / setting.sessions,
        allocated_per_session=None if allocated is None else allocated / setting.sessions,
        resident=after,
        descriptors=open_descriptors,
    )


async def _later(start: float, poller: Poller) -> None:
    await asyncio.sleep(start - asyncio.get_running_loop().time())
    await poller()


async def _in_turn(opened: Sequence[Awaitable[Any]]) -> None:
    for first in range(0, len(opened), OPENING):
        await asyncio.gather(*opened[first : first + OPENING])


@asynccontextmanager
async def pool(setting: Setting) -> AsyncIterator[aiohttp.ClientSession | None]:
    """The one pool of all, if they are to share one."""
    if setting.shared:
        async with aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0), cookie_jar=aiohttp.DummyCookieJar()
        ) as http:
            yield http
    else:
        yield None


# --- the contenders ----------------------------------------------------------------------------------


@asynccontextmanager
async def ours(meter: Meter, url: str) -> AsyncIterator[list[Poller]]:
    """A session and a stream for every account."""
    setting = meter.setting
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(pool(setting))
        sessions = [
            DeepcallSession(TokenAuth(user, "token"), base_url=url, http_session=http, account=str(user))
            for user in range(setting.sessions)
        ]
        for session in sessions:
            stack.push_async_callback(session.aclose)
        await _in_turn([session.open() for session in sessions])
        yield [_consumer(meter, session.poll_live(setting.interval)) for session in sessions]


def _consumer(meter: Meter, stream: LiveStream) -> Poller:
    interval, clock = meter.setting.interval, asyncio.get_running_loop().time

    async def consume() -> None:
        due = start = clock()
        async for update in stream:
            now = clock()
            meter.note(due, now)
            meter.failed += update.outage is not None
            meter.transitions += len(update.transitions)
            due = _next_tick(start, now, interval)
            if due >= meter.end:
                break

    return consume


def _next_tick(start: float, now: float, interval: float) -> float:
    return start + (math.floor((now - start) / interval) + 1) * interval


@asynccontextmanager
async def bare(meter: Meter, url: str) -> AsyncIterator[list[Poller]]:
    """A POST and its body, no more, over as many connections."""
    setting = meter.setting
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(pool(setting))
        posts = [
            Post(http or _own_pool(), f"{url}/api/v2/Agent/live", user) for user in range(setting.sessions)
        ]
        for post in posts:
            stack.push_async_callback(post.http.close)
        await _in_turn([post.send() for post in posts])
        yield [_loop(meter, post) for post in posts]


def _own_pool() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit_per_host=8), cookie_jar=aiohttp.DummyCookieJar()
    )


@frozen
class Post:
    """The request of an account."""

    http: aiohttp.ClientSession
    url: str
    user: int

    async def send(self) -> bool:
        """Send it and read the answer's body; whether it was a good one."""
        body = f'{{"userId": "{self.user}", "token": "token", "status": "all"}}'.encode()
        headers = {"Content-Type": "application/json"}
        async with self.http.post(self.url, data=body, headers=headers) as response:
            await response.read()
            return response.status == 200


def _loop(meter: Meter, post: Post) -> Poller:
    interval, clock = meter.setting.interval, asyncio.get_running_loop().time

    async def poll() -> None:
        due = start = clock()
        while due < meter.end:
            await asyncio.sleep(due - clock())
            meter.failed += not await post.send()
            meter.note(due, clock())
            due = _next_tick(start, clock(), interval)

    return poll


# --- the conductor's process ---------------------------------------------------------------------------


def measure(setting: Setting, server: Server) -> Result:
    """Let a contender work in a new process."""
    context = multiprocessing.get_context("spawn")
    ours_, theirs = context.Pipe(duplex=False)
    server.ask("begin")
    process = context.Process(target=_client, args=(theirs, setting, server.url), daemon=True)
    started = time.perf_counter()
    process.start()
    theirs.close()
    try:
        result: Result = ours_.recv()
        return evolve(result, server_core=server.ask("cpu") / (time.perf_counter() - started))
    except EOFError:
        raise SystemExit(f"{setting.contender} died: see above") from None
    finally:
        ours_.close()
        process.join()
        process.close()


def _client(pipe: Connection, setting: Setting, url: str) -> None:
    allow_descriptors(setting.sessions)
    pipe.send(asyncio.run(perform(setting, url)))


def knee(setting: Setting, server: Server) -> tuple[int, list[Result]]:
    """The most sessions that were polled without a missed tick or a late loop, and all that was tried."""
    tried: list[Result] = []

    def holds(sessions: int) -> bool:
        result = measure(evolve(setting, sessions=sessions), server)
        tried.append(result)
        print(line(result), flush=True)
        return not result.missed and not result.failed and result.lag["p99"] <= TOO_LATE

    most, next_one = 0, min(KNEE_START, setting.sessions)
    while next_one <= KNEE_MOST and holds(next_one):
        most, next_one = next_one, math.ceil(next_one * KNEE_GROWTH)
    least = min(next_one, KNEE_MOST)
    for _ in range(KNEE_HALVINGS):
        middle = (most + least) // 2
        most, least = (middle, least) if holds(middle) else (most, middle)
    return most, tried


# --- the report ------------------------------------------------------------------------------------------

HEAD = (
    "contender  sessions    polls  missed failed  CPU a poll   (in GC, longest)    core"
    "  lag p50 /  p99 /   max   latency p50 /  p99 /   max  a session  files"
)


def line(result: Result) -> str:
    """One line of the table for people."""
    told = result.setting
    lag, latency = (_milliseconds(values) for values in (result.lag, result.latency))
    return (
        f"{told.contender:9}{told.sessions:10}{result.polls:9}{result.missed:8}{result.failed:7}"
        f"{result.cpu_per_poll * 1e6:9.0f} us{result.collecting / result.cpu:9.0%}"
        f"{result.longest_collection * 1e3:7.0f} ms{result.core:8.1%}"
        f"  {lag}   {latency}{result.memory_per_session / 1e3:8.1f} kB{result.descriptors:7}"
    )


def _milliseconds(values: dict[str, float]) -> str:
    return " / ".join(f"{seconds * 1e3:6.1f}" for seconds in values.values()) + " ms"


def ratios(results: Sequence[Result]) -> dict[str, float]:
    """Ours to bare: of the median CPU of a poll and the median latencies."""
    by = {name: [r for r in results if r.setting.contender == name] for name in CONTENDERS}
    if not all(by.values()):
        return {}
    values: dict[str, Callable[[Result], float]] = {
        "cpu_per_poll": lambda r: r.cpu_per_poll,
        "latency_p50": lambda r: r.latency["p50"],
        "latency_p99": lambda r: r.latency["p99"],
        "memory_per_session": lambda r: r.memory_per_session,
    }
    return {name: median(map(of, by["ours"])) / median(map(of, by["bare"])) for name, of in values.items()}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    options = _options(arguments)
    shared = {
        name: options[name] for name in ("sessions", "agents", "interval", "warm_up", "shared", "trace")
    }
    most = max(options["sessions"], KNEE_MOST if options["knee"] else 0)
    load = Load(
        agents=options["agents"],
        seconds=math.ceil(options["seconds"] + options["warm_up"] + most / STARTS + SETTLING),
        floors=min(options["floors"], options["sessions"]),
        changed=options["changed"],
    )
    allow_descriptors(most)
    document: dict[str, Any] = origin("fleet", options)
    results: list[Result] = []
    with replaying(load) as server:
        print(HEAD, flush=True)
        for _ in range(options["rounds"]):
            for contender in options["contenders"]:
                setting = Setting(contender=contender, seconds=options["seconds"], **shared)
                if options["knee"]:
                    held, tried = knee(setting, server)
                    document.setdefault("knee", {})[contender] = held
                    results += tried
                    continue
                results.append(measure(setting, server))
                print(line(results[-1]), flush=True)
    if options["knee"]:
        print(", ".join(f"{name}: {held} sessions a core" for name, held in document["knee"].items()))
    else:
        document["ours_to_bare"] = ratios(results)
        print(", ".join(f"{name} ours/bare {ratio:.2f}" for name, ratio in document["ours_to_bare"].items()))
    if options["json"]:
        document["results"] = [asdict(result) for result in results]
        options["json"].write_text(json.dumps(document, indent=1) + "\n")


def _options(arguments: Sequence[str] | None) -> dict[str, Any]:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sessions", type=int, default=1_000, metavar="N")
    parser.add_argument("--agents", type=int, default=100, metavar="M", help="of each floor")
    parser.add_argument("--seconds", type=float, default=60.0, help="measured, of each contender")
    parser.add_argument("--interval", type=float, default=1.0, metavar="SECONDS")
    parser.add_argument("--warm-up", type=float, default=4.0, metavar="SECONDS", help="before it is measured")
    parser.add_argument("--changed", type=float, default=0.01, help="share of agents that change a second")
    parser.add_argument("--floors", type=int, default=16, help="different ones, dealt out to the sessions")
    parser.add_argument("--contenders", nargs="*", default=CONTENDERS, choices=CONTENDERS)
    parser.add_argument("--rounds", type=int, default=1, help="how often each has its turn")
    parser.add_argument("--shared", action="store_true", help="one pool of connections for all sessions")
    parser.add_argument("--trace", action="store_true", help="count what Python allocates; slow")
    parser.add_argument("--knee", action="store_true", help="how many sessions a core holds; mind --seconds")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    return vars(parser.parse_args(arguments))


if __name__ == "__main__":
    main()
