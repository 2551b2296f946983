"""Every fault, one by one, on real sockets: what the consumer sees, and that nothing false is told."""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
import ssl
import time
import tracemalloc
import zlib
from typing import Any

import pytest
import trustme

from deepcall_async._errors import (
    ApiError,
    DeepcallError,
    PermissionDenied,
    ReplyError,
    RequestTimeout,
    ServerBusy,
    TransportError,
    UnexpectedStatus,
)
from deepcall_async._session import DeepcallSession
from deepcall_async._transitions import LoggedIn

from .fake_server import (
    AUTH,
    GOOD,
    ONCE,
    START,
    Answer,
    Connection,
    api_error,
    dripping,
    floor,
    http,
    row,
    serving,
    stall,
    then_close,
    then_reset,
)

pytestmark = pytest.mark.wire

LATER = floor(
    row(1, logged_in=True, now=START + 60), row(2, logged_in=True, now=START + 60, since=START + 30)
)
HEAD, _, BODY = GOOD.partition(b"\r\n\r\n")
HTML = "<html><body>Bad Gateway</body></html>"
MESSAGE: dict[str, Any] = json.loads(BODY)["message"]


def chunked(*chunks: bytes, end: bool = True, encoding: str = "") -> bytes:
    """An answer in chunks, with or without the last one."""
    content = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n" * end
    return http(transfer_encoding="chunked", content_length="", content_encoding=encoding) + content


def message(value: Any) -> bytes:
    return http(json.dumps({"message": value, "status": "success", "code": 200}))


def rows(*values: Any) -> bytes:
    return message({**MESSAGE, "pr": [*values]})


async def endless(connection: Connection) -> None:
    """A body without an end."""
    connection.writer.write(http(transfer_encoding="chunked", content_length=""))
    while not connection.writer.is_closing():
        connection.writer.write(b"10000\r\n" + b" " * 0x10000 + b"\r\n")
        await connection.writer.drain()


