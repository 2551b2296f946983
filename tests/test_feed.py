"""`live_feed`: one poll a tick for all readers, each at its own pace, and every way it ends."""

from __future__ import annotations

import asyncio
import gc
import io
import json
import time
import traceback
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from itertools import pairwise
from typing import Any

import looptime
import pytest

from deepcall_async._client.feed import LiveFeed, Subscription
from deepcall_async._client.log import AccountLog
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
    UnexpectedStatus,
)

from .fake_server import (
    GOOD,
    ONCE,
    START,
    Answer,
    Connection,
    FakeServer,
    api_error,
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
REFUSED = api_error(1015)
LATER = floor(
    row(1, logged_in=True, now=START + 60), row(2, logged_in=True, now=START + 60, since=START + 30)
)


def now() -> float:
    return asyncio.get_running_loop().time()


async def restless(connection: Connection) -> None:
    """A floor on which agent 1 logs in or out between any two polls a second or more apart."""
    second = round(connection.request.at)
    clock = START + second
    connection.writer.write(
        floor(row(1, logged_in=second % 2 == 1, now=clock, since=clock), row(2, now=clock))
    )


@asynccontextmanager
async def feeding(
    *answers: Answer, interval: float = 1, **options: Any
) -> AsyncIterator[tuple[LiveFeed, FakeServer]]:
    """A feed from a server; the first answer is to the session's opening."""
    async with (
        serving(GOOD, *answers) as server,
        server.session(retry=ONCE) as session,
        session.live_feed(interval, **options) as feed,
    ):
        yield feed, server


async def take(reader: Subscription, count: int) -> list[LiveUpdate]:
    return [await anext(reader) for _ in range(count)]


async def read(reader: Subscription) -> list[LiveUpdate]:
    """All there is, to the end."""
    return [update async for update in reader]


def kinds(updates: list[LiveUpdate]) -> list[str]:
    return [transition.kind for update in updates for transition in update.transitions]


# --- readers -------------------------------------------------------------------------------


async def test_ten_readers_of_any_pace_cost_one_request_a_tick() -> None:
    async def follow(reader: Subscription, pace: float) -> None:
        async for _ in reader:
            await asyncio.sleep(pace)

    async with feeding(restless) as (feed, server):
        tasks = [asyncio.create_task(follow(feed.subscribe(), 0.7 * pace)) for pace in range(10)]
        await asyncio.sleep(60.5)
        at = [request.at - server.requests[1].at for request in server.requests[1:]]
    assert at == pytest.approx(list(range(61)), abs=0.2)
    await asyncio.gather(*tasks)


async def test_the_feed_polls_on_when_nobody_reads() -> None:
    async with feeding(restless) as (_, server):
        await asyncio.sleep(30.5)
        assert len(server.requests) == 1 + 31


async def test_a_reader_that_sleeps_five_minutes_misses_nothing_and_delays_nobody() -> None:
    async with feeding(restless) as (feed, _):
        prompt, sleeper = feed.subscribe(), feed.subscribe()
        arrivals, seen = [], []
        async for update in prompt:
            arrivals.append(now())
            seen.append(update)
            if update.sequence == 300:
                break
        late = await take(sleeper, 301)
    assert [after - before for before, after in pairwise(arrivals[1:])] == pytest.approx([1] * 299, abs=0.05)
    assert kinds(late) == kinds(seen) == ["logged_in", "logged_out"] * 150
    assert [update.sequence for update in late] == list(range(301))
    assert not any(update.missed for update in late)


async def test_quiet_ticks_cost_a_sleeping_reader_one_update() -> None:
    async with feeding(GOOD) as (feed, _):
        reader = feed.subscribe()
        await anext(reader)
        await asyncio.sleep(300.2)
        update = await anext(reader)
        assert (update.sequence, update.transitions) == (1, ())
        before = now()
        await anext(reader)
        assert now() - before > 0.5


async def test_a_reader_beyond_its_limit_is_told_how_much_it_missed() -> None:
    async with feeding(restless) as (feed, _):
        one, few = feed.subscribe(max_pending=1), feed.subscribe(max_pending=10)
        for reader in (one, few):
            assert (await anext(reader)).is_baseline
        await asyncio.sleep(60.5)
        newest, some = await anext(one), await take(few, 10)
    assert newest.missed is not None
    assert some[0].missed is not None
    assert (newest.missed.transitions, some[0].missed.transitions) == (59, 50)
    assert (some[0].missed.until - some[0].missed.since).total_seconds() == pytest.approx(50, abs=2)
    assert [update.missed for update in some[1:]] == [None] * 9
    assert newest.checkpoint == some[-1].checkpoint


async def test_after_a_suspend_every_reader_gets_one_gap_that_nothing_failed_in() -> None:
    second = 0

    async def answer(connection: Connection) -> None:
        clock = START + second
        connection.writer.write(floor(row(1, logged_in=True, now=clock), row(2, now=clock)))

    async with feeding(answer, interval=0.1) as (feed, _):
        readers = [feed.subscribe() for _ in range(2)]
        for reader in readers:
            await take(reader, 2)
        second = 89
        time.sleep(1.1)  # noqa: ASYNC251  # the machine, and this loop with it, stands still
        told = [await take(reader, 3) for reader in readers]
    for updates in told:
        (gap,) = [update.gap for update in updates if update.gap]
        assert (gap.failures, gap.error) == (0, None)
        assert (gap.until - gap.since).total_seconds() == 89


async def test_a_late_reader_begins_with_a_baseline_of_its_own() -> None:
    async with feeding(GOOD, LATER) as (feed, _):
        early = feed.subscribe()
        await take(early, 2)
        late = feed.subscribe()
        first = await anext(late)
        assert (first.is_baseline, first.sequence, first.transitions) == (True, 0, ())
        assert first.snapshot.agents["2"].login
        assert (await anext(late)).sequence == 1
        assert not first.missed


async def test_what_happened_before_anybody_came_is_no_news() -> None:
    async with feeding(restless) as (feed, _):
        await asyncio.sleep(5.5)
        reader = feed.subscribe()
        first = await anext(reader)
        assert (first.is_baseline, first.missed) == (True, None)
        before = now()
        assert len((await anext(reader)).transitions) == 1
        assert now() > before


async def test_a_reader_that_comes_in_an_outage_begins_with_the_outage() -> None:
    async with feeding(GOOD, BUSY, BUSY, LATER, GOOD) as (feed, _):
        await asyncio.sleep(1.5)
        first, *_, back = await take(feed.subscribe(), 3)
    assert first.is_baseline
    assert first.outage is not None
    assert back.gap is not None
    assert kinds([back]) == ["logged_in"]


async def test_an_updates_checkpoint_covers_what_the_reader_was_given_and_nothing_that_waits() -> None:
    async with feeding(restless) as (feed, server):
        reader = feed.subscribe()
        await asyncio.sleep(10.5)
        given = [update for update in await take(reader, 5) if update.transitions]
        checkpoint = json.loads(json.dumps(given[-1].checkpoint))
        waiting = [update for update in await take(reader, 6) if update.transitions]
    resumed = LiveFloor(scope=checkpoint["scope"], view=checkpoint["view"], resume_from=checkpoint)
    again = resumed.take(waiting[0].snapshot)
    assert [one.id for one in again.transitions] == [one.id for one in waiting[0].transitions]
    assert len(server.requests) == 12


async def test_two_tasks_that_share_a_subscription_are_told_to_take_one_each() -> None:
    async with feeding(GOOD, interval=60) as (feed, _):
        reader = feed.subscribe()
        await anext(reader)
        waiting = asyncio.create_task(take(reader, 1))
        await asyncio.sleep(0)
        with pytest.raises(RuntimeError, match="another task"):
            await anext(reader)
        waiting.cancel()


async def test_cancelling_a_reader_loses_nothing_and_disturbs_nobody() -> None:
    async with feeding(restless) as (feed, _):
        steady, other = feed.subscribe(), feed.subscribe()
        given: list[LiveUpdate] = []
        while len(given) < 30:
            try:
                async with asyncio.timeout(0.37):
                    given.append(await anext(other))
            except TimeoutError:
                pass
        assert kinds(given) == kinds(await take(steady, 30)) == [*["logged_in", "logged_out"] * 15][:29]


async def test_a_reader_cancelled_at_the_moment_of_an_update_gets_it_next_time() -> None:
    async with feeding(GOOD, LATER, interval=0.1) as (feed, _):
        reader = feed.subscribe()
        await anext(reader)
        task = asyncio.create_task(take(reader, 1))
        await asyncio.sleep(0)
        reader._inbox.put(feed._newest)  # type: ignore[arg-type]
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (await anext(reader)).sequence == 1


async def test_break_leaves_a_subscription_that_can_be_picked_up_again() -> None:
    async with feeding(restless) as (feed, _):
        reader = feed.subscribe()
        async for _ in reader:
            break
        await asyncio.sleep(3.5)
        async for update in reader:
            assert (update.sequence, kinds([update])) == (1, ["logged_in"])
            break


async def test_a_subscription_that_is_closed_ends_and_the_others_go_on() -> None:
    async with feeding(restless) as (feed, _):
        steady, one = feed.subscribe(), feed.subscribe()
        other = feed.subscribe()
        await anext(other)
        waiting = asyncio.create_task(read(other))
        async with aclosing(one), other:
            await asyncio.sleep(2.5)
        assert len(await waiting) == 2
        for closed in (one, other):
            assert await read(closed) == []
            await closed.aclose()
        assert len(await take(steady, 5)) == 5


async def test_a_dropped_subscription_is_collected_and_costs_nothing_any_more() -> None:
    async with feeding(restless) as (feed, _):
        kept, dropped = feed.subscribe(), feed.subscribe()
        await take(dropped, 2)
        gone = weakref.ref(dropped), weakref.ref(dropped._inbox)
        del dropped
        gc.collect()
        assert [reference() for reference in gone] == [None, None]
        assert len(feed._inboxes) == 1
        assert len(await take(kept, 3)) == 3


async def test_a_reader_that_waits_is_kept_even_if_nobody_else_holds_its_task() -> None:
    async def follow(feed: LiveFeed) -> None:
        async for update in feed.subscribe():
            seen.append(update)  # noqa: PERF401  # it never comes to the end of a list

    seen: list[LiveUpdate] = []
    async with feeding(restless) as (feed, _):
        asyncio.create_task(follow(feed))  # noqa: RUF006  # that is the test
        await asyncio.sleep(0.5)
        gc.collect()
        await asyncio.sleep(3)
    assert kinds(seen) == ["logged_in", "logged_out", "logged_in"]


# --- the beginning -------------------------------------------------------------------------


@pytest.mark.parametrize(("answer", "kind"), [(BUSY, UnexpectedStatus), (http("oops"), ReplyError)])
async def test_entering_raises_what_the_first_poll_fails_with(answer: Answer, kind: type[Exception]) -> None:
    async with serving(GOOD, answer) as server, server.session(retry=ONCE) as session:
        feed = session.live_feed(0.1)
        with pytest.raises(kind):
            await feed.__aenter__()
        with pytest.raises(ConfigurationError, match="subscribe inside"):
            feed.subscribe()
        await asyncio.sleep(0.15)
        assert len(server.requests) == 2


async def test_entering_that_is_cancelled_leaves_nothing() -> None:
    async with serving(GOOD, stall) as server, server.session() as session:
        before = asyncio.all_tasks()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05), session.live_feed(1):
                pytest.fail("there was no first poll")
        await until(lambda: not server.connections)
        await until(lambda: asyncio.all_tasks() <= before)


