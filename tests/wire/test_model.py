"""The values of a snapshot: frozen, comparable, and each field explained where it stands."""

from __future__ import annotations

import copy
import json
import pickle
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import pytest
from hypothesis import given

from deepcall_async import (
    Agent,
    AgentState,
    Break,
    Call,
    ClockSource,
    FloorTotals,
    Login,
    Quarantined,
    Snapshot,
)

from .replies import NOW, ago, decode, login, row
from .strategies import AGENTS

VALUES = [Login, Call, Break, Agent, FloorTotals, Quarantined, Snapshot]
ONE_OF_EACH = [
    Login("Web", NOW, {"type": "Web"}),
    Call(NOW, {"callId": "c"}),
    Break("Tea", NOW, {"type": "Tea"}),
    Agent(id="1", login=Login("Web", NOW), extra={"a": [1]}),
    FloorTotals(logged_in=1),
    Quarantined(path="message.pr[0]", reason="expected an object, got None", row=0),
    decode(row("1", l=login(), zz=1), None, lA=1, shift="late"),
]
IN = Login("Web", ago(hours=1))
CALL, BREAK = Call(ago(seconds=20)), Break("Tea", ago(minutes=2))


@pytest.mark.parametrize("kind", VALUES, ids=lambda kind: kind.__name__)
def test_every_field_is_explained_in_the_docstring_of_its_class(kind: type[Any]) -> None:
    told = set(re.findall(r"\w+", kind.__doc__ or ""))
    assert {field.name for field in attrs.fields(kind)} <= told


@pytest.mark.parametrize("kind", [Login, Call, Break, Agent, FloorTotals], ids=lambda kind: kind.__name__)
def test_every_class_that_mirrors_the_wire_names_its_source_there(kind: type[Any]) -> None:
    assert "Wire:" in (kind.__doc__ or "")
    assert re.search("documented|observed|assumed", kind.__doc__ or "")


@pytest.mark.parametrize("value", ONE_OF_EACH, ids=lambda value: type(value).__name__)
def test_a_value_is_frozen_and_has_room_for_nothing_else(value: Any) -> None:
    for name in [field.name for field in attrs.fields(type(value))] + ["another"]:
        with pytest.raises((attrs.exceptions.FrozenInstanceError, AttributeError)):
            setattr(value, name, None)
    assert not hasattr(value, "__dict__")


@pytest.mark.parametrize("value", ONE_OF_EACH, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda v: pickle.loads(pickle.dumps(v))])  # noqa: S301  # our own
def test_a_value_can_be_copied_pickled_compared_and_hashed(value: Any, again: Callable[[Any], Any]) -> None:
    assert again(value) == value
    assert hash(again(value)) == hash(value)


@given(AGENTS)
def test_any_agent_can_be_hashed_and_told(agent: Agent) -> None:
    assert hash(agent) == hash(copy.deepcopy(agent))
    assert repr(agent).startswith("Agent(id=")
    assert isinstance(agent.state, AgentState)


@pytest.mark.parametrize(
    ("state", "fields"),
    [
        (AgentState.LOGGED_OUT, {}),
        (AgentState.LOGGED_OUT, {"is_occupied": True}),
        (AgentState.LOGGED_OUT, {"on_break": BREAK}),
        (AgentState.LOGGED_OUT, {"available_since": ago(minutes=9)}),
        (AgentState.AVAILABLE, {"login": IN}),
        (AgentState.AVAILABLE, {"mobile_login": IN}),
        (AgentState.AVAILABLE, {"login": IN, "is_occupied": False}),
        (AgentState.OCCUPIED, {"login": IN, "is_occupied": True}),
        (AgentState.ON_BREAK, {"login": IN, "on_break": BREAK}),
        (AgentState.ON_BREAK, {"mobile_login": IN, "on_break": BREAK, "is_occupied": True}),
        (AgentState.ON_CALL, {"login": IN, "call": CALL}),
        (AgentState.ON_CALL, {"login": IN, "call": CALL, "on_break": BREAK, "is_occupied": True}),
        (AgentState.ON_CALL, {"call": CALL}),
    ],
)
def test_the_state_is_the_first_that_applies(state: AgentState, fields: dict[str, Any]) -> None:
    assert Agent(id="1", **fields).state is state


@pytest.mark.parametrize(
    ("since", "fields"),
    [
        (ago(seconds=20), {"call": CALL}),
        (None, {"login": IN, "call": Call(), "available_since": ago(minutes=9)}),
        (ago(minutes=2), {"login": IN, "on_break": BREAK, "available_since": ago(minutes=9)}),
        (None, {"login": IN, "on_break": Break()}),
        (ago(minutes=9), {"login": IN, "available_since": ago(minutes=9)}),
        (None, {"login": IN}),
        (None, {"login": IN, "is_occupied": True, "available_since": ago(minutes=9)}),
        (None, {"available_since": ago(minutes=9)}),
    ],
)
def test_when_a_state_began_is_told_only_where_the_row_says_it(
    since: datetime | None, fields: dict[str, Any]
) -> None:
    assert Agent(id="1", **fields).state_since == since


def test_an_agent_is_logged_in_on_either_channel() -> None:
    assert not Agent(id="1").is_logged_in
    assert Agent(id="1", login=Login()).is_logged_in
    assert Agent(id="1", mobile_login=Login()).is_logged_in


def test_the_logged_in_agents_of_a_snapshot_stand_in_wire_order() -> None:
    snapshot = decode(row("3", l=login()), row("2"), row("1", ml=login()))
    assert [agent.id for agent in snapshot.logged_in] == ["3", "1"]


def test_two_snapshots_in_which_nothing_happened_hold_equal_agents() -> None:
    shown = [
        decode(row(l=login("0", minutes, "00"), avT=["0", minutes, "05"], avD=NOW.timestamp() // 1 - 5))
        for minutes in ("01", "02")
    ]
    first, second = (snapshot.agents["1"] for snapshot in shown)
    assert shown[1].server_time - shown[0].server_time == timedelta(minutes=1)
    assert first == second
    assert hash(first) == hash(second)


def test_what_could_not_be_read_is_not_shown_whole() -> None:
    (part,) = decode(row("1"), row("2", nm=["x" * 1000])).quarantined
    assert part.raw["nm"] == ["x" * 1000]
    assert len(repr(part)) < 250


def test_a_snapshot_has_a_clock_source_for_each_way_to_read_the_time() -> None:
    assert {source.value for source in ClockSource} == {"rows", "date", "local"}
    assert decode(row()).server_time.tzinfo is UTC


# --- JSON as it was sent ---------------------------------------------------------------------------

ALIKE = [
    0,
    False,
    0.0,
    -0.0,
    1,
    True,
    1.0,
    "",
    None,
    [],
    {},
    [0],
    [False],
    {"a": 1, "b": 2},
    {"b": 2, "a": 1},
]


@pytest.mark.parametrize("one", ALIKE)
@pytest.mark.parametrize("other", ALIKE)
def test_values_are_equal_only_where_the_same_json_was_sent(one: Any, other: Any) -> None:
    is_same = json.dumps(one) == json.dumps(other)
    for shown in (
        lambda value: Agent(id="1", extra={"x": value}),
        lambda value: Agent(id="1", login=Login(details={"x": value})),
        lambda value: Call(details=value),
        lambda value: Break(details=[value]),
        lambda value: Quarantined(path="message.lA", reason="?", raw=value),
    ):
        assert (shown(copy.deepcopy(one)) == shown(other)) is is_same
        assert (shown(copy.deepcopy(one)) != shown(other)) is not is_same
    assert hash(Call(details=one)) == hash(Call(details=other))
