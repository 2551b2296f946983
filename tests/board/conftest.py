"""A small floor made by hand, for the tests of what people see."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from deepcall_async import (
    Agent,
    AgentState,
    Basis,
    Break,
    Call,
    ClockSource,
    FloorTotals,
    LiveUpdate,
    Login,
    Snapshot,
    Transition,
)

NOW = datetime(2024, 11, 16, 12, 19, 25, tzinfo=UTC)
MakeAgent = Callable[..., Agent]
MakeSnapshot = Callable[..., Snapshot]
MakeUpdate = Callable[..., LiveUpdate]
MakeTransition = Callable[..., Transition]


@pytest.fixture(autouse=True)
def _in_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    """Times are shown in the local zone; let it be a known one."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()


@pytest.fixture
def make_agent() -> MakeAgent:
    """An agent in a state since so many seconds."""

    def make(id_: str, state: AgentState = AgentState.AVAILABLE, seconds: int = 60, **fields: Any) -> Agent:
        since = NOW - timedelta(seconds=seconds)
        shown: dict[str, Any] = {"name": f"Agent {id_}", "available_since": since}
        if state is not AgentState.LOGGED_OUT:
            shown["login"] = Login("Web", since)
        if state is AgentState.ON_CALL:
            shown["call"] = Call(since)
        if state is AgentState.ON_BREAK:
            shown["on_break"] = Break("Lunch", since)
        shown["is_occupied"] = state is AgentState.OCCUPIED
        return Agent(id=id_, **{**shown, **fields})

    return make


@pytest.fixture
def make_snapshot() -> MakeSnapshot:
    """A snapshot of these agents, so many seconds after `NOW`."""

    def make(*agents: Agent, after: float = 0, **fields: Any) -> Snapshot:
        shown: dict[str, Any] = {
            "totals": FloorTotals(logged_in=3, on_call=1),
            "clock_source": ClockSource.ROWS,
        }
        return Snapshot(
            agents={agent.id: agent for agent in agents},
            server_time=NOW + timedelta(seconds=after),
            **{**shown, **fields},
        )

    return make


@pytest.fixture
def make_update(make_snapshot: MakeSnapshot) -> MakeUpdate:
    """One tick of the stream, with a snapshot of nobody unless one is given."""

    def make(**fields: Any) -> LiveUpdate:
        no_mark: Any = None  # what only checkpoints and books are made from
        return LiveUpdate(**{"sequence": 0, "snapshot": make_snapshot(), "mark": no_mark, **fields})

    return make


@pytest.fixture
def make_transition() -> MakeTransition:
    """A transition of this class, known exactly unless `bounds` (seconds) says otherwise."""

    def make(kind: type[Any], agent: Agent, bounds: float = 0, **fields: Any) -> Transition:
        shown: dict[str, Any] = {"basis": Basis.OBSERVED, "previous": agent, "at": NOW}
        transition: Transition = kind(
            id="id", agent=agent, latest=NOW, earliest=NOW - timedelta(seconds=bounds), **{**shown, **fields}
        )
        return transition

    return make