async def test_a_feed_is_entered_once() -> None:
    async with serving(GOOD) as server, server.session() as session:
        feed = session.live_feed(60)
        with pytest.raises(ConfigurationError, match="inside"):
            feed.subscribe()
        async with feed:
            with pytest.raises(ConfigurationError, match="make another"):
                await feed.__aenter__()
            assert (await anext(feed.subscribe())).is_baseline
        with pytest.raises(ConfigurationError, match="make another"):
            await feed.__aenter__()
        with pytest.raises(ConfigurationError, match="inside"):
            feed.subscribe()


@pytest.mark.parametrize("bad", [0, -1, True, 1.0, None, "5"])
async def test_a_limit_that_is_none_is_refused(bad: Any) -> None:
    async with feeding(GOOD, interval=60) as (feed, _):
        with pytest.raises(ConfigurationError, match="max_pending"):
            feed.subscribe(max_pending=bad)


async def test_a_feed_takes_what_a_stream_takes_and_refuses_what_it_refuses() -> None:
    async with serving(GOOD) as server, server.session() as session:
        with pytest.raises(ConfigurationError, match="interval"):
            session.live_feed(0)
        record = io.StringIO()
        async with session.live_feed(60, group_id="7", status="login", max_outage=5, record_to=record):
            assert server.requests[-1].json["groupid"] == "7"
        assert record.getvalue()
    with pytest.raises(ConfigurationError, match="closed"):
        session.live_feed(1)


