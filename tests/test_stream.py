"""`poll_live`: ticks, outages, what is final, and every way to stop."""

from __future__ import annotations

import asyncio
import gc
import itertools
import json
import logging
import math
import random
import socket
import time
import weakref
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import ExitStack, aclosing
from datetime import timedelta
from pathlib import Path
from typing import Any

import looptime
import pytest

from deepcall_async._client.credentials import Auth, SsidAuth
from deepcall_async._client.log import AccountLog
from deepcall_async._client.readers import LARGE
from deepcall_async._client.retry import RetryPolicy
from deepcall_async._client.session import DeepcallSession
from deepcall_async._client.stop_scope import Stoppable
from deepcall_async._client.stream import LiveStream, Source
from deepcall_async._floor.live_floor import LiveFloor
from deepcall_async._floor.update import LiveUpdate
from deepcall_async._model.errors import (
    AuthenticationError,
    ConfigurationError,
    DeepcallError,
    PermissionDenied,
    ReplyError,
    TransportError,
    UnexpectedStatus,
    UnknownGroup,
)
from deepcall_async._model.transitions import LoggedIn

from .fake_server import (
    GOOD,
    ONCE,
    START,
    Answer,
    Connection,
    FakeServer,
    after,
    api_error,
    dripping,
    floor,
    http,
    row,
    serving,
    stall,
    until,
)

virtual = pytest.mark.looptime
pytestmark = virtual  # waiting is measured in virtual time, however busy the machine
LOG = AccountLog(lambda: "desk")
BUSY = http("<html>", 503)
LATER = floor(
    row(1, logged_in=True, now=START + 60), row(2, logged_in=True, now=START + 60, since=START + 30)
)
BODY = GOOD.partition(b"\r\n\r\n")[2]


def open_descriptors() -> int:
    """0 where the system does not tell."""
    folder = Path("/proc/self/fd")
    return len([*folder.iterdir()]) if folder.exists() else 0


def now() -> float:
    return asyncio.get_running_loop().time()


async def take(stream: LiveStream, count: int) -> list[LiveUpdate]:
    return [await anext(stream) for _ in range(count)]


class Polls:
    """A source without a network: each poll takes so long, and fails as scripted."""

    def __init__(self, *script: DeepcallError | None, takes: float = 0.0) -> None:
        self.script = [*script]
        self.takes = takes
        self.at: list[float] = []
        self.bounds: list[float] = []
        self.floor = LiveFloor()

    async def __call__(self, until: float) -> LiveUpdate:
        self.at.append(now())
        self.bounds.append(until)
        await asyncio.sleep(self.takes)
        error = self.script.pop(0) if self.script else None
        if error is not None:
            raise error
        return self.floor.receive(BODY)

    def stream(
        self, interval: float = 1.0, *, max_outage: float | None = None, retry: RetryPolicy = ONCE
    ) -> LiveStream:
        source = Source(
            poll=self, fail=self.floor.fail, scope=Stoppable(RuntimeError), log=AccountLog(lambda: "desk")
        )
        return LiveStream(source, interval=interval, max_outage=max_outage, retry=retry)


# --- ticks ---------------------------------------------------------------------------------


async def test_the_first_update_comes_at_once_and_the_others_at_the_fixed_rate() -> None:
    polls = Polls(takes=0.3)
    updates = await take(polls.stream(), 1000)
    assert polls.at == pytest.approx(list(range(1000)))
    assert [update.sequence for update in updates] == list(range(1000))
    assert [update.is_baseline for update in updates] == [True] + [False] * 999


async def test_a_stream_polls_only_when_it_is_asked() -> None:
    polls = Polls()
    stream = polls.stream()
    await asyncio.sleep(10)
    assert polls.at == []
    await anext(stream)
    await asyncio.sleep(10)
    assert polls.at == [10]


async def test_a_consumer_slower_than_the_interval_skips_ticks_and_never_gets_a_burst() -> None:
    polls = Polls()
    stream = polls.stream()
    for _ in range(4):
        await anext(stream)
        await asyncio.sleep(2.5)
    await take(stream, 3)
    assert polls.at == pytest.approx([0, 2.5, 5, 7.5, 10, 11, 12])


async def test_a_poll_is_told_to_be_done_with_its_retries_by_the_next_tick() -> None:
    polls = Polls()
    await take(polls.stream(2.0), 3)
    assert polls.bounds == pytest.approx([2, 4, 6])


