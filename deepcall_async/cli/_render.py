"""Frames as lines of the screen, fitted to its size. Pure.

No text is ever read as markup, so a name like "[red]" is only a name. Colour repeats what
words say already: the picture reads the same without it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import zip_longest
from textwrap import wrap
from typing import Any

from attrs import evolve, frozen
from rich.cells import cell_len

from deepcall_async import Agent, AgentState, AgentUpdated, Basis, Transition
from deepcall_async._board import (
    STATE_ORDER,
    STATE_WORDS,
    Frame,
    age,
    channels,
    counts,
    describe,
    in_order,
    in_state,
    plain,
    when,
)

from ._grid import Cell, Row

WIDE = 130  # from here on the feed stands beside the table
BANNER_LINES = 4
BANNER_LINES = 4
_STYLES = {
    AgentState.ON_CALL: "bold cyan",
    AgentState.OCCUPIED: "magenta",
    AgentState.ON_BREAK: "yellow",
    AgentState.AVAILABLE: "green",
    AgentState.LOGGED_OUT: "dim",
}
_ALARM = "bold white on red reverse"


def screen(frame: Frame, width: int, height: int) -> list[Row]:
    """The whole picture in at most `height` lines."""
    top = head(frame, width)
    room = max(0, height - len(top))
    body = _side_by_side if width >= WIDE else _stacked
    return [*top, *body(frame, width, room)][:height]


def head(frame: Frame, width: int) -> list[Row]:
    """The title and the server's time, the totals, and the banner: one line each."""
    now = f"server time {frame.now.astimezone():%H:%M:%S %Z}"
    start = max(0, width - cell_len(now))
    title = Cell(0, max(0, start - 1), plain(frame.title, 200), "bold")
    lines = [line for text in frame.banner for line in wrap(plain(text, 400), max(10, width - 2))]
    banner = [Row((Cell(0, width, f" {line}", _ALARM),)) for line in lines[:BANNER_LINES]]
    return [Row((title, Cell(start, cell_len(now), now))), _totals(frame, width), *banner]


def agent_table(frame: Frame, width: int | None = None, height: int | None = None) -> list[Row]:
    """The agents, one a line, below the column names; cut to `height` lines with "... n more".

    width: of the whole; None: as wide as the words are, every column.
    """
    agents = in_order(frame)
    room = len(agents) if height is None else max(0, height - 1)
    shown = agents if len(agents) <= room else agents[: max(0, room - 1)]
    columns = _placed(_AGENT_COLUMNS, width, [(agent, frame) for agent in shown])
    titles = Row(
        tuple(Cell(start, size, column.title, "bold", column.right) for column, start, size in columns)
    )
    rows = [_row(columns, (agent, frame), _STYLES[agent.state]) for agent in shown]
    left_out = agents[len(shown) :]
    return [titles, *rows, *([_more(left_out, width or 80)] if left_out else [])]


# --- columns ----------------------------------------------------------------------------------


@frozen
class _Column:
    """One column: its title, the text of its cells, its width, and how wide a table must be to have it."""

    title: str
    text: Callable[..., str]
    width: int = 0  # 0: what the others leave
    right: bool = False
    from_width: int = 0
    style: str = ""


_Placed = tuple[_Column, int, int]  # with its start and its width


def _placed(columns: Iterable[_Column], width: int | None, items: Iterable[Any] = ()) -> list[_Placed]:
    """The columns that `width` has room for, side by side, one blank between them."""
    chosen = [column for column in columns if width is None or width >= column.from_width]
    rest = 0 if width is None else max(0, width - sum(column.width + 1 for column in chosen) + 1)
    placed, start = [], 0
    for column in chosen:
        size = _natural_width(column, items) if width is None else column.width or rest
        placed.append((column, start, size))
        start += size + 1
    return placed


def _natural_width(column: _Column, items: Iterable[Any]) -> int:
    return max([len(column.title), *(cell_len(column.text(*item)) for item in items)])


def _row(columns: Iterable[_Placed], item: Sequence[Any], style: str = "") -> Row:
    return Row(
        tuple(
            Cell(start, size, column.text(*item), column.style or style, column.right)
            for column, start, size in columns
        )
    )


# --- the agents -------------------------------------------------------------------------------


def _state_text(agent: Agent, _: Frame) -> str:
    if agent.state is AgentState.ON_BREAK and agent.on_break is not None and agent.on_break.reason:
        return f"break: {plain(agent.on_break.reason, 40)}"
    return STATE_WORDS[agent.state]


