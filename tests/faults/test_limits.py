"""Bounds on time and memory, where nothing may be sent, servers that go away, and TLS."""

from __future__ import annotations

import asyncio
import socket
import ssl
import tracemalloc
import zlib
from typing import Any

import pytest
import trustme

from deepcall_async._errors import RequestTimeout, TransportError, UnexpectedStatus
from deepcall_async._session import DeepcallSession
from deepcall_async._transitions import LoggedIn
from tests.fake_server import AUTH, ONCE, Answer, dripping, http, reserved_port, serving, stall

from .exchange import ENDLESS
from .fault import BODY, GOOD, LATER

pytestmark = [pytest.mark.wire, pytest.mark.looptime]


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
