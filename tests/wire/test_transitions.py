"""The closed union of transitions: its members, their order, and their ids."""

from __future__ import annotations

import inspect
import random
import re
from typing import Any, assert_never, get_args

import attrs
import pytest
from hypothesis import given, strategies as st

from deepcall_async import Agent
from deepcall_async._model import transitions
from deepcall_async._model.transitions import (
    TRANSITION_TYPES,
    AgentAdded,
    AgentRemoved,
    AgentUpdated,
    Basis,
    BreakEnded,
    BreakStarted,
    CallEnded,
    CallStarted,
    CountersReset,
    LoggedIn,
    LoggedOut,
    Transition,
    UnseenActivity,
    fact_id,
    in_order,
)
from tests.project.source import public_names

from .replies import NOW, ago

KINDS = {
    "agent_added": AgentAdded,
    "agent_removed": AgentRemoved,
    "logged_in": LoggedIn,
    "logged_out": LoggedOut,
    "break_started": BreakStarted,
    "break_ended": BreakEnded,
    "call_started": CallStarted,
    "call_ended": CallEnded,
    "unseen_activity": UnseenActivity,
    "agent_updated": AgentUpdated,
    "counters_reset": CountersReset,
}
COMMON = ["id", "at", "earliest", "latest", "basis", "agent", "previous"]


def started(at: Any = NOW, agent: str = "1", name: str = "x") -> CallStarted:
    return CallStarted(
        id=name,
        at=at,
        earliest=at,
        latest=at,
        basis=Basis.OBSERVED,
        agent=Agent(id=agent),
        previous=None,
    )


def word_for(transition: Transition) -> str:
    """A match over every class, as a user writes it; mypy proves that none is missing."""
    match transition:
        case AgentAdded() | AgentRemoved() | AgentUpdated():
            return "agent"
        case LoggedIn(channel=channel) | LoggedOut(channel=channel):
            return channel.value
        case BreakStarted(reason=reason) | BreakEnded(reason=reason):
            return reason or "break"
        case CallStarted() | CallEnded():
            return "call"
        case UnseenActivity() | CountersReset():
            return "counters"
        case _:
            assert_never(transition)


def test_the_union_is_closed_and_every_kind_has_its_class() -> None:
    assert {kind.kind: kind for kind in TRANSITION_TYPES} == KINDS
    assert get_args(Transition) == TRANSITION_TYPES


def test_every_class_of_the_module_that_has_a_kind_is_in_the_union_and_public() -> None:
    classes = {
        value for _, value in inspect.getmembers(transitions, inspect.isclass) if "kind" in vars(value)
    }
    assert classes == set(TRANSITION_TYPES)
    assert {kind.__name__ for kind in TRANSITION_TYPES} <= set(public_names())


def test_a_kind_is_the_name_of_its_class() -> None:
    for kind in TRANSITION_TYPES:
        assert kind.kind == re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower()


@pytest.mark.parametrize("kind", TRANSITION_TYPES, ids=lambda kind: kind.kind)
def test_every_transition_has_who_when_and_how_it_is_known(kind: type[Transition]) -> None:
    names = [field.name for field in attrs.fields(kind)]
    assert names[: len(COMMON)] == COMMON
    assert all(field.kw_only for field in attrs.fields(kind))
    assert kind.__doc__


@pytest.mark.parametrize("kind", [LoggedOut, BreakEnded, CallEnded], ids=lambda kind: kind.kind)
def test_every_end_has_the_duration_of_its_episode(kind: type[Transition]) -> None:
    assert "duration" in [field.name for field in attrs.fields(kind)]


def test_a_match_over_the_union_is_complete() -> None:
    assert word_for(started()) == "call"


def test_a_transition_is_frozen() -> None:
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        started().id = "another"  # type: ignore[misc]  # that is the point


def test_transitions_are_ordered_by_time_then_by_agent() -> None:
    told = [started(NOW, "2"), started(ago(seconds=1), "9"), started(NOW, "10"), started(NOW, "1")]
    assert [(t.at, t.agent.id) for t in in_order(told)] == [
        (ago(seconds=1), "9"),
        (NOW, "1"),
        (NOW, "10"),
        (NOW, "2"),
    ]


def test_what_one_agent_did_in_one_instant_stays_in_causal_order() -> None:
    told = [started(name=str(number)) for number in range(20)]
    others = [started(agent=str(number)) for number in range(2, 9)]
    mixed = random.Random(0).sample([*told, *others], 27)
    mine = [t for t in mixed if t.agent.id == "1"]
    assert [t for t in in_order(mixed) if t.agent.id == "1"] == mine


def test_an_id_names_the_account_the_agent_the_kind_and_the_anchor() -> None:
    assert fact_id("acme", "468", "logged_in", "web.1719394993") == "acme:468:logged_in:web.1719394993"
    assert fact_id("", "468", "logged_in", "web.1719394993") == "468:logged_in:web.1719394993"


NASTY = {
    "Latin": "é",
    "Hindi": "आशा",
    "long": "x" * 300,
    "a lone surrogate": "\ud800",
    "a line break": "a\nb",
    "a control character": "\x00",
    "long and not ASCII": "\U0001f600" * 200,
}


@pytest.mark.parametrize("nasty", NASTY.values(), ids=NASTY)
def test_an_id_is_short_plain_text_whatever_the_account_and_the_agent_are_called(nasty: str) -> None:
    ids = {
        fact_id(nasty, "468", "logged_in", "web.1"),
        fact_id("acme", nasty, "logged_in", "web.1"),
        fact_id("acme", nasty, "logged_out", "web.1"),
        fact_id("acme", nasty, "logged_in", "web.2"),
        fact_id("acme", nasty + "x", "logged_in", "web.2"),
    }
    assert len(ids) == 5
    for one in ids:
        assert one.isascii()
        assert one.isprintable()
        assert len(one) <= 255


@given(st.text(), st.text(min_size=1), st.sampled_from(sorted(KINDS)), st.integers(0, 2**40))
def test_the_same_fact_has_the_same_id_and_ids_are_at_most_255_plain_characters(
    scope: str, agent: str, kind: str, origin: int
) -> None:
    one = fact_id(scope, agent, kind, f"web.{origin}")
    assert one == fact_id(scope, agent, kind, f"web.{origin}")
    assert one != fact_id(scope, agent, kind, f"web.{origin + 1}")
    assert one.isascii()
    assert one.isprintable()
    assert len(one) <= 255
