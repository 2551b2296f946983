"""A reply read by predicting it, so that a quiet one costs less than parsing its JSON.

Between two replies nearly every row differs from itself in clock digits only, and those are known
beforehand: a clock that shows e seconds at the server's time t shows e + d at t + d. So every row of
the last reply is kept as a template (`_template`) beside the agent it showed. A new reply's first clock
tells the time; the rows are drawn for that time and compared with what came. Where the text is the same,
so is the agent: the very object is used again. Where it differs, that one row is read as `decode_snapshot`
would, and is the template for the next reply.

Why that is exact:

- No JSON object is the beginning of another: where a drawn row stands in the text, it is the row.
- A template is used forwards in time, and for the hours its clocks are in; within these, a clock that
  shows what was drawn has the origin it had.
- Whatever is odd about a reply as a whole is a surprise, and left to `decode_snapshot`: another shape or
  envelope, a row that cannot be read, two rows of one agent, rows whose time is not the floor's.

Rows may move: the server sorts them by the time agents became available. A floor in which most rows are
news gains nothing from all this; then the predictor rests for a while, twice as long each time.

To do without, have `LiveFloor.receive` call `decode_snapshot`: nothing else knows of this file.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from operator import attrgetter
from typing import Any

from attrs import define, field

from ._clock import ROW_CLOCK_SLACK, read_clock
from ._envelope import STRICT, message_of
from ._errors import DeepcallError
from ._model import Agent, FloorTotals, Snapshot
from ._rows import UNREADABLE, Row, read_row
from ._template import UNMATCHED, Line, Lines, to_line
from ._wire import Beside, decode_snapshot, read_beside, to_agent, to_snapshot

CHUNK = 128  # lines drawn at once
BLOCK = 16  # rows compared at once
REACH = 4  # lines that may be gone in one place before the rows behind them count as moved
MANY = 3  # rows to read that may be chance in a small floor
LONGEST_REST = 64  # replies

_HEAD = '{"message":{"pr":['
_FIRST_CLOCK = re.compile(r'"avT":\["([0-9]+)","([0-9]+)","([0-9]+)"\],"avD":([0-9]+)')
_ID = attrgetter("id")


class _SurpriseError(Exception):
    """This reply is not to be read by predicting it."""


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of the envelope: the second of two equal keys could hide the rows."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _SurpriseError
    return found


_scan_row = json.JSONDecoder(**STRICT).raw_decode
_read_envelope = json.JSONDecoder(**STRICT, object_pairs_hook=_without_twins).decode
_SURPRISES = (_SurpriseError, DeepcallError, ValueError, IndexError, RecursionError, *UNREADABLE)


@define
class _Read:
    """A row that had to be read. text: with a comma before it. place: of its line; -1: it had none here."""

    text: str
    row: Row
    extra: Mapping[str, Any]
    place: int = -1


@define
class _Walk:
    """One pass through a reply, along the lines of the last one.

    at: the next place in the text, where a comma or the end of the rows is due. place: the next line.
    times: what the rows told, the last one being what lines are drawn for; none before `not_before`, from
    when the templates are good. drawn: the lines up to `drawn_to`, of which the next one is at `drawn_at`.
    found: the reply's rows in its order, read or as runs of lines. is_in_order: nobody moved, came or went.
    """

    text: str
    lines: Lines
    not_before: int
    at: int = len(_HEAD)
    place: int = 0
    times: list[int] = field(factory=list)
    drawn: str = ""
    drawn_at: int = 0
    drawn_to: int = 0
    found: list[_Read | range] = field(factory=list)
    clocks: Counter[int] = field(factory=Counter)
    is_in_order: bool = True

    @property
    def reads(self) -> list[_Read]:
        """The rows that had to be read."""
        return [part for part in self.found if isinstance(part, _Read)]

    def go(self) -> None:
        """Walk to the end of the rows."""
        if not self._pass_first():
            self._read(self.at)
        while self.text[self.at] != "]":
            if self.times and (self._pass() or self._leap()):
                continue
            if self.text[self.at] != ",":
                raise _SurpriseError
            self._read(self.at + 1)
        self.is_in_order = self.is_in_order and self.place == len(self.lines.texts)

    def _pass_first(self) -> bool:
        """Pass over the first line, drawn for what the first clock tells: no comma is before it here."""
        first = _FIRST_CLOCK.search(self.text, self.at) if self.lines.texts else None
        if first is None:
            return False
        hours, minutes, seconds, since = map(int, first.groups())
        self._draw_for(since + hours * 3600 + minutes * 60 + seconds)
        self._draw()
        size = self.lines.sizes[0]
        if not self.text.startswith(self.drawn[1:size], self.at):
            return False
        self.at += size - 1
        self.drawn_at = size
        self._passed(0, 1)
        return True

    def _passed(self, start: int, stop: int) -> None:
        self.place = stop
        self.found.append(range(start, stop))
        self.clocks[self.times[-1]] += stop - start

    def _draw(self) -> None:
        """Draw the next lines, if need be."""
        if self.drawn_to - self.place <= REACH and self.drawn_to < len(self.lines.texts):
            self.drawn_to = min(self.place + CHUNK, len(self.lines.texts))
            self.drawn = self.lines.drawn(self.place, self.drawn_to, self.times[-1])
            self.drawn_at = 0

    def _pass(self) -> int:
        """Pass over the drawn lines that are there; how many."""
        self._draw()
        start, sizes = self.place, self.lines.sizes
        for step in (BLOCK, 1):
            while size := sum(sizes[self.place : min(self.place + step, self.drawn_to)]):
                if not self.text.startswith(self.drawn[self.drawn_at : self.drawn_at + size], self.at):
                    break
                self.place = min(self.place + step, self.drawn_to)
                self.drawn_at += size
                self.at += size
        if self.place > start:
            self._passed(start, self.place)
        return self.place - start

    def _leap(self) -> bool:
        """Leave out lines that are gone from here, if one close behind them is there."""
        start = self.drawn_at
        for gone, size in enumerate(
            self.lines.sizes[self.place : min(self.place + REACH + 1, self.drawn_to)]
        ):
            if gone and self.text.startswith(self.drawn[start : start + size], self.at):
                self._drop(gone)
                return True
            start += size
        return False

    def _drop(self, lines: int) -> None:
        self.is_in_order = False
        self.drawn_at += sum(self.lines.sizes[self.place : self.place + lines])
        self.place += lines

    def _read(self, start: int) -> None:
        """Read the row that starts here, and find its line."""
        raw, end = _scan_row(self.text, start)
        row, extra = read_row(raw)
        read = _Read("," + self.text[start:end], row, extra)
        near = map(_ID, self.lines.agents[self.place : self.place + REACH + 1])
        gone = next((gone for gone, known in enumerate(near) if known == row.id), None)
        if gone is None:
            self.is_in_order = False
        else:
            if gone:
                self._drop(gone)
            read.place = self.place
            self.drawn_at += self.lines.sizes[self.place]
            self.place += 1
        self.found.append(read)
        self.at = end
        if row.clock is not None:
            self._hear(row.clock)

    def _hear(self, clock: int) -> None:
        """Take note of the time that a row tells: the second may tick over within a reply."""
        self.clocks[clock] += 1
        if not self.times or 0 < abs(clock - self.times[-1]) <= ROW_CLOCK_SLACK:
            self._draw_for(clock)

    def _draw_for(self, clock: int) -> None:
        if clock < self.not_before:
            raise _SurpriseError
        if clock > max(self.times, default=0):
            self.lines.put_forward(clock)
        self.times.append(clock)
        self.drawn_to = self.place  # what was drawn for another time is void


class Predictor:
    """Decodes the replies of one floor, each with the help of the last one."""

    def __init__(self) -> None:
        self._lines = Lines()
        self._agents: Mapping[str, Agent] = {}  # those of the lines
        self._rest_of_text = ""  # after the rows
        self._beside = Beside(FloorTotals(), {}, ())  # what it says
        self._time = 0  # the latest that a row has told
        self._rest, self._next_rest = 0, 1  # in replies

    def decode(
        self, body: bytes, *, date: datetime | None = None, received_at: datetime | None = None
    ) -> Snapshot:
        """The same as `decode_snapshot`, with the very objects of the last reply where nothing changed."""
        if self._rest:
            self._rest -= 1
        else:
            try:
                return self._predicted(body, date, received_at)
            except _SURPRISES:
                self._take_rest()
        return decode_snapshot(body, date=date, received_at=received_at)

    def _take_rest(self) -> None:
        self._rest, self._next_rest = self._next_rest, min(LONGEST_REST, 2 * self._next_rest)

    def _predicted(self, body: bytes, date: datetime | None, received_at: datetime | None) -> Snapshot:
        text = body.decode("utf-8", "surrogatepass")
        if not text.startswith(_HEAD) or UNMATCHED in text:
            raise _SurpriseError
        walk = _Walk(text, self._lines, self._time)
        walk.go()
        clock = read_clock(walk.clocks, date, received_at)
        if clock is None or any(abs(time - clock.time) > ROW_CLOCK_SLACK for time in walk.times):
            raise _SurpriseError
        beside = self._read_beside(text[walk.at :])
        self._learn(walk, clock.time)
        return to_snapshot(self._agents, beside, clock, received_at)

    def _read_beside(self, rest: str) -> Beside:
        """Read what comes after the rows; mostly it is as it was."""
        if rest != self._rest_of_text:
            reply = _read_envelope(_HEAD + rest)
            message = message_of(reply, None)
            if message is not reply["message"]:
                raise _SurpriseError
            self._rest_of_text, self._beside = rest, read_beside(message)
        return self._beside

    def _learn(self, walk: _Walk, clock: int) -> None:
        """Take over the lines and agents of this reply."""
        reads = walk.reads
        was_known = bool(self._agents)
        new = [self._line(read, clock) for read in reads]
        if walk.is_in_order:
            self._replace(reads, new)
        else:
            self._arrange(walk.found, new)
        self._time = max(walk.clocks, default=self._time)
        if was_known and len(reads) > max(MANY, len(self._agents) // 2):
            self._take_rest()
        else:
            self._next_rest = 1

    def _line(self, read: _Read, clock: int) -> Line:
        """The line of a row that was read, with the known agent if that is equal."""
        agent = to_agent(read.row, clock, read.extra)
        known = self._agents.get(agent.id)
        return to_line(read.text, read.row, clock, known if known == agent else agent)

    def _replace(self, reads: list[_Read], new: list[Line]) -> None:
        """Every row is where it was."""
        news: dict[str, Agent] = {}
        for read, line in zip(reads, new, strict=True):
            if self._lines.agents[read.place] is not line.agent:
                news[line.agent.id] = line.agent
            self._lines.replace(read.place, line)
        if news:
            self._agents = {**self._agents, **news}

    def _arrange(self, found: list[_Read | range], new: list[Line]) -> None:
        """Rows moved, came or went."""
        lines, to_come = Lines(), iter(new)
        for part in found:
            if isinstance(part, range):
                lines.extend(self._lines, part)
            else:
                lines.append(next(to_come))
        agents = dict(zip(map(_ID, lines.agents), lines.agents, strict=True))
        if len(agents) != len(lines.agents):
            raise _SurpriseError  # two rows of one agent
        self._lines, self._agents = lines, agents
