"""The evidence table of the stream contract, line by line: what is seen, what is said, and when that was."""

from __future__ import annotations

from typing import Any

import pytest

from deepcall_async import CallEnded, CallStarted, LoggedIn, LoggedOut
from deepcall_async._inference.rules import RULES

from .floors import Floor, Seat, at, clock, teach, words


@pytest.fixture
def floor() -> Floor:
    """A floor that has shown how its server counts, last polled at 08:00:00."""
    floor = Floor(scope="desk")
    teach(floor)
    return floor


@pytest.fixture
def asha(floor: Floor) -> Seat:
    """An agent, logged in on the web and idle at 12:00:00."""
    seat = floor.seat("468", web="07:30:00", calls=10, talk=900)
    floor.poll("12:00:00")
    return seat


SIDES = [("web", "logged_in", "logged_out"), ("mobile", "logged_in", "logged_out")]
SIDES += [("on_break", "break_started", "break_ended"), ("call", "call_started", "call_ended")]


def side(name: str) -> str:
    """The word that stands behind a transition's kind."""
    return {"on_break": " Tea", "call": ""}.get(name, f" {name}")


# --- a login, break or call appears ---------------------------------------------------------------


@pytest.mark.parametrize(("name", "began", "_"), SIDES)
def test_what_appears_began_at_its_origin(floor: Floor, name: str, began: str, _: str) -> None:
    seat = floor.seat(web=None if name == "web" else "07:00:00")
    floor.poll("12:00:00")
    setattr(seat, name, "12:00:05")

    assert floor.tell("12:00:10") == [f"468 {began}{side(name)} 12:00:05 [12:00:04..12:00:06] observed"]


@pytest.mark.parametrize(("name", "began", "_"), SIDES)
def test_an_origin_before_the_poll_that_saw_nothing_is_clamped(
    floor: Floor, name: str, began: str, _: str
) -> None:
    seat = floor.seat(web=None if name == "web" else "07:00:00")
    floor.poll("12:00:00")
    setattr(seat, name, "11:00:00")

    assert floor.tell("12:00:10") == [f"468 {began}{side(name)} 12:00:00 [12:00:00..12:00:10] observed"]


@pytest.mark.parametrize(("name", "began", "_"), SIDES)
def test_an_origin_after_the_poll_that_shows_it_is_clamped(
    floor: Floor, name: str, began: str, _: str
) -> None:
    seat = floor.seat(web=None if name == "web" else "07:00:00")
    floor.poll("12:00:00")
    setattr(seat, name, {"type": "Tea", "duration": ["0", "00", "00"]})
    seat.more = {"avT": ["6", "00", "12"]}  # the row's own second is two ahead of the floor's
    floor.seat("1")
    floor.seat("2")

    line = next(words(t) for t in floor.poll("12:00:10").transitions if t.kind == began)

    assert line.startswith(f"468 {began}")
    assert line.endswith("12:00:10 [12:00:09..12:00:10] observed")


def test_what_begins_in_the_second_of_a_poll_is_told_for_that_second(floor: Floor, asha: Seat) -> None:
    asha.call = "12:00:00"
    assert floor.tell("12:00:10") == ["468 call_started 12:00:00 [12:00:00..12:00:01] observed"]


def test_what_begins_in_the_second_of_the_next_poll_is_told_for_that_second(floor: Floor, asha: Seat) -> None:
    asha.call = "12:00:10"
    assert floor.tell("12:00:10") == ["468 call_started 12:00:10 [12:00:09..12:00:10] observed"]


