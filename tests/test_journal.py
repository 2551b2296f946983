"""What a stream and a feed write to the log: each trouble as it begins, as it changes, and as it is over."""

from __future__ import annotations

import asyncio
import io
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from deepcall_async._client.session import DeepcallSession
from deepcall_async._model.errors import DeepcallError, PermissionDenied

from .fake_server import GOOD, ONCE, START, Answer, api_error, floor, http, row, serving, stall, until

BUSY = http("<html>", 502)
LATER = floor(row(1, logged_in=True, now=START + 60), row(2, now=START + 60), lA=1)
EMPTY = floor(lA=1)
UNREAD = floor(row(1, logged_in=True), {**row(2), "l": 7}, {**row(3), "l": 7})


@pytest.fixture(autouse=True)
def log(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """The log, from INFO on."""
    with caplog.at_level(logging.INFO, logger="deepcall_async"):
        yield caplog


def lines(log: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    return [(record.levelname, record.getMessage()) for record in log.records]


async def polled(*answers: Answer, count: int, **options: Any) -> None:
    """A stream of so many updates, of which a good one comes first."""
    async with (
        serving(GOOD, GOOD, *answers) as server,
        server.session(retry=ONCE, account="north") as session,
        session.poll_live(0.1, **options) as stream,
    ):
        for _ in range(count):
            await anext(stream)


async def test_a_floor_without_trouble_is_not_spoken_of(log: pytest.LogCaptureFixture) -> None:
    await polled(LATER, count=4)
    assert lines(log) == []


async def test_an_outage_is_told_as_it_begins_as_its_cause_changes_and_as_it_is_over(
    log: pytest.LogCaptureFixture,
) -> None:
    await polled(BUSY, BUSY, api_error(1009), api_error(1009), LATER, count=7)
    (_, first), (_, second), over = lines(log)
    assert first.startswith("[north] polls fail since 12:19:25 UTC: HTTP 502")
    assert second.startswith("[north] polls fail since 12:19:25 UTC: API error 1009")
    assert over == ("INFO", "[north] polls succeed again, after 4 that failed in 0:01:00")
    record: Any = log.records[1]
    assert record.levelname == "WARNING"
    assert (record.account, record.failures, record.error.code) == ("north", 3, 1009)


async def test_failures_that_differ_in_a_number_only_are_told_once(log: pytest.LogCaptureFixture) -> None:
    errors = [http(f'{{"status": "error", "message": "{n} waiting", "code": 1032}}') for n in range(3)]
    await polled(*errors, *(http("{" * size) for size in (3, 5)), count=6)
    assert [line.partition("UTC: ")[2][:14] for _, line in lines(log)] == ["API error 1032", "not JSON but 3"]


async def test_replies_that_are_held_are_told_once_and_that_they_are_believed_again(
    log: pytest.LogCaptureFixture,
) -> None:
    await polled(EMPTY, LATER, count=4)
    (level, held), over = lines(log)
    assert level == "WARNING"
    assert held.startswith("[north] replies are not believed since 12:19:25 UTC: ")
    assert over == ("INFO", "[north] replies are believed again, after 1 that were not in 0:01:00")


async def test_rows_that_cannot_be_read_are_told_once_and_that_all_can_be_again(
    log: pytest.LogCaptureFixture,
) -> None:
    await polled(UNREAD, UNREAD, LATER, count=5)
    (level, unread), over = lines(log)
    assert level == "WARNING"
    assert unread.startswith(
        "[north] parts of replies cannot be read since 12:19:25 UTC: 2, the first message.pr[1]"
    )
    assert over == ("INFO", "[north] replies can be read whole again, after 2 in 0:01:00")


# --- the end -------------------------------------------------------------------------------


async def test_a_stream_that_ends_for_good_says_so_once(log: pytest.LogCaptureFixture) -> None:
    async with serving(GOOD, GOOD, api_error(1015)) as server, server.session(account="north") as session:
        stream = session.poll_live(0.1)
        await anext(stream)
        for _ in range(3):
            with pytest.raises(PermissionDenied):
                await anext(stream)
    ((level, line),) = lines(log)
    assert level == "ERROR"
    assert line.startswith("[north] the stream has ended: API error 1015")


async def test_an_outage_that_ends_a_stream_says_so(log: pytest.LogCaptureFixture) -> None:
    with pytest.raises(DeepcallError):
        await polled(BUSY, count=60, max_outage=0.3)
    assert [level for level, _ in lines(log)] == ["WARNING", "ERROR"]


async def test_a_feed_whose_credentials_die_says_so_though_nobody_reads(
    log: pytest.LogCaptureFixture,
) -> None:
    async def use(session: DeepcallSession) -> None:
        async with session.live_feed(0.1) as feed:
            await feed.wait_ended()

    async with serving(GOOD, GOOD, api_error(1014)) as server, server.session(account="north") as session:
        with pytest.raises(DeepcallError):
            await use(session)
    ((level, line),) = lines(log)
    assert (level, line[:29]) == ("ERROR", "[north] the stream has ended:")


async def test_a_feed_that_something_else_ends_says_so(log: pytest.LogCaptureFixture) -> None:
    class Full(io.StringIO):
        def write(self, text: str) -> int:
            if self.tell() > 1000:
                raise OSError("no space left")
            return super().write(text)

    async def use(session: DeepcallSession) -> None:
        async with session.live_feed(0.1, record_to=Full()) as feed:
            await feed.wait_ended()

    async with serving(GOOD) as server, server.session(account="north") as session:
        with pytest.raises(OSError, match="no space"):
            await use(session)
    assert lines(log) == [("ERROR", "[north] the feed has ended: OSError: no space left")]


@pytest.mark.parametrize("answer", [GOOD, stall], ids=["between ticks", "in a request"])
async def test_an_end_that_was_asked_for_is_no_trouble(answer: Answer, log: pytest.LogCaptureFixture) -> None:
    async with serving(GOOD, GOOD, answer) as server:
        session = await server.session().open()
        stream = session.poll_live(0.1)
        await anext(stream)
        waiting = asyncio.create_task(anext(stream))
        await until(lambda: len(server.requests) == 3)
        await asyncio.wait([waiting], timeout=0.05)
        await session.aclose()
        with pytest.raises(DeepcallError, match="closed"):
            await (anext(stream) if waiting.exception() is None else waiting)
    async with (
        serving(GOOD, GOOD, answer) as server,
        server.session() as session,
        session.live_feed(0.1) as feed,
    ):
        await until(lambda: len(server.requests) == 3)
        await feed.aclose()
    assert lines(log) == []