@asynccontextmanager
async def resuming(*answers: Answer) -> AsyncIterator[LiveFeed]:
    """A feed that goes on from the checkpoint of a stream, which got the first answer."""
    async with serving(GOOD, *answers) as server, server.session(retry=ONCE) as session:
        checkpoint = (await anext(session.poll_live(1))).checkpoint
        async with session.live_feed(1, resume_from=checkpoint) as feed:
            yield feed


async def test_what_a_resumed_feed_tells_first_is_for_all_who_are_there_before_the_next_tick() -> None:
    async with resuming(GOOD, LATER) as feed:
        early = [feed.subscribe(), feed.subscribe(max_pending=1)]
        await asyncio.sleep(1.5)
        late = await anext(feed.subscribe())
        firsts = [await anext(reader) for reader in early]
    for first in firsts:
        assert (first.is_baseline, first.sequence, kinds([first])) == (False, 0, ["logged_in"])
        assert first.gap is not None
    assert (late.is_baseline, late.gap, late.transitions) == (True, None, ())


async def test_what_a_resumed_feed_tells_waits_until_somebody_has_come_to_hear_it() -> None:
    async with resuming(GOOD, BUSY, BUSY, LATER, BUSY) as feed:
        await asyncio.sleep(1.5)
        feed.subscribe()  # dropped at once
        closed = feed.subscribe()
        await closed.aclose()
        await asyncio.sleep(5)
        first, second = await take(feed.subscribe(), 2)
    assert first.gap is not None
    assert (first.gap.failures, kinds([first])) == (2, ["logged_in"])
    assert second.outage is not None


