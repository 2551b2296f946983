"""What a whole poll costs: CPU from the tick to the consumer, beside a bare exchange of the same reply.

    python -m benchmarks.poll                      # a minute
    python -m benchmarks.poll --json poll.json

One session, one kept connection, a floor of 100 agents of whom 1 % change from poll to poll. Beside
`poll_live`: aiohttp alone (POST, and read the body), and the client most people would write, with
tenacity and cattrs. All poll in turns, in blocks, in one process; the server has a process of its own,
so the CPU time of this process is that of the client and of the event loop.

The options of the two exchanges differ: ours has a timeout of its own, follows no redirect, keeps no
cookies and bounds the reply's size; the bare one is as aiohttp comes. Tried one by one, none of that
shows: aiohttp's part of ours costs what the bare exchange costs.

Nobody waits for ticks: the benchmark's event loop has a clock that can be put forward, and before each
`anext` it is put forward by one interval. So the tick is due, and the poll runs as it does when its
consumer is a moment late. What that leaves out, setting the timer of a tick and being woken by it, is
in the line "with its timer": there the clock moves only when the stream waits already.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import islice
from statistics import median
from typing import Any

import aiohttp
import tenacity
from attrs import asdict, frozen

from benchmarks.machine import perform
from benchmarks.rivals import Structured
from benchmarks.server import Address, serving
from benchmarks.turns import plain, rotated
from deepcall_async import DeepcallSession, LiveStream, LiveUpdate, TokenAuth

AGENTS = 100
INTERVAL = 0.1  # seconds between ticks: the shortest there is
BLOCK = 20  # polls of one contender in a row
AUTH = TokenAuth("70212345", "token-of-nobody")
BODY = json.dumps({"userId": "70212345", "token": "token-of-nobody", "status": "all"}).encode()
HEADERS = {"Content-Type": "application/json"}
PATH = "/api/v2/Agent/live"
EARLY = 20  # polls that are looked at one by one
BARE, OURS = "bare aiohttp", "poll_live"
TARGETS = {"http": 1.8, "https": 1.4}  # ours as a multiple of a bare exchange

Poll = Callable[[], Awaitable[Any]]


@frozen(kw_only=True)
class Result:
    """One line.

    seconds: median CPU of a poll. to_bare: as a multiple of a bare exchange's, median over blocks of
    polls. most: what `to_bare` is held to; None: nothing.
    """

    scheme: str
    agents: int
    name: str
    seconds: float
    to_bare: float
    most: float | None = None


@frozen(kw_only=True)
class Early:
    """One of the first polls of a new stream.

    number: 1 is the baseline. seconds: median CPU of the whole poll. to_plain: as a multiple of a bare
    exchange followed by a plain decode, in the same run.
    """

    number: int
    seconds: float
    to_plain: float


class Loop(asyncio.SelectorEventLoop):
    """An event loop whose clock can be put forward. ahead: seconds it is so far."""

    ahead = 0.0

    def time(self) -> float:
        """Seconds."""
        return super().time() + self.ahead

    def put_forward(self) -> None:
        """Let one interval pass."""
        self.ahead += INTERVAL


# --- who polls ------------------------------------------------------------------------------------


@asynccontextmanager
async def contenders(address: Address, scheme: str) -> AsyncIterator[dict[str, Poll]]:
    """Each contender with a connection of its own, by name."""
    url = (address.https if scheme == "https" else address.http) or ""
    trust = ssl.create_default_context(cadata=address.authority) if scheme == "https" else None
    async with AsyncExitStack() as stack:

        async def stream(name: str) -> LiveStream:
            session = DeepcallSession(AUTH, base_url=f"{url}/{name}", ssl=trust)
            return (await stack.enter_async_context(session)).poll_live(INTERVAL)

        async def http(**options: Any) -> aiohttp.ClientSession:
            connector = aiohttp.TCPConnector(ssl=trust or True)
            return await stack.enter_async_context(aiohttp.ClientSession(connector=connector, **options))

        yield {
            BARE: bare(await http(), f"{url}/bare{PATH}"),
            OURS: due(await stream("ours")),
            "with its timer": waited_for(await stream("timed")),
            "tenacity + cattrs": naive(await http(raise_for_status=True), f"{url}/naive{PATH}"),
        }


def bare(http: aiohttp.ClientSession, url: str) -> Poll:
    """The exchange alone."""

    async def poll() -> bytes:
        async with http.post(url, data=BODY, headers=HEADERS) as response:
            return await response.read()

    return poll


def due(stream: LiveStream) -> Poll:
    """Ours, when the tick is due already."""
    loop = _loop()

    async def poll() -> LiveUpdate:
        loop.put_forward()
        return await anext(stream)

    return poll


def waited_for(stream: LiveStream) -> Poll:
    """Ours, waiting for the tick."""
    loop = _loop()

    async def poll() -> LiveUpdate:
        loop.call_soon(loop.put_forward)  # which comes when the stream has set its timer
        return await anext(stream)

    return poll


def naive(http: aiohttp.ClientSession, url: str) -> Poll:
    """The client most people would write."""
    floor = Structured()

    @tenacity.retry(
        retry=tenacity.retry_if_exception_type((aiohttp.ClientError, TimeoutError)),
        stop=tenacity.stop_after_attempt(3),
        wait=tenacity.wait_exponential_jitter(multiplier=0.5, max=5),
        reraise=True,
    )
    async def poll() -> set[str]:
        async with http.post(url, data=BODY, headers=HEADERS) as response:
            return floor.compare(await response.json())

    return poll


def _loop() -> Loop:
    loop = asyncio.get_running_loop()
    if not isinstance(loop, Loop):
        raise TypeError("this benchmark runs in its own event loop")
    return loop


# --- taking turns -------------------------------------------------------------------------------------


async def cpu_of(poll: Poll, polls: int = 1) -> float:
    """CPU seconds of one poll, over a block of them."""
    started = time.process_time()
    for _ in range(polls):
        await poll()
    return (time.process_time() - started) / polls


async def measure(address: Address, scheme: str, agents: int, blocks: int) -> list[Result]:
    """Let all poll in turns, a block each."""
    async with contenders(address, scheme) as polls:
        for poll in polls.values():
            await cpu_of(poll, BLOCK)  # connections made, caches warm, streams under way
        times: dict[str, list[float]] = {name: [] for name in polls}
        for order in islice(rotated(polls.items()), blocks):
            for name, poll in order:
                times[name].append(await cpu_of(poll, BLOCK))
    return [
        Result(
            scheme=scheme,
            agents=agents,
            name=name,
            seconds=median(taken),
            to_bare=median(ours / bare for ours, bare in zip(taken, times[BARE], strict=True)),
            most=TARGETS[scheme] if name == OURS else None,
        )
        for name, taken in times.items()
    ]


async def measure_early(address: Address, streams: int) -> list[Early]:
    """The first polls of new streams, one by one, in turns with a bare exchange and a plain decode."""
    times: list[list[float]] = [[] for _ in range(EARLY)]
    beside: list[float] = []
    async with (
        DeepcallSession(AUTH, base_url=f"{address.http}/early") as session,
        aiohttp.ClientSession() as http,
    ):
        read, exchange = plain(), bare(http, f"{address.http}/beside{PATH}")

        async def decoded() -> None:
            read(await exchange())

        for _ in range(streams):
            poll = due(session.poll_live(INTERVAL))
            for number in range(EARLY):
                times[number].append(await cpu_of(poll))
                beside.append(await cpu_of(decoded))
    whole = median(beside)
    return [
        Early(number=number, seconds=median(taken), to_plain=median(taken) / whole)
        for number, taken in enumerate(times, 1)
    ]


# --- telling ------------------------------------------------------------------------------------------


def run(*, quick: bool = False, tell: Callable[[str], None] = print) -> dict[str, Any]:
    """Measure, tell a table line by line, and return the figures."""
    blocks, streams = (3, 2) if quick else (60, 30)
    results: list[Result] = []
    tell("scheme  what                 CPU a poll  x bare  at most")
    with (
        serving(AGENTS, 2 * (blocks + 1) * BLOCK) as address,
        asyncio.Runner(loop_factory=Loop) as runner,
    ):
        for scheme in ("http", "https"):
            if scheme == "https" and address.https is None:
                tell("https   left out: trustme is not installed")
                continue
            for result in runner.run(measure(address, scheme, AGENTS, blocks)):
                tell(_line(result))
                results.append(result)
        early = runner.run(measure_early(address, streams))
    worst = max(early, key=lambda one: one.to_plain)
    tell(
        f"of a stream's first {EARLY} polls, number {worst.number} cost the most beside a bare exchange "
        f"and a plain decode: {worst.to_plain:.2f}"
    )
    return {"results": [asdict(result) for result in results], "early": [asdict(one) for one in early]}


def _line(result: Result) -> str:
    most = "" if result.most is None else f"{result.most:9.2f}"
    return f"{result.scheme:8}{result.name:20}{result.seconds * 1e6:8.0f} us{result.to_bare:8.2f}{most}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    perform("poll", run, __doc__, arguments)


if __name__ == "__main__":
    main()
