"""What makes a reply suspect, and what does not."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from deepcall_async._inference.delta import Look, View, look, view_of
from deepcall_async._inference.floor_state import FloorState, first_state
from deepcall_async._inference.plausibility import (
    BREAKS,
    CALLS,
    CUT_SHORT,
    EMPTIED,
    LOGINS,
    NO_ROWS,
    OLDER,
    SHIFTED,
    STARTING,
    TURNED_OVER,
    Suspicion,
    oddities,
    suspicions,
)
from deepcall_async._model.snapshot import Snapshot
from deepcall_async._wire.decoder import decode_snapshot

from .floors import Floor, Seat, at

UNREADABLE = {"avT": "soon"}


def team(count: int = 4, **row: Any) -> Floor:
    """Agents who logged in minutes apart."""
    return Floor(*[Seat(str(number), web=f"07:0{number}:00", **row) for number in range(count)])


def first_look(snapshot: Snapshot) -> Look:
    return look(View(), snapshot)


def state_of(floor: Floor, now: str = "12:00:00") -> FloorState:
    return first_state(first_look(decode_snapshot(floor.reply(now), date=at(now))))


def suspect(state: FloorState, floor: Floor, now: str = "12:00:10", **totals: int | None) -> set[str]:
    return suspicions(state, look(state.view, decode_snapshot(floor.reply(now, **totals), date=at(now))))


def counting(total: str, number: int | None) -> dict[str, Any]:
    return {total: number}


def test_a_floor_that_lives_on_is_not_suspect() -> None:
    floor = team()
    state = state_of(floor)
    floor.seats["0"].web = None
    floor.seats["1"].call = "12:00:05"
    del floor.seats["2"]
    floor.seat("9")
    assert suspect(state, floor) == set()


@pytest.mark.parametrize(("now", "is_older"), [("12:00:00", False), ("11:59:59", True), ("09:00:00", True)])
def test_a_server_time_that_runs_backwards_is_suspect(now: str, *, is_older: bool) -> None:
    floor = team()
    assert suspect(state_of(floor), floor, now) == ({OLDER} if is_older else set())


def test_a_server_time_that_stands_still_or_leaps_ahead_is_not_suspect() -> None:
    floor = team()
    state = state_of(floor)
    assert suspect(state, floor, "12:00:00") == set()
    assert suspect(state, floor, "+3 12:00:00") == set()


def test_no_rows_after_some_are_suspect() -> None:
    state = state_of(team())
    assert suspect(state, Floor()) == {EMPTIED}
    assert suspect(state, Floor(), logged_in=None) == {EMPTIED}
    assert suspect(state, Floor(), logged_in=4) == {EMPTIED, NO_ROWS}


def test_no_rows_and_a_total_that_cannot_be_read_are_suspect() -> None:
    reply = b'{"message":{"pr":[],"lA":"many"},"status":"success","code":200}'
    snapshot = decode_snapshot(reply, date=at("12:00:10"))
    state = state_of(team())
    assert suspicions(state, look(state.view, snapshot)) == {EMPTIED}


def test_rows_that_cannot_be_read_are_not_no_rows() -> None:
    floor = team(3)
    state = state_of(floor)
    for seat in floor.seats.values():
        seat.more = UNREADABLE
    assert suspect(state, floor) == set()


def test_an_empty_floor_that_stays_empty_is_not_suspect() -> None:
    assert suspect(state_of(Floor()), Floor()) == set()


@pytest.mark.parametrize(
    ("counted", "odd"), [(4, False), (2, False), (6, False), (1, True), (7, True), (0, True), (None, False)]
)
def test_a_count_of_logins_that_contradicts_the_rows_is_odd(counted: int | None, *, odd: bool) -> None:
    snapshot = decode_snapshot(team().reply("12:00:00", logged_in=counted), date=at("12:00:00"))
    assert oddities(first_look(snapshot)) == ({LOGINS} if odd else set())


def test_the_count_of_logins_may_cover_the_web_or_any_channel() -> None:
    floor = team(3)
    floor.seat("9", mobile="08:00:00")
    floor.seat("10", mobile="08:00:00")
    floor.seat("11", mobile="08:00:00")
    for counted in (3, 6):
        snapshot = decode_snapshot(floor.reply("12:00:00", logged_in=counted), date=at("12:00:00"))
        assert oddities(first_look(snapshot)) == set()


@pytest.mark.parametrize(
    ("agents", "counted", "odd"), [(50, 45, False), (50, 44, True), (50, 55, False), (50, 56, True)]
)
def test_totals_and_rows_may_disagree_by_one_in_ten(agents: int, counted: int, *, odd: bool) -> None:
    floor = Floor(*[Seat(str(number), web="07:00:00") for number in range(agents)])
    snapshot = decode_snapshot(floor.reply("12:00:00", logged_in=counted), date=at("12:00:00"))
    assert oddities(first_look(snapshot)) == ({LOGINS} if odd else set())


@pytest.mark.parametrize(("counted", "odd"), [(0, True), (1, False), (6, False), (7, True)])
def test_a_row_that_cannot_be_read_may_be_a_login_or_not(counted: int, *, odd: bool) -> None:
    floor = team()
    floor.seats["0"].more = UNREADABLE
    snapshot = decode_snapshot(floor.reply("12:00:00", logged_in=counted), date=at("12:00:00"))
    assert oddities(first_look(snapshot)) == ({LOGINS} if odd else set())


@pytest.mark.parametrize(
    ("name", "total", "word"), [("call", "on_call", CALLS), ("on_break", "on_break", BREAKS)]
)
def test_a_count_of_calls_or_breaks_that_the_rows_suddenly_do_not_show_is_suspect(
    name: str, total: str, word: str
) -> None:
    floor = team()
    setattr(floor.seats["0"], name, "11:59:00")
    state = state_of(floor)
    setattr(floor.seats["0"], name, None)
    assert suspect(state, floor, **counting(total, 2)) == {word}
    assert suspect(state, floor, **counting(total, 1)) == set()  # a total may lag behind
    assert suspect(state, floor, **counting(total, 0)) == set()
    assert suspect(state, floor, **counting(total, None)) == set()
    setattr(floor.seats["1"], name, "12:00:05")
    assert suspect(state, floor, **counting(total, 2)) == set()


@pytest.mark.parametrize(("name", "total"), [("call", "on_call"), ("on_break", "on_break")])
def test_a_call_or_break_may_be_in_a_row_that_cannot_be_read(name: str, total: str) -> None:
    floor = team()
    setattr(floor.seats["0"], name, "11:59:00")
    state = state_of(floor)
    floor.seats["0"].more = UNREADABLE
    assert suspect(state, floor, **counting(total, 1)) == set()


def test_a_server_that_never_showed_calls_in_rows_is_not_suspect() -> None:
    floor = team()
    assert suspect(state_of(floor), floor, on_call=3, on_break=2) == set()


@pytest.mark.parametrize("by", [-3600, -3, 5])
def test_origins_that_all_moved_alike_are_a_clock_that_was_set(by: int) -> None:
    """A clock set ahead takes the server's time, and so the gap, along."""
    floor = team(5)
    state = state_of(floor)
    for number, seat in enumerate(floor.seats.values()):
        minutes, seconds = divmod(number * 60 + by, 60)
        seat.web = f"{7 + minutes // 60:02}:{minutes % 60:02}:{seconds:02}"
    assert suspect(state, floor) == {SHIFTED}


