"""What `watch` knows between two polls."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from deepcall_async import (
    Agent,
    AgentState,
    CallStarted,
    LiveUpdate,
    Outage,
    Snapshot,
    Transition,
    TransportError,
)
from deepcall_async._board.board import Board, Frame, in_order, in_state

MakeAgent = Callable[..., Agent]
MakeSnapshot = Callable[..., Snapshot]
MakeUpdate = Callable[..., LiveUpdate]


def frame_of(board: Board, now: float) -> Frame:
    frame = board.frame(now)
    assert frame is not None
    return frame


@pytest.fixture
def board() -> Board:
    return Board("floor", interval=5.0)


def test_there_is_no_picture_before_the_first_answer(board: Board) -> None:
    assert board.frame(0) is None


def test_the_servers_time_ticks_between_polls(
    board: Board, make_snapshot: MakeSnapshot, make_update: MakeUpdate
) -> None:
    snapshot = make_snapshot()
    board.take(make_update(snapshot=snapshot), now=100)
    assert frame_of(board, 103).now == snapshot.server_time + timedelta(seconds=3)


def test_warped_time_ticks_at_its_own_rate(make_snapshot: MakeSnapshot, make_update: MakeUpdate) -> None:
    snapshot, board = make_snapshot(), Board("demo", interval=1.0, rate=10.0)
    board.take(make_update(snapshot=snapshot), now=0)
    assert frame_of(board, 0.5).now == snapshot.server_time + timedelta(seconds=5)


def test_after_two_missed_polls_time_stands_still_and_the_picture_says_it_is_stale(
    board: Board, make_snapshot: MakeSnapshot, make_update: MakeUpdate
) -> None:
    board.take(make_update(snapshot=make_snapshot()), now=0)
    assert frame_of(board, 9.9).banner == ()
    frozen = frame_of(board, 60)
    assert frozen.now == frame_of(board, 10).now
    assert frozen.banner == ("STALE for 1:00: the floor as of 12:19:25", "the next answer is overdue")


def test_a_failed_poll_is_shown_at_once_with_its_reason(
    board: Board, make_snapshot: MakeSnapshot, make_update: MakeUpdate
) -> None:
    snapshot = make_snapshot()
    board.take(make_update(snapshot=snapshot), now=0)
    outage = Outage(since=snapshot.server_time, failures=1, error=TransportError("refused\x1b"))
    board.take(make_update(snapshot=snapshot, outage=outage), now=5)
    assert frame_of(board, 6).banner == (
        "STALE for 0:06: the floor as of 12:19:25",
        "1 poll has failed: refused\ufffd",
    )


def test_the_next_good_answer_takes_the_banner_away(
    board: Board, make_snapshot: MakeSnapshot, make_update: MakeUpdate
) -> None:
    board.take(make_update(snapshot=make_snapshot(), held=("no rows",)), now=0)
    assert "no rows" in frame_of(board, 0).banner[1]
    board.take(make_update(snapshot=make_snapshot(after=5)), now=5)
    assert frame_of(board, 5).banner == ()


def test_the_feed_has_the_newest_first_and_an_end(
    board: Board,
    make_agent: MakeAgent,
    make_snapshot: MakeSnapshot,
    make_transition: Callable[..., Transition],
    make_update: MakeUpdate,
) -> None:
    told = tuple(make_transition(CallStarted, make_agent(str(number))) for number in range(300))
    board.take(make_update(snapshot=make_snapshot(), transitions=told), now=0)
    feed = frame_of(board, 0).feed
    assert [transition.agent.id for transition in feed[:2]] == ["299", "298"]
    assert len(feed) == 200


def test_agents_are_sorted_by_state_then_the_longest_in_it_first(
    make_agent: MakeAgent, make_snapshot: MakeSnapshot
) -> None:
    agents = [
        make_agent("1", AgentState.LOGGED_OUT),
        make_agent("2", AgentState.AVAILABLE, 10),
        make_agent("3", AgentState.AVAILABLE, 90),
        make_agent("4", AgentState.ON_BREAK, 5),
        make_agent("10", AgentState.OCCUPIED),
        make_agent("9", AgentState.OCCUPIED),
        make_agent("6", AgentState.ON_CALL, 5),
    ]
    snapshot = make_snapshot(*agents)
    order = in_order(Frame(title="", snapshot=snapshot, now=snapshot.server_time))
    assert [agent.id for agent in order] == ["6", "9", "10", "4", "3", "2", "1"]


def test_a_state_without_an_origin_is_aged_from_the_poll_that_first_showed_it(
    board: Board, make_agent: MakeAgent, make_snapshot: MakeSnapshot, make_update: MakeUpdate
) -> None:
    idle, busy = make_agent("1"), make_agent("1", AgentState.OCCUPIED)
    board.take(make_update(snapshot=make_snapshot(idle)), now=0)
    board.take(make_update(snapshot=make_snapshot(busy, after=5)), now=5)
    board.take(make_update(snapshot=make_snapshot(busy, after=10)), now=10)
    assert in_state(busy, frame_of(board, 12)) == (timedelta(seconds=7), False)


def test_nobody_knows_the_age_of_a_state_that_was_there_at_first_sight(
    board: Board, make_agent: MakeAgent, make_snapshot: MakeSnapshot, make_update: MakeUpdate
) -> None:
    busy = make_agent("1", AgentState.OCCUPIED)
    board.take(make_update(snapshot=make_snapshot(busy)), now=0)
    assert in_state(busy, frame_of(board, 12)) == (None, False)


def test_agents_that_are_gone_are_forgotten(
    board: Board, make_agent: MakeAgent, make_snapshot: MakeSnapshot, make_update: MakeUpdate
) -> None:
    for sequence, agents in enumerate(
        [
            [make_agent("1")],
            [make_agent("1", AgentState.OCCUPIED)],
            [],
            [make_agent("1", AgentState.OCCUPIED)],
        ]
    ):
        board.take(make_update(snapshot=make_snapshot(*agents)), now=sequence)
    assert frame_of(board, 5).begun == {}
