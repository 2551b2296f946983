"""The services of the page, as processes of their own: they stop at once though a browser is connected."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from deepcall_async.simulator import Pace, Simulator

from .project.pages import blocks
from .project.source import ROOT

AIOHTTP, STARLETTE = (block.text for block in blocks(ROOT / "docs" / "service.md", "py"))
AT_ONCE = 5.0  # seconds, on a machine with other work; without their care it is a minute, or for ever

pytestmark = pytest.mark.wire


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@asynccontextmanager
async def serving(folder: Path, code: str, *command: str) -> AsyncIterator[tuple[Process, str]]:
    """A service as a process, once it answers, and its URL. Where {port} stands in the command, its port."""
    (folder / "service.py").write_text(code)
    port = free_port()
    async with Simulator(agents=20, warp=60, pace=Pace.busy()) as server:
        account = {"BASE_URL": server.url, "USER_ID": server.user_id, "TOKEN": server.token}
        ours = {f"DEEPCALL_{name}": value for name, value in account.items()}
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *(word.format(port=port) for word in command),
            cwd=folder,
            env={**os.environ, "PORT": str(port), "PYTHONPATH": str(ROOT), **ours},
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            await _answers(f"http://127.0.0.1:{port}/health", process)
            yield process, f"http://127.0.0.1:{port}"
        finally:
            if process.returncode is None:
                process.kill()
            await process.communicate()


async def _answers(url: str, process: Process) -> None:
    async with asyncio.timeout(60), aiohttp.ClientSession() as http:
        while process.returncode is None:
            try:
                async with http.get(url) as response:
                    assert response.status == 200
                    return
            except aiohttp.ClientConnectionError:
                await asyncio.sleep(0.05)
    pytest.fail("the service ended as it started")


SERVICES = [
    pytest.param(AIOHTTP, ("service.py",), 0, id="aiohttp.web"),
    pytest.param(STARLETTE, ("-m", "uvicorn", "service:app", "--port={port}"), -signal.SIGTERM, id="uvicorn"),
]


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGTERM to send")
@pytest.mark.parametrize(("code", "command", "ends_with"), SERVICES)
async def test_a_service_stops_at_once_though_browsers_read_its_events(
    tmp_path: Path, code: str, command: tuple[str, ...], ends_with: int
) -> None:
    async with serving(tmp_path, code, *command) as (process, url), aiohttp.ClientSession() as http:
        readers = [await http.get(f"{url}/events") for _ in range(3)]
        for reader in readers:
            assert (await reader.content.readline()).startswith((b"data: ", b": "))
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(AT_ONCE):
            for reader in readers:
                await reader.read()  # which raises if the stream is cut off rather than ended
            _, told = await process.communicate()
    assert process.returncode == ends_with, told.decode()
    assert b"Traceback" not in told