@pytest.mark.parametrize("by", [0, 1, 2])
def test_origins_that_moved_by_rounding_are_no_set_clock(by: int) -> None:
    floor = team()
    state = state_of(floor)
    for number, seat in enumerate(floor.seats.values()):
        seat.web = f"07:0{number}:0{by}"
    assert suspect(state, floor) == set()


def test_few_origins_that_moved_alike_are_no_set_clock() -> None:
    floor = team(2)
    state = state_of(floor)
    for number, seat in enumerate(floor.seats.values()):
        seat.web = f"07:0{number}:05"
    assert suspect(state, floor) == set()


def test_a_minority_of_origins_that_moved_alike_is_no_set_clock() -> None:
    floor = team(9)
    state = state_of(floor)
    for number in range(3):
        floor.seats[str(number)].web = f"07:0{number}:05"
    assert suspect(state, floor) == set()


def test_a_team_that_logs_in_again_together_is_no_set_clock() -> None:
    """They logged in together, too. But a clock cannot be set ahead by more than passes on it."""
    floor = Floor(*[Seat(str(number), web="07:00:00") for number in range(5)])
    state = state_of(floor)
    for seat in floor.seats.values():
        seat.web = "12:00:05"
    assert suspect(state, floor) == {TURNED_OVER}


def test_a_team_that_became_available_by_logging_in_again_is_no_set_clock() -> None:
    """A clock that is set does not make anybody available at the instant of a login."""
    floor = Floor(*[Seat(str(number), web="12:00:02", available="12:00:02") for number in range(50)])
    state = state_of(floor, "12:00:05")
    for seat in floor.seats.values():
        seat.web = seat.available = "12:00:22"
    assert suspect(state, floor, "12:00:35") == {TURNED_OVER}


