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
STRAY = timedelta(seconds=5)  # two readings at worst: both clocks stray, and one row is a second late
ROUNDING = timedelta(seconds=1)  # what one reading of an elapsed field is known to
EARLIEST_YEAR, LATEST_YEAR = 1800, 3100  # 1970 less the longest time that is read; the last that is
EARLIEST_DATE = 1970
QUARTER = 900  # seconds
TICK = 1  # second: so far apart are the rows of a reply during which the server's second ticked over
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
    one nearer to the reply's end. Where the rows' clocks stray by more than a tick, no majority means much:
    then the Date header decides among them.
    """
    counts = row_clocks if isinstance(row_clocks, Mapping) else Counter(row_clocks)
    if counts:
        time = max(counts, key=lambda clock: (counts[clock], clock))
        near = [clock for clock in counts if abs(clock - time) <= ROW_CLOCK_SLACK]
        spread = max(near) - min(near)
        if spread > TICK and date is not None and min(near) <= epoch(date) <= max(near):
            time = epoch(date)
        return ClockReading(time, ClockSource.ROWS, spread)
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


def is_midnight_between(since: datetime, until: datetime) -> bool:
    """Whether it can have been midnight in some time zone: they all lie whole quarters of an hour apart."""
    return epoch(until) // QUARTER > (epoch(since) - 1) // QUARTER


@frozen
class Between:
    """The time between the last poll that showed an agent and this one.

    polled, now: the server's time at either. available: the new `avD` where it lies between them.
    is_behind: the server's clock was set back, and shows less than what it has stored. Then it sends an
    elapsed time of 0 for whatever lies ahead of it.
    """

    polled: datetime
    now: datetime
    available: datetime | None = None
    is_behind: bool = False

    def says_nothing(self, origin: datetime) -> bool:
        """Whether an origin may have been read from an elapsed time that does not tick."""
        return self.is_behind and origin >= self.now - ROUNDING

    def stands_still(self, pinned: datetime, seen: datetime) -> bool:
        """Whether an elapsed time was nothing at both polls, so that there is no origin in it."""
        was_nothing = abs(pinned - self.polled) <= ROUNDING
        return was_nothing and seen >= self.now - ROUNDING and self.now - self.polled > PIN_TOLERANCE


def is_same_origin(pinned: datetime, seen: datetime, between: Between) -> bool:
    """Whether a reading is the pinned origin again.

    A later reading is another episode, unless it may have strayed, or says nothing: a true origin is still
    there at the next poll. An agent who became available in between, and before the new origin, leaves no
    doubt. An origin cannot move into the past: an earlier reading is a correction of the server's, unless
    the pinned one lies ahead of a clock that was set back. Nor did it move, whatever it says, to before the
    last poll, which showed the pinned one: then the clock was set.
    """
    if abs(seen - pinned) <= PIN_TOLERANCE or between.stands_still(pinned, seen):
        return True
    if pinned > between.now:
        return between.says_nothing(seen)
    if seen < pinned or seen < between.polled - STRAY:
        return True
    if between.available is not None and pinned < between.available <= seen + PIN_TOLERANCE:
        return False
    return seen <= pinned + STRAY or between.says_nothing(seen)