@pytest.mark.parametrize(
    ("name", "shown", "kind"),
    [
        ("call", "Yes", "call_started"),
        ("call", {"callId": "c1"}, "call_started"),
        ("call", {"duration": "soon"}, "call_started"),
        ("call", 1, "call_started"),
        ("on_break", "Lunch", "break_started Lunch"),
        ("on_break", {"reason": "Lunch"}, "break_started Lunch"),
        ("on_break", ["Lunch"], "break_started"),
        ("web", "Web", "logged_in web"),
        ("mobile", {"type": "App"}, "logged_in mobile"),
        ("mobile", {"type": "App", "duration": []}, "logged_in mobile"),
    ],
)
def test_what_appears_without_an_origin_began_some_time_since_the_last_poll(
    floor: Floor, name: str, shown: Any, kind: str
) -> None:
    seat = floor.seat(web=None if name == "web" else "07:00:00")
    floor.poll("12:00:00")
    setattr(seat, name, shown)

    assert floor.tell("12:00:10") == [f"468 {kind} 12:00:10 [12:00:00..12:00:10] observed"]


@pytest.mark.parametrize("shown", ["No", "no", " NO ", "", None, [], {}, False, 0])
@pytest.mark.parametrize("name", ["call", "on_break"])
def test_every_way_to_say_none_says_none(floor: Floor, asha: Seat, name: str, shown: Any) -> None:
    asha.more = {"liC" if name == "call" else "br": shown}
    assert floor.tell("12:00:10", on_call=0, on_break=0) == []


@pytest.mark.parametrize("duration", [["0", "00", "05"], [0, 0, 5], 5, "5", "00:00:05"])
@pytest.mark.parametrize("name", ["call", "on_break"])
def test_an_origin_is_read_from_every_form_of_duration(
    floor: Floor, asha: Seat, name: str, duration: Any
) -> None:
    setattr(asha, name, {"duration": duration})
    (line,) = floor.tell("12:00:10")
    assert line.endswith(" 12:00:05 [12:00:04..12:00:06] observed")


# --- a login, break or call disappears ------------------------------------------------------------


@pytest.mark.parametrize(("name", "_", "ended"), SIDES)
def test_what_disappears_ended_since_the_last_poll_and_took_as_long_as_its_origin_says(
    floor: Floor, name: str, _: str, ended: str
) -> None:
    seat = floor.seat(web="07:00:00")
    setattr(seat, name, "11:00:00")
    floor.poll("12:00:00")
    setattr(seat, name, None)

    assert floor.tell("12:00:10") == [
        f"468 {ended}{side(name)} 12:00:10 [12:00:00..12:00:10] observed after 3610 s"
    ]


@pytest.mark.parametrize(("name", "_", "ended"), SIDES)
def test_what_disappears_without_an_origin_has_no_duration(
    floor: Floor, name: str, _: str, ended: str
) -> None:
    seat = floor.seat(web="07:00:00")
    setattr(seat, name, {"type": "Tea"})
    floor.poll("12:00:00")
    setattr(seat, name, None)

    assert floor.tell("12:00:10") == [f"468 {ended}{side(name)} 12:00:10 [12:00:00..12:00:10] observed"]


@pytest.mark.parametrize(("name", "ended"), [("on_break", "break_ended"), ("call", "call_ended")])
def test_a_break_or_call_was_over_when_its_agent_became_available(
    floor: Floor, asha: Seat, name: str, ended: str
) -> None:
    setattr(asha, name, "12:00:05")
    floor.poll("12:00:10")
    setattr(asha, name, None)
    asha.available = "12:00:17"

    assert floor.tell("12:00:20") == [
        f"468 {ended}{side(name)} 12:00:17 [12:00:10..12:00:17] observed after 12 s"
    ]


def test_a_new_availability_does_not_time_the_end_of_a_login(floor: Floor, asha: Seat) -> None:
    asha.web, asha.available = None, "12:00:07"
    (line,) = floor.tell("12:00:10")
    assert line.startswith("468 logged_out web 12:00:10 [12:00:00..12:00:10] observed")


def test_talk_time_tells_the_end_of_a_call_that_wrap_up_follows(floor: Floor, asha: Seat) -> None:
    asha.call, asha.occupied = "12:00:05", True
    floor.poll("12:00:10")
    asha.call, asha.calls, asha.talk = None, 11, 920

    assert floor.tell("12:01:00") == ["468 call_ended 12:00:25 [12:00:24..12:00:26] observed after 20 s"]


