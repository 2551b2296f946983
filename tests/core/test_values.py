"""The public values: they pickle, compare, hash, and go through JSON and back."""

from __future__ import annotations

import json
import pickle
from typing import Any

import pytest
from attrs.exceptions import FrozenInstanceError

from deepcall_async import (
    Account,
    ApiError,
    LiveUpdate,
    ReplyError,
    RequestTimeout,
    Transition,
    TransportError,
    UnexpectedStatus,
    agent_to_json,
    snapshot_to_json,
    transition_from_json,
    transition_to_json,
)
from deepcall_async._model.errors import DeepcallError, api_error
from deepcall_async._model.transitions import TRANSITION_TYPES, in_order

from .floors import Floor, Seat, teach


def one_of_each() -> dict[str, Transition]:
    """One transition of every kind, some with oddities in their agents."""
    floor = Floor(scope="desk")
    teach(floor)
    odd = floor.seat(
        "1", web="07:00:00", calls=3, talk=60.5, name="गीता \u2028 \x00", more={"new": [1, None, {}]}
    )
    floor.seat("2", web="07:00:00", on_break={"x": [1]}, call="11:59:00", calls=1, talk=5)
    floor.seat("3", web="07:00:00")
    told = list(floor.poll("12:00:00").transitions)
    odd.calls, odd.talk, odd.name, odd.mobile = 4, 70.25, "गीता", "12:00:08"
    floor.seats["2"].on_break = floor.seats["2"].call = None
    floor.seats["3"].web, floor.seats["3"].available = "12:00:04", "12:00:05"
    told += floor.poll("12:00:10").transitions
    odd.calls, odd.talk, odd.mobile, odd.on_break, odd.call = 7, 75, None, "Lunch", "12:00:18"
    floor.seats["2"].calls = floor.seats["2"].talk = 0
    floor.seats["3"].available = "12:00:17"
    told += floor.poll("12:00:20").transitions
    del floor.seats["3"]
    floor.seat("4")
    told += floor.poll("12:00:30").transitions
    return {transition.kind: transition for transition in told}


TOLD = one_of_each()
KINDS = sorted(kind.kind for kind in TRANSITION_TYPES)


def updates() -> dict[str, LiveUpdate]:
    """One update of every sort."""
    floor = Floor(Seat("1", web="07:00:00", more={"avT": "soon"}), Seat("2", web="07:00:00"))
    found = {"baseline": floor.poll("12:00:00")}
    found["held"] = floor.poll("12:00:05", logged_in=40)
    found["outage"] = floor.live.fail(UnexpectedStatus("HTTP 503", 503, retry_after=2.0))
    floor.seats["2"].call = "12:00:08"
    found["gap"] = floor.poll("12:00:10")
    return found


UPDATES = updates()


def pickled(value: Any) -> Any:
    return pickle.loads(pickle.dumps(value))  # noqa: S301  # our own bytes


def test_every_kind_is_there() -> None:
    assert sorted(TOLD) == KINDS


@pytest.mark.parametrize("kind", KINDS)
def test_a_transition_survives_json(kind: str) -> None:
    transition = TOLD[kind]
    text = json.dumps(transition_to_json(transition), allow_nan=False)
    assert transition_from_json(json.loads(text)) == transition
    assert next(iter(json.loads(text))) == "kind"


@pytest.mark.parametrize("kind", KINDS)
def test_a_transition_survives_a_pickle(kind: str) -> None:
    assert pickled(TOLD[kind]) == TOLD[kind]


@pytest.mark.parametrize("kind", KINDS)
def test_equal_transitions_have_equal_hashes(kind: str) -> None:
    transition = TOLD[kind]
    assert hash(pickled(transition)) == hash(transition)
    assert {transition, pickled(transition)} == {transition}
    assert all(other != transition for name, other in TOLD.items() if name != kind)


