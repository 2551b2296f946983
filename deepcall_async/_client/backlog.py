"""What waits for one reader of a feed: updates, merged as far as nothing is lost by it.

Only these must reach a reader one by one: transitions, gaps, steps of the server's clock, and that the
snapshot has gone stale. An update with none of them is *quiet*, and merges:

- a quiet one that waits gives way to the next, whatever that is;
- behind news, a quiet one that is fresh makes the news' snapshot newer;
- behind news, a stale one (`outage`, `held`) waits by itself: no update is ever stale and has transitions.

So an outage that comes and goes while a reader sleeps leaves its `gap`, and nothing else.

What an update merged into says is as of the newest one in it, its checkpoint too. As no update is
moved past another, the checkpoint of one covers what was told up to it, and nothing that still waits.

Each update that waits holds a floor of its own: some 60 bytes an agent, most of them in tables that
change as a whole when one agent does. So of a large floor only a few can wait. Beyond that, neighbours
with news are joined, the lightest first: they keep their transitions, and only the later one's floor.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise

from attrs import evolve

from deepcall_async._floor import Gap, LiveUpdate, Missed

MOST_ROWS = 100_000  # of all floors that wait for one reader: 6 MB
FEWEST = 4  # floors that may wait, however large


def baseline(update: LiveUpdate) -> LiveUpdate:
    """The floor as an update shows it, at first sight: stale if the update is."""
    return evolve(update, is_baseline=True, transitions=(), gap=None, clock_step=None)


class Pending:
    """The updates that wait for one reader, the oldest first. It numbers them as it gives them out.

    limit: of the transitions that wait; a gap or a step without any counts as one. Beyond it the oldest
        updates are dropped, and the next one left says so in `missed`. The newest news are kept, whatever
        their size.

    A baseline is not dropped: it moves on to the last of those that are, and `missed` stands in it.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._items: deque[LiveUpdate] = deque()
        self._weight = 0
        self._given = 0

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[LiveUpdate]:
        return iter(self._items)

    def push(self, update: LiveUpdate) -> None:
        """Add an update that is newer than all that wait."""
        last = self._items[-1] if self._items else None
        if last is None or not _merges(last, update):
            self._items.append(update)
        elif _is_news(update):
            self._items[-1] = evolve(update, missed=last.missed)
        else:
            self._items[-1] = _refreshed(last, update)
        if _weight(update):
            self._weight += _weight(update)
            self._make_room()
            self._thin_out(max(FEWEST, MOST_ROWS // max(1, len(update.snapshot.agents))))

    def pop(self) -> LiveUpdate:
        """Take out the oldest."""
        update = self._items.popleft()
        self._weight -= _weight(update)
        self._given += 1
        return evolve(update, sequence=self._given - 1)

    def clear(self) -> None:
        """Forget what waits."""
        self._items.clear()
        self._weight = 0

    def _make_room(self) -> None:
        """Drop what is too much, but not the newest."""
        while self._weight > self._limit and len(self._items) > (2 if self._items[0].is_baseline else 1):
            self._drop()

    def _drop(self) -> None:
        head = self._items.popleft()
        follower = self._items[0]
        lost = follower if head.is_baseline else head
        left = baseline(follower) if head.is_baseline else follower
        self._items[0] = evolve(left, missed=_with(head.missed, lost))
        self._weight -= _weight(lost)

    def _thin_out(self, most: int) -> None:
        """Join neighbours until no more updates wait than that. The newest news stay by themselves."""
        while len(self._items) > most and (pairs := self._neighbours()):
            place = min(pairs, key=self._cost)
            earlier, later = self._items[place], self._items[place + 1]
            joined = self._items[place] = _joined(earlier, later)
            del self._items[place + 1]
            self._weight += _weight(joined) - _weight(earlier) - _weight(later)

    def _neighbours(self) -> list[int]:
        """Where two updates with news follow each other."""
        news = [place for place, update in enumerate(self._items) if _weight(update)]
        return [place for place, follower in pairwise(news[:-1]) if follower == place + 1]

    def _cost(self, place: int) -> tuple[bool, int]:
        """What speaks against joining the update there with the next: a gap before that, and many news."""
        earlier, later = self._items[place], self._items[place + 1]
        return later.gap is not None, _weight(earlier) + _weight(later)


def _is_news(update: LiveUpdate) -> bool:
    """Whether an update is more than quiet. A stream's own baseline is: the floor is seen anew."""
    return bool(_weight(update)) or update.is_baseline


def _merges(last: LiveUpdate, update: LiveUpdate) -> bool:
    """Whether an update can take the place of the last one, or be part of it."""
    if not _is_news(last):
        return True
    if _is_news(update):
        return update.is_baseline and not _weight(last)
    return not update.is_stale or not _weight(last)


def _refreshed(last: LiveUpdate, quiet: LiveUpdate) -> LiveUpdate:
    """News, or a baseline, or a quiet update, as of the quiet one after it."""
    return evolve(
        quiet,
        transitions=last.transitions,
        gap=last.gap,
        clock_step=last.clock_step,
        is_baseline=last.is_baseline,
        missed=last.missed,
    )


def _joined(earlier: LiveUpdate, later: LiveUpdate) -> LiveUpdate:
    """Two updates with news as one, as of the later. Transitions stay in the order they were told in."""
    return evolve(
        later,
        transitions=earlier.transitions + later.transitions,
        gap=_spanning(earlier.gap, later.gap),
        clock_step=_sum(earlier.clock_step, later.clock_step),
        missed=earlier.missed,
    )


def _spanning(earlier: Gap | None, later: Gap | None) -> Gap | None:
    """One gap for two, from the beginning of the first to the end of the second."""
    if earlier is None or later is None:
        return earlier or later
    return Gap(
        since=earlier.since,
        until=later.until,
        failures=earlier.failures + later.failures,
        error=later.error or earlier.error,
    )


def _sum(earlier: timedelta | None, later: timedelta | None) -> timedelta | None:
    """One step of the server's clock for two."""
    if earlier is None or later is None:
        return later if earlier is None else earlier
    return earlier + later


def _weight(update: LiveUpdate) -> int:
    """What counts against the limit."""
    return len(update.transitions) or int(update.gap is not None or update.clock_step is not None)


def _with(missed: Missed | None, lost: LiveUpdate) -> Missed | None:
    """What was missed so far, and this update."""
    spans = [(change.earliest, change.latest) for change in lost.transitions]
    if lost.gap is not None:
        spans.append((lost.gap.since, lost.gap.until))
    if not spans:
        return missed
    if missed is not None:
        spans.append((missed.since, missed.until))
    return Missed(
        transitions=len(lost.transitions) + (missed.transitions if missed else 0),
        gaps=(lost.gap is not None) + (missed.gaps if missed else 0),
        since=min(since for since, _ in spans),
        until=max(until for _, until in spans),
    )
