"""Large replies are read in another thread, and nothing about a stream is different for it."""

from __future__ import annotations

import asyncio
import threading
from io import StringIO
from typing import Any

import pytest

from deepcall_async import LiveFloor, LiveUpdate, LoggedIn, RecordingFloor, ReplyError, Snapshot
from deepcall_async._client.readers import LARGE
from deepcall_async._client.retry import RetryPolicy

from .fake_server import GOOD, START, floor, http, row, serving

ONCE = RetryPolicy(attempts=1)
MANY = 2_500  # agents


def large(*logged_in: int, now: int = START) -> bytes:
    """A large floor on which these agents are logged in."""
    body = floor(*(row(agent, logged_in=agent in logged_in, now=now, since=START) for agent in range(MANY)))
    assert len(body) > LARGE
    return body


@pytest.fixture
def readers(monkeypatch: pytest.MonkeyPatch) -> list[threading.Thread]:
    """The threads in which a floor received its replies."""
    threads: list[threading.Thread] = []
    receive = LiveFloor.receive

    def noted(self: LiveFloor, *args: Any, **options: Any) -> LiveUpdate:
        threads.append(threading.current_thread())
        return receive(self, *args, **options)

    monkeypatch.setattr(LiveFloor, "receive", noted)
    return threads


async def test_the_event_loop_runs_while_a_large_reply_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    is_reading, may_end = asyncio.Event(), threading.Event()
    loop, receive = asyncio.get_running_loop(), LiveFloor.receive

    def slowly(self: LiveFloor, *args: Any, **options: Any) -> LiveUpdate:
        loop.call_soon_threadsafe(is_reading.set)
        assert may_end.wait(30), "the loop stood still"
        return receive(self, *args, **options)

    monkeypatch.setattr(LiveFloor, "receive", slowly)
    async with serving(GOOD, large()) as server, server.session() as session:
        reader = asyncio.create_task(_next(session.poll_live(60)))
        await is_reading.wait()
        may_end.set()
        assert len((await reader).snapshot.agents) == MANY


async def test_small_replies_are_read_in_place(readers: list[threading.Thread]) -> None:
    async with serving(GOOD) as server, server.session() as session:
        await anext(session.poll_live(60))
    assert readers == [threading.current_thread()]


async def test_a_recording_reads_even_large_replies_in_place_and_in_order(
    readers: list[threading.Thread],
) -> None:
    file = StringIO()
    async with serving(GOOD, large()) as server, server.session() as session:
        await anext(session.poll_live(60, record_to=file))
    assert readers == [threading.current_thread()]
    assert len(file.getvalue().splitlines()) == 2


async def test_a_stream_of_large_replies_tells_what_changed(readers: list[threading.Thread]) -> None:
    async with serving(GOOD, large(1), large(1, 2, now=START + 60)) as server, server.session() as session:
        stream = session.poll_live(0.1)
        first, second = await anext(stream), await anext(stream)
    assert first.is_baseline
    assert [(type(t), t.agent.id) for t in second.transitions] == [(LoggedIn, "2")]
    assert threading.current_thread() not in readers


async def test_a_large_reply_that_is_cancelled_while_it_is_read_was_never_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    is_reading, loop, receive = asyncio.Event(), asyncio.get_running_loop(), LiveFloor.receive

    def told(self: LiveFloor, *args: Any, **options: Any) -> LiveUpdate:
        update = receive(self, *args, **options)
        loop.call_soon_threadsafe(is_reading.set)
        return update

    bodies = large(), large(2, now=START + 60), large(2, now=START + 61)
    async with serving(GOOD, *bodies) as server, server.session() as session:
        stream = session.poll_live(0.1)
        await anext(stream)
        monkeypatch.setattr(LiveFloor, "receive", told)
        reader = asyncio.create_task(_next(stream))
        await is_reading.wait()
        reader.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reader
        update = await anext(stream)
    assert update.sequence == 1
    assert [type(transition) for transition in update.transitions] == [LoggedIn]


async def test_a_read_that_was_abandoned_ends_before_the_next_one_begins_and_is_learned_from(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loop, receive, may_end = asyncio.get_running_loop(), LiveFloor.receive, threading.Event()
    at_once: list[int] = []
    is_reading, under_way = asyncio.Event(), 0

    def slowly(self: LiveFloor, *args: Any, **options: Any) -> LiveUpdate:
        nonlocal under_way
        under_way += 1
        at_once.append(under_way)
        loop.call_soon_threadsafe(is_reading.set)
        try:
            assert may_end.wait(30)
            return receive(self, *args, **options)
        finally:
            under_way -= 1

    monkeypatch.setattr(LiveFloor, "receive", slowly)
    async with serving(GOOD, large(1)) as server, server.session() as session:
        stream = session.poll_live(0.1)
        reader = asyncio.create_task(_next(stream))
        await is_reading.wait()
        reader.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reader
        for _ in range(2):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.15):
                    await anext(stream)
        may_end.set()
        update = await anext(stream)
    assert (update.sequence, len(update.snapshot.agents)) == (0, MANY)
    assert at_once == [1, 1]


async def test_a_large_reply_that_cannot_be_read_says_so() -> None:
    broken = http(large().partition(b"\r\n\r\n")[2][:-10])
    async with serving(GOOD, broken) as server, server.session(retry=ONCE) as session:
        with pytest.raises(ReplyError):
            await anext(session.poll_live(60))
        with pytest.raises(ReplyError):
            await session.live()


async def test_one_large_snapshot_is_the_same_as_ever() -> None:
    async with serving(GOOD, large(3)) as server, server.session() as session:
        snapshot = await session.live()
    assert isinstance(snapshot, Snapshot)
    assert [agent.id for agent in snapshot.logged_in] == ["3"]


async def _next(stream: Any) -> Any:
    return await anext(stream)


def test_a_floor_that_records_has_no_forks() -> None:
    with pytest.raises(TypeError):
        RecordingFloor(StringIO()).fork()
