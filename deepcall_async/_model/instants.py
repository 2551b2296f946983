"""The server's clock, and instants that stand still.

Every row carries the server's clock: `avD` (epoch seconds) + `avT` (elapsed) is the
server's time, to the second. In the vendor's sample all ten rows and the `Date` header
agree. So no machine's clock but the server's ever times a transition.

The server's second may tick over while it writes a reply: the rows of one reply can be
a second apart. So a row's origins are computed from the row's own clock, and an origin
is *pinned* once per episode: a later reading within `PIN_TOLERANCE` of it is the same.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

PIN_TOLERANCE = timedelta(seconds=2)  # two readings, each rounded by up to 1 s
STRAY = timedelta(seconds=5)  # two readings at worst: both clocks stray, and one row is a second late
ROUNDING = timedelta(seconds=1)  # what one reading of an elapsed field is known to
EARLIEST_YEAR, LATEST_YEAR = 1800, 3100  # 1970 less the longest time that is read; the last that is

QUARTER = 900  # seconds
TICK = 1  # second: so far apart are the rows of a reply during which the server's second ticked over


def instant(epoch: int) -> datetime:
    """Epoch seconds as an aware UTC datetime."""
    return datetime.fromtimestamp(epoch, UTC)


def epoch(at: datetime) -> int:
    """An aware datetime as whole epoch seconds, rounded down."""
    return int(at.timestamp() // 1)


def moved(at: datetime, by: timedelta) -> datetime:
    """An instant of a clock that was set; itself where that would leave the calendar of call centres."""
    try:
        there = at + by
    except OverflowError:
        return at
    return there if EARLIEST_YEAR < there.year < LATEST_YEAR else at


def is_midnight_between(since: datetime, until: datetime) -> bool:
    """Whether it can have been midnight in some time zone: they all lie whole quarters of an hour apart."""
    return epoch(until) // QUARTER > (epoch(since) - 1) // QUARTER