def test_talk_time_that_contradicts_the_polls_tells_nothing(floor: Floor, asha: Seat) -> None:
    asha.call, asha.occupied = "12:00:05", True
    floor.poll("12:00:10")
    asha.call, asha.calls, asha.talk = None, 11, 5000

    (line,) = floor.tell("12:01:00")

    assert line.startswith("468 call_ended 12:01:00 [12:00:10..12:01:00] observed")


def test_no_end_is_told_before_its_start_whatever_origins_and_talk_time_claim(
    floor: Floor, asha: Seat
) -> None:
    asha.call = "11:00:00"
    assert floor.tell("12:00:10") == ["468 call_started 12:00:00 [12:00:00..12:00:10] observed"]
    asha.call, asha.calls, asha.talk = "11:50:00", 11, 900 + 3120
    ended, started = floor.poll("12:00:20").transitions
    assert words(ended).startswith("468 call_ended 12:00:00 ")
    assert words(started).startswith("468 call_started 12:00:10 ")


def test_the_end_of_wrap_up_is_no_activity(floor: Floor, asha: Seat) -> None:
    asha.call, asha.occupied = "12:00:05", True
    floor.poll("12:00:10")
    asha.call, asha.calls, asha.talk = None, 11, 908
    floor.poll("12:00:20")
    asha.occupied, asha.available = False, "12:00:35"

    assert floor.tell("12:00:40") == ["468 agent_updated is_occupied 12:00:35 [12:00:20..12:00:35] observed"]


# --- another login, break or call is there --------------------------------------------------------


def test_a_login_that_moved_later_is_a_logout_and_a_login(floor: Floor, asha: Seat) -> None:
    asha.web = "12:00:30"
    assert floor.tell("12:01:00") == [
        "468 logged_out web 12:00:30 [12:00:00..12:00:31] inferred after 16230 s",
        "468 logged_in web 12:00:30 [12:00:29..12:00:31] inferred",
    ]


def test_a_mobile_relogin_leaves_the_web_login_alone(floor: Floor) -> None:
    seat = floor.seat(web="07:00:00", mobile="11:59:00")
    floor.poll("12:00:00")
    seat.mobile = "12:00:03"
    assert floor.tell("12:00:10") == [
        "468 logged_out mobile 12:00:03 [12:00:00..12:00:04] inferred after 63 s",
        "468 logged_in mobile 12:00:03 [12:00:02..12:00:04] inferred",
    ]


def test_a_break_that_moved_later_ended_by_the_new_availability(floor: Floor) -> None:
    seat = floor.seat(web="07:00:00", on_break="11:59:00", available="11:00:00")
    floor.poll("12:00:00")
    seat.on_break, seat.available, seat.reason = "12:00:30", "12:00:20", "Lunch"
    assert floor.tell("12:01:00") == [
        "468 break_ended Tea 12:00:20 [12:00:00..12:00:20] inferred after 80 s",
        "468 break_started Lunch 12:00:30 [12:00:29..12:00:31] inferred",
    ]


def test_a_call_that_moved_later_ended_when_its_talk_time_was_over(floor: Floor) -> None:
    seat = floor.seat(web="07:00:00", call="11:59:00", occupied=True, calls=1, talk=100)
    floor.poll("12:00:00")
    seat.call, seat.calls, seat.talk = "12:00:40", 2, 170
    assert floor.tell("12:01:00") == [
        "468 call_ended 12:00:10 [12:00:09..12:00:11] inferred after 70 s",
        "468 call_started 12:00:40 [12:00:39..12:00:41] inferred",
    ]