# --- the end -------------------------------------------------------------------------------


async def _normally() -> None:
    """Come to the end of the block."""


async def _by_exception() -> None:
    raise KeyError("the body's own")


async def _by_cancellation() -> None:
    task = asyncio.current_task()
    assert task is not None
    task.cancel()
    await asyncio.sleep(60)


WAYS: dict[Callable[[], Awaitable[None]], type[BaseException] | None] = {
    _normally: None,
    _by_exception: KeyError,
    _by_cancellation: asyncio.CancelledError,
}


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
@pytest.mark.parametrize("phase", [GOOD, stall], ids=["between ticks", "in a request"])
async def test_leaving_the_block_ends_all_readers_at_once_and_leaves_nothing(phase: Answer, way: Any) -> None:
    async def use(session: DeepcallSession, waiting: list[asyncio.Task[Any]]) -> None:
        async with session.live_feed(0.2) as feed:
            for _ in range(3):
                reader = feed.subscribe()
                await anext(reader)
                waiting.append(asyncio.create_task(read(reader)))
            waiting.append(asyncio.create_task(behind(feed.subscribe())))
            await asyncio.sleep(0.25)
            started.append(now())
            await way()

    async def behind(reader: Subscription) -> list[LiveUpdate]:
        await asyncio.sleep(0.3)  # by then the feed is over, and an update was waiting
        return await read(reader)

    started: list[float] = []
    waiting: list[asyncio.Task[Any]] = []
    async with serving(GOOD, GOOD, phase) as server, server.session() as session:
        before = asyncio.all_tasks()
        owner = asyncio.create_task(use(session, waiting))
        await asyncio.wait([owner])
        *readers, slow = waiting
        done, _ = await asyncio.wait(readers, timeout=0)
        assert now() - started[0] < 0.1
        assert len(done) == 3
        assert await slow == []
        if owner.cancelled():
            assert WAYS[way] is asyncio.CancelledError
        else:
            assert type(owner.exception()) is (WAYS[way] or type(None))
        await until(lambda: len(asyncio.all_tasks() - before) <= len(server.connections))


