"""Logins, calls and breaks: what says "none", what says "on", and where an origin is read."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from deepcall_async import AgentState, Break, Call, Login
from deepcall_async._wire.decoder import decode_snapshot
from deepcall_async._wire.encoder import encode_snapshot

from .replies import ago, decode, decode_one, login, row

NONE_LIKE: list[Any] = ["No", "no", "NO", " No ", "", " ", None, [], {}, 0, False, ...]
DURATIONS: list[tuple[Any, datetime]] = [
    (["0", "01", "05"], ago(seconds=65)),
    ([0, 1, 5], ago(seconds=65)),
    (["3434", "36", "12"], ago(hours=3434, minutes=36, seconds=12)),
    (["0", "00", "60"], ago(seconds=60)),
]
UNSEEN_FORMS: list[tuple[Any, datetime]] = [
    (65, ago(seconds=65)),
    ("65", ago(seconds=65)),
    (65.9, ago(seconds=65)),
    (0, ago()),
    ("0:01:05", ago(seconds=65)),
    ("100:00:00", ago(hours=100)),
]
UNREADABLE: list[Any] = [
    None,
    "",
    [],
    "soon",
    "1:2",
    -5,
    True,
    {},
    [1, 2],
    [1, 2, 3, 4],
    [0, 99, 0],
    [0, 0, -1],
    10**15,
    1e300,
]


@pytest.mark.parametrize("value", NONE_LIKE, ids=repr)
@pytest.mark.parametrize("key", ["l", "ml", "liC", "br"])
def test_absent_null_no_and_whatever_is_empty_mean_none(key: str, value: Any) -> None:
    agent = decode_one(**{key: value})
    assert (agent.login, agent.mobile_login, agent.call, agent.on_break) == (None, None, None, None)
    assert agent.state is AgentState.LOGGED_OUT


@pytest.mark.parametrize(("duration", "since"), DURATIONS, ids=repr)
def test_a_login_says_when_it_began(duration: Any, since: datetime) -> None:
    agent = decode_one(
        l={"type": "Web", "duration": duration}, ml={"type": "App", "duration": duration, "os": 5}
    )
    assert agent.login == Login("Web", since, {"type": "Web"})
    assert agent.mobile_login == Login("App", since, {"type": "App", "os": 5})


@pytest.mark.parametrize("duration", [None, "", []], ids=repr)
def test_a_login_that_does_not_say_when_it_began_is_a_login_all_the_same(duration: Any) -> None:
    agent = decode_one(l={"type": "Web", "duration": duration}, ml={"duration": duration})
    assert agent.login == Login("Web", None, {"type": "Web"})
    assert agent.mobile_login == Login(None, None, {"type": None})


@pytest.mark.parametrize("word", ["Web", "Yes", "App", "Phone"])
def test_another_word_than_no_is_a_login_of_that_type(word: str) -> None:
    assert decode_one(l=word).login == Login(word, None, {"type": word})


@pytest.mark.parametrize(("duration", "since"), DURATIONS + UNSEEN_FORMS, ids=repr)
def test_a_call_and_a_break_say_when_they_began_in_any_likely_form(duration: Any, since: datetime) -> None:
    agent = decode_one(liC={"callId": "c1", "duration": duration}, br={"type": "Lunch", "duration": duration})
    assert agent.call == Call(since, {"callId": "c1"})
    assert agent.on_break == Break("Lunch", since, {"type": "Lunch"})


@pytest.mark.parametrize("duration", UNREADABLE, ids=repr)
def test_a_call_and_a_break_whose_duration_cannot_be_read_are_on_with_an_unknown_origin(
    duration: Any,
) -> None:
    agent = decode_one(liC={"duration": duration}, br={"duration": duration})
    assert agent.call == Call(None, {"duration": duration})
    assert agent.on_break == Break(None, None, {"duration": duration})


@pytest.mark.parametrize(
    "value", ["Yes", "ringing", 1, 7.5, True, ["c1"], [{"callId": "c1"}], {"callId": None}], ids=repr
)
def test_any_other_value_means_on_call_or_on_break_and_is_kept(value: Any) -> None:
    agent = decode_one(liC=value, br=value)
    assert agent.call == Call(None, value)
    assert agent.on_break
    assert agent.on_break.details == value
    assert agent.on_break.since is None


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("Lunch", "Lunch"),
        ({"type": "Lunch"}, "Lunch"),
        ({"reason": "Tea"}, "Tea"),
        ({"name": "Training"}, "Training"),
        ({"breakName": "Prayer"}, "Prayer"),
        ({"type": "", "name": "Training"}, "Training"),
        ({"type": 5, "name": "Training"}, "Training"),
        ({"type": None}, None),
        ({"id": "12"}, None),
        (1, None),
        (["Lunch"], None),
    ],
    ids=repr,
)
def test_a_break_tells_its_reason_where_it_can_be_found(value: Any, reason: str | None) -> None:
    on_break = decode_one(br=value).on_break
    assert on_break
    assert on_break.reason == reason


def test_details_stand_still_while_time_passes() -> None:
    shown = [
        decode_one(liC={"id": 1, "duration": ["0", "00", tick]}, l=login("0", "00", tick))
        for tick in ("10", "11")
    ]
    assert [agent.call and agent.call.details for agent in shown] == [{"id": 1}] * 2
    assert [agent.login and agent.login.details for agent in shown] == [{"type": "Web"}] * 2


@pytest.mark.parametrize("key", ["l", "ml", "liC", "br"])
@pytest.mark.parametrize(
    "value",
    [
        login(),
        {"duration": ["0", "01", "00"]},
        {"duration": ["0", "01", "00"], "type": "Web", "x": [1, {"y": None}]},
        {"type": "Web"},
        {"x": 1},
        "Yes",
    ],
    ids=repr,
)
def test_an_episode_of_any_shape_survives_the_way_there_and_back(key: str, value: Any) -> None:
    snapshot = decode(row("1", **{key: value}), row("2"))
    again = decode_snapshot(encode_snapshot(snapshot))
    assert again == snapshot
    assert encode_snapshot(again) == encode_snapshot(snapshot)


@pytest.mark.parametrize("value", [True, 1, ["c1"], {"duration": "soon"}, {"duration": 65}], ids=repr)
@pytest.mark.parametrize("key", ["liC", "br"])
def test_a_call_or_break_of_a_shape_never_seen_survives_the_way_there_and_back(key: str, value: Any) -> None:
    snapshot = decode(row("1", **{key: value}), row("2"))
    assert decode_snapshot(encode_snapshot(snapshot)) == snapshot
