"""The server's clock as the rows tell it, and origins that stand still."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from deepcall_async import ClockSource
from deepcall_async._inference.origins import Between, is_same_origin
from deepcall_async._model.instants import epoch, instant, is_midnight_between
from deepcall_async._wire.clock import ClockReading, believed, read_clock

NOON = 1_767_614_400
DATE = instant(NOON + 7)
RECEIVED = instant(NOON + 3600)


def test_epoch_seconds_become_an_aware_utc_instant_and_back() -> None:
    assert instant(NOON) == datetime(2026, 1, 5, 12, tzinfo=UTC)
    assert instant(NOON).utcoffset() == timedelta(0)
    assert epoch(instant(NOON)) == NOON


@pytest.mark.parametrize("seconds", [-1.5, 0.25, NOON + 0.999])
def test_a_fraction_of_a_second_is_rounded_down(seconds: float) -> None:
    assert epoch(datetime.fromtimestamp(seconds, UTC)) == seconds // 1


def test_the_zone_of_an_instant_does_not_matter() -> None:
    india = timezone(timedelta(hours=5, minutes=30))
    assert epoch(instant(NOON).astimezone(india)) == NOON


def test_the_server_time_is_the_most_common_of_the_rows() -> None:
    reading = read_clock([NOON, NOON, NOON + 1], DATE, RECEIVED)
    assert reading == ClockReading(NOON, ClockSource.ROWS, spread=1)


def test_of_equally_common_clocks_the_latest_wins() -> None:
    assert read_clock([NOON, NOON + 1, NOON, NOON + 1], None, None) == ClockReading(
        NOON + 1, ClockSource.ROWS, spread=1
    )


def test_rows_that_lie_about_the_time_are_outvoted_and_no_part_of_the_spread() -> None:
    reading = read_clock([NOON, 5, NOON, NOON + 9000], None, None)
    assert reading == ClockReading(NOON, ClockSource.ROWS, spread=0)


def test_the_date_header_is_the_clock_where_no_row_has_one() -> None:
    assert read_clock([], DATE, RECEIVED) == ClockReading(NOON + 7, ClockSource.DATE)


def test_our_own_clock_is_the_last_resort() -> None:
    assert read_clock([], None, RECEIVED) == ClockReading(NOON + 3600, ClockSource.LOCAL)
    assert read_clock([], None, None) is None


@pytest.mark.parametrize(
    ("row", "clock"), [(None, 100), (100, 100), (98, 98), (102, 102), (97, 100), (103, 100), (0, 100)]
)
def test_a_row_is_read_by_its_own_clock_unless_that_is_missing_or_absurd(row: int | None, clock: int) -> None:
    assert believed(row, 100) == clock


HOUR_BEFORE, MINUTE = DATE + timedelta(hours=-1), timedelta(minutes=1)


def same(seconds: float, **between: Any) -> bool:
    """Whether an origin read so many seconds after a pinned one is the same."""
    defaults = {"polled": DATE + 10 * MINUTE, "now": DATE + 11 * MINUTE}
    return is_same_origin(DATE, DATE + timedelta(seconds=seconds), Between(**defaults | between))


@pytest.mark.parametrize(
    ("seconds", "is_same"), [(-86400, True), (-1, True), (0, True), (5, True), (6, False), (600, False)]
)
def test_an_origin_is_the_same_as_far_as_it_may_stray_and_at_any_time_earlier(
    seconds: int, *, is_same: bool
) -> None:
    assert same(seconds, polled=DATE) == is_same


@pytest.mark.parametrize(("seconds", "is_same"), [(6, True), (594, True), (595, False), (600, False)])
def test_an_origin_before_the_poll_that_showed_another_is_the_same(seconds: int, *, is_same: bool) -> None:
    assert same(seconds, polled=DATE + 10 * MINUTE) == is_same


@pytest.mark.parametrize(("seconds", "is_same"), [(2, True), (3, False), (5, False)])
def test_who_became_available_before_an_origin_read_later_leaves_no_doubt(
    seconds: int, *, is_same: bool
) -> None:
    available = DATE + timedelta(seconds=1)
    assert same(seconds, polled=DATE, now=DATE + MINUTE, available=available) == is_same


def test_an_elapsed_time_that_stands_still_holds_no_origin() -> None:
    assert same(60, polled=DATE, now=DATE + MINUTE)
    assert not same(50, polled=DATE, now=DATE + MINUTE)


@pytest.mark.parametrize(("seconds", "is_same"), [(599, True), (600, True), (590, False)])
def test_on_a_clock_set_back_an_origin_of_just_now_says_nothing(seconds: int, *, is_same: bool) -> None:
    assert same(seconds, polled=DATE + MINUTE, now=DATE + 10 * MINUTE, is_behind=True) == is_same


def test_an_origin_ahead_of_the_clock_is_the_same_while_its_elapsed_time_stands_still() -> None:
    times = {"polled": HOUR_BEFORE, "now": HOUR_BEFORE + MINUTE, "is_behind": True}
    assert same(-3540, **times)
    assert not same(-3570, **times)


@pytest.mark.parametrize(
    ("since", "until", "may_be"),
    [
        ((12, 1), (12, 14), False),
        ((11, 59), (12, 0), True),
        ((12, 0), (12, 1), True),
        ((12, 1), (12, 15), True),
        ((9, 1), (12, 1), True),
    ],
)
def test_it_is_midnight_somewhere_at_full_quarters_of_an_hour(
    since: tuple[int, int], until: tuple[int, int], *, may_be: bool
) -> None:
    began, ended = (datetime(2026, 1, 5, hour, minute, tzinfo=UTC) for hour, minute in (since, until))
    assert is_midnight_between(began, ended) == may_be


def test_where_the_rows_clocks_stray_the_date_header_decides_among_them() -> None:
    strays = [NOON - 1, NOON - 1, NOON, NOON + 1]
    assert read_clock(strays, instant(NOON), None) == ClockReading(NOON, ClockSource.ROWS, 2)
    assert read_clock(strays, None, None) == ClockReading(NOON - 1, ClockSource.ROWS, 2)
    assert read_clock(strays, DATE + MINUTE, None) == ClockReading(NOON - 1, ClockSource.ROWS, 2)
    assert read_clock([NOON, NOON, NOON + 1], instant(NOON + 1), None) == ClockReading(
        NOON, ClockSource.ROWS, 1
    )
