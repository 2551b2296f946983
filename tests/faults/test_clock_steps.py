"""The server's clock is set, for good; and replies that come out of order."""

from __future__ import annotations

import pytest

from deepcall_async import LiveFloor, LiveUpdate
from deepcall_async._inference.plausibility import OLDER, SHIFTED
from deepcall_async._model.instants import instant
from tests.fake_server import ONCE, START, floor, serving

from .fault import ROWS, TOTALS, body, rows, team

pytestmark = [pytest.mark.wire, pytest.mark.looptime]


def reply(after: int, *, ahead: int = 0) -> bytes:
    """The team so many seconds after the start: 2 logged in at 30. The server's clock is wrong by `ahead`."""
    return floor(*team(START + after, has_news=after > 30, ahead=ahead), **TOTALS)


async def _watch(*answers: bytes) -> list[LiveUpdate]:
    async with (
        serving(answers[0], *answers) as server,
        server.session(retry=ONCE) as session,
        session.poll_live(0.1) as stream,
    ):
        stream._ticker.interval = 0.005  # faster than is allowed, for the tests' sake
        return [await anext(stream) for _ in answers]


def told(updates: list[LiveUpdate]) -> list[list[tuple[str, str]]]:
    return [[(t.kind, t.agent.id) for t in update.transitions] for update in updates]


NEWS = [("logged_in", "2")]


@pytest.mark.parametrize("ahead", [-86_400, -3600, -60, 60, 3600, 86_400])
async def test_a_clock_that_is_set_is_held_once_and_tells_nothing(ahead: int) -> None:
    updates = await _watch(reply(0), reply(10, ahead=ahead), reply(20, ahead=ahead), reply(60, ahead=ahead))
    assert told(updates) == [[], [], [], NEWS]
    assert [bool(update.held) for update in updates] == [False, True, False, False]
    assert set(updates[1].held) == ({SHIFTED, OLDER} if ahead < -10 else {SHIFTED})
    assert updates[-1].ledger.clock_steps == 1


@pytest.mark.parametrize("ahead", [-3600, 3600])
async def test_a_clock_that_is_set_and_set_back_tells_nothing(ahead: int) -> None:
    wrong = [reply(after, ahead=ahead) for after in (10, 20, 25)]
    updates = await _watch(reply(0), *wrong, reply(26), reply(28), reply(60))
    assert told(updates) == [[], [], [], [], [], [], NEWS]
    assert updates[-1].ledger.clock_steps == 2


async def test_a_reply_that_is_sent_again_and_again_tells_its_news_once() -> None:
    updates = await _watch(reply(0), *[reply(60)] * 4)
    assert told(updates) == [[], NEWS, [], [], []]
    assert not any(update.held for update in updates)


@pytest.mark.parametrize("old", [0, 20, 50])
async def test_a_stale_reply_between_good_ones_takes_nothing_back(old: int) -> None:
    updates = await _watch(reply(0), reply(60), reply(old), reply(70), reply(old), reply(80))
    assert told(updates) == [[], NEWS, [], [], [], []]
    assert [update.held for update in updates] == [(), (), (OLDER,), (), (OLDER,), ()]


async def test_a_stale_reply_that_is_repeated_is_no_witness_for_itself() -> None:
    updates = await _watch(reply(0), reply(60), *[reply(0)] * 5, reply(70))
    assert told(updates) == [[], NEWS, [], [], [], [], [], []]


@pytest.mark.parametrize("old", [1, 2])
async def test_a_stale_reply_that_is_hardly_older_takes_nothing_back(old: int) -> None:
    """A server that lags behind another: at 31 one knows of the login, the other does not."""
    behind = floor(*team(START + 31 - old), **TOTALS)
    updates = await _watch(reply(0), reply(31), behind, reply(33), behind, reply(34))
    assert told(updates) == [[], NEWS, [], [], [], []]


async def test_a_reply_without_any_clock_of_the_servers_moves_no_time() -> None:
    clockless = rows(*[{**row, "tC": -1} for row in ROWS])
    updates = await _watch(reply(0), clockless, reply(60), reply(70))
    assert told(updates) == [[], [], NEWS, []]
    assert updates[2].transitions[0].at == instant(START + 30)


@pytest.mark.parametrize("date", ["Fri, 31 Dec 9999 23:59:59 -2300", "Fri, 01 Jan 0100 00:00:00 GMT"])
async def test_a_date_header_that_no_calendar_holds_is_no_clock(date: str) -> None:
    long_ago = {"type": "x", "duration": [1_000_000, 0, 0]}
    clockless = rows(*[{**row, "avT": None, "l": long_ago} for row in ROWS], date=date)
    updates = await _watch(reply(0), clockless, reply(60), reply(70), reply(80))
    assert [kinds for kinds in told(updates) if kinds] == [NEWS]


def test_every_order_of_good_and_stale_replies_tells_the_login_once_at_its_time() -> None:
    """A cache that serves any of the last replies, over every sequence of five."""
    ages = (0, 60, 70)
    for order in range(len(ages) ** 5):
        floor_, kinds, now = LiveFloor(), [], 60
        floor_.receive(body(reply(0)))
        for place in range(5):
            stale = ages[order // 3**place % 3]
            now += 10
            update = floor_.receive(body(reply(now if stale == 70 else stale)))
            kinds += [t.kind for t in update.transitions]
        kinds += [t.kind for t in floor_.receive(body(reply(200))).transitions]
        assert kinds == ["logged_in"], order
