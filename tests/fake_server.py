"""A server on raw sockets that answers by script, well or badly, and remembers what it was asked."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import struct
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any

from attrs import define, field

from deepcall_async._client.credentials import Auth, AuthProvider, TokenAuth
from deepcall_async._client.retry import RetryPolicy
from deepcall_async._client.session import DeepcallSession
from deepcall_async._wire.scalars import to_elapsed

AUTH = TokenAuth("70212345", "tok3nTok3nTok3nTok3n")
FAST = RetryPolicy(first_wait=0.001, max_wait=0.002)
ONCE = RetryPolicy(attempts=1)


@define
class Request:
    """What came in. at: the loop's time."""

    path: str
    headers: dict[str, str]
    body: bytes
    at: float

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@define
class Connection:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    request: Request


Handler = Callable[[Connection], Awaitable[None]]
Answer = bytes | Handler


@define
class FakeServer:
    """The script's answers are given in turn; the last one is repeated for ever."""

    script: list[Answer]
    scheme: str = "http"
    port: int = 0
    requests: list[Request] = field(factory=list)
    connections: set[asyncio.StreamWriter] = field(factory=set)
    accepted: int = 0

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"

    def session(self, auth: Auth | AuthProvider = AUTH, **options: Any) -> DeepcallSession:
        """A session to this server that retries fast."""
        return DeepcallSession(auth, **{"base_url": self.url, "retry": FAST, **options})

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections.add(writer)
        self.accepted += 1
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while not writer.is_closing():
                await self._answer(reader, writer)
        self.connections.discard(writer)
        writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        first, *lines = head.split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines if line)
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        at = asyncio.get_running_loop().time()
        request = Request(first.split()[1], headers, body, at)
        self.requests.append(request)
        answer = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(answer, bytes):
            writer.write(answer)
            await writer.drain()
        else:
            await answer(Connection(reader, writer, request))


@asynccontextmanager
async def serving(
    *script: Answer, port: int = 0, tls: ssl.SSLContext | None = None
) -> AsyncIterator[FakeServer]:
    """Run a `FakeServer`; at the end its connections are cut and its tasks awaited."""
    fake = FakeServer([*script], scheme="https" if tls else "http")
    tasks: set[asyncio.Task[None]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        with suppress(asyncio.CancelledError):
            await fake.handle(reader, writer)
        writer.transport.abort()

    server = await asyncio.start_server(handle, "127.0.0.1", port, ssl=tls)
    fake.port = server.sockets[0].getsockname()[1]
    try:
        yield fake
    finally:
        server.close()
        left = [task for task in tasks if task.cancel()]
        if left:
            await asyncio.wait(left)


@contextmanager
def reserved_port() -> Iterator[int]:
    """A port on which nobody answers but the servers of this test: no other test gets it meanwhile."""
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", 0))
        port: int = holder.getsockname()[1]
        if sys.platform != "linux":  # only there it can be shared
            holder.close()
        yield port


# --- answers -------------------------------------------------------------------------------


def http(body: bytes | str = b"", status: int = 200, **headers: str) -> bytes:
    """One whole HTTP answer. Header names are given with underscores; an empty one is left out."""
    content = body.encode() if isinstance(body, str) else body
    fields = {"content_type": "application/json", **headers}
    fields.setdefault("content_length", str(len(content)))
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in fields.items() if value)
    return f"HTTP/1.1 {status} X\r\n{lines}\r\n".encode() + content


def api_error(code: Any, message: Any = "said the server", *, status: int = 200) -> bytes:
    """The server's error envelope."""
    body = json.dumps({"status": "error", "message": message, "code": code})
    return http(body, status)


START = 1_731_759_565


def row(
    agent: int | str, *, logged_in: bool = False, now: int = START, since: int = START - 3600, **more: Any
) -> dict[str, Any]:
    """An agent's row at a server time: logged in, or out, and available since an instant before it."""
    elapsed = to_elapsed(now - since)
    login = {"type": "Web", "duration": elapsed} if logged_in else "No"
    base = {"nm": f"Agent {agent}", "I": str(agent), "IsOcc": 0, "l": login, "ml": "No"}
    return {**base, "avT": elapsed, "avD": since, "mic_perm": 0, **more}


def floor(*rows: dict[str, Any], **message: Any) -> bytes:
    """A good answer of the server with these rows."""
    logged_in = sum(entry["l"] != "No" for entry in rows)
    totals = {"oCA": 0, "oBA": 0, "lA": logged_in, "Dia": 0, "Ring": 0, "sip": 0, "mic": 0, **message}
    reply = {"message": {"pr": [*rows], **totals}, "status": "success", "code": 200}
    return http(json.dumps(reply, separators=(",", ":")))


GOOD = floor(row(1, logged_in=True), row(2))


def after(delay: float, answer: bytes = GOOD) -> Handler:
    """The answer, after so many seconds."""

    async def slow(connection: Connection) -> None:
        await asyncio.sleep(delay)
        connection.writer.write(answer)

    return slow


def dripping(answer: bytes, *, each: float) -> Handler:
    """The answer, a byte at a time."""

    async def drip(connection: Connection) -> None:
        for byte in answer:
            connection.writer.write(bytes([byte]))
            await connection.writer.drain()
            await asyncio.sleep(each)

    return drip


def then_close(answer: bytes = b"") -> Handler:
    """The answer, and the end of the connection."""

    async def close(connection: Connection) -> None:
        connection.writer.write(answer)
        await connection.writer.drain()
        connection.writer.close()

    return close


def then_reset(answer: bytes = b"") -> Handler:
    """The answer, and a reset (RST) of the connection."""

    async def reset(connection: Connection) -> None:
        connection.writer.write(answer)
        await connection.writer.drain()
        await asyncio.sleep(0.01 if answer else 0)  # so that the client can read it
        sock = connection.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.writer.transport.abort()

    return reset


async def stall(connection: Connection) -> None:
    """No answer at all, until the client goes away."""
    await connection.reader.read()
    connection.writer.close()


async def until(condition: Callable[[], bool]) -> None:
    """Wait until something has happened elsewhere; half a minute at most."""
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110  # the elsewhere knows of no event
            await asyncio.sleep(0.001)
