"""A reply read by predicting it, so that a quiet one costs less than parsing its JSON.

Between two replies nearly every row differs from itself in clock digits only, and those are known
beforehand: a clock that shows e seconds at the server's time t shows e + d at t + d. So the rows of the
last reply are kept as templates (`templates`), in runs of some rows each, beside the agents they showed.
A new reply's first clock tells the time; each run is drawn for that time and compared with what came.
Where the text is the same, so are the agents: the very objects are used again. The row that differs in a
run is read as `decode_snapshot` would, and is the template for the next reply.

Why that is exact:

- No JSON object is the beginning of another: where drawn rows stand in the text, they are the rows.
- Which time is drawn for is only a guess: a row that shows what was drawn for t has a clock that says t,
  and each of its clocks the origin it had.
- Whatever is odd about a reply as a whole is a surprise, and left to `decode_snapshot`: another shape or
  envelope, a row that cannot be read, two rows of one agent, rows whose time is not the floor's.

Rows may move: the server sorts them by the time agents became available. A floor in which most rows are
news gains nothing from all this; then the predictor rests for a while, twice as long each time.
To do without, have `LiveFloor.receive` call `decode_snapshot`: nothing else knows of this file.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import chain, islice
from operator import attrgetter
from typing import Any

from attrs import define

from deepcall_async._model import Agent, DeepcallError, FloorTotals, Snapshot

from .clock import ROW_CLOCK_SLACK, read_clock
from .decoder import Beside, Strike, as_it_is, decode_snapshot, read_beside, to_agent, to_snapshot
from .envelope import STRICT, message_of
from .rows import MOST_ROWS, UNREADABLE, Row, read_row
from .templates import UNMATCHED, Run, grouped, standing, things_at, to_run
from .unread import Unread

RUN = 24  # rows drawn and compared at once
REACH = 4  # rows that may be gone in one place before the rows behind them count as moved
MANY = 3  # rows to read that may be chance in a small floor
LONGEST_REST = 64  # replies
MOST_DRAWN = 32  # times the length of a reply: beyond that, reading it whole is cheaper

_HEAD = '{"message":{"pr":['
_HINT = 4096  # characters within which the first row shows its clock and an agent's row its id
_AVAILABLE_FOR = re.compile(r'"avT":\["([0-9]+)","([0-9]+)","([0-9]+)"\]')
_AVAILABLE_SINCE = re.compile(r'"avD":"?([0-9]+)')
_AGENT = re.compile(r'"I":"?([^",}]+)')
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
    """A row that had to be read."""

    text: str
    row: Row
    extra: Mapping[str, Any]


class _Walk:
    """One pass through a reply, along the runs of the last one.

    at: where in the text the next row begins; behind the rows in the end. due: the runs still to come, the
    next one last. time: what runs are drawn for. times: those that some rows showed as drawn; clocks: how
    many rows tell which time. found: the reply's rows in its order, read or as runs. is_in_order: nobody
    moved, came or went.
    """

    def __init__(self, text: str, runs: list[Run], time: int) -> None:
        self.text = text
        self.at = len(_HEAD)
        self.due = runs[::-1]
        self._draw_for(_time_at(text, self.at, time))
        self.times: set[int] = set()
        self.still: set[int] = set()
        self.clocks: dict[int, int] = {}
        self.found: list[_Read | Run] = []
        self.is_in_order = True
        self._is_over = False
        self._to_draw = MOST_DRAWN * len(text)  # characters
        self._room = MOST_ROWS  # rows

    def go(self) -> None:
        """Walk to the end of the rows."""
        while not self._is_over:
            if self.due:
                self._follow(self.due.pop().at(self.time))
            else:
                self._read(None)
        self.is_in_order = self.is_in_order and not self.due

    def _follow(self, run: Run) -> None:
        """Pass over a run, if it is there as drawn."""
        drawn = run.drawn(self._things)
        self._drew(len(drawn))
        if self.text.startswith(drawn, self.at):
            self._passed(run, len(drawn))
        else:
            self._step_through(run, drawn)

    def _step_through(self, run: Run, drawn: str) -> None:
        """Pass over those rows of a run that are there as drawn, and find out about the others."""
        row, rows, starts, time = 0, len(run.agents), run.starts(), self.time
        while row < rows and not self._is_over and self.time == time:
            self._drew(len(drawn))
            stop = standing(drawn, starts, row, self.text, self.at)
            if stop > row:
                self._passed(run.part(row, stop), starts[stop] - starts[row] - 1)
                row = stop
            else:
                row += self._find_out(run.agents[row:])
        if row < rows:
            self.due.append(run.part(row, rows))

    def _drew(self, size: int) -> None:
        """So many characters were put together: however rows came and went, that must stay in proportion."""
        self._to_draw -= size
        if self._to_draw < 0:
            raise _SurpriseError

    def _passed(self, run: Run, size: int) -> None:
        self.found.append(run)
        self.times.add(self.time)
        self._count(self.time, len(run.agents))
        self._go_on(self.at + size, len(run.agents))

    def _find_out(self, agents: Sequence[Agent]) -> int:
        """The first of these, the rest of a run, has no row here as drawn. How many of them to leave behind.

        The row is news, or gone if that of one close behind is here, or somebody's who came before it.
        """
        agent_id = self._agent_here()
        if agent_id == agents[0].id:
            self._read(agent_id)
            return 1
        self.is_in_order = False
        coming = chain(agents[1:], *[run.agents for run in self.due[: -REACH - 1 : -1]])
        if agent_id in [agent.id for agent in islice(coming, REACH)]:
            return 1
        self._read(None)
        return 0

    def _agent_here(self) -> str | None:
        """Whose row begins here, by the look of it."""
        found = _AGENT.search(self.text, self.at, self.at + _HINT)
        return found and found[1]

    def _read(self, known: str | None) -> None:
        """Read the row that begins here: news of a known agent, or of one who is not due."""
        raw, end = _scan_row(self.text, self.at)
        row, extra = read_row(raw)
        if row.id != known:
            self.is_in_order = False
        self.found.append(_Read(self.text[self.at : end], row, extra))
        if row.clock is not None:
            self._hear(row.clock, ticks=row.ticks)
        self._go_on(end, 1)

    def _hear(self, clock: int, *, ticks: bool) -> None:
        """Take note of the time that a row tells: the second may tick over within a reply."""
        is_near = abs(clock - self.time) <= ROW_CLOCK_SLACK
        self._count(clock, 1) if ticks else self.still.add(clock)
        if clock != self.time and (is_near or (ticks and not self.times)):
            self._draw_for(clock)

    def _draw_for(self, time: int) -> None:
        self.time, self._things = time, things_at(time)

    def _count(self, clock: int, rows: int) -> None:
        self.clocks[clock] = self.clocks.get(clock, 0) + rows

    def _go_on(self, end: int, rows: int) -> None:
        """Go to the next row from where one ends, the last of so many."""
        separator, self._room = self.text[end], self._room - rows
        if separator not in ",]" or self._room < 0:
            raise _SurpriseError
        self._is_over = separator == "]"
        self.at = end + 1


def _time_at(text: str, at: int, otherwise: int) -> int:
    """The time that the row that begins here tells, by the look of it."""
    elapsed = _AVAILABLE_FOR.search(text, at, at + _HINT)
    since = _AVAILABLE_SINCE.search(text, at, at + _HINT)
    if elapsed is None or since is None:
        return otherwise
    hours, minutes, seconds = map(int, elapsed.groups())
    return int(since[1]) + hours * 3600 + minutes * 60 + seconds


class Predictor:
    """Decodes the replies of one floor, each with the help of the last one."""

    def __init__(self) -> None:
        self._runs: list[Run] = []
        self._agents: Mapping[str, Agent] = {}  # those of the runs
        self._rest_of_text = ""  # after the rows
        self._beside = Beside(FloorTotals(), {}, Unread())  # what it says
        self._time = 0  # of the last reply
        self._strike: Strike = as_it_is
        self._rest, self._next_rest = 0, 1  # in replies

    def decode(
        self,
        body: bytes,
        *,
        date: datetime | None = None,
        received_at: datetime | None = None,
        strike: Strike = as_it_is,
    ) -> Snapshot:
        """The same as `decode_snapshot`, with the very objects of the last reply where nothing changed.

        strike: see `LiveFloor.receive`. It is shown only what is news: the rest was struck before.
        """
        if strike != self._strike:  # of other credentials, which may stand in what was read before
            self._strike, self._runs, self._agents, self._rest_of_text = strike, [], {}, ""
        if self._rest:
            self._rest -= 1
        else:
            try:
                return self._predicted(body, date, received_at, strike)
            except _SURPRISES:
                self._runs, self._agents = [], {}  # they may be what surprises
                self._take_rest()
        return decode_snapshot(strike(body), date=date, received_at=received_at)

    def _take_rest(self) -> None:
        self._rest, self._next_rest = self._next_rest, min(LONGEST_REST, 2 * self._next_rest)

    def _predicted(
        self, body: bytes, date: datetime | None, received_at: datetime | None, strike: Strike
    ) -> Snapshot:
        text = body.decode("utf-8", "surrogatepass")
        if not text.startswith(_HEAD) or UNMATCHED in text:
            raise _SurpriseError
        walk = _Walk(text, self._runs, self._time)
        walk.go()
        if (news := self._news(walk)) and strike(news) is not news:
            return self._predicted(strike(body), date, received_at, as_it_is)
        clock = read_clock(walk.clocks, date, received_at)
        if clock is None or (walk.still and not walk.clocks):
            raise _SurpriseError
        near = {t for t in {*walk.clocks, *walk.still} if abs(t - clock.time) <= ROW_CLOCK_SLACK}
        if not walk.times <= near:
            raise _SurpriseError
        beside = self._read_beside(text[walk.at :])
        self._learn(walk, clock.time, max(near, default=clock.time))
        return to_snapshot(self._agents, beside, clock, received_at)

    def _news(self, walk: _Walk) -> bytes:
        """The text that is not as it was in earlier replies, from which all secrets have been struck."""
        rest = walk.text[walk.at :]
        reads = [part.text for part in walk.found if isinstance(part, _Read)]
        news = "\n".join(reads if rest == self._rest_of_text else [*reads, rest])
        return news.encode("utf-8", "surrogatepass")

    def _read_beside(self, rest: str) -> Beside:
        """Read what comes after the rows; mostly it is as it was."""
        if rest != self._rest_of_text:
            reply = _read_envelope(f"{_HEAD}]{rest}")
            message = message_of(reply, None)
            if message is not reply["message"]:
                raise _SurpriseError
            self._rest_of_text, self._beside = rest, read_beside(message, Unread())
        return self._beside

    def _learn(self, walk: _Walk, clock: int, latest: int) -> None:
        """Take over the runs and agents of this reply. clock: the floor's. latest: of the rows' clocks."""
        reads = [part for part in walk.found if isinstance(part, _Read)]
        is_mostly_news = bool(self._agents) and len(reads) > max(MANY, len(self._agents) // 2)
        if walk.found != self._runs:
            fresh = [self._run(read, clock) for read in reads]
            to_come = iter(fresh)
            parts = [next(to_come) if isinstance(part, _Read) else part for part in walk.found]
            runs = grouped(parts, RUN, latest)
            self._agents = self._renewed(fresh) if walk.is_in_order else _by_id(runs)
            self._runs = runs
        self._time = clock
        if is_mostly_news:
            self._take_rest()
        else:
            self._next_rest = 1

    def _run(self, read: _Read, clock: int) -> Run:
        """The run of a row that was read, with the known agent if that is equal."""
        row, known = read.row, self._agents.get(read.row.id)
        if known is not None:  # one object for the same word, however often its agent changes
            row.id, row.name = known.id, known.name if known.name == row.name else row.name
        agent = to_agent(row, clock, read.extra)
        return to_run(read.text, row, clock, known if known == agent else agent)

    def _renewed(self, fresh: Iterable[Run]) -> Mapping[str, Agent]:
        """The agents when every row is where it was; the same object if nobody changed."""
        agents = [run.agents[0] for run in fresh]
        news = {agent.id: agent for agent in agents if self._agents[agent.id] is not agent}
        return {**self._agents, **news} if news else self._agents


def _by_id(runs: Iterable[Run]) -> dict[str, Agent]:
    """The agents in their order."""
    rows = [agent for run in runs for agent in run.agents]
    agents = dict(zip(map(_ID, rows), rows, strict=True))
    if len(agents) != len(rows):
        raise _SurpriseError  # two rows of one agent
    return agents
