"""What every test runs under: no leaked task, no error in asyncio's log, and an aioresponses that works."""

from __future__ import annotations

import asyncio
import gc
import inspect
import logging
from collections.abc import AsyncIterator, Iterator
from typing import Any
from unittest.mock import Mock

import aiohttp
import aioresponses.core
import pytest
from hypothesis import HealthCheck, settings

from tests.alive import freeze

# aiohttp 3.14 made `stream_writer` a required argument; aioresponses 0.7.9 does not pass it.
if "stream_writer" in inspect.signature(aiohttp.ClientResponse.__init__).parameters:

    class _Response(aiohttp.ClientResponse):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            kwargs.setdefault("stream_writer", Mock(output_size=0))
            super().__init__(*args, **kwargs)

    aioresponses.core.ClientResponse = _Response  # type: ignore[attr-defined]

# The same examples on every run, however long each takes: a law that fails must fail for everybody.
settings.register_profile(
    "laws", derandomize=True, deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("laws")

# Without this, looptime's look for a loop makes one for the first test that is not async, and leaks it.
asyncio.set_event_loop(None)


def pytest_collection_finish() -> None:
    """The tests themselves are no garbage."""
    freeze()


@pytest.fixture(autouse=True)
def _log_left_alone() -> Iterator[None]:
    """Commands and benchmarks set the log up for a process of their own; this one has others."""
    root, ours = logging.getLogger(), logging.getLogger("deepcall_async")
    handlers, our_handlers, level = root.handlers[:], ours.handlers[:], ours.level
    yield
    root.handlers[:], ours.handlers[:] = handlers, our_handlers
    ours.setLevel(level)


@pytest.fixture(autouse=True)
def _nothing_leaks(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test that leaves a task running, or that makes asyncio log an error."""
    records: list[logging.LogRecord] = []

    class Catcher(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            records.append(record)

    if inspect.iscoroutinefunction(getattr(request.node, "obj", None)):
        request.getfixturevalue("_no_task_left")
    catcher = Catcher(logging.ERROR)
    logging.getLogger("asyncio").addHandler(catcher)
    yield
    logging.getLogger("asyncio").removeHandler(catcher)
    assert not records, [record.getMessage() for record in records]


@pytest.fixture
async def _no_task_left() -> AsyncIterator[None]:
    before = asyncio.all_tasks()
    yield
    for _ in range(3):  # what a closed connection still has to do takes a turn of the loop or two
        await asyncio.sleep(0)
    gc.collect(0)
    left = asyncio.all_tasks() - before - {asyncio.current_task()}
    assert not left, f"left running: {left}"
