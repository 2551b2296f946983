"""What goes wrong between the request and the body: connections, HTTP, lengths and encodings, statuses."""

from __future__ import annotations

import asyncio
import gzip
import json
import zlib
from collections.abc import Callable

from deepcall_async._model.errors import (
    ReplyError,
    RequestTimeout,
    ServerBusy,
    TransportError,
    UnexpectedStatus,
)
from tests.fake_server import Connection, Handler, api_error, dripping, http, stall, then_close, then_reset

from .fault import BODY, GOOD, HEAD, Table, fails, harmless

HTML = "<html><body>Bad Gateway</body></html>"
MEGA = 1_000_000


def chunked(*chunks: bytes, end: bool = True, encoding: str = "") -> bytes:
    """An answer in chunks, with or without the last one."""
    content = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n" * end
    return http(transfer_encoding="chunked", content_length="", content_encoding=encoding) + content


def flood(start: bytes, piece: bytes, times: int = 10**9) -> Handler:
    """The start of an answer, and a piece of it again and again, until the client has enough.

    It comes in gushes: virtual time passes only in between.
    """

    async def pour(connection: Connection) -> None:
        connection.writer.write(start)
        for number in range(1, times + 1):
            if connection.writer.is_closing():
                return
            connection.writer.write(piece)
            await connection.writer.drain()
            if number % 20 == 0:
                await asyncio.sleep(0.01)
        connection.writer.close()

    return pour


def bomb(compress: Callable[[bytes], bytes], encoding: str) -> bytes:
    """50 MB of zeros in 50 KB."""
    return http(compress(bytes(50 * MEGA)), content_encoding=encoding)


CHUNKED = http(transfer_encoding="chunked", content_length="")
ENDLESS = flood(CHUNKED, b"10000\r\n" + b" " * 0x10000 + b"\r\n")
CLOSED = http(content_length="", connection="close")

CONNECTION: Table = {
    "closed before the answer": fails(TransportError, "connection was lost", then_close()),
    "reset before the answer": fails(TransportError, "connection was lost", then_reset()),
    "closed within the headers": fails(TransportError, "connection was lost", then_close(HEAD[:40])),
    "reset within the headers": fails(TransportError, "connection was lost", then_reset(HEAD[:40])),
    "closed within the body": fails(TransportError, "cut short", then_close(GOOD[:-40])),
    "reset within the body": fails(TransportError, "", then_reset(GOOD[:-40])),
    "closed within a chunk": fails(TransportError, "cut short", then_close(chunked(BODY, end=False)[:-9])),
    "closed before the last chunk": fails(TransportError, "cut short", then_close(chunked(BODY, end=False))),
    "stalled before the headers": fails(RequestTimeout, "no complete answer", stall),
    "stalled within the body": fails(RequestTimeout, "no complete answer", GOOD[:-40]),
    "a byte at a time": fails(RequestTimeout, "no complete answer", dripping(GOOD, each=0.01)),
    "interim answers without an end": fails(
        RequestTimeout, "no complete answer", flood(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100)
    ),
}

NOT_HTTP: Table = {
    "junk instead of a status line": fails(TransportError, "not HTTP", then_close(b"\x00\xff junk\r\n\r\n")),
    "a body without headers": fails(TransportError, "not HTTP", then_close(BODY)),
    "a status that is none": fails(
        TransportError,
        "not HTTP",
        {text: then_close(f"HTTP/1.1 {text} X\r\n\r\n".encode()) for text in ("abc", "99", "-200")},
    ),
    "a status line without an end": fails(TransportError, "not HTTP", flood(b"HTTP/1.1 200 ", b"a" * 9999)),
    "a header without a colon": fails(
        TransportError, "not HTTP", then_close(b"HTTP/1.1 200 X\r\noops\r\n\r\n")
    ),
    "a header too long": fails(
        TransportError, "not HTTP", then_close(b"HTTP/1.1 200 X\r\nb: " + b"a" * 100_000 + b"\r\n\r\n")
    ),
    "a flood of headers": fails(
        TransportError,
        "not HTTP",
        {
            "50 000": then_close(b"HTTP/1.1 200 X\r\n" + b"a: b\r\n" * 50_000 + b"\r\n"),
            "without an end": flood(b"HTTP/1.1 200 X\r\n", b"a: b\r\n" * 1000),
            "behind the body": flood(CHUNKED + b"2\r\n{}\r\n0\r\n", b"a: b\r\n" * 1000),
        },
    ),
    "a length that is none": fails(
        TransportError,
        "not HTTP",
        {
            name: then_close(http(BODY, content_length=text))
            for name, text in {"-1": "-1", "abc": "abc", "400 digits": "9" * 400}.items()
        },
    ),
    "two lengths": fails(TransportError, "", then_close(http(BODY, content_length="1\r\nContent-Length: 2"))),
    "a length too small": fails(
        TransportError, "not HTTP", {text: http(BODY, content_length=text) for text in ("0", "9")}
    ),
    "a length beside chunks": fails(
        TransportError, "not HTTP", then_close(http(BODY, transfer_encoding="chunked"))
    ),
    "a chunk size that is none": fails(
        TransportError, "", chunked(BODY).replace(b"\r\n\r\n", b"\r\n\r\nzz", 1)
    ),
    "a chunk size without an end": fails(
        RequestTimeout, "no complete answer", flood(CHUNKED, b"0" * 0x10000)
    ),
}