@pytest.mark.parametrize("name", ["web", "mobile", "on_break", "call"])
@pytest.mark.parametrize("second", ["11:00:00", "11:58:00", "11:58:59", "11:59:02", "11:59:05"])
def test_an_origin_read_up_to_five_seconds_later_or_any_time_earlier_is_the_same(
    floor: Floor, name: str, second: str
) -> None:
    seat = floor.seat(web="07:00:00")
    setattr(seat, name, "11:59:00")
    floor.poll("12:00:00")
    setattr(seat, name, second)
    update = floor.poll("12:00:10")
    assert update.transitions == ()
    episode = {"web": "login", "mobile": "mobile_login"}.get(name, name)
    assert clock(getattr(update.snapshot.agents["468"], episode).since) == "11:59:00"


@pytest.mark.parametrize("name", ["web", "mobile", "on_break", "call"])
def test_an_origin_read_six_seconds_later_is_another(floor: Floor, name: str) -> None:
    seat = floor.seat(web="07:00:00")
    setattr(seat, name, "11:59:59")
    floor.poll("12:00:00")
    setattr(seat, name, "12:00:05")
    ended, begun = floor.poll("12:00:10").transitions
    assert (ended.at, begun.at) == (at("12:00:05"), at("12:00:05"))


@pytest.mark.parametrize("name", ["web", "mobile", "on_break", "call"])
def test_an_origin_that_moved_to_before_the_last_poll_is_no_other(floor: Floor, name: str) -> None:
    """The clock was set ahead, and elapsed times are counted: that poll would have shown the other."""
    seat = floor.seat(web="07:00:00")
    setattr(seat, name, "11:59:00")
    floor.poll("12:00:00")
    setattr(seat, name, "11:59:33")
    assert floor.poll("12:10:33").transitions == ()
    assert floor.poll("12:20:33").transitions == ()


@pytest.mark.parametrize("name", ["web", "mobile", "on_break", "call"])
def test_an_origin_read_three_seconds_later_is_another_if_the_agent_became_available_before_it(
    floor: Floor, name: str
) -> None:
    seat = floor.seat(web="07:00:00")
    setattr(seat, name, "11:59:59")
    floor.poll("12:00:00")
    setattr(seat, name, "12:00:02")
    seat.available = "12:00:02"
    ended, begun = floor.poll("12:00:10").transitions
    assert (ended.at, begun.at) == (at("12:00:02"), at("12:00:02"))


def test_a_break_for_another_reason_is_another_break(floor: Floor) -> None:
    seat = floor.seat(web="07:00:00", on_break={"type": "Tea"})
    floor.poll("12:05:00")
    seat.on_break = {"type": "Lunch"}
    assert floor.tell("12:35:00") == [
        "468 break_ended Tea 12:35:00 [12:05:00..12:35:00] inferred",
        "468 break_started Lunch 12:35:00 [12:05:00..12:35:00] inferred",
    ]
    seat.on_break = {"type": "Lunch", "floor": 3}
    assert floor.tell("12:40:00") == []


def test_a_break_that_only_changes_its_reason_began_after_the_poll_that_showed_the_other(
    floor: Floor,
) -> None:
    seat = floor.seat(web="07:00:00", on_break="12:00:00", reason="Tea")
    floor.poll("12:05:00")
    seat.reason = "Lunch"
    ended, begun = floor.poll("12:35:00").transitions
    assert words(ended) == "468 break_ended Tea 12:35:00 [12:05:00..12:35:00] inferred after 2100 s"
    assert words(begun) == "468 break_started Lunch 12:35:00 [12:05:00..12:35:00] inferred"
    assert begun.id.removeprefix("468:break_started:") != ended.id.removeprefix("468:break_ended:")


def test_two_calls_that_are_read_to_begin_in_the_same_second_have_two_ids(floor: Floor) -> None:
    seat = floor.seat(web="07:00:00")
    floor.poll("12:00:00")
    ids = []
    for second in (1, 2, 3, 4):
        seat.call = "12:00:01" if second % 2 else None
        ids += [t.id for t in floor.poll(f"12:00:0{second}").transitions]
    assert len(ids) == len(set(ids)) == 4


