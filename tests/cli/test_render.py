"""The picture: it fits, it obeys nothing in a name, and it reads without colour."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console, Group

from deepcall_async import (
    Agent,
    AgentState,
    AgentUpdated,
    Basis,
    Break,
    CallEnded,
    CallStarted,
    Quarantined,
    Snapshot,
    Transition,
)
from deepcall_async._board.board import Frame
from deepcall_async.cli._render import agent_table, screen

MakeAgent = Callable[..., Agent]
MakeFrame = Callable[..., Frame]
STATES = list(AgentState)


@pytest.fixture
def make_frame(make_snapshot: Callable[..., Snapshot]) -> MakeFrame:
    def make(*agents: Agent, **fields: Any) -> Frame:
        snapshot = make_snapshot(*agents)
        return Frame(**{"title": "the floor", "snapshot": snapshot, "now": snapshot.server_time, **fields})

    return make


def drawn(frame: Frame, width: int = 80, height: int = 24, *, colour: bool = False) -> str:
    output = io.StringIO()
    console = Console(
        file=output,
        width=width,
        height=height,
        force_terminal=colour,
        color_system="standard" if colour else None,
    )
    console.print(Group(*screen(frame, width, height)))
    return output.getvalue()


def lines_of(frame: Frame, width: int = 80, height: int = 24) -> list[str]:
    return drawn(frame, width, height).splitlines()


@pytest.mark.parametrize("count", [0, 1, 11, 12, 40, 300])
@pytest.mark.parametrize("size", [(80, 24), (160, 50), (130, 20), (129, 12), (40, 10), (20, 3)])
@pytest.mark.parametrize("banner", [(), ("STALE " * 50, "why " * 100)])
def test_the_picture_fits_the_screen_exactly_whatever_it_shows(
    *,
    count: int,
    size: tuple[int, int],
    banner: tuple[str, ...],
    make_agent: MakeAgent,
    make_frame: MakeFrame,
    make_transition: Callable[..., Transition],
) -> None:
    agents = [make_agent(str(n), STATES[n % 5], n, name="長い名前" * 20) for n in range(count)]
    feed = [make_transition(CallStarted, agent, bounds=9) for agent in agents]
    lines = lines_of(make_frame(*agents, feed=feed, banner=banner), *size)
    assert len(lines) <= size[1]
    assert all(cell_len(line) <= size[0] for line in lines)


def test_a_row_shows_id_name_state_age_calls_talk_time_and_channel(
    make_agent: MakeAgent, make_frame: MakeFrame
) -> None:
    agent = make_agent("468", AgentState.ON_CALL, 192, calls=14, talk_time=timedelta(seconds=3731))
    row = next(line for line in lines_of(make_frame(agent)) if line.startswith("468"))
    assert row.split() == ["468", "Agent", "468", "on", "call", "3:12", "14", "1:02:11", "web"]


def test_what_was_not_sent_is_left_blank_and_not_zero(make_agent: MakeAgent, make_frame: MakeFrame) -> None:
    row = next(line for line in lines_of(make_frame(make_agent("5", name=None))) if line.startswith("5 "))
    assert row.split() == ["5", "available", "1:00", "web"]


def test_a_break_shows_its_reason(make_agent: MakeAgent, make_frame: MakeFrame) -> None:
    picture = drawn(make_frame(make_agent("1", AgentState.ON_BREAK, on_break=Break("Tea\x1b[2J"))))
    assert "break: Tea\ufffd" in picture


def test_what_the_screen_has_no_room_for_is_counted_by_state(
    make_agent: MakeAgent, make_frame: MakeFrame
) -> None:
    agents = [
        make_agent(str(n), AgentState.AVAILABLE if n < 30 else AgentState.LOGGED_OUT) for n in range(50)
    ]
    assert "... 37 more: 17 available, 20 logged out" in drawn(make_frame(*agents))


def test_the_head_has_the_title_the_servers_time_and_its_totals(
    make_agent: MakeAgent, make_frame: MakeFrame
) -> None:
    first, second = lines_of(make_frame(make_agent("1")))[:2]
    assert first.startswith("the floor")
    assert first.endswith("server time 12:19:25 UTC")
    assert second.strip() == "1 agents · 3 logged in · 1 on call"


def test_rows_that_cannot_be_read_are_counted_in_the_head(
    make_snapshot: Callable[..., Snapshot], make_frame: MakeFrame
) -> None:
    snapshot = make_snapshot(quarantined=(Quarantined(path="message.pr[0]", reason="no object", row=0),))
    assert "1 UNREADABLE" in lines_of(make_frame(snapshot=snapshot))[1]


def test_a_stale_picture_says_so_in_words_and_in_reverse(
    make_agent: MakeAgent, make_frame: MakeFrame
) -> None:
    frame = make_frame(make_agent("1"), banner=("STALE for 0:12", "1 poll has failed"))
    assert [line.strip() for line in lines_of(frame)[2:4]] == ["STALE for 0:12", "1 poll has failed"]
    assert "\x1b[1;7;37;41m STALE" in drawn(frame, colour=True)


@pytest.mark.parametrize(
    "name", ["\x1b[31mEve", "a\x9b2Jb", "[red]Bob[/red]", "[/]", "x\r\ny", "\x1b]0;title\x07"]
)
def test_a_name_is_never_obeyed(
    name: str, make_agent: MakeAgent, make_frame: MakeFrame, make_transition: Callable[..., Transition]
) -> None:
    agent = make_agent("1", name=name)
    lines = lines_of(make_frame(agent, feed=[make_transition(CallStarted, agent)]))
    assert not any(character in line for line in lines for character in "\x1b\x9b\r\x07")
    assert len([line for line in lines if "[red]Bob[/re" in line]) == (2 if "[red]" in name else 0)


def test_the_feed_says_when_who_what_and_marks_what_was_not_observed(
    make_agent: MakeAgent, make_frame: MakeFrame, make_transition: Callable[..., Transition]
) -> None:
    agent = make_agent("7", name="Ravi")
    seen = make_transition(CallStarted, agent)
    deduced = make_transition(CallEnded, agent, bounds=30, duration=None, basis=Basis.INFERRED)
    lines = lines_of(make_frame(agent, feed=[deduced, seen]))
    title = next(number for number, line in enumerate(lines) if line.startswith("LAST TRANSITIONS"))
    assert lines[title + 1].split() == ["~12:19:25", "7", "Ravi", "call", "ended", "[inferred]"]
    assert lines[title + 2].split() == ["12:19:25", "7", "Ravi", "call", "began"]


def test_the_feed_leaves_out_who_is_occupied_as_the_table_shows_it(
    make_agent: MakeAgent, make_frame: MakeFrame, make_transition: Callable[..., Transition]
) -> None:
    agent = make_agent("7", AgentState.OCCUPIED)
    feed = [make_transition(AgentUpdated, agent, field=field) for field in ("is_occupied", "sip_status")]
    lines = lines_of(make_frame(agent, feed=feed))
    assert any("SIP:" in line for line in lines)
    assert not any("occupied:" in line for line in lines)


def test_a_wide_screen_has_the_feed_beside_the_table(
    make_agent: MakeAgent, make_frame: MakeFrame, make_transition: Callable[..., Transition]
) -> None:
    agent = make_agent("7")
    lines = lines_of(make_frame(agent, feed=[make_transition(CallStarted, agent)]), 160, 50)
    assert any("available" in line and "call began" in line for line in lines)


def test_without_colour_nothing_but_text_is_written(make_agent: MakeAgent, make_frame: MakeFrame) -> None:
    frame = make_frame(*(make_agent(str(n), state) for n, state in enumerate(STATES)))
    assert "\x1b" not in drawn(frame)
    assert "\x1b[" in drawn(frame, colour=True)
    assert all(
        words in drawn(frame) for words in ("on call", "logged out", "break: Lunch", "occupied", "available")
    )


def test_a_table_for_paper_has_every_agent_and_cuts_no_name(
    make_agent: MakeAgent, make_frame: MakeFrame
) -> None:
    agents = [make_agent(str(n), name=f"{n} " + "x" * 60) for n in range(100)]
    console = Console(file=io.StringIO(), width=200)
    with console.capture() as capture:
        console.print(Group(*agent_table(make_frame(*agents))))
    lines = capture.get().splitlines()
    assert len(lines) == 101
    assert all("x" * 60 in line for line in lines[1:])
