"""Sending an answer, well or badly: the only place that touches the transport."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable

from aiohttp import hdrs, web

from ._answer import Answer
from ._fault import Fault

RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER: on, for no time at all
DRIPS_PER_SECOND = 10

Pause = Callable[[float], Awaitable[None]]


async def finish_headers(_: web.Request, response: web.StreamResponse) -> None:
    """What aiohttp adds on its own and the real server does not, and the other way round."""
    response.headers.popall(hdrs.SERVER, None)
    if response.headers.get(hdrs.CONTENT_TYPE) == "":
        del response.headers[hdrs.CONTENT_TYPE]
    if response.keep_alive:
        response.headers[hdrs.CONNECTION] = "keep-alive"


async def send(request: web.Request, answer: Answer, fault: Fault, pause: Pause) -> web.StreamResponse:
    """Write the answer as far as the fault lets it."""
    transport = request.transport
    if transport is None or transport.is_closing():
        return web.Response()
    if fault.reset == "before_headers":
        return reset(transport)
    if fault.raw is not None:
        transport.write(fault.raw)
        transport.close()
        return web.Response()
    if fault.reset or fault.truncate is not None or fault.drip:
        return await _send_in_parts(request, transport, answer, fault, pause)
    response = web.Response(status=answer.status, body=answer.body, headers=answer.headers)
    if fault.hang_up:
        await response.prepare(request)
        await response.write_eof()
        transport.close()
    return response


def reset(transport: asyncio.Transport | None) -> web.StreamResponse:
    """Reset the connection: the other side reads no end, but an error."""
    if transport is not None:
        connection: socket.socket = transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        transport.abort()
    return web.Response()  # to nobody


async def _send_in_parts(
    request: web.Request, transport: asyncio.Transport, answer: Answer, fault: Fault, pause: Pause
) -> web.StreamResponse:
    body = answer.body if fault.truncate is None else answer.body[: fault.truncate]
    if fault.reset and fault.truncate is None:
        body = b""
    response = web.StreamResponse(status=answer.status, headers=answer.headers)
    response.content_length = len(answer.body)
    await response.prepare(request)
    await _drip(response, body, fault.drip, pause)
    if fault.reset:
        return reset(transport)
    if len(body) < len(answer.body) or fault.hang_up:
        transport.close()
    return response


async def _drip(response: web.StreamResponse, body: bytes, rate: float | None, pause: Pause) -> None:
    size = len(body) if rate is None else max(1, int(rate / DRIPS_PER_SECOND))
    for start in range(0, len(body), size or 1):
        await response.write(body[start : start + size])
        if rate is not None:
            await pause(size / rate)