async def test_the_feed_of_a_failing_task_group_ends_with_it() -> None:
    async def fail(reader: Subscription) -> None:
        await anext(reader)
        raise KeyError

    async with serving(GOOD) as server, server.session() as session:
        started = now()
        with pytest.raises(ExceptionGroup):  # noqa: PT012
            async with session.live_feed(60) as feed, asyncio.TaskGroup() as group:
                group.create_task(read(feed.subscribe()))
                group.create_task(fail(feed.subscribe()))
        assert now() - started < 0.2


async def test_a_fatal_error_reaches_every_reader_after_what_waits_for_it() -> None:
    async with feeding(GOOD, LATER, REFUSED) as (feed, _):
        prompt, sleeper = feed.subscribe(), feed.subscribe()
        await take(prompt, 2)
        with pytest.raises(PermissionDenied) as first:
            await anext(prompt)
        await asyncio.sleep(5)
        assert kinds(await take(sleeper, 2)) == ["logged_in"]
        late = feed.subscribe()
        for reader in (sleeper, sleeper, late, prompt):
            with pytest.raises(PermissionDenied) as again:
                await anext(reader)
            assert again.value is first.value
            assert len(traceback.extract_tb(again.value.__traceback__)) < 6
    for reader in (prompt, sleeper, late):
        assert await read(reader) == []


async def test_a_closed_subscription_is_not_told_of_an_error() -> None:
    left = []
    with pytest.raises(PermissionDenied):  # noqa: PT012
        async with feeding(GOOD, REFUSED) as (feed, _):
            closed = feed.subscribe()
            await closed.aclose()
            await asyncio.sleep(5)
            left.append(await read(closed))
    assert left == [[]]


async def test_an_error_that_no_reader_got_is_raised_by_the_block() -> None:
    with pytest.raises(AuthenticationError):  # noqa: PT012
        async with feeding(GOOD, api_error(1039)) as (feed, _):
            reader = feed.subscribe()
            await asyncio.sleep(5)
            await anext(reader)


async def test_an_error_of_the_block_comes_before_that_of_the_feed() -> None:
    with pytest.raises(KeyError):  # noqa: PT012
        async with feeding(GOOD, REFUSED):
            await asyncio.sleep(5)
            raise KeyError