@pytest.mark.parametrize("available", ["12:07:00", None])
def test_a_team_that_logged_in_again_together_and_has_been_busy_since_is_no_set_clock(
    available: str | None,
) -> None:
    """Two crashes, and a long gap: all have the login of the second, and have become available since."""
    floor = Floor(*[Seat(str(number), web="11:58:00", available="11:58:00") for number in range(5)])
    state = state_of(floor)
    for seat in floor.seats.values():
        seat.web, seat.available = "12:05:00", available
    assert suspect(state, floor, "12:10:00") == {TURNED_OVER}


def test_a_team_that_has_been_available_since_before_its_origins_has_not_logged_in_again() -> None:
    floor = Floor(*[Seat(str(number), web="11:58:00", available="11:58:00") for number in range(5)])
    state = state_of(floor)
    for seat in floor.seats.values():
        seat.web = "12:05:00"
    assert suspect(state, floor, "12:10:00") == {SHIFTED}


@pytest.mark.parametrize(
    ("agents", "turned", "is_suspect"), [(10, 6, True), (10, 5, False), (5, 5, True), (4, 4, False)]
)
@pytest.mark.parametrize("how", ["out", "gone", "in again"])
def test_most_of_a_floor_turned_over_at_once_is_suspect(
    agents: int, turned: int, how: str, *, is_suspect: bool
) -> None:
    floor = Floor(*[Seat(str(number), web=f"07:0{number}:00") for number in range(agents)], Seat("99"))
    state = state_of(floor)
    for number in range(turned):
        if how == "gone":
            del floor.seats[str(number)]
        else:
            floor.seats[str(number)].web = None if how == "out" else f"12:00:0{number % 4 + 1}"
    assert suspect(state, floor) == ({TURNED_OVER} if is_suspect else set())


def test_agents_who_logged_in_again_one_by_one_have_lived() -> None:
    floor = Floor(*[Seat(str(number), web=f"07:0{number}:00") for number in range(9)])
    state = state_of(floor)
    for number, seat in enumerate(floor.seats.values()):
        seat.web = f"12:0{number}:30"
    assert suspect(state, floor, "12:10:00") == set()


def test_logins_that_all_begin_only_now_are_the_servers() -> None:
    floor = Floor(*[Seat(str(number), web=f"07:0{number}:00") for number in range(9)])
    state = state_of(floor)
    for seat in floor.seats.values():
        seat.web = seat.available = "12:00:10"
    assert suspect(state, floor) == {TURNED_OVER, STARTING}
    behind = evolve(state, behind_until=at("13:00:00"))  # whose clock was set back says so of what lies ahead
    assert suspect(behind, floor) == {TURNED_OVER, STARTING}


def test_agents_who_are_missing_while_they_are_counted_were_cut_off() -> None:
    floor = team(9)
    state = state_of(floor)
    for number in range(3):
        del floor.seats[str(number)]
    assert suspect(state, floor, logged_in=9) == {CUT_SHORT}
    assert suspect(state, floor) == set()


def test_totals_that_need_not_cover_the_rows_are_not_compared_with_them() -> None:
    floor = team()
    state = state_of(floor)
    snapshot = decode_snapshot(floor.reply("12:00:10", logged_in=99, on_call=9), date=at("12:00:10"))
    assert suspicions(state, look(state.view, snapshot), covers_rows=False) == set()


def test_a_row_that_says_the_same_is_no_change_though_it_was_decoded_anew() -> None:
    reply = team().reply("12:00:00")
    view = view_of(decode_snapshot(reply).agents)
    assert look(view, decode_snapshot(reply)).changed == ()


# --- what ends a suspicion -------------------------------------------------------------------------


def suspected(*reasons: str, replies: int = 1, every: int = 10) -> Suspicion:
    """A suspicion after so many replies."""
    floor = Floor()
    now = [at(f"12:{number * every // 60:02}:{number * every % 60:02}") for number in range(replies)]
    found = Suspicion(tuple(sorted(reasons)), now[0])
    for later in now[1:]:
        found = found.and_of(reasons, decode_snapshot(floor.reply("12:00:00"), date=later))
    return found


def is_over(suspicion: Suspicion, **options: bool) -> bool:
    return suspicion.is_over(**options)


