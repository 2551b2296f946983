"""The JSON form of public values: what goes out is plain JSON, and comes back as it was."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import attrs
import pytest
from hypothesis import given, strategies as st

from deepcall_async import (
    Agent,
    AgentState,
    Basis,
    CallEnded,
    Channel,
    Login,
    Transition,
    agent_to_json,
    snapshot_to_json,
    transition_from_json,
    transition_to_json,
)
from deepcall_async._model.json_form import from_json, to_json
from deepcall_async._model.transitions import TRANSITION_TYPES

from .replies import NOW, ago, decode, login, row
from .strategies import AGENTS, DURATIONS, INSTANTS, MAYBE_TEXT

OF_FIELD: dict[str, st.SearchStrategy[Any]] = {
    "state_after": st.none() | st.sampled_from(AgentState),
    "id": st.text(min_size=1, max_size=8),
    "at": INSTANTS,
    "earliest": INSTANTS,
    "latest": INSTANTS,
    "basis": st.sampled_from(Basis),
    "agent": AGENTS,
    "previous": st.none() | AGENTS,
    "channel": st.sampled_from(Channel),
    "duration": st.none() | DURATIONS,
    "reason": MAYBE_TEXT,
    "calls": st.none() | st.integers(0, 100),
    "talk_time": st.none() | DURATIONS,
    "field": st.text(max_size=8),
}


def transitions(kind: type[Transition]) -> st.SearchStrategy[Any]:
    return st.builds(kind, **{field.name: OF_FIELD[field.name] for field in attrs.fields(kind)})


ENDED = CallEnded(
    id="7:call_ended:call.1",
    at=NOW,
    earliest=ago(seconds=5),
    latest=NOW,
    basis=Basis.OBSERVED,
    agent=Agent(id="7", name="Asha"),
    previous=Agent(id="7", name="Asha", login=Login("Web", ago(hours=1), {"type": "Web"})),
    duration=timedelta(seconds=20),
)


@pytest.mark.parametrize("kind", TRANSITION_TYPES, ids=lambda kind: kind.kind)
def test_every_kind_of_transition_comes_back_from_json_as_it_was(kind: type[Transition]) -> None:
    @given(transitions(kind))
    def check(transition: Transition) -> None:
        value = transition_to_json(transition)
        assert next(iter(value)) == "kind"
        text = json.dumps(value, allow_nan=False)
        again = transition_from_json(json.loads(text))
        assert type(again) is kind
        assert again == transition
        assert json.dumps(transition_to_json(again)) == text

    check()


def test_a_transition_in_json_is_what_a_reader_expects() -> None:
    value = transition_to_json(ENDED)
    assert {key: value[key] for key in ("kind", "id", "at", "earliest", "basis", "duration")} == {
        "kind": "call_ended",
        "id": "7:call_ended:call.1",
        "at": "2024-11-16T12:00:00Z",
        "earliest": "2024-11-16T11:59:55Z",
        "basis": "observed",
        "duration": 20,
    }
    assert value["agent"]["name"] == "Asha"
    assert value["previous"]["login"] == {
        "type": "Web",
        "since": "2024-11-16T11:00:00Z",
        "details": {"type": "Web"},
    }


@given(AGENTS)
def test_an_agent_in_json_begins_with_its_state_and_comes_back_as_it_was(agent: Agent) -> None:
    value = json.loads(json.dumps(agent_to_json(agent), allow_nan=False))
    assert next(iter(value)) == "state"
    assert value.pop("state") == agent.state.value
    assert from_json(value, Agent) == agent


def test_a_snapshot_in_json_lists_its_agents_in_wire_order_and_says_all_it_knows() -> None:
    snapshot = decode(row("3", l=login(), zz=1), None, row("1"), lA=1, shift="late")
    value = json.loads(json.dumps(snapshot_to_json(snapshot), allow_nan=False))
    assert [agent["id"] for agent in value["agents"]] == ["3", "1"]
    assert [agent["state"] for agent in value["agents"]] == ["available", "logged_out"]
    assert value["totals"]["logged_in"] == 1
    assert value["server_time"] == "2024-11-16T12:00:00Z"
    assert value["clock_source"] == "rows"
    assert value["clock_spread"] == 0
    assert value["received_at"] is None
    assert value["unknown_keys"] == {"zz": 1}
    assert value["extra"] == {"shift": "late"}
    assert value["quarantined"][0]["path"] == "message.pr[1]"
    assert value["quarantined_count"] == 1
    fields = {field.name for field in attrs.fields(type(snapshot))}
    assert set(value) == fields - {"unread_rows"} | {"unknown_keys"}


def test_instants_of_any_zone_are_written_in_utc_and_read_back_in_utc() -> None:
    india = timezone(timedelta(hours=5, minutes=30))
    local = NOW.replace(microsecond=250_000).astimezone(india)
    assert to_json(local) == "2024-11-16T12:00:00.250000Z"
    assert from_json("2024-11-16T17:30:00+05:30", datetime) == NOW
    assert from_json("2024-11-16T17:30:00+05:30", datetime).tzinfo is UTC


@pytest.mark.parametrize("text", ["2024-11-16T12:00:00", "yesterday", "", None, 5])
def test_an_instant_without_a_zone_or_a_sense_is_refused(text: Any) -> None:
    with pytest.raises(Exception, match=r"time zone|isoformat|must be str"):
        from_json(text, datetime)


@pytest.mark.parametrize(
    ("duration", "seconds"),
    [(timedelta(0), 0), (timedelta(hours=1), 3600), (timedelta(milliseconds=1500), 1.5)],
)
def test_durations_are_seconds_whole_ones_without_a_point(duration: timedelta, seconds: float) -> None:
    assert json.dumps(to_json(duration)) == json.dumps(seconds)
    assert from_json(seconds, timedelta) == duration


GOOD = transition_to_json(ENDED)


@pytest.mark.parametrize(
    "value",
    [
        {},
        [],
        None,
        "call_ended",
        {**GOOD, "kind": "another"},
        {**GOOD, "kind": None},
        {**GOOD, "kind": []},
        {key: part for key, part in GOOD.items() if key != "at"},
        {**GOOD, "at": "2024-11-16T12:00:00"},
        {**GOOD, "at": 5},
        {**GOOD, "basis": "guessed"},
        {**GOOD, "agent": None},
        {**GOOD, "agent": {"name": "Asha"}},
        {**GOOD, "duration": "long"},
        {**GOOD, "duration": 1e300},
    ],
    ids=lambda value: ascii(value)[:40],
)
def test_what_is_no_transition_is_a_value_error(value: Any) -> None:
    with pytest.raises(ValueError, match="not a transition in JSON form"):
        transition_from_json(value)


def test_keys_of_a_newer_version_are_passed_over() -> None:
    assert transition_from_json({**GOOD, "mood": "good"}) == ENDED
