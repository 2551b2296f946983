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
from typing import NamedTuple

from ._clock import ROW_CLOCK_SLACK
from ._forms import MAX_HOURS
from ._model import Agent
from ._rows import Row

HOUR = 3600
NEVER = 2**40  # epoch seconds
UNMATCHED = "\0"  # JSON has no such character

_DIGITS = [f'","{minute:02}","{second:02}"]' for minute in range(60) for second in range(60)]
_COMMA = 2 * HOUR
_PARTS = [*_DIGITS, *_DIGITS, *[","] * HOUR]  # by the second of the hour + a `Run.shifts`
_PAST = {digits: second for second, digits in enumerate(_DIGITS)}
_SHIFTS = list(range(HOUR))  # one object for each, however many clocks share it
_CLOCK = re.compile(
    r'(\["(?:(?<=[^\\]"avT":\[")|(?<=[^\\]"duration":\["))[0-9]+)(","[0-5][0-9]","[0-5][0-9]"\])'
)


class Run(NamedTuple):
    """Rows that follow each other, and the agents they show.

    texts: what stands still, with one thing between each two of them: the digits of a clock, or the comma
    between two rows. shifts: one for each of these. A clock's is what it has gone past the hour when the
    server's is at a full one. since, until: the times for which the hours in the texts are right.
    """

    texts: tuple[str, ...]
    shifts: tuple[int, ...]
    since: int
    until: int
    agents: tuple[Agent, ...]

    def drawn(self, time: int) -> list[str]:
        """The rows as they must look at this time, between `since` and `until`; to be joined."""
        second = time % HOUR
        parts = [""] * (2 * len(self.shifts) + 1)
        parts[::2] = self.texts
        parts[1::2] = [_PARTS[second + shift] for shift in self.shifts]
        return parts

    def at(self, time: int) -> Run:
        """The same rows, with the hours of this time. Raises `ValueError` if no clock can show them."""
        if self.since <= time < self.until:
            return self
        clocks = [place for place, shift in enumerate(self.shifts) if shift != _COMMA]
        if not clocks:
            return self
        texts, past = list(self.texts), [(time + self.shifts[place]) % HOUR for place in clocks]
        for place in clocks:
            shift = self.shifts[place]
            hours = (time + shift) // HOUR - (self.since + shift) // HOUR
            if hours:
                texts[place] = _put_forward(texts[place], hours)
        return self._replace(texts=tuple(texts), since=time - min(past), until=time - max(past) + HOUR)

    def edges(self) -> list[int]:
        """What stands before, between and behind the rows, as places among the shifts."""
        commas = [place for place, shift in enumerate(self.shifts) if shift == _COMMA]
        return [-1, *commas, len(self.shifts)]

    def part(self, start: int, stop: int, edges: list[int]) -> Run:
        """Some of the rows. edges: the run's."""
        first, end = edges[start] + 1, edges[stop]
        return Run(
            self.texts[first : end + 1],
            self.shifts[first:end],
            self.since,
            self.until,
            self.agents[start:stop],
        )


def standing(drawn: list[str], edges: list[int], row: int, text: str, at: int) -> tuple[int, int]:
    """Up to which row the rows of a run, from this one on, stand here in a text as drawn; their size.

    drawn, edges: the run's.
    """
    start, size = 2 * edges[row] + 2, 0
    middle, beyond = len(edges) - 1, len(edges)
    while row < middle:
        end = 2 * edges[middle] + 1
        more = "".join(drawn[start:end])
        if text.startswith(more, at + size):
            row, start, size = middle, end, size + len(more)
        else:
            beyond = middle
        middle = (row + beyond) // 2
    return row, size


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
    agents: list[Agent] = []
    since, until = -NEVER, NEVER
    for run in runs:
        right = run.at(time)
        texts += right.texts
        shifts += (*right.shifts, _COMMA)
        agents += right.agents
        since, until = max(since, right.since), min(until, right.until)
    return Run(tuple(texts), tuple(shifts[:-1]), since, until, tuple(agents))


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
    return Run((*texts, cut[-1]), tuple(shifts), since, until, (agent,))


def _unpredictable(agent: Agent) -> Run:
    """A row that has to be read every time."""
    return Run((UNMATCHED,), (), -NEVER, NEVER, (agent,))


def _timed(row: Row) -> int:
    """How many episodes of the row tell how long they have lasted."""
    shown = (row.login, row.mobile_login, row.call, row.on_break)
    return len([presence for presence in shown if presence is not None and presence.elapsed is not None])