async def test_after_a_suspended_machine_there_is_one_poll() -> None:
    polls = Polls()
    stream = polls.stream()
    await take(stream, 3)
    await asyncio.sleep(90)
    await take(stream, 3)
    assert polls.at == pytest.approx([0, 1, 2, 92, 93, 94])


async def test_a_consumer_much_slower_than_the_interval_gets_a_gap() -> None:
    minute_later = floor(row(1, logged_in=True, now=START + 60), row(2, now=START + 60))
    async with serving(GOOD, GOOD, minute_later) as server, server.session() as session:
        stream = session.poll_live(0.1)
        await anext(stream)
        time.sleep(1.1)  # noqa: ASYNC251  # a second at least is no gap, as the server's clock tells no less
        slow = await anext(stream)
        usual = await take(stream, 3)
    assert slow.gap is not None
    assert (slow.gap.failures, slow.gap.error) == (0, None)
    assert slow.gap.until - slow.gap.since == timedelta(seconds=60)
    assert not any(update.gap for update in usual)


@pytest.mark.parametrize("bad", [0.0999, 0, -1, math.nan, math.inf, True, "5", None, timedelta(0)])
async def test_an_interval_out_of_range_is_refused_when_the_stream_is_made(bad: Any) -> None:
    async with serving(GOOD) as server, server.session() as session:
        with pytest.raises(ConfigurationError, match="interval"):
            session.poll_live(bad)


@pytest.mark.parametrize("bad", [-1, math.nan, "60", True])
async def test_a_max_outage_out_of_range_is_refused_when_the_stream_is_made(bad: Any) -> None:
    async with serving(GOOD) as server, server.session() as session:
        with pytest.raises(ConfigurationError, match="max_outage"):
            session.poll_live(1, max_outage=bad)


# --- a floor over HTTP ---------------------------------------------------------------------


async def test_a_stream_tells_the_baseline_then_what_changed() -> None:
    async with serving(GOOD, GOOD, LATER) as server, server.session() as session:
        first, second = await take(session.poll_live(timedelta(milliseconds=100)), 2)
    assert (first.is_baseline, first.transitions) == (True, ())
    assert [type(transition) for transition in second.transitions] == [LoggedIn]
    assert second.sequence == 1


async def test_the_parameters_of_a_stream_are_those_of_its_requests() -> None:
    async with serving(GOOD) as server, server.session() as session:
        await anext(session.poll_live(1, group_id="7", status="login", detail=True, filters=[{"a": 1}]))
        sent = server.requests[-1].json
    assert (sent["groupid"], sent["status"], sent["A"], sent["filter"]) == ("7", "login", 1, [{"a": 1}])


async def test_a_stream_goes_on_from_a_checkpoint_of_the_same_view() -> None:
    async with serving(GOOD, GOOD, LATER) as server, server.session() as session:
        first = await anext(session.poll_live(1))
        again = await anext(session.poll_live(1, resume_from=json.loads(json.dumps(first.checkpoint))))
    assert not again.is_baseline
    assert [type(transition) for transition in again.transitions] == [LoggedIn]


async def test_a_checkpoint_of_another_view_gives_a_warning_and_a_baseline() -> None:
    async with serving(GOOD) as server, server.session() as session:
        first = await anext(session.poll_live(1))
        for other in ({"group_id": 7}, {"filters": [{"a": 1}]}, {"status": "login"}, {"detail": True}):
            with pytest.warns(UserWarning, match="checkpoint"):
                stream = session.poll_live(1, resume_from=first.checkpoint, **other)
            assert (await anext(stream)).is_baseline


async def test_a_checkpoint_that_is_refused_is_logged_as_well(caplog: pytest.LogCaptureFixture) -> None:
    """Of a service the log is read, and its warnings are not."""
    caplog.set_level(logging.WARNING, "deepcall_async")
    async with serving(GOOD, GOOD, GOOD) as server, server.session() as session:
        with pytest.warns(UserWarning, match="not a checkpoint") as warned:
            stream = session.poll_live(0.1, resume_from={})
        assert (await anext(stream)).gap
        assert not (await anext(stream)).gap
    logged = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert logged == [str(warned[0].message)]


@pytest.mark.parametrize("wrong", ["floor.json", 5])
async def test_what_is_no_checkpoint_at_all_is_a_matter_of_configuration(wrong: Any) -> None:
    async with serving(GOOD) as server, server.session() as session:
        with pytest.raises(ConfigurationError, match="resume_from must be a checkpoint"):
            session.poll_live(1, resume_from=wrong)


# --- outages -------------------------------------------------------------------------------