def test_calls_without_origins_are_two_when_the_agent_became_available_between_them(floor: Floor) -> None:
    seat = floor.seat(web="07:00:00", call="Yes", occupied=True, calls=1, talk=100)
    floor.poll("12:00:00")
    seat.calls, seat.talk, seat.available = 2, 170, "12:00:20"
    assert floor.tell("12:01:00") == [
        "468 call_ended 12:00:20 [12:00:00..12:00:20] inferred",
        "468 call_started 12:01:00 [12:00:00..12:01:00] inferred",
    ]


def test_calls_without_origins_are_two_when_the_counter_says_so(floor: Floor) -> None:
    seat = floor.seat(web="07:00:00", call="Yes", occupied=True, calls=1, talk=100)
    floor.poll("12:00:00")
    seat.calls, seat.talk = 2, 170
    assert floor.tell("12:01:00") == [
        "468 call_ended 12:01:00 [12:00:00..12:01:00] inferred",
        "468 call_started 12:01:00 [12:00:00..12:01:00] inferred",
    ]


def test_logins_without_origins_are_one_though_the_agent_became_available(floor: Floor) -> None:
    seat = floor.seat(web="Web")
    floor.poll("12:00:00")
    seat.available = "12:00:20"
    kinds = [t.kind for t in floor.poll("12:01:00").transitions]
    assert kinds == ["unseen_activity"]


def test_relogin_and_call_and_break_in_one_gap_are_told_in_order(floor: Floor, asha: Seat) -> None:
    asha.web, asha.available, asha.on_break = "12:00:10", "12:00:50", "12:00:55"
    asha.calls, asha.talk = 11, 920
    assert floor.tell("12:01:00") == [
        "468 logged_out web 12:00:10 [12:00:00..12:00:11] inferred after 16210 s",
        "468 logged_in web 12:00:10 [12:00:09..12:00:11] inferred",
        "468 call_started 12:00:40 [12:00:00..12:00:40] inferred",
        "468 break_started Tea 12:00:55 [12:00:54..12:00:56] observed",
        "468 call_ended 12:01:00 [12:00:20..12:01:00] inferred after 20 s",
    ]


# --- hidden calls ---------------------------------------------------------------------------------


def test_a_hidden_call_ends_when_its_agent_becomes_available(floor: Floor, asha: Seat) -> None:
    asha.calls, asha.talk, asha.available = 11, 920, "12:00:50"
    assert floor.tell("12:01:00") == [
        "468 call_started 12:00:30 [12:00:00..12:00:30] inferred",
        "468 call_ended 12:00:50 [12:00:20..12:00:50] inferred after 20 s",
    ]


def test_a_hidden_call_without_talk_time_has_no_length(floor: Floor, asha: Seat) -> None:
    asha.calls, asha.available = 11, "12:00:50"
    assert floor.tell("12:01:00") == [
        "468 call_started 12:00:50 [12:00:00..12:00:50] inferred",
        "468 call_ended 12:00:50 [12:00:00..12:00:50] inferred",
    ]


def test_a_hidden_call_whose_talk_time_does_not_fit_has_no_length(floor: Floor, asha: Seat) -> None:
    asha.calls, asha.talk, asha.available = 11, 5000, "12:00:50"
    assert floor.tell("12:01:00") == [
        "468 call_started 12:00:50 [12:00:00..12:00:50] inferred",
        "468 call_ended 12:00:50 [12:00:00..12:00:50] inferred",
    ]


def test_a_hidden_call_of_no_length_is_told(floor: Floor, asha: Seat) -> None:
    asha.calls, asha.talk, asha.available = 11, 900, "12:00:50"
    assert [line.split()[1] for line in floor.tell("12:01:00")] == ["call_started", "call_ended"]


def test_a_hidden_call_without_a_new_availability_lies_between_the_polls(floor: Floor, asha: Seat) -> None:
    asha.calls, asha.talk = 11, 920
    assert floor.tell("12:01:00") == [
        "468 call_started 12:00:40 [12:00:00..12:00:40] inferred",
        "468 call_ended 12:01:00 [12:00:20..12:01:00] inferred after 20 s",
    ]