@pytest.mark.parametrize("kind", KINDS)
def test_a_transition_cannot_be_changed(kind: str) -> None:
    with pytest.raises(FrozenInstanceError):
        TOLD[kind].id = "other"  # type: ignore[misc]


@pytest.mark.parametrize("kind", KINDS)
def test_an_id_is_short_plain_text_with_scope_agent_and_kind(kind: str) -> None:
    parts = TOLD[kind].id.split(":")
    assert parts[:3] == ["desk", TOLD[kind].agent.id, kind]
    assert TOLD[kind].id.isascii()
    assert len(TOLD[kind].id) <= 255


def spoilt(**changes: Any) -> dict[str, Any]:
    value = {**transition_to_json(TOLD["logged_in"]), **changes}
    return {key: part for key, part in value.items() if part is not ...}


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"kind": "promoted"},
        {"kind": "logged_in"},
        spoilt(kind=["logged_in"]),
        spoilt(at="soon"),
        spoilt(at="2026-01-05T12:00:00"),
        spoilt(basis="guessed"),
        spoilt(channel="fax"),
        spoilt(agent=None),
        spoilt(id=...),
    ],
)
def test_what_is_no_transition_in_json_form_is_a_value_error(value: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="not a transition in JSON form"):
        transition_from_json(value)


def test_agents_and_snapshots_become_json_with_their_state() -> None:
    snapshot = UPDATES["gap"].snapshot
    value = json.loads(json.dumps(snapshot_to_json(snapshot), allow_nan=False))
    assert [agent["id"] for agent in value["agents"]] == list(snapshot.agents)
    assert value["agents"][0] == agent_to_json(snapshot.agents["2"])
    assert value["agents"][0]["state"] == "on_call"
    assert value["server_time"] == "2026-01-05T12:00:10Z"


@pytest.mark.parametrize("sort", UPDATES)
def test_an_update_survives_a_pickle_with_its_checkpoint_and_ledger(sort: str) -> None:
    update = UPDATES[sort]
    again = pickled(update)
    assert again == update
    assert hash(again) == hash(update)
    assert again.checkpoint == update.checkpoint
    assert again.ledger == update.ledger


@pytest.mark.parametrize("sort", UPDATES)
def test_the_repr_of_an_update_does_not_show_its_state(sort: str) -> None:
    assert "mark" not in repr(UPDATES[sort])
    assert "Tally" not in repr(UPDATES[sort])


@pytest.mark.parametrize(
    "error",
    [
        TransportError("refused"),
        RequestTimeout("30 s"),
        UnexpectedStatus("HTTP 503", 503, retry_after=2.0),
        ReplyError("not JSON", path="message.pr"),
        api_error(1014, "Invalid token", http_status=200),
        ApiError(None, ""),
    ],
)
def test_an_error_in_an_outage_survives_a_pickle(error: DeepcallError) -> None:
    floor = Floor(Seat("1"))
    floor.poll("12:00:00")
    outage = pickled(floor.live.fail(error)).outage
    assert type(outage.error) is type(error)
    assert (str(outage.error), vars(outage.error)) == (str(error), vars(error))


def test_outages_are_equal_whatever_they_failed_with() -> None:
    one, two = Floor(Seat("1")), Floor(Seat("1"))
    one.poll("12:00:00")
    two.poll("12:00:00")
    assert one.live.fail(TransportError("a")) == two.live.fail(TransportError("b"))


def test_transitions_at_the_same_instant_stay_in_causal_order() -> None:
    first, *rest = (t for kind, t in sorted(TOLD.items()) if t.agent.id == "1")
    same = [first, *(t for t in rest if t.at == first.at)]
    assert list(in_order(same)) == same
    assert list(in_order(reversed(same))) == same[::-1]


def test_accounts_add_up() -> None:
    account = Account(grown=3, seen=1, hidden=2)
    assert sum([account, account], Account()) == Account(grown=6, seen=2, hidden=4)