async def test_a_failed_tick_is_an_update_with_an_outage_and_the_next_good_one_a_gap() -> None:
    answers = [GOOD, GOOD, BUSY, http("oops"), LATER]
    async with serving(*answers) as server, server.session(retry=ONCE) as session:
        good, out, still, back = await take(session.poll_live(0.1), 4)
    assert out.outage is not None
    assert still.outage is not None
    assert isinstance(out.outage.error, UnexpectedStatus)
    assert isinstance(still.outage.error, ReplyError)
    assert (out.outage.failures, still.outage.failures) == (1, 2)
    assert out.snapshot == still.snapshot == good.snapshot
    assert out.is_stale
    assert back.outage is None
    assert back.gap is not None
    assert back.gap.failures == 2
    assert [type(transition) for transition in back.transitions] == [LoggedIn]
    assert [update.sequence for update in (good, out, still, back)] == [0, 1, 2, 3]


async def test_five_minutes_of_failure_are_one_outage_and_then_the_fixed_rate_again() -> None:
    polls = Polls(None, *(TransportError("down") for _ in range(300)))
    updates = await take(polls.stream(), 303)
    assert [update.outage is not None for update in updates] == [False] + [True] * 300 + [False] * 2
    assert sum(update.gap is not None for update in updates) == 1
    assert not any(update.transitions for update in updates)
    assert polls.at == pytest.approx(list(range(303)))


async def test_an_outages_error_holds_no_frames() -> None:
    async with serving(GOOD, GOOD, BUSY) as server, server.session(retry=ONCE) as session:
        _, update = await take(session.poll_live(0.1), 2)
    assert update.outage is not None
    assert update.outage.error.__traceback__ is None
    assert update.outage.error.__context__ is None


async def test_retry_after_skips_ticks_and_no_more_than_the_policy_allows() -> None:
    told = (UnexpectedStatus("HTTP 429", 429, retry_after=after) for after in (3.5, 3600))
    polls = Polls(None, *told)
    await take(polls.stream(retry=RetryPolicy(max_retry_after=10)), 5)
    assert polls.at == pytest.approx([0, 1, 5, 15, 16])


async def test_a_retry_after_that_does_not_fit_moves_the_next_poll_over_http_too() -> None:
    answers = [GOOD, GOOD, http("<html>", 429, retry_after="7"), GOOD]
    async with serving(*answers) as server, server.session(retry=RetryPolicy()) as session:
        await take(session.poll_live(5), 3)
        at = [request.at - server.requests[1].at for request in server.requests[1:]]
    assert at == pytest.approx([0, 5, 15], abs=0.2)


async def test_retries_happen_within_the_interval_and_never_overlap_the_next_tick() -> None:
    answers = [GOOD, GOOD, *[BUSY] * 40]
    policy = RetryPolicy(attempts=50, first_wait=0.2, max_wait=0.2)
    async with serving(*answers) as server, server.session(retry=policy) as session:
        await take(session.poll_live(2), 3)
        at = [request.at - server.requests[1].at for request in server.requests[2:]]
    assert sum(1.9 <= time < 4 for time in at) > 5
    assert sum(4 <= time < 6 for time in at) > 5
    assert max(at) < 6


# --- what is final -------------------------------------------------------------------------


async def test_the_first_poll_fails_fast_and_the_stream_says_so_again() -> None:
    async with serving(GOOD, BUSY) as server, server.session() as session:
        stream = session.poll_live(0.1)
        with pytest.raises(UnexpectedStatus) as first:
            await anext(stream)
        with pytest.raises(UnexpectedStatus) as second:
            await anext(stream)
        assert first.value is second.value
        assert len(server.requests) == 1 + 3


@pytest.mark.parametrize(
    ("code", "kind"), [(1014, AuthenticationError), (1015, PermissionDenied), (1006, UnknownGroup)]
)
async def test_an_error_only_a_person_can_cure_ends_the_stream(code: int, kind: type[DeepcallError]) -> None:
    async with serving(GOOD, GOOD, api_error(code)) as server, server.session() as session:
        stream = session.poll_live(0.1)
        await anext(stream)
        for _ in range(3):
            with pytest.raises(kind):
                await anext(stream)
        assert len(server.requests) == 3
        await stream.aclose()
        with pytest.raises(StopAsyncIteration):
            await anext(stream)


