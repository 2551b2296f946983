"""Rows as templates: their text cut at the digits of the clocks, to be drawn for any time.

A clock's minutes and seconds depend on where in the hour it began, and on nothing else: drawing them is
one look-up. Its hours stay in the text, which is right until a clock completes an hour; then the run of
rows is written anew, for that time.

Runs are values. They are cut and joined, never changed, so that a reply that turns out to be unreadable
half-way leaves no trace.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import accumulate, pairwise
from operator import itemgetter
from typing import Any, NamedTuple

from deepcall_async._model import Agent

from .clock import ROW_CLOCK_SLACK
from .rows import Row
from .scalars import MAX_HOURS

HOUR = 3600
NEVER = 2**40  # epoch seconds
UNMATCHED = "\0"  # JSON has no such character

_DIGITS = [f'","{minute:02}","{second:02}"]' for minute in range(60) for second in range(60)]
_TWO_HOURS = 2 * _DIGITS
_DIGITS_SIZE = len(_DIGITS[0])  # characters
_COMMA, _NOTHING = HOUR, HOUR + 1  # beside the shifts of clocks
_PAST = {digits: second for second, digits in enumerate(_DIGITS)}
_SHIFTS = list(range(HOUR))  # one object for each, however many clocks share it
_CLOCK = re.compile(
    r'(\["(?:(?<=[^\\]"avT":\[")|(?<=[^\\]"duration":\["))[0-9]+)(","[0-5][0-9]","[0-5][0-9]"\])'
)


class Run(NamedTuple):
    """Rows that follow each other, and the agents they show.

    texts: what stands still, with one thing between each two of them: the digits of a clock, or the comma
    between two rows. shifts: one for each of these. A clock's is what it has gone past the hour when the
    server's is at a full one. cuts: of the texts, how many are each row's. sizes: of the rows, each with the
    comma behind it, in characters. since, until: the times for which the hours in the texts are right.
    look_up: finds, in `things_at` a time, what stands behind each text; None: not made yet.
    """

    texts: tuple[str, ...]
    shifts: tuple[int, ...]
    cuts: tuple[int, ...]
    sizes: tuple[int, ...]
    since: int
    until: int
    agents: tuple[Agent, ...]
    look_up: itemgetter[Any] | None = None

    def drawn(self, things: Sequence[str]) -> str:
        """The rows as they must look, given `things_at` a time between `since` and `until`."""
        if not self.shifts:
            return self.texts[0]
        parts = [""] * (2 * len(self.texts))
        parts[::2] = self.texts
        parts[1::2] = (self.look_up or _look_up(self.shifts))(things)
        return "".join(parts)

    def at(self, time: int) -> Run:
        """The same rows, with the hours of this time. Raises `ValueError` if no clock can show them."""
        if self.since <= time < self.until:
            return self
        clocks = [place for place, shift in enumerate(self.shifts) if shift != _COMMA]
        if not clocks:
            return self
        later, past = list(self.texts), [(time + self.shifts[place]) % HOUR for place in clocks]
        for place in clocks:
            shift = self.shifts[place]
            hours = (time + shift) // HOUR - (self.since + shift) // HOUR
            if hours:
                later[place] = _put_forward(later[place], hours)
        texts, since, until = tuple(later), time - min(past), time - max(past) + HOUR
        return self._replace(texts=texts, sizes=_sizes(texts, self.cuts), since=since, until=until)

    def starts(self) -> list[int]:
        """Where in the drawn rows each row begins, and where one behind them would."""
        return [*accumulate(self.sizes, initial=0)]

    def part(self, start: int, stop: int) -> Run:
        """Some of the rows."""
        first, cuts = sum(self.cuts[:start]), self.cuts[start:stop]
        end = first + sum(cuts)
        texts, shifts = self.texts[first:end], self.shifts[first : end - 1]
        sizes, agents = self.sizes[start:stop], self.agents[start:stop]
        return Run(texts, shifts, cuts, sizes, self.since, self.until, agents)


def _look_up(shifts: Iterable[int]) -> itemgetter[Any]:
    return itemgetter(*shifts, _NOTHING)


def things_at(time: int) -> list[str]:
    """What can stand between texts at this time, by shift."""
    second = time % HOUR
    things = _TWO_HOURS[second : second + HOUR]
    things += (",", "")
    return things


def _sizes(texts: Sequence[str], cuts: Iterable[int]) -> tuple[int, ...]:
    """The sizes of drawn rows, each with the comma behind it."""
    edges = pairwise(accumulate(cuts, initial=0))
    return tuple([sum(map(len, texts[a:b])) + (b - a - 1) * _DIGITS_SIZE + 1 for a, b in edges])


def standing(drawn: str, starts: Sequence[int], row: int, text: str, at: int) -> int:
    """Up to which row the rows of a run, from this one on, stand here in a text as drawn.

    drawn, starts: the run's.
    """
    start, beyond = starts[row], len(starts)
    middle = beyond - 1
    while row < middle:
        end = starts[middle] - 1
        if text.startswith(drawn[start:end], at):
            at += end - start
            row, start = middle, end
        else:
            beyond = middle
        middle = (row + beyond) // 2
    return row


def _put_forward(text: str, hours: int) -> str:
    """A text that ends with the hours of a clock, so many later."""
    start = text.rindex('"') + 1
    later = int(text[start:]) + hours
    if not 0 <= later < MAX_HOURS:
        raise ValueError("no clock shows that")
    return f"{text[:start]}{later}"


def joined(runs: Sequence[Run], time: int) -> Run:
    """Runs that follow each other as one, right for this time at least."""
    texts: list[str] = []
    shifts: list[int] = []
    cuts: list[int] = []
    sizes: list[int] = []
    agents: list[Agent] = []
    since, until = -NEVER, NEVER
    for run in runs:
        right = run.at(time)
        texts += right.texts
        shifts += (*right.shifts, _COMMA)
        cuts += right.cuts
        sizes += right.sizes
        agents += right.agents
        since, until = max(since, right.since), min(until, right.until)
    del shifts[-1]
    return Run(
        tuple(texts), tuple(shifts), tuple(cuts), tuple(sizes), since, until, tuple(agents), _look_up(shifts)
    )


def grouped(runs: Iterable[Run], rows: int, time: int) -> list[Run]:
    """The same rows in runs of as many rows as are there, but no more than so many."""
    groups: list[list[Run]] = []
    room = 0
    for run in runs:
        room -= len(run.agents)
        if room < 0:
            groups.append([])
            room = rows - len(run.agents)
        groups[-1].append(run)
    return [group[0] if len(group) == 1 else joined(group, time) for group in groups]


def to_run(text: str, row: Row, clock: int, agent: Agent) -> Run:
    """The run of one row that was read from this text, of a floor whose clock says so.

    Only clocks that became origins are cut out. They are found by their keys, which are counted: where
    there is any doubt (the same keys elsewhere, escaped quotes, other forms), nothing is predicted.
    """
    own, cut, timed = row.clock, _CLOCK.split(text), _timed(row)
    is_clear = len(cut) == 3 * (timed + 1) + 1 and "\\u00" not in text
    if not is_clear or text.count('"avT"') != 1 or text.count('"duration"') != timed:
        return _unpredictable(agent)
    if own is None or abs(own - clock) > ROW_CLOCK_SLACK:
        return _unpredictable(agent)
    texts, shifts, since, until = [], [], -NEVER, NEVER
    for place in range(0, len(cut) - 1, 3):
        still, hours, digits = cut[place : place + 3]
        full_hour = own - _PAST[digits]
        texts.append(still + hours)
        shifts.append(_SHIFTS[-full_hour % HOUR])
        since, until = max(since, full_hour), min(until, full_hour + HOUR)
    cuts, sizes = (timed + 2,), (len(text) + 1,)
    return Run((*texts, cut[-1]), tuple(shifts), cuts, sizes, since, until, (agent,))


def _unpredictable(agent: Agent) -> Run:
    """A row that has to be read every time."""
    return Run((UNMATCHED,), (), (1,), (len(UNMATCHED) + 1,), -NEVER, NEVER, (agent,))


def _timed(row: Row) -> int:
    """How many episodes of the row tell how long they have lasted."""
    shown = (row.login, row.mobile_login, row.call, row.on_break)
    return len([presence for presence in shown if presence is not None and presence.elapsed is not None])
