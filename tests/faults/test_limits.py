"""Bounds on time and memory, where nothing may be sent, servers that go away, and TLS."""

from __future__ import annotations

import asyncio
import gzip
import socket
import ssl
import tracemalloc
import zlib
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import trustme

from deepcall_async import LiveFloor
from deepcall_async._client.renewal import Grant
from deepcall_async._client.session import DeepcallSession
from deepcall_async._model.errors import DeepcallError, RequestTimeout, TransportError, UnexpectedStatus
from deepcall_async._model.transitions import LoggedIn
from deepcall_async._wire.rows import MOST_ROWS
from deepcall_async._wire.unread import MOST_LISTED
from tests.fake_server import AUTH, ONCE, Answer, dripping, http, reserved_port, serving, stall

from .exchange import ENDLESS
from .fault import BODY, GOOD, LATER

pytestmark = [pytest.mark.wire, pytest.mark.looptime]

GRANT = Grant(AUTH)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_nothing_is_sent_to_where_a_redirect_points(status: int) -> None:
    async with serving(GOOD) as trap:
        redirect = http("", status, location=f"{trap.url}/api/v2/Agent/live")
        async with serving(GOOD, redirect) as server, server.session() as session:
            with pytest.raises(UnexpectedStatus, match="redirects are not followed") as caught:
                await session.live()
        assert caught.value.status == status
        assert len(server.requests) == 2
        assert trap.accepted == 0


@pytest.mark.parametrize("answer", [stall, GOOD[:-40], dripping(GOOD, each=0.01)])
async def test_the_timeout_is_kept_to_the_point_and_covers_the_body(answer: Answer) -> None:
    async with serving(GOOD, answer) as server, server.session(timeout=0.1, retry=ONCE) as session:
        clock = asyncio.get_running_loop().time
        started = clock()
        with pytest.raises(RequestTimeout):
            await session.live()
        assert clock() - started == pytest.approx(0.1, abs=0.01)


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
async def test_a_bomb_of_half_a_gigabyte_costs_little_memory(encoding: str) -> None:
    pack = zlib.compressobj(9, zlib.DEFLATED, 31 if encoding == "gzip" else 15)
    bomb = b"".join(pack.compress(bytes(1_000_000)) for _ in range(500)) + pack.flush()
    answer = http(bomb, content_encoding=encoding)
    async with serving(GOOD, answer) as server, server.session(max_reply_bytes=2**20) as session:
        tracemalloc.start()
        try:
            with pytest.raises(TransportError, match="max_reply_bytes"):
                await session.live()
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert peak < 8 * 2**20


PER_BYTE, PER_ROW = 45, 1500  # bytes of memory, as SECURITY.md says
SIZE = 30_000