async def test_an_outage_longer_than_max_outage_raises_the_last_polls_error() -> None:
    last = TransportError("fourth")
    polls = Polls(None, *(TransportError(which) for which in ("first", "second", "third")), last)
    stream = polls.stream(max_outage=2.5)
    await take(stream, 4)
    with pytest.raises(TransportError) as caught:
        await anext(stream)
    assert caught.value is last
    assert now() == 4


async def test_max_outage_counts_no_time_in_which_nobody_polled() -> None:
    polls = Polls(None, TransportError("down"), None)
    stream = polls.stream(0.1, max_outage=1)
    await anext(stream)
    await asyncio.sleep(60)  # the consumer is busy
    assert (await anext(stream)).outage is not None
    assert (await anext(stream)).gap is not None


async def test_one_failed_poll_is_no_long_outage_however_long_the_interval() -> None:
    stream = Polls(None, TransportError("down"), None).stream(60, max_outage=1)
    assert [update.outage is not None for update in await take(stream, 3)] == [False, True, False]


async def test_max_outage_starts_anew_with_every_good_poll() -> None:
    down = [TransportError("down")] * 2
    polls = Polls(*[None, *down] * 5)
    assert len(await take(polls.stream(max_outage=2.5), 15)) == 15


async def test_a_max_outage_of_zero_ends_the_stream_with_the_first_failed_tick() -> None:
    stream = Polls(None, TransportError("down")).stream(max_outage=0)
    await anext(stream)
    with pytest.raises(TransportError):
        await anext(stream)


async def test_max_outage_counts_from_the_start_of_a_resumed_stream() -> None:
    checkpoint = (await anext(Polls().stream())).checkpoint
    polls = Polls(*[TransportError("down")] * 9)
    polls.floor = LiveFloor(resume_from=checkpoint)
    stream = polls.stream(max_outage=2.5)
    assert all(update.outage for update in await take(stream, 3))
    with pytest.raises(TransportError):
        await anext(stream)


async def test_a_closed_session_ends_its_streams_with_an_error_not_in_silence() -> None:
    async with serving(GOOD) as server:
        async with server.session() as session:
            stream = session.poll_live(60)
            await anext(stream)
            waiting = asyncio.create_task(_next(stream))
            await asyncio.sleep(0.01)
        for _ in range(2):
            with pytest.raises(ConfigurationError, match="closed"):
                await anext(stream)
        with pytest.raises(ConfigurationError, match="closed"):
            await waiting


async def test_credentials_that_expire_under_many_streams_are_renewed_once_and_no_stream_notices() -> None:
    valid = ["ssid-1"]
    given: list[str] = []

    async def provider() -> Auth:
        given.append(f"ssid-{len(given) + 1}")
        await asyncio.sleep(0.01)
        return SsidAuth(given[-1])

    async def answer(connection: Connection) -> None:
        good = connection.request.json["ssid"] in valid
        connection.writer.write(GOOD if good else api_error(1014))

    async with serving(answer) as server, server.session(provider) as session:
        streams = [session.poll_live(0.1) for _ in range(200)]
        await asyncio.gather(*map(_next, streams))
        valid[:] = ["ssid-2"]
        updates = await asyncio.gather(*map(_next, streams))
    assert given == ["ssid-1", "ssid-2"]
    assert not any(update.outage for update in updates)


# --- a generator ---------------------------------------------------------------------------


async def _next(stream: LiveStream) -> LiveUpdate:
    return await anext(stream)


async def test_a_stream_is_an_async_generator_by_the_book() -> None:
    stream = Polls().stream()
    assert isinstance(stream, AsyncGenerator)
    assert aiter(stream) is stream
    assert (await stream.asend(None)).is_baseline
    with pytest.raises(TypeError, match="no values"):
        await stream.asend(5)  # type: ignore[arg-type]
    with pytest.raises(KeyError):
        await stream.athrow(KeyError("x"))
    with pytest.raises(StopAsyncIteration):
        await anext(stream)
    with pytest.raises(KeyError):
        await stream.athrow(KeyError, "x")
    with pytest.raises(KeyError):
        await stream.athrow(KeyError)


async def test_closing_twice_and_before_the_first_item_does_not_matter() -> None:
    stream = Polls().stream()
    await stream.aclose()
    await stream.aclose()
    assert [update async for update in stream] == []


async def test_aclosing_and_async_with_close_the_stream() -> None:
    async with aclosing(Polls().stream()) as one, Polls().stream() as other:
        await anext(one)
        await anext(other)
    for stream in (one, other):
        with pytest.raises(StopAsyncIteration):
            await anext(stream)


