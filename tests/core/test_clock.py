"""The server's clock as the rows tell it, and origins that stand still."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from deepcall_async import ClockSource
from deepcall_async._clock import ClockReading, believed, epoch, instant, is_same_origin, read_clock

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


@pytest.mark.parametrize(
    ("seconds", "is_same"), [(-86400, True), (-1, True), (0, True), (2, True), (3, False), (600, False)]
)
def test_an_origin_is_the_same_up_to_two_seconds_later_and_at_any_time_earlier(
    seconds: int, *, is_same: bool
) -> None:
    assert is_same_origin(DATE, DATE + timedelta(seconds=seconds)) == is_same


def test_an_unknown_origin_contradicts_nothing() -> None:
    assert is_same_origin(None, DATE)
    assert is_same_origin(DATE, None)
    assert is_same_origin(None, None)