def test_a_hidden_call_of_an_agent_who_is_on_break_again_lies_between_the_polls(
    floor: Floor, asha: Seat
) -> None:
    asha.calls, asha.talk, asha.available, asha.on_break = 11, 920, "12:00:30", "12:00:58"
    lines = floor.tell("12:01:00")
    assert lines[0] == "468 call_started 12:00:40 [12:00:00..12:00:40] inferred"
    assert lines[-1] == "468 call_ended 12:01:00 [12:00:20..12:01:00] inferred after 20 s"


def test_a_hidden_call_before_a_visible_one_was_over_when_that_began(floor: Floor, asha: Seat) -> None:
    asha.calls, asha.talk, asha.call, asha.occupied = 11, 920, "12:00:55", True
    assert floor.tell("12:01:00")[:3] == [
        "468 call_started 12:00:35 [12:00:00..12:00:36] inferred",
        "468 call_ended 12:00:55 [12:00:20..12:00:56] inferred after 20 s",
        "468 call_started 12:00:55 [12:00:54..12:00:56] observed",
    ]


def test_a_hidden_call_after_a_visible_one_follows_its_end(floor: Floor, asha: Seat) -> None:
    asha.call, asha.occupied = "12:00:05", True
    floor.poll("12:00:10")
    asha.call, asha.occupied, asha.calls, asha.talk, asha.available = None, False, 12, 950, "12:00:50"
    assert floor.tell("12:01:00")[:3] == [
        "468 call_ended 12:00:50 [12:00:10..12:00:50] observed after 45 s",
        "468 call_started 12:00:50 [12:00:10..12:00:50] inferred",
        "468 call_ended 12:00:50 [12:00:10..12:00:50] inferred",
    ]


@pytest.mark.parametrize("calls", [2, 3, 40, 1_000_000])
def test_several_hidden_calls_are_counted_and_never_told_apart(floor: Floor, asha: Seat, calls: int) -> None:
    asha.calls, asha.talk, asha.available = 10 + calls, 940, "12:00:50"
    assert floor.tell("12:01:00") == [
        f"468 unseen_activity {calls} calls of 40 s 12:01:00 [12:00:00..12:01:00] counted"
    ]


def test_several_hidden_calls_without_talk_time_are_counted(floor: Floor, asha: Seat) -> None:
    asha.calls = 12
    assert floor.tell("12:01:00") == ["468 unseen_activity 2 calls 12:01:00 [12:00:00..12:01:00] counted"]


def test_talk_time_that_a_visible_call_shares_is_not_given_to_hidden_ones(floor: Floor, asha: Seat) -> None:
    asha.call, asha.occupied = "12:00:05", True
    floor.poll("12:00:10")
    asha.call, asha.occupied, asha.calls, asha.talk = None, False, 13, 960
    assert "468 unseen_activity 2 calls 12:01:00 [12:00:10..12:01:00] counted" in floor.tell("12:01:00")


# --- unseen activity ------------------------------------------------------------------------------


def test_an_unexplained_availability_is_some_activity_that_ended_then(floor: Floor, asha: Seat) -> None:
    asha.available = "12:00:42"
    assert floor.tell("12:01:00") == ["468 unseen_activity 12:00:42 [12:00:00..12:00:42] inferred"]


@pytest.mark.parametrize(
    "explained",
    [
        {"web": None},
        {"mobile": "12:00:42"},
        {"on_break": "12:00:50"},
        {"call": "12:00:50"},
        {"calls": 11},
        {"talk": 920},
    ],
)
def test_what_explains_an_availability_leaves_no_other_activity(
    floor: Floor, asha: Seat, explained: dict[str, Any]
) -> None:
    asha.available = "12:00:42"
    for name, value in explained.items():
        setattr(asha, name, value)
    assert "unseen_activity" not in [t.kind for t in floor.poll("12:01:00").transitions]