async def test_a_second_reader_is_told_to_take_a_stream_of_its_own() -> None:
    stream = Polls(takes=0.05).stream()
    reader = asyncio.create_task(_next(stream))
    await asyncio.sleep(0)
    with pytest.raises(RuntimeError, match="another task"):
        await anext(stream)
    assert (await reader).is_baseline


async def test_break_leaves_a_stream_that_can_be_picked_up_again() -> None:
    stream = Polls().stream(0.01)
    async for _ in stream:
        break
    async for update in stream:
        assert update.sequence == 1
        break


async def test_a_dropped_stream_is_collected_without_a_word() -> None:
    async with serving(GOOD) as server, server.session() as session:
        stream = session.poll_live(1)
        await anext(stream)
        gone = weakref.ref(stream)
        del stream
        gc.collect()
        assert gone() is None


# --- stopping, in every phase and way ------------------------------------------------------


class SlowRenewal:
    """A provider that answers the first question at once, and the second one never."""

    def __init__(self) -> None:
        self.asked = 0

    async def __call__(self) -> Auth:
        self.asked += 1
        if self.asked > 1:
            await asyncio.sleep(60)
        return SsidAuth("abc")


PHASES: dict[str, Answer] = {
    "before the headers": stall,
    "in the body": dripping(GOOD, each=0.02),
    "in the back-off": BUSY,
    "in the renewal": api_error(1014),
    "between ticks": GOOD,
}


async def _cancel(_session: DeepcallSession, stream: LiveStream) -> None:
    task = asyncio.create_task(_next(stream))
    await asyncio.sleep(0.05)
    started = now()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert now() - started < 0.1


async def _timeout(_session: DeepcallSession, stream: LiveStream) -> None:
    started = now()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await anext(stream)
    assert now() - started < 0.15


async def _wait_for(_session: DeepcallSession, stream: LiveStream) -> None:
    started = now()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(_next(stream), 0.05)
    assert now() - started < 0.15


async def _aclose(_session: DeepcallSession, stream: LiveStream) -> None:
    task = asyncio.create_task(_next(stream))
    await asyncio.sleep(0.05)
    started = now()
    await stream.aclose()
    assert now() - started < 0.1
    assert task.done()
    with pytest.raises(StopAsyncIteration):
        await stream.asend(None)
    with pytest.raises(StopAsyncIteration):  # what a task cannot raise, its result can
        await _result(task)


async def _result(task: asyncio.Task[LiveUpdate]) -> LiveUpdate:
    return await task


async def _close_session(session: DeepcallSession, stream: LiveStream) -> None:
    task = asyncio.create_task(_next(stream))
    await asyncio.sleep(0.05)
    started = now()
    await session.aclose()
    assert now() - started < 0.1
    with pytest.raises(ConfigurationError, match="closed"):
        await task


async def _task_group(_session: DeepcallSession, stream: LiveStream) -> None:
    async def fail() -> None:
        await asyncio.sleep(0.05)
        raise KeyError

    started = now()
    with pytest.raises(ExceptionGroup):  # noqa: PT012
        async with asyncio.TaskGroup() as group:
            group.create_task(_next(stream))
            group.create_task(fail())
    assert now() - started < 0.15


Way = Callable[[DeepcallSession, LiveStream], Awaitable[None]]
WAYS: list[Way] = [_cancel, _timeout, _wait_for, _aclose, _close_session, _task_group]


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
async def test_a_stream_stops_within_a_tenth_of_a_second_and_leaves_nothing(phase: str, way: Way) -> None:
    asyncio.get_running_loop().set_debug(True)
    slow = RetryPolicy(first_wait=30, max_wait=30, max_total=100)
    before = open_descriptors()
    async with (
        serving(GOOD, PHASES[phase]) as server,
        server.session(SlowRenewal(), retry=slow) as session,
    ):
        stream = session.poll_live(60)
        if phase == "between ticks":
            await anext(stream)
        await way(session, stream)
        await until(lambda: len(asyncio.all_tasks()) <= 1 + len(server.connections))
        if phase in {"before the headers", "in the body"}:
            await until(lambda: not server.connections)
    await until(lambda: open_descriptors() <= before)


def test_the_end_of_the_loop_ends_a_stream_at_once() -> None:
    async def watch() -> None:
        async with serving(GOOD, stall) as server, server.session() as session:
            servers.append(server)
            await anext(session.poll_live(60))

    async def main() -> tuple[asyncio.Task[None], float]:
        watcher = asyncio.create_task(watch())
        await until(lambda: bool(servers) and len(servers[0].requests) == 2)
        return watcher, now()

    servers: list[FakeServer] = []
    with asyncio.Runner(debug=True, loop_factory=looptime.new_event_loop) as runner:
        loop = runner.get_loop()
        watcher, ended = runner.run(main())
    assert loop.time() - ended < 0.1
    assert watcher.cancelled()