@pytest.mark.parametrize("reason", [OLDER, SHIFTED, TURNED_OVER])
def test_a_change_of_the_whole_floor_needs_a_second_witness(reason: str) -> None:
    assert not is_over(suspected(reason))
    assert is_over(suspected(reason, replies=2))


@pytest.mark.parametrize("reason", [EMPTIED, LOGINS])
def test_a_state_of_the_server_must_have_lasted(reason: str) -> None:
    assert not is_over(suspected(reason, replies=2, every=60))
    assert not is_over(suspected(reason, replies=3, every=14))
    assert is_over(suspected(reason, replies=3, every=15))
    assert not is_over(suspected(reason, TURNED_OVER, replies=2, every=60))


@pytest.mark.parametrize("reason", [NO_ROWS, CUT_SHORT, CALLS, BREAKS, STARTING])
def test_what_contradicts_itself_is_never_confirmed_by_what_does_so_too(reason: str) -> None:
    assert not is_over(suspected(reason, replies=500, every=7))


@pytest.mark.parametrize("reason", [CUT_SHORT, CALLS, BREAKS])
def test_a_server_that_contradicts_itself_for_ten_minutes_has_new_ways(reason: str) -> None:
    assert not suspected(reason, replies=60).is_habit
    assert suspected(reason, replies=61).is_habit
    assert not suspected(NO_ROWS, replies=61).is_habit


def test_compared_with_a_contradiction_nothing_is_taken_away() -> None:
    assert is_over(suspected(CUT_SHORT, replies=3, every=15), is_provisional=True)
    assert not is_over(suspected(NO_ROWS, replies=3, every=15), is_provisional=True)


@pytest.mark.parametrize("reason", [NO_ROWS, CUT_SHORT, CALLS, BREAKS])
def test_totals_that_may_be_those_of_others_contradict_nothing_for_good(reason: str) -> None:
    assert not is_over(suspected(reason, replies=2, every=60), is_narrowed=True)
    assert is_over(suspected(reason, replies=3, every=15), is_narrowed=True)


def test_an_absurd_reply_is_no_witness_for_one_that_is_not() -> None:
    snapshot = decode_snapshot(Floor().reply("12:00:00"), date=at("12:05:00"))
    assert suspected(EMPTIED, NO_ROWS, replies=5).and_of([EMPTIED], snapshot).replies == 1
    assert suspected(TURNED_OVER, STARTING, replies=5).and_of([TURNED_OVER], snapshot).replies == 6
    assert suspected(EMPTIED, replies=5).and_of([OLDER], snapshot).replies == 1


def test_an_old_reply_sent_again_is_no_witness_for_itself() -> None:
    again = decode_snapshot(Floor().reply("12:00:00"), date=at("12:00:00"))
    assert suspected(OLDER).and_of([OLDER], again).replies == 1


def test_a_clock_was_set_though_readings_stray_and_most_agents_have_logged_in_again_since() -> None:
    """What began after the last poll, as that is on the new clock, was not there to be moved."""
    floor = team(9)
    state = state_of(floor)
    for number, origin in enumerate(("08:29:58", "08:31:00", "08:32:02")):
        floor.seats[str(number)].web = origin
    for number in range(3, 9):
        floor.seats[str(number)].web = f"13:3{11 - number}:00"
    assert suspect(state, floor, "13:40:00") == {SHIFTED}
    floor.seats["3"].web = "13:20:00"  # before that poll: no clock moved that one
    floor.seats["4"].web = floor.seats["5"].web = "13:21:00"
    assert SHIFTED not in suspect(state, floor, "13:40:00")


def test_a_crowd_that_logged_in_twice_is_one_witness_of_a_clock_and_no_more() -> None:
    floor = Floor(*[Seat(str(number), web="07:00:00") for number in range(3)], Seat("3", web="07:10:00"))
    state = state_of(floor)
    for number in range(3):
        floor.seats[str(number)].web = "12:05:00"
    floor.seats["3"].web = "12:06:00"
    for seat in ("4", "5", "6"):
        floor.seats[seat] = Seat(seat, web="07:20:00")
    assert SHIFTED not in suspect(state, floor, "12:10:00")


def test_few_origins_that_stray_as_their_clock_does_are_no_set_clock() -> None:
    floor = team(3)
    state = state_of(floor)
    for number in range(3):
        floor.seats[str(number)].web = f"07:0{number}:03"
    assert suspect(state, floor) == set()
