"""What makes a reply suspect, and what does not."""

from __future__ import annotations

from typing import Any

import pytest

from deepcall_async._look import Look, View, look
from deepcall_async._model import Snapshot
from deepcall_async._state import FloorState, first_state
from deepcall_async._suspicion import (
    BREAKS,
    CALLS,
    EMPTIED,
    LOGINS,
    NO_ROWS,
    OLDER,
    SHIFTED,
    oddities,
    suspicions,
)
from deepcall_async._wire import decode_snapshot

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


@pytest.mark.parametrize(("counted", "odd"), [(4, False), (3, True), (5, True), (0, True), (None, False)])
def test_a_count_of_logins_that_contradicts_the_rows_is_odd(counted: int | None, *, odd: bool) -> None:
    snapshot = decode_snapshot(team().reply("12:00:00", logged_in=counted), date=at("12:00:00"))
    assert oddities(first_look(snapshot)) == ({LOGINS} if odd else set())


def test_the_count_of_logins_may_cover_the_web_or_any_channel() -> None:
    floor = team(3)
    floor.seat("9", mobile="08:00:00")
    for counted in (3, 4):
        snapshot = decode_snapshot(floor.reply("12:00:00", logged_in=counted), date=at("12:00:00"))
        assert oddities(first_look(snapshot)) == set()


@pytest.mark.parametrize(("counted", "odd"), [(2, True), (3, False), (4, False), (5, True)])
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
    assert suspect(state, floor, **counting(total, 1)) == {word}
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
    floor = team()
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
    assert suspect(state, floor) == set()