TOO_LARGE: Table = {
    "100 MB announced": fails(TransportError, "larger", then_close(http(b"{", content_length="100000000"))),
    "100 MB sent": fails(
        TransportError,
        "larger",
        {
            "with its length": flood(http(content_length="100000000"), b" " * MEGA, 100),
            "without a length": flood(CLOSED, b" " * MEGA, 100),
        },
    ),
    "a body without an end": fails(TransportError, "larger", ENDLESS),
    "a bomb of 50 MB": fails(
        TransportError,
        "larger",
        {
            "gzip": bomb(gzip.compress, "gzip"),
            "deflate": bomb(zlib.compress, "deflate"),
            "gzip in chunks": chunked(gzip.compress(bytes(50 * MEGA)), encoding="gzip"),
        },
    ),
}

ENCODINGS: Table = {
    "bad gzip": fails(
        TransportError, "decompressed", then_close(http(b"no gzip at all", content_encoding="gzip"))
    ),
    "gzip with something behind it": fails(
        TransportError, "decompressed", http(gzip.compress(BODY) + b"behind", content_encoding="gzip")
    ),
    "gzip cut short": fails(ReplyError, "not JSON", http(gzip.compress(BODY)[:-20], content_encoding="gzip")),
    "gzip within gzip": fails(
        ReplyError, "not JSON", http(gzip.compress(gzip.compress(BODY)), content_encoding="gzip")
    ),
    "an encoding that is not understood": fails(
        TransportError, "", {name: http(BODY, content_encoding=name) for name in ("br", "zstd")}
    ),
    "gzip": harmless(http(gzip.compress(BODY), content_encoding="gzip")),
    "chunks": harmless(chunked(*(BODY[at : at + 7] for at in range(0, len(BODY), 7)))),
    "no length, then the end": harmless(then_close(CLOSED + BODY)),
    "another content type": harmless(http(BODY, content_type="text/html")),
    "no content type": harmless(http(BODY, content_type="")),
    "a charset nobody knows": harmless(http(BODY, content_type="application/json; charset=klingon")),
    "an interim answer first": harmless(b"HTTP/1.1 103 Hints\r\n\r\n" + GOOD),
}

STATUSES: Table = {
    "a bad status with HTML": fails(
        UnexpectedStatus,
        "HTTP {}",
        {
            status: http(HTML, status, content_type="text/html")
            for status in (400, 401, 403, 404, 408, 418, 425, 429, 500, 502, 503, 504, 520, 999)
        },
    ),
    "a bad status with JSON that is no error of the API": fails(
        UnexpectedStatus,
        "HTTP {}",
        {status: http(json.dumps({"error": "nope"}), status) for status in (400, 429, 500, 502, 503, 504)},
    ),
    "a bad status with a good reply": fails(
        UnexpectedStatus, "HTTP {}", {status: http(BODY, status) for status in (404, 500, 502, 503, 504)}
    ),
    "a passing error of the API, with any status": fails(
        ServerBusy,
        "1009",
        {status: api_error(1009, status=status) for status in (200, 400, 500, 502, 503, 504)},
    ),
    "a redirect": fails(
        UnexpectedStatus,
        "redirects are not followed",
        {
            status: http("", status, location="https://elsewhere.example/")
            for status in (301, 302, 303, 307, 308)
        },
    ),
    "429 with a Retry-After that asks for nothing": fails(
        UnexpectedStatus,
        "429",
        {
            text: http(HTML, 429, retry_after=text)
            for text in ("-5", "0", "0.05", "9e99", "x", "Thu, 01 Jan 1970 00:00:00 GMT")
        },
    ),
    "nothing": fails(ReplyError, "not JSON", {"in 200": http(""), "in 204": b"HTTP/1.1 204 X\r\n\r\n"}),
    "a change of protocol": fails(UnexpectedStatus, "HTTP 101", http("", 101)),
}
