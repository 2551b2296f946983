"""Rows as templates: their text with the clocks' digits cut out, to be drawn for any time.

Minutes and seconds depend on a clock's origin within the hour alone, so drawing them is one look-up.
The hours are left in the text: a template is good until the first of its clocks completes an hour, when
it is put forward.
"""

from __future__ import annotations

import re
from itertools import chain, repeat
from operator import sub
from typing import Any, NamedTuple

from attrs import define, field

from ._clock import ROW_CLOCK_SLACK
from ._model import Agent
from ._rows import Row

HOUR = 3600
NEVER = 2**40  # epoch seconds

_DIGITS = [f'"{minute:02}","{second:02}"' for minute in range(60) for second in range(60)]
_PHASES = list(range(HOUR))  # one object for each, however many clocks share it
_CLOCK = re.compile(r'(?<!\\)"(avT|duration)":\["([0-9]+)","([0-5][0-9])","([0-5][0-9])"\]')
_HOURS = re.compile(r'\["([0-9]+)",%s\]')  # in a template; what else has a % has it twice
UNMATCHED = "\0"  # JSON has no such character


class Line(NamedTuple):
    """A row that was read: its template, with the comma before it, and the agent it shows.

    phases: for each clock cut out, its origin within the hour. size: of the text once drawn.
    until: the time from which the template is no longer good.
    """

    text: str
    phases: tuple[int, ...]
    size: int
    until: int
    agent: Agent


def unpredictable(agent: Agent) -> Line:
    """The line of a row that has to be read every time."""
    return Line(f",{UNMATCHED}", (), 2, NEVER, agent)


def to_line(text: str, row: Row, clock: int, agent: Agent) -> Line:
    """The line of a row that was read from this text, of a floor whose clock says so.

    Only clocks that became origins are cut out. They are found by their keys, which are counted: where
    there is any doubt (the same keys elsewhere, escaped quotes, other forms), nothing is predicted.
    """
    own, parts, timed = row.clock, _CLOCK.split(text), _timed(row)
    is_clear = len(parts) == 5 * (timed + 1) + 1 and "\\u00" not in text
    if not is_clear or text.count('"avT"') != 1 or text.count('"duration"') != timed:
        return unpredictable(agent)
    if own is None or abs(own - clock) > ROW_CLOCK_SLACK:
        return unpredictable(agent)
    template, phases, until = parts[0].replace("%", "%%"), [], NEVER
    for i in range(1, len(parts), 5):
        key, hours, minutes, seconds, rest = parts[i : i + 5]
        past_the_hour = int(minutes) * 60 + int(seconds)
        template += f'"{key}":["{hours}",%s]' + rest.replace("%", "%%")
        phases.append(_PHASES[(own - past_the_hour) % HOUR])
        until = min(until, own - past_the_hour + HOUR)
    return Line(template, tuple(phases), len(text), until, agent)


def _put_forward(line: Line, time: int) -> Line:
    """The line of the same row once some of its clocks have completed an hour."""
    if time >= line.until + HOUR:
        return unpredictable(line.agent)
    completed = [line.until + (phase - line.until) % HOUR for phase in line.phases]
    steps = iter([at <= time for at in completed])
    text = _HOURS.sub(lambda clock: f'["{int(clock[1]) + next(steps)}",%s]', line.text)
    until = min(at + HOUR * (at <= time) for at in completed)
    return Line(text, line.phases, line.size + len(text) - len(line.text), until, line.agent)


def _timed(row: Row) -> int:
    """How many episodes of the row tell how long they have lasted."""
    shown = (row.login, row.mobile_login, row.call, row.on_break)
    return sum(presence is not None and presence.elapsed is not None for presence in shown)


@define
class Lines:
    """The lines of a reply in its order, side by side: five flat lists cost the collector next to nothing."""

    texts: list[str] = field(factory=list)
    phases: list[tuple[int, ...]] = field(factory=list)
    sizes: list[int] = field(factory=list)
    until: list[int] = field(factory=list)
    agents: list[Agent] = field(factory=list)

    @property
    def _columns(self) -> tuple[list[Any], ...]:
        return self.texts, self.phases, self.sizes, self.until, self.agents

    def append(self, line: Line) -> None:
        """Add a line."""
        for column, part in zip(self._columns, line, strict=True):
            column.append(part)

    def extend(self, other: Lines, run: range) -> None:
        """Add a run of another's lines."""
        for column, more in zip(self._columns, other._columns, strict=True):
            column.extend(more[run.start : run.stop])

    def replace(self, place: int, line: Line) -> None:
        """Put a line in another's place."""
        for column, part in zip(self._columns, line, strict=True):
            column[place] = part

    def put_forward(self, time: int) -> None:
        """Put those templates forward that are no longer good at this time."""
        if min(self.until, default=NEVER) <= time:
            for place in [place for place, until in enumerate(self.until) if until <= time]:
                self.replace(place, _put_forward(Line(*(column[place] for column in self._columns)), time))

    def drawn(self, start: int, stop: int, time: int) -> str:
        """A run of rows as they must look at this time, one after the other."""
        phases = chain.from_iterable(self.phases[start:stop])
        digits = map(_DIGITS.__getitem__, map(sub, repeat(time % HOUR), phases))
        return "".join(self.texts[start:stop]) % tuple(digits)
