"""The other end of `benchmarks.poll`: a server in a process of its own, so that only the client's CPU counts.

It speaks just enough HTTP/1.1 for a client that keeps its connection. Each path is told the same
floor's replies from the first one on, so every contender sees the server's clock advance poll by poll.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email.utils import formatdate
from itertools import count
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any

from attrs import frozen

from benchmarks.payload import INTERVAL, START, replies


@frozen
class Address:
    """Where the server is. https and authority (the PEM certificate to trust): None without trustme."""

    http: str
    https: str | None
    authority: str | None


@contextmanager
def serving(agents: int, polls: int, changed: float = 0.01) -> Iterator[Address]:
    """Run the server in another process. polls: how many replies it prepares; it can give more."""
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_main, args=(theirs, agents, polls, changed), daemon=True)
    process.start()
    theirs.close()
    try:
        yield ours.recv()
    finally:
        ours.close()  # which is how it knows
        process.join(10)
        process.kill()


def _main(connection: Connection, agents: int, polls: int, changed: float) -> None:
    with suppress(KeyboardInterrupt):
        asyncio.run(_serve(connection, Replies(agents, changed, polls)))


async def _serve(connection: Connection, replies: Replies) -> None:
    loop = asyncio.get_running_loop()
    http = await loop.create_server(lambda: Exchange(replies), "127.0.0.1", 0)
    plain = f"http://127.0.0.1:{http.sockets[0].getsockname()[1]}"
    tls, authority = _certificate()
    if tls is None:
        connection.send(Address(plain, None, None))
    else:
        https = await loop.create_server(lambda: Exchange(replies), "127.0.0.1", 0, ssl=tls)
        connection.send(Address(plain, f"https://127.0.0.1:{https.sockets[0].getsockname()[1]}", authority))
    await loop.run_in_executor(None, _wait_for_end, connection)


def _wait_for_end(connection: Connection) -> None:
    with suppress(EOFError):
        connection.recv()


def _certificate() -> tuple[ssl.SSLContext | None, str | None]:
    """A server's side of TLS and the authority behind it, made for this run; without trustme, neither."""
    try:
        import trustme  # noqa: PLC0415  # a tool of the tests; without it there is no TLS here
    except ImportError:
        return None, None
    authority = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context, authority.cert_pem.bytes().decode()


class Replies:
    """One floor's replies as whole HTTP answers: each path is given them in order."""

    def __init__(self, agents: int, changed: float, polls: int) -> None:
        self._bodies = replies(agents, 10**9, changed)
        self._answers: list[bytes] = []
        self._asked: defaultdict[bytes, count[int]] = defaultdict(count)
        self._prepare(polls)

    def next(self, path: bytes) -> bytes:
        """The answer to the next request of this path, whichever connection it comes by."""
        number = next(self._asked[path])
        self._prepare(number + 1)
        return self._answers[number]

    def _prepare(self, polls: int) -> None:
        while len(self._answers) < polls:
            date = formatdate(START + len(self._answers) * INTERVAL, usegmt=True)
            self._answers.append(_answer(next(self._bodies), date))


def _answer(body: bytes, date: str) -> bytes:
    head = (
        f"HTTP/1.1 200 OK\r\nServer: nginx\r\nDate: {date}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\nConnection: keep-alive\r\nVary: Accept-Encoding\r\n\r\n"
    )
    return head.encode() + body


class Exchange(asyncio.Protocol):
    """One connection; one request at a time, as nobody here pipelines."""

    def __init__(self, replies: Replies) -> None:
        self._replies = replies
        self._received = b""
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """As asyncio calls it."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """As asyncio calls it."""
        self._received += data
        head, blank, body = self._received.partition(b"\r\n\r\n")
        if blank and len(body) >= _content_length(head):
            self._received = b""
            self._transport.write(self._replies.next(head.split(b" ", 2)[1]))


def _content_length(head: bytes) -> int:
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0