def _since_text(agent: Agent, frame: Frame) -> str:
    lasted, exact = in_state(agent, frame)
    return "" if lasted is None else age(lasted) if exact else f"~{age(lasted)}"


def _optional(value: Any, form: Callable[[Any], str] = str) -> str:
    """What was not sent is left blank."""
    return "" if value is None else form(value)


_AGENT_COLUMNS = (
    _Column("ID", lambda agent, _: plain(agent.id, 20), 6),
    _Column("NAME", lambda agent, _: plain(agent.name or "")),
    _Column("STATE", _state_text, 16),
    _Column("FOR", _since_text, 9, right=True, from_width=42),
    _Column("CALLS", lambda agent, _: _optional(agent.calls), 5, right=True, from_width=54),
    _Column("TALK", lambda agent, _: _optional(agent.talk_time, age), 8, right=True, from_width=62),
    _Column("AVG", lambda agent, _: _optional(agent.average_talk_time, age), 7, right=True, from_width=95),
    _Column("LOGIN", lambda agent, _: channels(agent), 7, from_width=70),
    _Column("SIP", lambda agent, _: plain(agent.sip_status or "", 20), 8, from_width=86),
)


def _more(hidden: Sequence[Agent], width: int) -> Row:
    """What the screen has no room for, by state."""
    numbers = ((state, sum(agent.state is state for agent in hidden)) for state in STATE_ORDER)
    listed = ", ".join(f"{number} {STATE_WORDS[state]}" for state, number in numbers if number)
    return Row((Cell(0, width, f"... {len(hidden)} more: {listed}", "dim"),))


def _totals(frame: Frame, width: int) -> Row:
    told = counts(frame.snapshot)
    unreadable = frame.snapshot.quarantined_count
    if not unreadable:
        return Row((Cell(0, width, told),))
    warning = f" {unreadable} UNREADABLE "
    start = min(cell_len(told) + 1, max(0, width - len(warning)))
    return Row((Cell(0, max(0, start - 1), told), Cell(start, len(warning), warning, _ALARM)))


# --- the feed ---------------------------------------------------------------------------------


def _what_text(transition: Transition) -> str:
    observed = transition.basis is Basis.OBSERVED
    return describe(transition) + ("" if observed else f" [{transition.basis.value}]")


_FEED_COLUMNS = (
    _Column("", when, 9, right=True),
    _Column("", lambda transition: plain(transition.agent.id, 20), 6),
    _Column("", lambda transition: plain(transition.agent.name or ""), 13),
    _Column("", _what_text),
)


def _is_noise(transition: Transition) -> bool:
    """That somebody is occupied stands in the table; told for each ring it would drown the rest."""
    return isinstance(transition, AgentUpdated) and transition.field == "is_occupied"


def _feed(frame: Frame, width: int, height: int) -> list[Row]:
    """The last transitions, one a line: when, who, what, and how it is known unless it was observed."""
    title, hint = "LAST TRANSITIONS ", " Ctrl-C ends"
    rule = title + "─" * max(0, width - len(title) - len(hint)) + hint
    told = [
        each for each in frame.feed if not (isinstance(each, AgentUpdated) and each.field == "is_occupied")
    ]
    columns = _placed(_FEED_COLUMNS, width)
    return [Row((Cell(0, width, rule, "bold"),)), *(_row(columns, (each,)) for each in told[: height - 1])]


# --- where things stand -----------------------------------------------------------------------


def _stacked(frame: Frame, width: int, room: int) -> list[Row]:
    """The table, and at the foot of the screen the feed."""
    feed_room = max(4, room // 3) if room >= 12 else 0
    table = agent_table(frame, width, room - feed_room)
    if not feed_room:
        return table
    blank = [Row()] * (room - feed_room - len(table))
    return [*table, *blank, *_feed(frame, width, feed_room)]


def _side_by_side(frame: Frame, width: int, room: int) -> list[Row]:
    """The table, and the feed on its right."""
    gap, feed_width = 3, min(68, width * 2 // 5)
    feed_start = width - feed_width
    table = agent_table(frame, feed_start - gap, room)
    feed = _feed(frame, feed_width, room)
    return [
        Row((*left.cells, *_moved(right.cells, feed_start)))
        for left, right in zip_longest(table, feed, fillvalue=Row())
    ]


def _moved(cells: Iterable[Cell], by: int) -> Iterable[Cell]:
    return (evolve(cell, start=cell.start + by) for cell in cells)
