"""Agents who come and go, unreadable rows, origins that are pinned, and the order of what is told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from deepcall_async import AgentAdded, LiveFloor
from deepcall_async._inference.absence import REMEMBERED
from deepcall_async._inference.clock_step import ClockStep, stepped
from deepcall_async._inference.delta import View, look
from deepcall_async._inference.differ import diff
from deepcall_async._inference.floor_state import first_state
from deepcall_async._inference.plausibility import OLDER
from deepcall_async._wire.decoder import decode_snapshot
from deepcall_async._wire.unread import MOST_LISTED

from .floors import Floor, Seat, at, clock, teach, words

UNREADABLE = {"avT": "soon"}
NO_ID = {"I": None, **UNREADABLE}


@pytest.fixture
def floor() -> Floor:
    """Two agents at 12:00:00: 468 logged in, 7 not."""
    floor = Floor(Seat("468", web="07:00:00"), Seat("7"))
    floor.poll("12:00:00")
    return floor


@pytest.fixture
def logins() -> Floor:
    """The same with status "login", where only the logged in have rows: 468 and 1."""
    floor = Floor(Seat("468", web="07:00:00"), Seat("1", web="06:00:00"), status="login")
    floor.poll("12:00:00")
    return floor


# --- added and removed ----------------------------------------------------------------------------


def test_an_agent_who_comes_into_view_is_added_some_time_since_the_last_poll(floor: Floor) -> None:
    floor.seat("9")
    assert floor.tell("12:00:10") == ["9 agent_added 12:00:10 [12:00:00..12:00:10] observed"]


def test_what_an_added_agent_was_doing_already_is_no_news(floor: Floor) -> None:
    floor.seat("9", web="09:00:00", mobile="Mobile", on_break="11:59:00", occupied=True)
    (added,) = floor.poll("12:00:10").transitions
    assert isinstance(added, AgentAdded)
    assert added.previous is None
    assert added.agent.on_break is not None


def test_what_an_added_agent_began_in_the_gap_is_told_after_the_addition(floor: Floor) -> None:
    floor.seat("9", web="12:00:04", on_break="12:00:08", mobile="12:00:00")
    assert floor.tell("12:00:10") == [
        "9 agent_added 12:00:00 [12:00:00..12:00:00] observed",
        "9 logged_in mobile 12:00:00 [12:00:00..12:00:01] observed",
        "9 logged_in web 12:00:04 [12:00:03..12:00:05] observed",
        "9 break_started Tea 12:00:08 [12:00:07..12:00:09] observed",
    ]


def test_a_removed_agent_is_told_with_its_last_known_state_and_nothing_else(floor: Floor) -> None:
    floor.seats["468"].call = "12:00:05"
    before = floor.poll("12:00:10").snapshot.agents["468"]
    del floor.seats["468"]
    (removed,) = floor.poll("12:00:20").transitions
    assert words(removed) == "468 agent_removed 12:00:20 [12:00:10..12:00:20] observed"
    assert removed.agent == removed.previous == before


def test_a_removed_agent_who_comes_back_is_added_anew(floor: Floor) -> None:
    seat = floor.seats.pop("468")
    (first,) = floor.poll("12:00:10").transitions
    floor.seats["468"] = seat
    seat.calls = 700
    assert floor.tell("12:00:20") == ["468 agent_added 12:00:20 [12:00:10..12:00:20] observed"]
    del floor.seats["468"]
    (again,) = floor.poll("12:00:30").transitions
    assert first.id != again.id


def test_an_agent_replaced_by_another_of_the_same_name_is_two_agents(floor: Floor) -> None:
    del floor.seats["468"]
    floor.seat("469", web="07:00:00")
    kinds = [(t.agent.id, t.kind) for t in floor.poll("12:00:10").transitions]
    assert kinds == [("468", "agent_removed"), ("469", "agent_added")]


# --- status "login" -------------------------------------------------------------------------------


def test_by_login_an_agent_whose_row_appears_logged_in(logins: Floor) -> None:
    logins.seat("9", web="12:00:04")
    assert logins.tell("12:00:10") == ["9 logged_in web 12:00:04 [12:00:03..12:00:05] observed"]


def test_by_login_an_agent_whose_row_disappears_logged_out_of_everything(logins: Floor) -> None:
    logins.seats["468"].mobile = "11:00:00"
    logins.seats["468"].call = "12:00:03"
    logins.poll("12:00:05")
    del logins.seats["468"]
    update = logins.poll("12:00:10")
    assert [words(t) for t in update.transitions] == [
        "468 logged_out web 12:00:10 [12:00:05..12:00:10] observed after 18010 s",
        "468 logged_out mobile 12:00:10 [12:00:05..12:00:10] observed after 3610 s",
    ]
    assert "468" not in update.snapshot.agents


def test_by_login_a_call_goes_on_while_its_agent_is_logged_out(logins: Floor) -> None:
    """A web panel is reloaded, the call on the phone goes on: its origin in the next row proves it."""
    seat = logins.seats.pop("468")
    seat.call, seat.occupied, seat.calls, seat.talk = "11:50:00", True, 5, 300
    logins.seats["468"] = seat
    logins.poll("12:00:05")
    del logins.seats["468"]
    assert [line.split()[1] for line in logins.tell("12:00:10")] == ["logged_out"]
    logins.seats["468"], seat.web = seat, "12:00:12"
    assert logins.tell("12:00:15") == ["468 logged_in web 12:00:12 [12:00:11..12:00:13] observed"]
    seat.call, seat.occupied, seat.available, seat.calls, seat.talk = None, False, "12:00:20", 6, 920
    told = logins.tell("12:00:25")
    assert told[0] == "468 call_ended 12:00:20 [12:00:15..12:00:20] observed after 620 s"


def test_by_login_what_ended_while_an_agent_was_away_is_inferred_from_the_row_that_comes_back(
    logins: Floor,
) -> None:
    seat = logins.seats["468"]
    seat.call = "11:50:00"
    logins.poll("12:00:05")
    del logins.seats["468"]
    logins.poll("12:00:10")
    logins.poll("12:00:20")
    logins.seats["468"], seat.web, seat.call = seat, "12:00:25", None
    assert logins.tell("12:00:30") == [
        "468 logged_in web 12:00:25 [12:00:24..12:00:26] observed",
        "468 call_ended 12:00:30 [12:00:05..12:00:30] inferred",
    ]


def test_in_a_narrowed_view_who_has_no_row_left_it_and_has_not_logged_out() -> None:
    floor = Floor(Seat("468", web="07:00:00", call="11:50:00"), Seat("1", web="06:00:00"), status="login")
    floor.live = LiveFloor("login", is_narrowed=True)
    floor.poll("12:00:00")
    seat = floor.seats.pop("468")
    assert [line.split()[1] for line in floor.tell("12:00:10")] == ["agent_removed"]
    floor.seats["468"] = seat
    assert [line.split()[1] for line in floor.tell("12:00:20")] == ["agent_added"]
    seat.call = None
    assert [line.split()[1] for line in floor.tell("12:00:30")] == ["call_ended"]


def test_by_login_the_call_of_an_agent_who_vanished_on_it_has_ended_when_it_returns(logins: Floor) -> None:
    seat = logins.seats["468"]
    seat.call, seat.occupied, seat.calls, seat.talk = "11:59:00", True, 3, 300
    logins.poll("12:00:05")
    del logins.seats["468"]
    assert len(logins.tell("12:00:10")) == 1
    assert logins.tell("23:00:00") == []
    logins.poll("+1 06:59:00")
    logins.seats["468"] = seat
    seat.web, seat.call, seat.occupied, seat.available = "+1 07:00:00", None, False, "+1 07:00:00"
    seat.calls = seat.talk = None
    assert logins.tell("+1 07:00:10") == [
        "468 call_ended +1 07:00:00 [12:00:05..+1 07:00:00] inferred",
        "468 logged_in web +1 07:00:00 [+1 06:59:59..+1 07:00:01] observed",
    ]


def test_by_login_the_call_of_an_agent_who_is_forgotten_has_ended(logins: Floor) -> None:
    logins.seats["468"].call = "11:59:00"
    logins.poll("12:00:05")
    del logins.seats["468"]
    logins.poll("12:00:10")
    assert logins.tell("+1 12:00:05") == []
    assert logins.tell("+1 12:00:06") == [
        "468 call_ended +1 12:00:06 [12:00:05..+1 12:00:06] inferred",
    ]
    assert logins.poll("+1 12:00:10").checkpoint["state"]["memories"].keys() == {"1"}


def test_who_went_home_costs_a_quiet_poll_nothing() -> None:
    floor = Floor(*[Seat(str(number), web="06:00:00") for number in range(300)], status="login")
    floor.poll("12:00:00")
    for number in range(10, 300):
        del floor.seats[str(number)]
        floor.poll(clock(at("12:00:00") + timedelta(seconds=10 * number)))
    state = floor.poll("13:00:00")._mark.state
    assert (len(state.memories) + len(state.resting), state.restless) == (300, frozenset())


def test_by_login_an_agent_gone_for_a_day_is_forgotten_and_logs_in_as_if_new(logins: Floor) -> None:
    seat = logins.seats.pop("468")
    seat.calls = 5
    logins.poll("12:00:10")
    days = f"+{REMEMBERED.days + 1} "
    assert logins.tell(f"{days}11:00:00") == []
    assert len(logins.poll(f"{days}11:00:05").checkpoint["state"]["memories"]) == 1
    logins.seats["468"], seat.web = seat, f"{days}11:00:06"
    assert logins.tell(f"{days}11:00:10") == [
        f"468 logged_in web {days}11:00:06 [{days}11:00:05..{days}11:00:07] observed"
    ]


def test_by_login_what_changed_while_an_agent_was_away_changed_since_its_last_row(logins: Floor) -> None:
    seat = logins.seats.pop("468")
    logins.poll("12:00:10")
    logins.poll("12:00:20")
    logins.seats["468"], seat.web, seat.name = seat, "12:00:25", "Asha Rao"
    assert logins.tell("12:00:30") == [
        "468 logged_in web 12:00:25 [12:00:24..12:00:26] observed",
        "468 agent_updated name 12:00:30 [12:00:00..12:00:30] observed",
    ]


def test_by_login_a_relogin_in_one_gap_is_a_logout_and_a_login(logins: Floor) -> None:
    logins.seats["468"].web = "12:00:04"
    assert [line.split()[1] for line in logins.tell("12:00:10")] == ["logged_out", "logged_in"]


def test_by_login_a_logged_out_agent_whose_row_is_sent_again_is_in_view_again(logins: Floor) -> None:
    """A row without a login contradicts the request; nothing is told, and its end is not told twice."""
    seat = logins.seats.pop("468")
    logins.poll("12:00:10")
    logins.seats["468"], seat.web = seat, None
    update = logins.poll("12:00:20")
    assert update.transitions == ()
    assert "468" in update.snapshot.agents
    seat.name = "Asha Rao"
    assert logins.tell("12:00:25") == ["468 agent_updated name 12:00:25 [12:00:20..12:00:25] observed"]
    del logins.seats["468"]
    assert logins.tell("12:00:30") == []
    assert "468" not in logins.poll("12:00:40").snapshot.agents


# --- rows that cannot be read ---------------------------------------------------------------------


@pytest.mark.parametrize("fault", [UNREADABLE, {"tC": -1}, {"l": 5}, {"IsOcc": 7}, NO_ID])
@pytest.mark.parametrize("status", ["all", "login"])
def test_an_agent_whose_row_cannot_be_read_keeps_its_last_known_state(
    status: str, fault: dict[str, Any]
) -> None:
    floor = Floor(Seat("468", web="07:00:00"), Seat("1", web="06:00:00"), status=status)
    before = floor.poll("12:00:00").snapshot.agents["468"]
    floor.seats["468"].more = fault
    floor.seats["1"].call = "12:00:05"
    update = floor.poll("12:00:10")
    assert [words(t) for t in update.transitions] == ["1 call_started 12:00:05 [12:00:04..12:00:06] observed"]
    assert update.snapshot.agents["468"] == before
    assert [part.row for part in update.snapshot.quarantined] == [0]


@pytest.mark.parametrize("status", ["all", "login"])
@pytest.mark.parametrize("fault", [UNREADABLE, NO_ID])
def test_agents_whose_rows_are_not_even_listed_keep_their_last_known_state(
    status: str, fault: dict[str, Any]
) -> None:
    floor = Floor(*[Seat(str(number), web="07:00:00") for number in range(400)], status=status)
    before = floor.poll("12:00:00").snapshot.agents
    for number in range(150):
        floor.seats[str(number)].more = fault
    update = floor.poll("12:00:10")
    assert (update.transitions, update.held) == ((), ())
    assert update.snapshot.agents == before
    assert (len(update.snapshot.quarantined), update.snapshot.quarantined_count) == (MOST_LISTED, 150)


def test_beside_rows_that_are_not_even_listed_who_is_gone_is_gone() -> None:
    floor = Floor(*[Seat(str(number), web="07:00:00") for number in range(400)])
    floor.poll("12:00:00")
    for number in range(150):
        floor.seats[str(number)].more = UNREADABLE
    del floor.seats["399"]
    assert floor.tell("12:00:10") == ["399 agent_removed 12:00:10 [12:00:00..12:00:10] observed"]


def test_what_changed_while_a_row_could_not_be_read_is_told_with_its_true_bounds(floor: Floor) -> None:
    seat = floor.seats["468"]
    seat.more = UNREADABLE
    for second in (10, 20, 30):
        assert floor.tell(f"12:00:{second}") == []
    seat.more, seat.web, seat.call = {}, None, "12:00:12"
    assert floor.tell("12:00:40") == [
        "468 call_started 12:00:12 [12:00:11..12:00:13] observed",
        "468 logged_out web 12:00:40 [12:00:00..12:00:40] observed after 18040 s",
    ]


def test_a_row_that_cannot_be_read_and_then_is_gone_was_removed_since_it_was_last_read(floor: Floor) -> None:
    floor.seats["468"].more = UNREADABLE
    floor.poll("12:00:10")
    del floor.seats["468"]
    assert floor.tell("12:00:20") == ["468 agent_removed 12:00:20 [12:00:00..12:00:20] observed"]


def test_while_a_row_without_a_readable_id_is_there_nobody_is_removed(floor: Floor) -> None:
    floor.seat("8").more = NO_ID
    del floor.seats["7"]
    assert floor.tell("12:00:10") == []
    del floor.seats["8"]
    assert floor.tell("12:00:20") == ["7 agent_removed 12:00:20 [12:00:00..12:00:20] observed"]


@pytest.mark.parametrize("status", ["all", "login"])
def test_a_row_that_never_had_a_readable_id_excuses_nobody(status: str) -> None:
    floor = Floor(*[Seat(str(number), web="07:00:00") for number in range(4)], status=status)
    floor.seat("8", web="07:00:00").more = NO_ID
    floor.poll("12:00:00")
    for number in (1, 2, 3):
        del floor.seats[str(number)]
    gone = "logged_out" if status == "login" else "agent_removed"
    assert [line.split()[1] for line in floor.tell("12:00:10")] == [gone] * 3
    assert floor.tell("12:00:20") == []


def test_as_many_agents_are_excused_as_rows_lost_their_ids_first_those_of_the_same_name(floor: Floor) -> None:
    floor.seats["468"].name, floor.seats["7"].name = "Ravi", "Asha"
    floor.poll("12:00:05")
    del floor.seats["7"]
    floor.seats["468"].more = NO_ID
    assert floor.tell("12:00:10") == ["7 agent_removed 12:00:10 [12:00:05..12:00:10] observed"]
    assert floor.poll("12:00:15").snapshot.agents.keys() == {"468"}
    floor.seats["468"].more = {}
    assert floor.tell("12:00:20") == []


def test_while_a_row_that_lost_its_id_may_be_that_of_either_agent_who_is_missing_both_wait() -> None:
    floor = Floor(*[Seat(str(number), name=f"Agent {number}") for number in range(3)])
    floor.poll("12:00:00")
    del floor.seats["1"]
    floor.seats["2"].more, floor.seats["2"].name = NO_ID, "Agent II"
    assert floor.tell("12:00:10") == []
    floor.seats["2"].more = {}
    assert floor.tell("12:00:20") == [
        "1 agent_removed 12:00:20 [12:00:00..12:00:20] observed",
        "2 agent_updated name 12:00:20 [12:00:00..12:00:20] observed",
    ]


@pytest.mark.parametrize("call", ["11:50:00", "Yes"])
def test_who_logs_in_on_the_phone_may_have_been_on_it_before(call: str) -> None:
    """Who is logged out has no row, and may be on a call."""
    floor = Floor(Seat("1", web="07:00:00"), status="login")
    floor.poll("12:00:00")
    floor.seat("2", web="12:00:05", call=call)
    assert [line.split()[:2] for line in floor.tell("12:00:10")] == [["2", "logged_in"]]


def test_of_two_of_one_name_both_wait_while_a_row_shows_it_without_an_id() -> None:
    floor = Floor(Seat("1"), Seat("2"))
    floor.poll("12:00:00")
    del floor.seats["1"]
    floor.seats["2"].more = NO_ID
    assert floor.tell("12:00:10") == []
    floor.seats["2"].more = {}
    assert floor.tell("12:00:20") == ["1 agent_removed 12:00:20 [12:00:00..12:00:20] observed"]


def test_what_is_told_before_and_behind_an_unread_row_has_two_ids() -> None:
    """Two polls in one second, and after the later one the row cannot be read."""
    floor = Floor(Seat("1", occupied=True))
    floor.poll("12:00:00")
    floor.seats["1"].occupied = False
    ids = [t.id for t in floor.poll("12:00:00").transitions]
    floor.seats["1"].more = NO_ID
    floor.poll("12:00:01")
    floor.seats["1"].more, floor.seats["1"].occupied = {}, True
    ids += [t.id for t in floor.poll("12:00:10").transitions]
    assert len(set(ids)) == 2


def test_a_row_without_a_readable_id_is_whose_name_it_shows_whoever_was_missing_before() -> None:
    floor = Floor(*[Seat(str(number), name=f"Agent {number}") for number in range(3)])
    floor.poll("12:00:00")
    floor.seats["1"].more = NO_ID
    assert floor.tell("12:00:10") == []
    del floor.seats["1"]
    floor.seats["2"].more = NO_ID
    assert floor.tell("12:00:20") == ["1 agent_removed 12:00:20 [12:00:00..12:00:20] observed"]
    floor.seats["2"].more = {}
    assert floor.tell("12:00:30") == []


def test_a_row_that_never_had_a_readable_id_may_have_been_a_newcomers_and_be_another_one_now() -> None:
    floor = Floor(*[Seat(str(number), name=f"Agent {number}") for number in range(3)])
    floor.seats["0"].more = NO_ID
    floor.poll("12:00:00")
    floor.seats["0"].more, floor.seats["2"].more = {}, NO_ID
    assert floor.tell("12:00:10") == []
    floor.seats["2"].more = {}
    assert floor.tell("12:00:20") == []


@pytest.mark.parametrize("status", ["all", "login"])
def test_who_may_have_been_in_view_without_a_readable_id_is_told_what_has_begun_since_and_no_more(
    status: str,
) -> None:
    floor = Floor(Seat("1", web="07:00:00"), Seat("2", web="07:00:00"), status=status)
    floor.seats["2"].more = NO_ID
    floor.poll("12:00:00")
    floor.seats["2"].more, floor.seats["2"].call = {}, "12:00:05"
    assert floor.tell("12:00:10") == ["2 call_started 12:00:05 [12:00:04..12:00:06] observed"]


def test_who_may_have_been_a_row_without_a_readable_id_is_no_newcomer() -> None:
    floor = Floor(Seat("1", web="07:00:00"), Seat("2", web="07:00:00"))
    floor.seats["2"].more = NO_ID
    floor.poll("12:00:00")
    floor.seats["2"].more = {}
    floor.seat("3", web="07:00:00")
    assert floor.tell("12:00:10") == []  # which of the two, nobody knows


def test_by_login_a_row_without_a_readable_id_brings_nobody_back(logins: Floor) -> None:
    seat = logins.seats.pop("468")
    logins.poll("12:00:10")
    logins.seats["1"].more = NO_ID
    update = logins.poll("12:00:20")
    assert update.transitions == ()
    assert set(update.snapshot.agents) == {"1"}
    logins.seats["1"].more = {}
    logins.poll("12:00:30")
    logins.seats["468"], seat.web = seat, "Web"
    assert logins.tell("12:00:40") == ["468 logged_in web 12:00:40 [12:00:30..12:00:40] observed"]


def test_by_login_a_login_in_a_row_that_could_not_be_read_keeps_its_origin(logins: Floor) -> None:
    seat = logins.seats.pop("468")
    logins.poll("12:00:10")
    logins.seats["468"], seat.web, seat.more = seat, "12:00:15", UNREADABLE
    logins.poll("12:00:20")
    logins.poll("12:00:30")
    seat.more = {}
    assert logins.tell("12:00:40") == ["468 logged_in web 12:00:15 [12:00:14..12:00:16] observed"]


@pytest.mark.parametrize("status", ["all", "login"])
def test_a_row_that_becomes_readable_for_the_first_time_is_no_news(status: str) -> None:
    """Its agent was in view all the time; only its state was not known."""
    floor = Floor(Seat("468", web="07:00:00", more=UNREADABLE), Seat("1", web="06:00:00"), status=status)
    floor.poll("12:00:00")
    floor.poll("12:00:05")
    floor.seats["468"].more = {}
    update = floor.poll("12:00:10")
    assert update.transitions == ()
    assert "468" in update.snapshot.agents
    floor.seats["468"].call = "12:00:14"
    assert [line.split()[1] for line in floor.tell("12:00:20")] == ["call_started"]


def test_an_agent_whose_first_row_cannot_be_read_was_added_before_it(floor: Floor) -> None:
    floor.seat("9", web="12:00:04", more=UNREADABLE)
    assert floor.tell("12:00:10") == []
    assert floor.tell("12:00:20") == []
    floor.seats["9"].more = {}
    assert floor.tell("12:00:30") == [
        "9 agent_added 12:00:04 [12:00:00..12:00:04] observed",
        "9 logged_in web 12:00:04 [12:00:03..12:00:05] observed",
    ]


def test_by_login_an_agent_whose_first_row_cannot_be_read_logged_in_before_it(logins: Floor) -> None:
    logins.seat("9", web="12:00:04", more=UNREADABLE)
    logins.poll("12:00:10")
    logins.poll("12:00:20")
    logins.seats["9"].more = {}
    assert logins.tell("12:00:30") == ["9 logged_in web 12:00:04 [12:00:03..12:00:05] observed"]


def test_the_first_row_of_an_agent_sent_twice_counts(floor: Floor) -> None:
    twin = Seat("468", web="12:00:05")
    floor.seats["twin"] = twin
    update = floor.poll("12:00:10", logged_in=1)
    assert update.transitions == ()
    assert [part.reason for part in update.snapshot.quarantined] == ["second row of this agent"]


# --- pinned origins, values kept ------------------------------------------------------------------


def test_an_agent_in_whom_nothing_changed_stays_the_very_same_value(floor: Floor) -> None:
    before = floor.poll("12:00:10").snapshot
    after = floor.poll("12:00:20").snapshot
    assert all(after.agents[key] is agent for key, agent in before.agents.items())


def test_origins_that_jitter_are_pinned_to_their_first_reading() -> None:
    floor = Floor(Seat("468", web="07:00:05", call="11:59:30", on_break="11:58:30", mobile="08:00:05"))
    first = floor.poll("12:00:00").snapshot.agents["468"]
    for second, stray in enumerate([-1, 1, 0, -1, 2, 1, 0], start=1):
        seat = floor.seats["468"]
        seat.web, seat.call = f"07:00:{5 + stray:02}", f"11:59:{30 + stray}"
        seat.mobile, seat.on_break = f"08:00:{5 - stray:02}", f"11:58:{30 - stray}"
        update = floor.poll(f"12:00:{second:02}")
        assert update.transitions == ()
        assert update.snapshot.agents["468"] is first


def test_details_that_change_are_shown_though_the_origin_is_pinned(floor: Floor) -> None:
    floor.seats["468"].call = {"callId": "c1", "duration": 5}
    floor.poll("12:00:10")
    floor.seats["468"].call = {"callId": "c1", "hold": True, "duration": 14}
    update = floor.poll("12:00:20")
    assert update.transitions == ()
    call = update.snapshot.agents["468"].call
    assert call is not None
    assert (call.since, call.details) == (at("12:00:05"), {"callId": "c1", "hold": True})


def test_the_snapshot_keeps_the_wire_s_order(floor: Floor) -> None:
    floor.seats = dict(reversed(floor.seats.items()))
    assert list(floor.poll("12:00:10").snapshot.agents) == ["7", "468"]


def test_a_diff_leaves_the_state_it_began_with_as_it_was() -> None:
    floor = Floor(Seat("468", web="07:00:00"), Seat("7"))
    state = first_state(look(View(), decode_snapshot(floor.reply("12:00:00"), date=at("12:00:00"))))
    kept, memories = state, dict(state.memories)
    floor.seats["468"].call = "12:00:05"
    del floor.seats["7"]
    snapshot = decode_snapshot(floor.reply("12:00:10"), date=at("12:00:10"))
    seen = look(state.view, snapshot)
    assert diff(state, seen) == diff(state, seen)
    assert (state, state.memories) == (kept, memories)


def test_no_snapshot_differs_from_itself(floor: Floor) -> None:
    assert floor.tell("12:00:00") == []
    assert floor.tell("12:00:00") == []


# --- order, time ----------------------------------------------------------------------------------


def test_transitions_are_in_order_of_time_then_agent_then_cause(floor: Floor) -> None:
    floor.seats["7"].web = "12:00:09"
    floor.seats["468"].call, floor.seats["468"].mobile = "12:00:05", "12:00:05"
    floor.seat("10", web="12:00:05")
    told = floor.poll("12:00:10").transitions
    assert [(t.agent.id, t.kind) for t in told] == [
        ("10", "agent_added"),
        ("10", "logged_in"),
        ("468", "logged_in"),
        ("468", "call_started"),
        ("7", "logged_in"),
    ]


def test_while_the_server_s_time_stands_still_things_happen_in_that_second(floor: Floor) -> None:
    seat = floor.seats["468"]
    seat.call = "12:00:00"
    assert floor.tell("12:00:00") == ["468 call_started 12:00:00 [12:00:00..12:00:00] observed"]
    seat.call = None
    assert floor.tell("12:00:00") == ["468 call_ended 12:00:00 [12:00:00..12:00:00] observed after 0 s"]


def test_things_told_in_one_second_without_an_origin_have_different_ids(floor: Floor) -> None:
    seat = floor.seats["468"]
    ids = []
    for _ in range(3):
        seat.call, seat.occupied, seat.name = "Yes", True, "Asha"
        ids += [t.id for t in floor.poll("12:00:00").transitions]
        seat.call, seat.occupied, seat.name = None, False, "Bhawna"
        ids += [t.id for t in floor.poll("12:00:00").transitions]
    assert len(ids) == len(set(ids)) == 17


def test_a_reply_that_is_a_second_older_is_held_and_the_next_one_tells(floor: Floor) -> None:
    floor.seats["468"].call = "Yes"
    assert floor.poll("11:59:59").held == (OLDER,)
    assert floor.tell("12:00:01") == ["468 call_started 12:00:01 [12:00:00..12:00:01] observed"]


# --- a clock that was set -------------------------------------------------------------------------


@pytest.mark.parametrize("by", [timedelta(hours=1), -timedelta(hours=1)])
def test_a_set_clock_moves_origins_and_renames_nothing(by: timedelta) -> None:
    floor = Floor(Seat("468", web="07:00:00", call="Yes"))
    state = first_state(look(View(), decode_snapshot(floor.reply("12:00:00"), date=at("12:00:00"))))
    snapshot = Floor().poll(clock(at("12:00:10") + by)).snapshot
    moved = stepped(state, ClockStep(by, by, at("12:00:00"), is_common=True), snapshot).memories["468"]
    assert moved.agent.login is not None
    assert moved.agent.login.since == at("07:00:00") + by
    assert moved.anchors["web"] == str(int(at("07:00:00").timestamp()))
    assert moved.anchors["call"] == state.memories["468"].anchors["call"]
    assert moved.available_since == at("06:00:00") + by


def test_an_origin_that_did_not_move_with_the_clock_stays() -> None:
    floor = Floor(Seat("468", web="07:00:00", call="11:00:00", available="06:00:00"))
    state = first_state(look(View(), decode_snapshot(floor.reply("12:00:00"), date=at("12:00:00"))))
    floor.seats["468"].web = "06:00:00"
    seen = decode_snapshot(floor.reply("11:00:10"), date=at("11:00:10"))
    by = -timedelta(hours=1)
    moved = stepped(state, ClockStep(by, by, at("12:00:00")), seen).memories["468"]
    assert moved.agent.login is not None
    assert moved.agent.call is not None
    assert (moved.agent.login.since, moved.agent.call.since) == (at("06:00:00"), at("11:00:00"))
    assert moved.available_since == at("06:00:00")


def test_what_lies_ahead_of_a_clock_that_was_set_back_is_as_it_was() -> None:
    """The instant since when an agent is available tells that it did not move; an elapsed time does not."""
    floor = Floor(Seat("468", web="11:59:00", available="11:59:00"))
    state = first_state(look(View(), decode_snapshot(floor.reply("12:00:00"), date=at("12:00:00"))))
    floor.seats["468"].web = "11:00:10"  # it has lasted for nothing
    seen = decode_snapshot(floor.reply("11:00:10"), date=at("11:00:10"))
    by = -timedelta(hours=1)
    step = ClockStep(by, by, at("12:00:10"), is_common=True)
    assert stepped(state, step, seen).memories["468"].available_since == at("11:59:00")


def test_a_clock_set_ahead_is_no_activity() -> None:
    """Everybody became available within the last hour; by the new clock that was after the last poll."""
    floor = Floor(*[Seat(str(number), web=f"06:0{number}:00") for number in range(1, 5)])
    teach(floor)
    floor.poll("11:30:00")
    for seat in floor.seats.values():
        seat.on_break = "11:31:00"
    floor.poll("11:32:00")
    for seat in floor.seats.values():
        seat.on_break, seat.available = None, "11:33:00"
    floor.poll("12:00:00")
    for number, seat in enumerate(floor.seats.values(), start=1):
        seat.web, seat.available = f"07:0{number}:00", "12:33:00"
    assert floor.poll("13:00:10").held
    assert floor.tell("13:00:20") == []
    floor.seats["1"].web = None
    (line,) = floor.tell("13:00:30")
    assert line == "1 logged_out web 13:00:30 [13:00:20..13:00:30] observed after 21570 s"


def test_an_episode_keeps_its_id_across_a_set_clock() -> None:
    floor = Floor(Seat("1"), Seat("2"), Seat("3"))
    floor.poll("06:59:00")
    for number, seat in enumerate(floor.seats.values(), start=1):
        seat.web = f"07:0{number}:00"
    began = floor.poll("07:10:00").transitions
    for number, seat in enumerate(floor.seats.values(), start=1):
        seat.web = f"06:0{number}:00"
    floor.poll("06:10:10")
    assert floor.tell("06:10:20") == []
    floor.seats["1"].web = None
    (ended,) = floor.poll("06:10:30").transitions
    assert ended.id == began[0].id.replace("logged_in", "logged_out")
