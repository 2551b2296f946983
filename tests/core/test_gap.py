"""A time in which nobody polled is a gap: known by the server's clock and this machine's, if both agree."""

from __future__ import annotations

from datetime import timedelta

import pytest

from deepcall_async._floor.update import Gap, LiveUpdate
from deepcall_async._model.errors import TransportError

from .floors import Floor, at


def watched(*polls: tuple[str, str], interval: float = 5) -> list[LiveUpdate]:
    """A floor polled at these times: of the server's clock, and of this machine's."""
    floor = Floor(interval=interval)
    floor.seat("1", web="09:00:00")
    return [floor.live.receive(floor.reply(server), received_at=at(ours)) for server, ours in polls]


def gaps(*polls: tuple[str, str], interval: float = 5) -> list[bool]:
    return [update.gap is not None for update in watched(*polls, interval=interval)]


def test_more_than_three_intervals_between_two_polls_are_a_gap_without_a_failure() -> None:
    *before, suspended, after = watched(
        ("10:00:00", "10:00:00"), ("10:00:05", "10:00:05"), ("10:01:35", "10:01:35"), ("10:01:40", "10:01:40")
    )
    assert suspended.gap == Gap(since=at("10:00:05"), until=at("10:01:35"), failures=0, error=None)
    assert not any(update.gap for update in (*before, after))


def test_ticks_that_are_skipped_now_and_then_are_no_gap() -> None:
    assert gaps(("10:00:00", "10:00:00"), ("10:00:15", "10:00:15"), ("10:00:20", "10:00:20")) == [False] * 3
    assert gaps(("10:00:00", "10:00:00"), ("10:00:16", "10:00:16")) == [False, True]


@pytest.mark.parametrize(
    ("server", "ours"),
    [("11:00:05", "10:00:05"), ("10:00:05", "11:00:05"), ("10:00:05", "09:00:05")],
    ids=["the server's is set", "ours is set", "ours is set back"],
)
def test_a_clock_that_is_set_is_no_gap(server: str, ours: str) -> None:
    assert gaps(("10:00:00", "10:00:00"), (server, ours)) == [False, False]


def test_at_short_intervals_a_second_is_no_gap_as_clocks_tell_no_less() -> None:
    polls = [("10:00:00", "10:00:00"), ("10:00:01", "10:00:01"), ("10:00:03", "10:00:03")]
    assert gaps(*polls, interval=0.1) == [False, False, True]


def test_a_floor_without_a_rate_knows_no_gap_but_that_of_an_outage() -> None:
    floor = Floor()
    floor.seat("1", web="09:00:00")
    for time in ("10:00:00", "11:00:00"):
        assert floor.live.receive(floor.reply(time), received_at=at(time)).gap is None


def test_an_outage_is_one_gap_however_long_nobody_polled() -> None:
    floor = Floor(interval=5)
    floor.seat("1", web="09:00:00")
    floor.live.receive(floor.reply("10:00:00"), received_at=at("10:00:00"))
    floor.live.fail(TransportError("down"))
    update = floor.live.receive(floor.reply("10:10:00"), received_at=at("10:10:00"))
    assert update.gap is not None
    assert update.gap.failures == 1
    assert update.gap.until - update.gap.since == timedelta(minutes=10)


def test_a_reply_that_is_held_does_not_hide_the_time_nobody_polled() -> None:
    floor = Floor(interval=5)
    seat = floor.seat("1", web="09:00:00")
    floor.live.receive(floor.reply("10:00:00"), received_at=at("10:00:00"))
    floor.seats.clear()
    now = at("10:01:00")
    held = floor.live.receive(floor.reply("10:01:00", logged_in=1), date=now, received_at=now)
    assert held.held
    assert held.gap is None
    floor.seats["1"] = seat
    update = floor.live.receive(floor.reply("10:01:05"), received_at=at("10:01:05"))
    assert update.gap == Gap(since=at("10:00:00"), until=at("10:01:05"), failures=0)