def test_an_agent_occupied_at_the_last_poll_has_not_been_active_unseen(floor: Floor, asha: Seat) -> None:
    asha.occupied = True
    floor.poll("12:00:30")
    asha.occupied, asha.available = False, "12:00:42"
    assert [t.kind for t in floor.poll("12:01:00").transitions] == ["agent_updated"]


def test_an_agent_who_is_logged_out_has_not_been_active_unseen(floor: Floor) -> None:
    seat = floor.seat()
    floor.poll("12:00:00")
    seat.available = "12:00:42"
    assert floor.tell("12:01:00") == []


@pytest.mark.parametrize("available", ["07:00:00", "11:59:59"])
def test_an_availability_before_the_last_poll_says_nothing(floor: Floor, asha: Seat, available: str) -> None:
    asha.available = available
    assert floor.tell("12:01:00") == []


def test_an_availability_in_the_future_is_clamped_to_the_poll(floor: Floor, asha: Seat) -> None:
    floor.seat("1")
    floor.poll("12:00:30")
    floor.seat("2")
    floor.poll("12:00:40")
    asha.available = "18:00:00"
    assert floor.tell("12:01:00") == ["468 unseen_activity 12:01:00 [12:00:40..12:01:00] inferred"]


def test_a_server_that_never_showed_wrap_up_proves_no_activity_by_an_availability() -> None:
    floor = Floor()
    seat = floor.seat(web="07:00:00")
    floor.poll("12:00:00")
    seat.available = "12:00:42"
    assert floor.tell("12:01:00") == []


# --- what is no episode ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "field", "value"),
    [
        ("name", "name", "Asha Rao"),
        ("occupied", "is_occupied", True),
        ("mic", "microphone_permitted", True),
        ("sip", "sip_status", "online"),
    ],
)
def test_a_field_that_changed_is_told_with_both_values(
    floor: Floor, asha: Seat, name: str, field: str, value: Any
) -> None:
    setattr(asha, name, value)
    (updated,) = floor.poll("12:00:10").transitions
    assert words(updated) == f"468 agent_updated {field} 12:00:10 [12:00:00..12:00:10] observed"
    assert updated.previous is not None
    assert getattr(updated.agent, field) == value != getattr(updated.previous, field)


@pytest.mark.parametrize("name", ["name", "occupied", "mic", "sip"])
def test_a_field_that_is_not_sent_any_more_has_not_changed(floor: Floor, asha: Seat, name: str) -> None:
    setattr(asha, name, None)
    assert floor.tell("12:00:10") == []


def test_a_field_that_is_left_out_for_a_while_has_changed_since_it_was_sent_last(
    floor: Floor, asha: Seat
) -> None:
    asha.sip = "online"
    floor.poll("12:00:05")
    asha.sip = None
    assert floor.tell("12:00:10") == []
    asha.sip = "online"
    assert floor.tell("12:00:15") == []
    asha.sip = None
    floor.poll("12:00:20")
    floor.poll("12:00:25")
    asha.sip = "offline"
    (update,) = floor.poll("12:00:30").transitions
    assert words(update) == "468 agent_updated sip_status 12:00:30 [12:00:15..12:00:30] observed"
    assert update.previous is not None
    assert (update.previous.sip_status, update.agent.sip_status) == ("online", "offline")


def test_a_login_that_the_server_calls_something_else_goes_on(floor: Floor) -> None:
    seat = floor.seat(web={"type": "Web", "duration": ["3", "00", "00"]})
    floor.poll("12:00:00")
    seat.web = {"type": "App", "duration": ["3", "00", "10"]}
    (update,) = floor.poll("12:00:10").transitions
    assert words(update) == "468 agent_updated login 12:00:10 [12:00:00..12:00:10] observed"


def test_an_agent_is_occupied_no_later_than_its_call_began(floor: Floor, asha: Seat) -> None:
    asha.occupied, asha.call = True, "12:00:04"
    assert floor.tell("12:00:10") == [
        "468 call_started 12:00:04 [12:00:03..12:00:05] observed",
        "468 agent_updated is_occupied 12:00:04 [12:00:00..12:00:05] observed",
    ]