# What fails a tick, and how: the answer, the error's class, and a word of its message.
FAULTS: dict[str, tuple[Answer, type[DeepcallError], str]] = {
    "closed before the answer": (then_close(), TransportError, "connection was lost"),
    "reset before the answer": (then_reset(), TransportError, "connection was lost"),
    "closed within the headers": (then_close(HEAD[:40]), TransportError, "connection was lost"),
    "reset within the headers": (then_reset(HEAD[:40]), TransportError, "connection was lost"),
    "closed within the body": (then_close(GOOD[:-40]), TransportError, "cut short"),
    "reset within the body": (then_reset(GOOD[:-40]), TransportError, ""),
    "closed within a chunk": (then_close(chunked(BODY, end=False)[:-9]), TransportError, "cut short"),
    "closed before the last chunk": (then_close(chunked(BODY, end=False)), TransportError, "cut short"),
    "stalled before the headers": (stall, RequestTimeout, "within 0.15 s"),
    "stalled within the body": (GOOD[:-40], RequestTimeout, "within 0.15 s"),
    "a byte at a time": (dripping(GOOD, each=0.01), RequestTimeout, "within 0.15 s"),
    "bad chunk size": (chunked(BODY).replace(b"\r\n\r\n", b"\r\n\r\nzz", 1), TransportError, ""),
    "bad gzip": (
        then_close(http(b"no gzip at all", content_encoding="gzip")),
        TransportError,
        "decompressed",
    ),
    "gzip cut short": (http(gzip.compress(BODY)[:-20], content_encoding="gzip"), ReplyError, "not JSON"),
    "gzip bomb": (http(gzip.compress(bytes(50_000_000)), content_encoding="gzip"), TransportError, "larger"),
    "deflate bomb": (
        http(zlib.compress(bytes(50_000_000)), content_encoding="deflate"),
        TransportError,
        "larger",
    ),
    "gzip bomb in chunks": (
        chunked(gzip.compress(bytes(50_000_000)), encoding="gzip"),
        TransportError,
        "larger",
    ),
    "100 MB announced": (then_close(http(b"{", content_length="100000000")), TransportError, "larger"),
    "a body without an end": (endless, TransportError, "larger"),
    "junk instead of a status line": (then_close(b"\x00\xff junk\r\n\r\n"), TransportError, "not HTTP"),
    "a status that is none": (then_close(b"HTTP/1.1 abc X\r\n\r\n"), TransportError, "not HTTP"),
    "a header without a colon": (then_close(b"HTTP/1.1 200 X\r\noops\r\n\r\n"), TransportError, "not HTTP"),
    "a flood of headers": (
        then_close(b"HTTP/1.1 200 X\r\n" + b"a: b\r\n" * 50_000 + b"\r\n"),
        TransportError,
        "not HTTP",
    ),
    "a header too long": (
        then_close(b"HTTP/1.1 200 X\r\nb: " + b"a" * 100_000 + b"\r\n\r\n"),
        TransportError,
        "not HTTP",
    ),
    "two lengths": (then_close(http(BODY, content_length="1\r\nContent-Length: 2")), TransportError, ""),
    "a negative length": (then_close(http(BODY, content_length="-1")), TransportError, ""),
    **{
        f"{status} with HTML": (http(HTML, status, content_type="text/html"), UnexpectedStatus, str(status))
        for status in (400, 401, 403, 404, 408, 418, 429, 500, 502, 503, 504, 520)
    },
    **{
        f"{status} with an API error": (api_error(1009, status=status), ServerBusy, "1009")
        for status in (200, 400, 500, 502, 503, 504)
    },
    **{
        f"{status} to elsewhere": (
            http("", status, location="https://elsewhere.example/"),
            UnexpectedStatus,
            "redirects are not followed",
        )
        for status in (301, 302, 303, 307, 308)
    },
    **{
        f"429 with Retry-After {text!r}": (http(HTML, 429, retry_after=text), UnexpectedStatus, "429")
        for text in ("-5", "0", "0.05", "9e99", "x", "Thu, 01 Jan 1970 00:00:00 GMT")
    },
    "nothing in 200": (http(""), ReplyError, "not JSON"),
    "nothing in 204": (b"HTTP/1.1 204 X\r\n\r\n", ReplyError, "not JSON"),
    "HTML in 200": (http(HTML), ReplyError, "HTML"),
    "cut within the JSON": (http(BODY[:-40]), ReplyError, "not JSON"),
    "invalid UTF-8": (http(BODY.replace(b"Agent 1", b"Agent \xff")), ReplyError, "not JSON"),
    "NaN": (http(BODY.replace(b'"lA":1', b'"lA":NaN')), ReplyError, "NaN"),
    "Infinity": (http(BODY.replace(b'"lA":1', b'"lA":-Infinity')), ReplyError, "Infinity"),
    "a nesting bomb": (http(b"[" * 200_000), ReplyError, "nested"),
    "a nesting bomb of objects": (http(b'{"a":' * 200_000), ReplyError, "nested"),
    "a number without an end": (http(b'{"code":' + b"9" * 100_000 + b"}"), ReplyError, ""),
    "a list": (http("[]"), ReplyError, "expected an object"),
    "null": (http("null"), ReplyError, "expected an object"),
    "an empty object": (http("{}"), ReplyError, "no answer of the API"),
    "message is a string": (message("Invalid token"), ReplyError, "message"),
    "message is null": (message(None), ReplyError, "message"),
    "message is a list": (message([]), ReplyError, "message"),
    "pr is missing": (message({"lA": 1}), ReplyError, "message.pr"),
    "pr is a string": (message({**MESSAGE, "pr": "No"}), ReplyError, "message.pr"),
    "pr is a number": (message({**MESSAGE, "pr": 5}), ReplyError, "message.pr"),
}

