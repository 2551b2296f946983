"""What the server's clock shows in one reply."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime

from attrs import frozen

from deepcall_async._model import LATEST_YEAR, TICK, ClockSource, epoch

EARLIEST_DATE = 1970

ROW_CLOCK_SLACK = 2  # seconds a row's clock may lie off the floor's and still be believed


@frozen
class ClockReading:
    """The server's time of one reply, in epoch seconds, and how it was read."""

    time: int
    source: ClockSource
    spread: int = 0


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