def test_counters_that_fell_are_reset_and_make_no_call(floor: Floor, asha: Seat) -> None:
    asha.calls, asha.talk = 0, 0
    assert floor.tell("12:00:10") == ["468 counters_reset 12:00:10 [12:00:00..12:00:10] observed"]


# --- ids ------------------------------------------------------------------------------------------


def test_an_episode_is_named_by_whose_what_and_its_origin(floor: Floor, asha: Seat) -> None:
    asha.call = "12:00:05"
    (started,) = floor.poll("12:00:10").transitions
    asha.call = None
    (ended,) = floor.poll("12:00:20").transitions
    origin = int(at("12:00:05").timestamp())
    assert (started.id, ended.id) == (
        f"desk:468:call_started:call.{origin}",
        f"desk:468:call_ended:call.{origin}",
    )


def test_an_episode_without_an_origin_is_named_by_the_poll_before_it(floor: Floor, asha: Seat) -> None:
    asha.call = "Yes"
    (started,) = floor.poll("12:00:10").transitions
    asha.call = {"duration": ["0", "00", "12"]}  # its origin, learnt later, does not rename it
    assert floor.tell("12:00:12") == []
    asha.call = None
    (ended,) = floor.poll("12:00:20").transitions
    poll = int(at("12:00:00").timestamp())
    assert (started.id, ended.id) == (
        f"desk:468:call_started:call.p{poll}",
        f"desk:468:call_ended:call.p{poll}",
    )


def test_both_halves_of_a_hidden_call_are_named_by_the_availability_after_it(
    floor: Floor, asha: Seat
) -> None:
    asha.calls, asha.talk, asha.available = 11, 920, "12:00:50"
    started, ended = floor.poll("12:01:00").transitions
    available = int(at("12:00:50").timestamp())
    assert started.id == f"desk:468:call_started:hidden.a{available}"
    assert ended.id == f"desk:468:call_ended:hidden.a{available}"


def test_logins_of_the_two_channels_have_different_ids(floor: Floor) -> None:
    seat = floor.seat()
    floor.poll("12:00:00")
    seat.web = seat.mobile = "12:00:05"
    web, mobile = floor.poll("12:00:10").transitions
    assert isinstance(web, LoggedIn)
    assert isinstance(mobile, LoggedIn)
    assert web.id != mobile.id


def test_an_episode_that_flaps_keeps_its_name_apart_from_the_first_time(floor: Floor, asha: Seat) -> None:
    asha.call = "12:00:05"
    first = floor.poll("12:00:10").transitions
    asha.call = None
    floor.poll("12:00:20")
    asha.call = "12:00:05"
    (again,) = floor.poll("12:00:30").transitions
    assert words(again) == "468 call_started 12:00:20 [12:00:20..12:00:30] observed"
    assert again.id != first[0].id


# --- agent, previous ------------------------------------------------------------------------------


def test_a_transition_holds_the_agent_before_and_after(floor: Floor, asha: Seat) -> None:
    asha.call = "12:00:05"
    (started,) = floor.poll("12:00:10").transitions
    assert isinstance(started, CallStarted)
    assert started.previous is not None
    assert started.previous.call is None
    assert started.agent.call is not None
    asha.call, asha.web = None, "12:00:15"
    after = floor.poll("12:00:20").transitions
    assert [type(t) for t in after] == [LoggedOut, LoggedIn, CallEnded]
    assert {t.previous for t in after} == {started.agent}
    assert {t.agent for t in after} == {floor.live.receive(floor.reply("12:00:20")).snapshot.agents["468"]}


def test_every_rule_says_what_is_seen_what_is_said_when_and_how_it_is_known() -> None:
    assert all(all((rule.seen, rule.said, rule.time, rule.basis)) for rule in RULES)
    assert len({rule.tell for rule in RULES}) == len(RULES)