# What does not fail a tick: it is harmless, held, or a quarantined row.
ODDITIES: dict[str, Answer] = {
    "another content type": http(BODY, content_type="text/html"),
    "no content type": http(BODY, content_type=""),
    "a byte order mark": http(b"\xef\xbb\xbf" + BODY),
    "UTF-16": http(BODY.decode().encode("utf-16")),
    "gzip": http(gzip.compress(BODY), content_encoding="gzip"),
    "chunks": chunked(*(BODY[at : at + 7] for at in range(0, len(BODY), 7))),
    "no length, then the end": then_close(http(BODY, content_length="", connection="close")),
    "blanks around": http(b"\n \t" + BODY + b"\n"),
    "a lone surrogate in a name": http(
        BODY.replace(b"Agent 2", b"Agent 2").replace(b"mic_perm", b"mic\\ud800", 1)
    ),
    "pr is null": message({**MESSAGE, "pr": None}),
    "pr is an empty object": message({**MESSAGE, "pr": {}}),
    "pr is empty while lA is not": message({**MESSAGE, "pr": []}),
    "a row is null": rows(None, *MESSAGE["pr"]),
    "a row is a number": rows(*MESSAGE["pr"], 5),
    "a row is a list": rows(*MESSAGE["pr"], []),
    "a row without its id": rows(*MESSAGE["pr"], {"nm": "nobody"}),
    "an id twice": rows(*MESSAGE["pr"], MESSAGE["pr"][0]),
    "totals that contradict the rows": message({**MESSAGE, "lA": 99}),
    "totals that are no numbers": message({**MESSAGE, "lA": [], "oCA": "many", "sip": -1}),
    "the clock an hour back": floor(
        row(1, logged_in=True, now=START - 3600, since=START - 7200),
        row(2, now=START - 3600, since=START - 7200),
    ),
}


async def _outcome(answer: Answer) -> tuple[Any, Any]:
    """The update of the tick that got this answer, and of the one after it."""
    options: dict[str, Any] = {"retry": ONCE, "timeout": 0.15, "max_reply_bytes": 1_000_000}
    async with (
        serving(GOOD, GOOD, answer, LATER) as server,
        server.session(**options) as session,
        session.poll_live(0.1) as stream,
    ):
        stream._ticker.interval = 0.02  # faster than is allowed, for the tests' sake
        assert (await anext(stream)).is_baseline
        return await anext(stream), await anext(stream)


@pytest.mark.parametrize("name", FAULTS)
async def test_a_fault_is_one_outage_of_its_kind_and_only_the_truth_is_told_across_it(name: str) -> None:
    answer, kind, word = FAULTS[name]
    during, after = await _outcome(answer)
    assert during.transitions == ()
    assert during.outage is not None
    assert type(during.outage.error) is kind
    assert word in str(during.outage.error)
    assert [(type(told), told.agent.id) for told in after.transitions] == [(LoggedIn, "2")]
    assert after.outage is None
    assert after.gap.failures == 1


@pytest.mark.parametrize("name", ODDITIES)
async def test_an_odd_answer_tells_nothing_false_then_or_afterwards(name: str) -> None:
    during, after = await _outcome(ODDITIES[name])
    assert [told for told in during.transitions if told.kind != "agent_updated"] == []
    assert during.outage is None
    assert [(type(told), told.agent.id) for told in after.transitions if told.kind != "agent_updated"] == [
        (LoggedIn, "2")
    ]


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
        started = time.perf_counter()
        with pytest.raises(RequestTimeout):
            await session.live()
        assert time.perf_counter() - started < 0.2


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
    async with serving(GOOD, endless, GOOD) as server, server.session(**options) as session:
        with pytest.raises(TransportError):
            await session.live()
        await session.live()
        assert server.accepted == 2


async def test_a_refused_connection_names_host_and_port() -> None:
    async with serving(GOOD) as server:
        session = server.session()
    with pytest.raises(TransportError, match=rf"no connection to 127\.0\.0\.1:{server.port}") as caught:
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
    async with serving(GOOD) as server:
        session = await server.session(retry=ONCE).open()
        stream = session.poll_live(0.1)
        await anext(stream)
    away = await anext(stream)
    assert away.outage is not None
    assert type(away.outage.error) is TransportError
    async with serving(LATER, port=server.port):
        back = await anext(stream)
        await session.aclose()
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
        assert (await session.live()).agents.keys() == {"1", "2"}


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


# --- credentials that end in the middle ----------------------------------------------------


@pytest.mark.parametrize("status", [200, 401, 403])
async def test_credentials_that_expire_mid_stream_end_it_with_their_error(status: int) -> None:
    answers = [GOOD, GOOD, api_error(1014, status=status)]
    async with serving(*answers) as server, server.session() as session:
        stream = session.poll_live(0.1)
        await anext(stream)
        with pytest.raises(ApiError, match="1014"):
            await anext(stream)


async def test_a_permission_that_is_withdrawn_says_who_must_act() -> None:
    async with serving(GOOD, GOOD, api_error(1015)) as server, server.session() as session:
        stream = session.poll_live(0.1)
        await anext(stream)
        with pytest.raises(PermissionDenied, match="Ask an admin"):
            await anext(stream)
