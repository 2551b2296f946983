"""The server's clock, and instants that stand still.

Every row carries the server's clock: `avD` (epoch seconds) + `avT` (elapsed) is the
server's time, to the second. In the vendor's sample all ten rows and the `Date` header
agree. So no machine's clock but the server's ever times a transition.

The server's second may tick over while it writes a reply: the rows of one reply can be
a second apart. So a row's origins are computed from the row's own clock, and an origin
is *pinned* once per episode: a later reading within `PIN_TOLERANCE` of it is the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

from attrs import frozen

from ._model import ClockSource

PIN_TOLERANCE = timedelta(seconds=2)  # two readings, each rounded by up to 1 s
ROUNDING = timedelta(seconds=1)  # what one reading of an elapsed field is known to
EARLIEST_YEAR, LATEST_YEAR = 1800, 3100  # 1970 less the longest time that is read; the last that is
EARLIEST_DATE = 1970
ROW_CLOCK_SLACK = 2  # seconds a row's clock may lie off the floor's and still be believed


@frozen
class ClockReading:
    """The server's time of one reply, in epoch seconds, and how it was read."""

    time: int
    source: ClockSource
    spread: int = 0


def instant(epoch: int) -> datetime:
    """Epoch seconds as an aware UTC datetime."""
    return datetime.fromtimestamp(epoch, UTC)


def epoch(at: datetime) -> int:
    """An aware datetime as whole epoch seconds, rounded down."""
    return int(at.timestamp() // 1)


def read_clock(
    row_clocks: Iterable[int] | Mapping[int, int], date: datetime | None, received_at: datetime | None
) -> ClockReading | None:
    """The server's time: the rows' majority, else the Date header, else our own clock, else None.

    row_clocks: what the rows say, one by one or counted. Of equally common ones the latest wins: it is the
    one nearer to the reply's end.
    """
    counts = row_clocks if isinstance(row_clocks, Mapping) else Counter(row_clocks)
    if counts:
        time = max(counts, key=lambda clock: (counts[clock], clock))
        near = [clock for clock in counts if abs(clock - time) <= ROW_CLOCK_SLACK]
        return ClockReading(time, ClockSource.ROWS, max(near) - min(near))
    if date is not None and EARLIEST_DATE < date.year < LATEST_YEAR:
        return ClockReading(epoch(date), ClockSource.DATE)
    if received_at is not None:
        return ClockReading(epoch(received_at), ClockSource.LOCAL)
    return None


def believed(row_clock: int | None, floor_clock: int) -> int:
    """The clock to compute a row's origins from: its own, unless that is missing or absurd."""
    if row_clock is None or abs(row_clock - floor_clock) > ROW_CLOCK_SLACK:
        return floor_clock
    return row_clock


def moved(at: datetime, by: timedelta) -> datetime:
    """An instant of a clock that was set; itself where that would leave the calendar of call centres."""
    try:
        there = at + by
    except OverflowError:
        return at
    return there if EARLIEST_YEAR < there.year < LATEST_YEAR else at


def is_same_origin(pinned: datetime | None, seen: datetime | None) -> bool:
    """Whether a reading is the pinned origin again.

    An unknown origin contradicts nothing, and an origin cannot move into the past: an
    earlier reading is a correction of the server's, not another episode.
    """
    return pinned is None or seen is None or seen <= pinned + PIN_TOLERANCE