async def test_an_outage_longer_than_max_outage_ends_the_feed() -> None:
    async with feeding(GOOD, BUSY, max_outage=10) as (feed, _):
        reader = feed.subscribe()
        with pytest.raises(UnexpectedStatus):  # noqa: PT012
            async for update in reader:
                assert update.outage or update.is_baseline
        assert now() == pytest.approx(11, abs=1.1)


async def test_an_error_that_is_not_ours_reaches_the_readers_with_its_origin() -> None:
    class Full(io.StringIO):
        def write(self, text: str) -> int:
            if self.tell() > 2000:
                raise OSError("disk full")
            return super().write(text)

    async with feeding(GOOD, record_to=Full()) as (feed, _):
        readers = [feed.subscribe() for _ in range(3)]
        frames = []
        for reader in readers:
            with pytest.raises(OSError, match="disk full") as caught:
                await read(reader)
            frames.append([frame.name for frame in caught.traceback])
    assert frames[0] == frames[1] == frames[2]
    assert frames[0][-1] == "write"


async def test_closing_the_session_ends_the_feed_with_an_error() -> None:
    async with serving(GOOD) as server, server.session() as session, session.live_feed(60) as feed:
        reader = feed.subscribe()
        await anext(reader)
        waiting = asyncio.create_task(read(reader))
        await asyncio.sleep(0.01)
        started = now()
        await session.aclose()
        with pytest.raises(ConfigurationError, match="closed"):
            await waiting
        assert now() - started < 0.1


async def test_a_feed_whose_task_is_cancelled_from_outside_does_not_let_its_readers_wait() -> None:
    async with feeding(GOOD, interval=60) as (feed, _):
        reader = feed.subscribe()
        await anext(reader)
        [task] = [task for task in asyncio.all_tasks() if task.get_name() == "deepcall live feed"]
        task.cancel()
        with pytest.raises(RuntimeError, match="cancelled from outside"):
            await anext(reader)


class Reluctant:
    """A source whose poll takes its time to be cancelled."""

    def __init__(self, takes: float) -> None:
        self.floor = LiveFloor()
        self.takes = takes
        self.is_polling = False

    async def poll(self, _until: float) -> LiveUpdate:
        update = self.floor.receive(GOOD.partition(b"\r\n\r\n")[2])
        if update.sequence:
            self.is_polling = True
            try:
                await asyncio.sleep(60)
            finally:
                await asyncio.shield(asyncio.sleep(self.takes))
                self.is_polling = False
        return update

    def feed(self) -> LiveFeed:
        def fail(error: DeepcallError) -> LiveUpdate:
            raise error

        source = Source(
            poll=self.poll, fail=fail, scope=Stoppable(RuntimeError), log=AccountLog(lambda: "desk")
        )
        return LiveFeed(LiveStream(source, interval=0.1, max_outage=None, retry=ONCE), source.log)


async def test_an_error_at_the_very_moment_the_block_ends_is_not_lost() -> None:
    ended = asyncio.Event()

    async def poll(_until: float) -> LiveUpdate:
        update = source.floor.receive(GOOD.partition(b"\r\n\r\n")[2])
        if update.sequence:
            ended.set()
            raise PermissionDenied(1015, "no")
        return update

    source = Reluctant(takes=0)
    source.poll = poll  # type: ignore[method-assign]
    with pytest.raises(PermissionDenied):
        async with source.feed():
            await ended.wait()


async def test_leaving_that_is_cancelled_still_waits_for_the_end_of_what_was_begun() -> None:
    source = Reluctant(takes=3)

    async def use() -> None:
        async with source.feed():
            await asyncio.sleep(1)

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(2):
            await use()
    assert not source.is_polling
    assert not [task for task in asyncio.all_tasks() if task.get_name() == "deepcall live feed"]


# --- closing from elsewhere ----------------------------------------------------------------


