"""Servers for the load benchmarks: cheap, and in a process of their own, as it is the client who is measured.

They speak as much HTTP/1.1 as a client with kept-alive connections needs: any POST is answered 200.
`replaying` answers from replies that are made beforehand, one a second and floor, and picks the one of
this very second, so that every clock in them ticks with real seconds. `living` lets a simulated floor
live in real time, and notes when it answered.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.utils import formatdate
from multiprocessing.connection import Connection
from random import Random
from typing import Any

from attrs import evolve, frozen

from benchmarks.payload import SHARES, START, _people, _totals
from deepcall_async._wire.encoder import encode_reply
from deepcall_async._wire.rows import row_to_wire
from deepcall_async.simulator import Fact, Floor, Pace

HOST = "127.0.0.1"
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
USER = re.compile(rb'"userId": *"(\d+)"')
PACE = evolve(Pace.busy(), idle=3.0, talk=6.0, wrap_up=3.0)  # news of a quarter of the agents every second
BACKLOG = 4096  # a thousand sessions connect at once

EXHAUSTED = b"HTTP/1.1 503 No more seconds\r\nContent-Length: 0\r\n\r\n"

Answer = Callable[[bytes], bytes]


@frozen(kw_only=True)
class Load:
    """What a replaying server holds. changed: the share of agents that really changes a second.

    floors: how many different ones, dealt out to the user ids in turn. seconds: how long they last.
    """

    agents: int
    seconds: int
    floors: int
    changed: float


@frozen(kw_only=True)
class Life:
    """What a living server did. served: before and after each answer was made, as `time.time()` tells."""

    facts: list[Fact]
    served: list[tuple[float, float]]


@frozen
class Server:
    """A server in another process. `ask` hands it an order, and back what it says."""

    url: str
    _pipe: Connection

    def ask(self, order: str) -> Any:
        """Which orders there are, `replaying` and `living` tell."""
        self._pipe.send(order)
        return self._pipe.recv()


@contextmanager
def replaying(load: Load) -> Iterator[Server]:
    """A server of floors made beforehand; "begin" starts them anew, "cpu" tells its seconds since."""
    with _process(_replay, load) as server:
        yield server


@contextmanager
def living(agents: int, seed: int) -> Iterator[Server]:
    """A server of a hectic floor that lives in real time; "facts" tells its `Life`."""
    with _process(_live, agents, seed) as server:
        yield server


@contextmanager
def _process(target: Callable[..., None], *args: Any) -> Iterator[Server]:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=target, args=(theirs, *args), daemon=True)
    process.start()
    theirs.close()
    try:
        yield Server(f"http://{HOST}:{ours.recv()}", ours)
    finally:
        ours.close()
        process.terminate()
        process.join()
        process.close()


# --- in the other process ----------------------------------------------------------------------------


def _replay(pipe: Connection, load: Load) -> None:
    floors = [_rendered(load, seed) for seed in range(load.floors)]
    begun = [0.0, 0.0]

    def answer(body: bytes) -> bytes:
        user = USER.search(body)
        floor = floors[int(user[1]) % load.floors if user else 0]
        second = int(time.monotonic() - begun[0])
        return floor[second] if second < len(floor) else EXHAUSTED

    def obey(order: str) -> Any:
        """Take an order: to "begin" anew; or "cpu", for the seconds of this process since."""
        if order == "begin":
            begun[:] = time.monotonic(), time.process_time()
        return time.process_time() - begun[1]

    asyncio.run(_serve(pipe, answer, obey))


def _live(pipe: Connection, agents: int, seed: int) -> None:
    floor = Floor(agents, seed=seed, start=time.time(), pace=PACE)
    served: list[tuple[float, float]] = []

    def answer(body: bytes) -> bytes:
        del body
        before = time.time()
        reply = _http(floor.reply(before), before)
        served.append((before, time.time()))
        return reply

    def obey(order: str) -> Life:
        """Take the one order there is, "facts"."""
        del order
        return Life(facts=floor.history, served=served)

    asyncio.run(_serve(pipe, answer, obey))


def _rendered(load: Load, seed: int) -> list[bytes]:
    """A floor's answers, one a second."""
    random = Random(f"{load.agents} {seed}")
    people = _people(load.agents, random)
    answers, turns = [], 0
    for second in range(load.seconds):
        now = START + second
        due = int(second * load.changed * load.agents + 1e-9) - turns
        for person in random.sample(people, due):
            others = [state for state in SHARES if state != person.state]
            person.turn(random.choices(others, [SHARES[state] for state in others])[0], now)
        turns += due
        rows = [row_to_wire(person.row(now)) for person in people]
        answers.append(_http(encode_reply(rows, _totals(people)), now))
    return answers


def _http(body: bytes, at: float) -> bytes:
    head = (
        f"HTTP/1.1 200 OK\r\nServer: nginx\r\nDate: {formatdate(int(at), usegmt=True)}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nConnection: keep-alive\r\n\r\n"
    )
    return head.encode() + body


async def _serve(pipe: Connection, answer: Answer, obey: Callable[[str], Any]) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Exchange(answer), HOST, 0, backlog=BACKLOG)
    ended = loop.create_future()

    def listen() -> None:
        try:
            pipe.send(obey(pipe.recv()))
        except (EOFError, OSError):
            loop.remove_reader(pipe.fileno())
            ended.set_result(None)

    loop.add_reader(pipe.fileno(), listen)
    pipe.send(server.sockets[0].getsockname()[1])
    await ended
    server.close()


class _Exchange(asyncio.Protocol):
    """One connection: requests in, answers out."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to write."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer once the request is complete."""
        self._received += data
        head, blank, body = self._received.partition(b"\r\n\r\n")
        length = LENGTH.search(head)
        if blank and len(body) >= (int(length[1]) if length else 0):
            self._received = b""
            self._transport.write(self._answer(body))