def filled(piece: str, place: str = '"pr":[@]') -> bytes:
    """A reply in which one place is full of something: "#" in it is a number, another each time."""
    pieces = (piece.replace("#", str(number)) for number in range(SIZE // len(piece)))
    return f'{{"message":{{{place.replace("@", ",".join(pieces))}}},"status":"success","code":200}}'.encode()


BESIDE = '"pr":[],"x":[@]'
COSTLY = {
    "numbers for rows": filled("5"),
    "objects for rows": filled("{}"),
    "lists for rows": filled("[]"),
    "rows of an id": filled('{"I":#}'),
    "rows of an id, with details": filled('{"I":#,"l":{"a":0},"z":[]}'),
    "rows that cannot be read": filled('{"I":#,"tC":-1}'),
    "rows, every other of which cannot be read": filled('{"I":#},{}'),
    "numbers": filled("1.5", BESIDE),
    "objects": filled("{}", BESIDE),
    "objects in objects": filled('{"":{"":{"":{}}}}', BESIDE),
    "lists in lists": filled("[[[[[[[[]]]]]]]]", BESIDE),
    "keys": filled('"#":0', '"pr":[],@'),
    "keys of a row": filled('"#":[]', '"pr":[{"I":1,@}]'),
    "keys nested too deeply": filled(f'"#":{"[" * 40}{"]" * 40}', '"pr":[],@'),
    "an error": filled("{}", '"x":[@]').replace(b"success", b"error"),
}


@pytest.mark.parametrize("name", COSTLY)
def test_what_a_reply_may_cost_in_memory_is_bounded_by_its_bytes_and_rows(name: str) -> None:
    body, floor = COSTLY[name], LiveFloor()
    for _ in range(2):
        tracemalloc.start()
        try:
            with suppress(DeepcallError):
                floor.receive(body, date=datetime(2024, 11, 16, tzinfo=UTC), strike=GRANT.strike_from)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        rows = body.count(b'"I":')
        assert peak < PER_BYTE * len(body) + PER_ROW * rows + 100_000


async def test_33_kilobytes_that_unpack_to_millions_of_rows_are_a_failed_poll() -> None:
    body = b'{"message":{"pr":[' + b"5," * 2**24 + b'5]},"status":"success","code":200}'
    options: dict[str, Any] = {"max_reply_bytes": len(body), "retry": ONCE}
    bomb = http(gzip.compress(body), content_encoding="gzip")
    assert len(bomb) < 33_500
    async with serving(GOOD, GOOD, bomb, GOOD) as server, server.session(**options) as session:
        stream = session.poll_live(0.1)
        updates = [await anext(stream) for _ in range(3)]
    assert updates[1].outage is not None
    assert "no floor has more than 100000" in str(updates[1].outage.error)
    assert updates[2].outage is None


def test_the_page_says_what_the_bounds_are() -> None:
    page = Path(__file__).parents[2].joinpath("SECURITY.md").read_text()
    for bound in (f"{PER_BYTE} bytes", "1.5 kB", f"{MOST_ROWS:,} rows", f"first {MOST_LISTED}", "32 MiB"):
        assert bound in page


async def test_an_answer_of_just_the_allowed_size_is_taken() -> None:
    async with serving(GOOD) as server, server.session(max_reply_bytes=len(BODY)) as session:
        await session.live()
    async with serving(GOOD) as server:
        with pytest.raises(TransportError, match="max_reply_bytes"):
            await server.session(max_reply_bytes=len(BODY) - 1).open()


async def test_after_a_refused_answer_the_next_request_has_a_connection_of_its_own() -> None:
    options: dict[str, Any] = {"max_reply_bytes": 10_000, "retry": ONCE}
    async with serving(GOOD, ENDLESS, GOOD) as server, server.session(**options) as session:
        with pytest.raises(TransportError):
            await session.live()
        await session.live()
        assert server.accepted == 2


async def test_a_refused_connection_names_host_and_port() -> None:
    with reserved_port() as port:
        session = DeepcallSession(AUTH, base_url=f"http://127.0.0.1:{port}", retry=ONCE)
        with pytest.raises(TransportError, match=rf"no connection to 127\.0\.0\.1:{port}") as caught:
            await session.open()
    assert isinstance(caught.value.__cause__, ConnectionRefusedError)


async def test_a_host_without_an_address_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    async def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", unknown)
    async with serving(GOOD) as server:
        session = server.session(base_url="https://nowhere.invalid", retry=ONCE)
        with pytest.raises(TransportError, match=r"no connection to nowhere\.invalid:443"):
            await session.open()


async def test_a_server_that_was_away_is_found_again() -> None:
    with reserved_port() as port:
        async with serving(GOOD, port=port) as server:
            session = await server.session(retry=ONCE).open()
            stream = session.poll_live(0.1)
            await anext(stream)
        away = await anext(stream)
        async with serving(LATER, port=port):
            back = await anext(stream)
            await session.aclose()
    assert away.outage is not None
    assert type(away.outage.error) is TransportError
    assert [type(told) for told in back.transitions] == [LoggedIn]


async def test_an_error_beyond_the_stream_end_of_a_keep_alive_does_no_harm() -> None:
    async with serving(GOOD, GOOD + b"garbage", GOOD) as server, server.session() as session:
        await session.live()
        await session.live()


# --- TLS -----------------------------------------------------------------------------------


AUTHORITY = trustme.CA()


def _server_tls() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    AUTHORITY.issue_cert("127.0.0.1", "localhost").configure_cert(context)
    return context


async def test_a_certificate_nobody_vouches_for_is_refused_at_once() -> None:
    async with serving(GOOD, tls=_server_tls()) as server:
        with pytest.raises(TransportError, match="certificate verify failed") as caught:
            await server.session().open()
        assert not caught.value.is_transient
        assert server.accepted == 0


async def test_the_callers_ssl_context_says_whom_to_trust() -> None:
    trust = ssl.create_default_context()
    AUTHORITY.configure_trust(trust)
    async with serving(GOOD, tls=_server_tls()) as server, server.session(ssl=trust) as session:
        assert (await session.live()).agents.keys() == set("12345")


async def test_a_session_of_the_callers_own_decides_about_certificates() -> None:
    """As the page says: a connector that does not verify is theirs to answer for."""
    async with (
        serving(GOOD, tls=_server_tls()) as server,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=False)) as http_session,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=False)) as another,
    ):
        async with server.session(http_session=http_session):
            assert len(server.requests) == 1
        with pytest.raises(TransportError, match="certificate verify failed"):
            await server.session(http_session=another, ssl=ssl.create_default_context()).open()


async def test_a_server_that_speaks_no_tls_is_a_transport_error() -> None:
    async def plain(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(http(status=400))
        writer.close()

    server = await asyncio.start_server(plain, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        session = DeepcallSession(AUTH, base_url=f"https://127.0.0.1:{port}", retry=ONCE)
        with pytest.raises(TransportError, match="no connection"):
            await session.open()
