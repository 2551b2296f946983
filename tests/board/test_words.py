"""Short texts for people."""

from __future__ import annotations

import time
import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, strategies as st

from deepcall_async import (
    Agent,
    AgentAdded,
    AgentRemoved,
    AgentState,
    AgentUpdated,
    Basis,
    BreakEnded,
    BreakStarted,
    CallEnded,
    CallStarted,
    Channel,
    CountersReset,
    LoggedIn,
    LoggedOut,
    Login,
    Transition,
    UnseenActivity,
)
from deepcall_async._board.words import age, channels, describe, line, named, plain, stamp, when

FOUR_MINUTES = timedelta(minutes=4)


@given(st.text())
def test_plain_text_never_commands_the_terminal(text: str) -> None:
    shown = plain(text)
    assert not any(unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp") for letter in shown)
    assert len(shown) <= 80


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Ravi", "Ravi"),
        ("\x1b[31mEve\x1b[0m", "\ufffd[31mEve\ufffd[0m"),
        ("\x9b2J", "\ufffd2J"),
        ("a\nb\tc\u2028d", "a b c d"),
        ("\u202egnp.exe", "\ufffdgnp.exe"),
        ("[red]x[/red]", "[red]x[/red]"),
        ("क्\u200dष", "क्\u200dष"),
        ("x" * 100, "x" * 79 + "…"),
        ("\ud800", "\ufffd"),
    ],
)
def test_text_from_the_wire_is_shown_and_not_obeyed(text: str, shown: str) -> None:
    assert plain(text) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "0:00"),
        (-5, "0:00"),
        (59.9, "0:59"),
        (724, "12:04"),
        (3731, "1:02:11"),
        (359_999, "99:59:59"),
        (12_364_572, "143 d"),
    ],
)
def test_a_duration_is_as_long_as_it_needs_to_be(seconds: float, shown: str) -> None:
    assert age(timedelta(seconds=seconds)) == shown


def test_a_date_is_shown_in_the_local_zone_and_says_which(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    time.tzset()
    assert stamp(datetime(2024, 11, 16, 12, 19, 25, tzinfo=UTC)) == "2024-11-16 17:49:25+05:30"


def test_an_agent_is_named_with_its_id_because_names_repeat(make_agent: Callable[..., Agent]) -> None:
    assert named(make_agent("7", name="Sunil\x07")) == "Sunil\ufffd (7)"
    assert named(make_agent("7", name=None)) == "agent 7"


def test_login_channels_are_told_apart(make_agent: Callable[..., Agent]) -> None:
    assert channels(make_agent("1")) == "web"
    assert channels(make_agent("1", mobile_login=Login())) == "web+mob"
    assert channels(make_agent("1", login=None, mobile_login=Login())) == "mobile"
    assert channels(make_agent("1", login=None)) == ""


@pytest.mark.parametrize(
    ("kind", "fields", "words"),
    [
        (AgentAdded, {}, "came into view, available"),
        (AgentRemoved, {}, "is gone from view"),
        (LoggedIn, {"channel": Channel.WEB}, "logged in (web)"),
        (LoggedOut, {"channel": Channel.MOBILE, "duration": None}, "logged out (mobile)"),
        (LoggedOut, {"channel": Channel.WEB, "duration": FOUR_MINUTES}, "logged out (web) after 4:00"),
        (BreakStarted, {"reason": None}, "break began"),
        (BreakStarted, {"reason": "Tea\x1b"}, "break began: Tea\ufffd"),
        (BreakEnded, {"reason": "Tea", "duration": FOUR_MINUTES}, "break ended after 4:00: Tea"),
        (CallStarted, {}, "call began"),
        (CallEnded, {"duration": FOUR_MINUTES}, "call ended after 4:00"),
        (UnseenActivity, {"calls": None, "talk_time": None}, "unseen break or ring"),
        (UnseenActivity, {"calls": 1, "talk_time": None}, "1 unseen call"),
        (UnseenActivity, {"calls": 2, "talk_time": FOUR_MINUTES}, "2 unseen calls, 4:00 talk"),
        (CountersReset, {}, "call counters began anew"),
    ],
)
def test_every_transition_has_its_words(
    kind: type[Any],
    fields: dict[str, Any],
    words: str,
    make_agent: Callable[..., Agent],
    make_transition: Callable[..., Transition],
) -> None:
    assert describe(make_transition(kind, make_agent("1"), **fields)) == words


@pytest.mark.parametrize(
    ("field", "before", "after", "words"),
    [
        ("login", Login("Web"), Login("App"), "web login by: Web → App"),
        ("name", "Ann", "Ann\x1b", "name: Ann → Ann\ufffd"),
        ("is_occupied", False, True, "occupied: no → yes"),
        ("sip_status", None, "online", "SIP: unknown → online"),
        ("talk_time", FOUR_MINUTES, timedelta(0), "talk time: 4:00 → 0:00"),
        ("available_since", None, datetime(2024, 1, 1, 9, tzinfo=UTC), "available since: unknown → 09:00:00"),
    ],
)
def test_a_changed_field_shows_both_values(
    *,
    field: str,
    before: object,
    after: object,
    words: str,
    make_agent: Callable[..., Agent],
    make_transition: Callable[..., Transition],
) -> None:
    old, new = make_agent("1", **{field: before}), make_agent("1", **{field: after})
    assert describe(make_transition(AgentUpdated, new, previous=old, field=field)) == words


def test_a_time_known_only_within_bounds_is_marked(
    make_agent: Callable[..., Agent], make_transition: Callable[..., Transition]
) -> None:
    agent = make_agent("1", AgentState.ON_CALL)
    assert when(make_transition(CallStarted, agent, bounds=2)) == "12:19:25"
    assert when(make_transition(CallStarted, agent, bounds=60)) == "~12:19:25"


def test_a_line_of_the_log_says_when_who_what_and_how_it_is_known(
    make_agent: Callable[..., Agent], make_transition: Callable[..., Transition]
) -> None:
    transition = make_transition(CallStarted, make_agent("7"), bounds=60, basis=Basis.INFERRED)
    assert line(transition) == "2024-11-16 12:19:25+00:00  Agent 7 (7): call began [inferred, within 1:00]"