@pytest.mark.parametrize("phase", [GOOD, stall], ids=["between ticks", "in a request"])
async def test_closing_a_feed_ends_polling_and_readers_at_once_while_its_block_goes_on(phase: Answer) -> None:
    async with feeding(GOOD, phase, interval=0.2) as (feed, server):
        readers = [asyncio.create_task(read(feed.subscribe())) for _ in range(3)]
        await asyncio.sleep(0.25)
        started = now()
        await feed.aclose()
        await asyncio.wait(readers, timeout=0.05)
        assert now() - started < 0.1
        assert all(reader.done() and not reader.exception() for reader in readers)
        polled = len(server.requests)
        await feed.aclose()
        await asyncio.sleep(0.3)
        assert len(server.requests) == polled
        with pytest.raises(ConfigurationError, match="not running"):
            feed.subscribe()


async def test_a_reader_may_close_its_feed() -> None:
    async with feeding(GOOD, interval=0.1) as (feed, _):
        async for update in feed.subscribe():
            if update.sequence == 1:
                await feed.aclose()
        assert not feed.is_running


async def test_two_tasks_may_close_a_feed_and_both_wait_for_its_end() -> None:
    source = Reluctant(takes=0.2)
    async with source.feed() as feed:
        await until(lambda: source.is_polling)
        closing = [asyncio.create_task(feed.aclose()) for _ in range(2)]
        await asyncio.wait(closing, return_when=asyncio.FIRST_COMPLETED)
        assert not source.is_polling
        await asyncio.wait(closing)


async def test_a_feed_closed_while_it_opens_does_not_open() -> None:
    async with serving(GOOD, stall) as server, server.session() as session:
        feed = session.live_feed(60)
        opening = asyncio.create_task(feed.__aenter__())
        await until(lambda: len(server.requests) == 2)
        await feed.aclose()
        with pytest.raises(ConfigurationError, match="closed before"):
            await opening
        assert not feed.is_running
        await feed.wait_ended()


async def test_a_feed_closed_before_it_opens_does_not_open() -> None:
    async with serving(GOOD) as server, server.session() as session:
        feed = session.live_feed(60)
        await feed.aclose()
        with pytest.raises(ConfigurationError, match="closed before"):
            await feed.__aenter__()


async def test_a_feed_tells_how_it_stands_without_a_reader() -> None:
    async with serving(GOOD) as server, server.session() as session:
        feed = session.live_feed(0.1)
        assert (feed.is_running, feed.latest, feed.error) == (False, None, None)
        async with feed:
            assert feed.latest is not None
            assert feed.latest.is_baseline
            assert feed.is_running
            await until(lambda: feed.latest is not None and feed.latest.sequence >= 2)
            waiter = asyncio.create_task(feed.wait_ended())
            await asyncio.sleep(0.05)
            assert not waiter.done()
        await waiter
        assert (feed.is_running, feed.error) == (False, None)
        assert feed.latest is not None


async def test_a_feed_that_failed_tells_with_what_and_leaving_its_block_still_raises_it() -> None:
    async def use() -> None:
        async with feeding(GOOD, GOOD, REFUSED, interval=0.1) as (feed, _):
            await feed.wait_ended()
            assert isinstance(feed.error, PermissionDenied)
            assert not feed.is_running
            await feed.aclose()

    with pytest.raises(PermissionDenied):
        await use()


def test_the_end_of_the_loop_ends_a_feed_at_once() -> None:
    async def watch() -> None:
        async with feeding(GOOD, stall, interval=0.1) as (feed, server):
            servers.append(server)
            await read(feed.subscribe())

    async def main() -> tuple[asyncio.Task[None], float]:
        watcher = asyncio.create_task(watch())
        await until(lambda: bool(servers) and len(servers[0].requests) == 3)
        return watcher, now()

    servers: list[FakeServer] = []
    with asyncio.Runner(debug=True, loop_factory=looptime.new_event_loop) as runner:
        loop = runner.get_loop()
        watcher, ended = runner.run(main())
    assert loop.time() - ended < 0.1
    assert watcher.cancelled()