async def test_opening_stops_at_once_in_the_middle_of_connecting() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as deaf, ExitStack() as queue:
        host, port = deaf.getsockname()
        for _ in range(3):  # a full queue: further connections wait
            visitor = queue.enter_context(socket.socket())
            visitor.setblocking(False)
            visitor.connect_ex((host, port))
        started = now()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await DeepcallSession(SsidAuth("abc"), base_url=f"http://{host}:{port}").open()
        assert now() - started < 0.15


async def test_a_cancelled_stream_goes_on_at_the_next_tick_and_tells_what_happened_meanwhile() -> None:
    async with serving(GOOD, GOOD, stall, LATER) as server, server.session() as session:
        stream = session.poll_live(0.1)
        await anext(stream)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.15):
                await anext(stream)
        update = await anext(stream)
    assert update.sequence == 1
    assert [type(transition) for transition in update.transitions] == [LoggedIn]


@pytest.mark.parametrize("answer", [GOOD, BUSY], ids=["good", "failing"])
async def test_polls_leave_nothing_to_the_garbage_collector(answer: Answer) -> None:
    async with serving(GOOD, GOOD, answer) as server, server.session(retry=ONCE) as session:
        stream = session.poll_live(0.1)
        stream._ticker.interval = 0.001
        await take(stream, 5)
        gc.collect()
        gc.disable()
        try:
            await take(stream, 20)
            left = gc.collect()
        finally:
            gc.enable()
    assert left == 0


class Shifts:
    """A floor on which agents log in and out with every reply, each of which comes in two pieces."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.ticks = itertools.count()

    async def answer(self, connection: Connection) -> None:
        tick = next(self.ticks)
        clock = START + 10 * tick
        agents = [(agent, bool(tick >> agent & 1), clock - 10 * (tick % 2**agent)) for agent in range(8)]
        reply = floor(*(row(agent, logged_in=on, now=clock, since=since) for agent, on, since in agents))
        for piece in (reply[:100], reply[100:]):
            await asyncio.sleep(self.chance.randrange(4) / 2000)
            connection.writer.write(piece)

    async def cancel(self, reader: asyncio.Task[LiveUpdate]) -> None:
        """At a moment at which a piece may come, and so many turns of the loop later."""
        await asyncio.sleep(self.chance.randrange(12) / 2000)
        for _ in range(self.chance.randrange(12)):
            await asyncio.sleep(0)
        reader.cancel()


@pytest.mark.parametrize("large", [LARGE, 0], ids=["read in place", "read aside"])
async def test_five_hundred_cancellations_at_random_points_lose_and_repeat_nothing(
    large: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deepcall_async._client.readers.LARGE", large)
    chance = random.Random(11)
    shifts = Shifts(chance)
    delivered: list[LiveUpdate] = []
    cancelled = 0
    async with serving(GOOD, shifts.answer) as server, server.session() as session:
        stream = session.poll_live(0.1)
        stream._ticker.interval = 0.001
        while cancelled < 500:
            reader = asyncio.create_task(_next(stream))
            if chance.random() < 0.75:
                await shifts.cancel(reader)
            try:
                delivered.append(await reader)
            except asyncio.CancelledError:
                cancelled += 1
        delivered.append(await anext(stream))
    assert len(delivered) > 100
    assert [update.sequence for update in delivered] == list(range(len(delivered)))
    assert_logins_and_logouts_alternate(delivered[1:])


def assert_logins_and_logouts_alternate(updates: list[LiveUpdate]) -> None:
    is_in: dict[str, bool] = {}
    for update in updates:
        for transition in update.transitions:
            logs_in = isinstance(transition, LoggedIn)
            assert is_in.get(transition.agent.id) is not logs_in
            is_in[transition.agent.id] = logs_in


async def test_a_slow_request_stops_when_another_task_closes_the_stream_many_times_over() -> None:
    async with serving(GOOD, after(30)) as server, server.session() as session:
        stream = session.poll_live(60)
        reader = asyncio.create_task(_next(stream))
        await until(lambda: len(server.requests) == 2)
        await asyncio.gather(*(stream.aclose() for _ in range(5)))
        with pytest.raises(StopAsyncIteration):
            await _result(reader)
