"""The books: which calls the counter holds beyond those seen, when the server counts, and what is left."""

from __future__ import annotations

from datetime import timedelta

import pytest

from deepcall_async import Account, Phase, UnseenActivity
from deepcall_async._inference.server_behaviour import VOTES, Learned
from deepcall_async._model.accounts import add

from .floors import Floor, Seat, at, clock, teach, words

SECOND = timedelta(seconds=1)
PHASES = ["call_start", "call_end", "wrap_up_end"]


def desk(floor: Floor, **row: object) -> Seat:
    """An agent logged in and idle at 12:00:00, with ten calls counted."""
    seat = floor.seat("468", web="07:30:00", **{"calls": 10, "talk": 900, **row})
    floor.poll("12:00:00")
    return seat


@pytest.fixture
def floor() -> Floor:
    """A floor whose server is known to count calls as they end."""
    floor = Floor()
    teach(floor)
    return floor


@pytest.fixture
def asha(floor: Floor) -> Seat:
    return desk(floor)


def calls_told(lines: list[str]) -> int:
    """How many calls were told to have ended, one by one or counted."""
    counted = sum(int(line.split()[2]) for line in lines if "unseen_activity" in line and " calls " in line)
    return counted + sum("call_ended" in line for line in lines)


def live_through_a_call(floor: Floor, seat: Seat, counts_at: str, start: str = "12:10:00") -> list[str]:
    """A visible call of a minute with half a minute of wrap-up, polled every ten seconds; what was told."""
    lines: list[str] = []
    for second in range(0, 130, 10):
        if second == 10:
            seat.call, seat.occupied = clock(at(start) + 10 * SECOND), True
            seat.calls = (seat.calls or 0) + (counts_at == "call_start")
        if second == 70:
            seat.call = None
            seat.calls = (seat.calls or 0) + (counts_at == "call_end")
            seat.talk = (seat.talk or 0) + (60 if counts_at != "wrap_up_end" else 0)
        if second == 100:
            seat.occupied, seat.available = False, clock(at(start) + 100 * SECOND)
            seat.calls = (seat.calls or 0) + (counts_at == "wrap_up_end")
            seat.talk = (seat.talk or 0) + (60 if counts_at == "wrap_up_end" else 0)
        lines += floor.tell(clock(at(start) + second * SECOND))
    return lines


# --- when the server counts -----------------------------------------------------------------------


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("counts_at", PHASES)
def test_a_visible_call_is_told_once_whenever_the_server_counts_it(counts_at: str, *, known: bool) -> None:
    floor = Floor()
    if known:
        teach(floor, counts_at=counts_at)
    seat = desk(floor)
    lines = live_through_a_call(floor, seat, counts_at)
    assert [line.split()[1] for line in lines if "call" in line] == ["call_started", "call_ended"]
    assert calls_told(lines) == 1


@pytest.mark.parametrize("counts_at", PHASES)
def test_a_server_shows_when_it_counts(counts_at: str) -> None:
    floor = Floor()
    assert floor.poll("06:59:00").ledger.counted_at == tuple(Phase)
    teach(floor, counts_at=counts_at, calls=VOTES)
    assert Phase(counts_at) in floor.poll("08:01:00").ledger.counted_at
    early, late = Phase.CALL_START, Phase.WRAP_UP_END
    assert (early in floor.poll("08:02:00").ledger.counted_at) == (counts_at == "call_start")
    assert late in floor.poll("08:03:00").ledger.counted_at or counts_at == "call_start"


def test_fewer_contradictions_than_votes_rule_nothing_out() -> None:
    floor = Floor()
    teach(floor, counts_at="call_start", calls=VOTES - 1)
    assert floor.poll("08:01:00").ledger.counted_at == tuple(Phase)


def test_when_all_phases_are_contradicted_those_that_were_least_stay_possible() -> None:
    learned = Learned()
    for _ in range(VOTES + 2):
        learned = learned.against(tuple(Phase))
    learned = learned.against([Phase.CALL_START])
    assert learned.phases == (Phase.CALL_END, Phase.WRAP_UP_END)


@pytest.mark.parametrize("counts_at", PHASES)
@pytest.mark.parametrize("known", [True, False])
def test_a_hidden_call_beside_a_visible_one_is_told_once(counts_at: str, *, known: bool) -> None:
    """Hidden between 12:00:00 and 12:01:00, then a visible one from 12:10:10."""
    floor = Floor()
    if known:
        teach(floor, counts_at=counts_at)
    seat = desk(floor)
    seat.calls, seat.talk, seat.available = 11, 920, "12:00:50"
    lines = floor.tell("12:01:00")
    lines += live_through_a_call(floor, seat, counts_at)
    assert calls_told(lines) == 2
    account = floor.poll("13:00:00").ledger.agents["468"]
    assert (account.grown, account.seen, account.hidden, account.open, account.residual) == (2, 1, 1, 0, 0)


@pytest.mark.parametrize("counts_at", PHASES)
def test_a_hidden_call_right_after_a_visible_one_is_told_once_the_agent_is_idle(counts_at: str) -> None:
    floor = Floor()
    teach(floor, counts_at=counts_at)
    seat = desk(floor)
    seat.call, seat.occupied = "12:00:05", True
    seat.calls = 11 if counts_at == "call_start" else 10
    lines = floor.tell("12:00:10")
    seat.call, seat.calls, seat.talk = None, 11 if counts_at == "wrap_up_end" else 12, 930  # in wrap-up again
    lines += floor.tell("12:01:00")
    seat.occupied, seat.calls, seat.talk, seat.available = False, 12, 940, "12:01:30"
    lines += floor.tell("12:02:00")
    assert calls_told(lines) == 2
    assert floor.poll("12:03:00").ledger.agents["468"].residual == 0


def test_a_counter_that_lags_a_poll_behind_makes_no_second_call(floor: Floor, asha: Seat) -> None:
    asha.call, asha.occupied = "12:00:05", True
    floor.poll("12:00:10")
    asha.call, asha.occupied, asha.available = None, False, "12:00:18"
    lines = floor.tell("12:00:20")
    asha.calls, asha.talk = 11, 913
    lines += floor.tell("12:00:30")
    assert [line.split()[1] for line in lines] == ["call_ended", "agent_updated"]
    account = floor.poll("12:00:40").ledger.agents["468"]
    assert (account.seen, account.hidden, account.open, account.residual) == (1, 0, 0, 0)


@pytest.mark.parametrize("polls", [2, 10])
def test_a_call_the_server_never_counts_becomes_a_negative_residual(
    floor: Floor, asha: Seat, polls: int
) -> None:
    asha.call, asha.occupied = "12:00:05", True
    floor.poll("12:00:10")
    asha.call, asha.occupied, asha.available = None, False, "12:00:18"
    for poll in range(polls):
        update = floor.poll(f"12:01:{poll:02}")
    account = update.ledger.agents["468"]
    assert account.residual == (0 if polls == 2 else -1)
    asha.calls, asha.talk = 11, 960
    assert [line.split()[1] for line in floor.tell("12:02:00")] == (
        [] if polls == 2 else ["call_started", "call_ended"]
    )


def crashed_in_wrap_up() -> tuple[Floor, Seat]:
    """A floor that counts calls after wrap-up, whose agent is back after a crash that cut one off."""
    floor = Floor()
    teach(floor, counts_at="wrap_up_end")
    asha = floor.seat("468", web="07:30:00", calls=10, talk=900)
    floor.poll("12:00:00")
    asha.call, asha.occupied = "12:00:05", True
    floor.poll("12:00:10")
    asha.call = None
    floor.poll("12:00:20")
    asha.occupied, asha.web = False, None
    floor.poll("12:00:30")
    asha.web = asha.available = "12:00:35"
    return floor, asha


def test_a_call_that_is_counted_only_after_its_agent_logged_in_again_is_told_once() -> None:
    """The server counts after wrap-up, and a crash cut that off."""
    floor, asha = crashed_in_wrap_up()
    asha.calls, asha.talk = 11, 912
    assert [line.split()[1] for line in floor.tell("12:00:40")] == ["logged_in"]
    assert floor.poll("12:00:50").ledger.agents["468"].residual == 0


def test_a_call_that_is_not_counted_when_its_agent_is_back_hides_none_behind_it() -> None:
    floor, asha = crashed_in_wrap_up()
    floor.poll("12:00:40")
    asha.calls, asha.talk, asha.available = 11, 905, "12:00:48"
    assert [line.split()[1] for line in floor.tell("12:00:50")] == ["call_started", "call_ended"]


def test_a_call_that_a_lagging_counter_owes_is_not_a_hidden_one(floor: Floor, asha: Seat) -> None:
    """Counted a poll late, while the next call is on already."""
    asha.call, asha.occupied = "12:00:05", True
    floor.poll("12:00:10")
    asha.call, asha.available = "12:00:19", "12:00:17"
    lines = floor.tell("12:00:20")
    asha.calls, asha.talk = 11, 912
    lines += floor.tell("12:00:30")
    assert [line.split()[1] for line in lines] == ["call_ended", "call_started"]


def test_hidden_calls_of_an_occupied_agent_stay_open_until_the_phases_agree() -> None:
    """The server may count as calls start, or after wrap-up: nothing is told before it must be true."""
    floor = Floor()
    seat = desk(floor)
    seat.call, seat.occupied, seat.calls = "12:00:05", True, 11
    assert calls_told(floor.tell("12:00:10")) == 0
    assert floor.poll("12:00:20").ledger.agents["468"].open == 1
    seat.call, seat.occupied, seat.talk, seat.available = None, False, 960, "12:01:05"
    assert calls_told(floor.tell("12:01:10")) == 1
    account = floor.poll("12:01:20").ledger.agents["468"]
    assert (account.open, account.seen, account.hidden, account.residual) == (0, 1, 0, 0)


def test_an_agent_first_seen_in_wrap_up_owes_no_hidden_call() -> None:
    floor = Floor()
    seat = desk(floor, occupied=True)
    seat.calls, seat.talk, seat.occupied, seat.available = 11, 960, False, "12:00:08"
    assert calls_told(floor.tell("12:00:10")) == 0
    account = floor.poll("12:00:20").ledger.agents["468"]
    assert (account.grown, account.prior, account.residual) == (1, 1, 0)


@pytest.mark.parametrize("counts_at", PHASES)
def test_a_call_that_is_on_at_first_sight_is_told_to_end_once(counts_at: str) -> None:
    floor = Floor()
    teach(floor, counts_at=counts_at)
    seat = desk(floor, call="11:59:30", occupied=True, calls=11 if counts_at == "call_start" else 10)
    seat.call, seat.occupied, seat.available = None, False, "12:00:08"
    seat.calls, seat.talk = 11, 938
    assert calls_told(floor.tell("12:00:10")) == 1
    assert floor.poll("12:00:20").ledger.agents["468"].residual == 0


# --- counters that come, go and fall --------------------------------------------------------------


def test_counters_that_appear_with_the_first_call_are_that_call(floor: Floor) -> None:
    seat = desk(floor, calls=None, talk=None)
    seat.call, seat.occupied = "12:00:05", True
    lines = floor.tell("12:00:10")
    seat.call, seat.occupied, seat.available, seat.calls, seat.talk = None, False, "12:00:18", 1, 13
    lines += floor.tell("12:00:20")
    assert calls_told(lines) == 1
    assert lines[-2] == "468 call_ended 12:00:18 [12:00:17..12:00:18] observed after 13 s"


def test_counters_that_appear_with_one_call_nobody_saw_tell_it(floor: Floor) -> None:
    seat = desk(floor, calls=None, talk=None)
    seat.calls, seat.talk, seat.available = 1, 20, "12:00:50"
    assert floor.tell("12:01:00") == [
        "468 call_started 12:00:30 [12:00:00..12:00:30] inferred",
        "468 call_ended 12:00:50 [12:00:20..12:00:50] inferred after 20 s",
    ]


def test_counters_that_appear_with_more_talk_than_was_watched_are_first_sight(floor: Floor) -> None:
    seat = desk(floor, calls=None, talk=None)
    seat.calls, seat.talk = 40, 4000
    assert floor.tell("12:01:00") == []
    account = floor.poll("12:02:00").ledger.agents["468"]
    assert (account.grown, account.residual) == (0, 0)


def test_counters_that_appear_without_talk_time_are_at_most_one_hidden_call(floor: Floor) -> None:
    seat = desk(floor, calls=None, talk=None)
    seat.calls = 2
    assert floor.tell("12:01:00") == []
    seat.calls = 3
    assert calls_told(floor.tell("12:02:00")) == 1


@pytest.mark.parametrize(
    ("calls", "talk"), [(0, 0), (0, None), (3, 0), (10, 5), (10, 899), (9, 900), (11, 5)]
)
def test_a_fallen_counter_is_a_reset(floor: Floor, asha: Seat, calls: int, talk: int | None) -> None:
    asha.calls, asha.talk = calls, talk
    lines = floor.tell("12:01:00")
    assert "468 counters_reset 12:01:00 [12:00:00..12:01:00] observed" in lines


@pytest.mark.parametrize(("calls", "talk"), [(9, 900), (9, 899), (10, 899), (5, 500)])
def test_a_counter_that_fell_by_a_little_makes_no_huge_call(
    floor: Floor, asha: Seat, calls: int, talk: int
) -> None:
    """What is on it cannot have been talked since the last poll, so nobody knows when that was."""
    asha.calls, asha.talk = calls, talk
    assert floor.tell("12:01:00") == ["468 counters_reset 12:01:00 [12:00:00..12:01:00] observed"]
    assert floor.poll("12:02:00").ledger.agents["468"].residual == 0


def test_a_counter_that_vanished_and_came_back_a_little_smaller_makes_no_huge_call(
    floor: Floor, asha: Seat
) -> None:
    asha.calls = asha.talk = None
    floor.poll("12:00:10")
    asha.calls, asha.talk = 9, 850
    assert floor.tell("12:00:20") == ["468 counters_reset 12:00:20 [12:00:00..12:00:20] observed"]
    assert floor.poll("12:02:00").ledger.agents["468"].residual == 0


def test_a_call_since_a_reset_is_told(floor: Floor, asha: Seat) -> None:
    asha.calls, asha.talk, asha.available = 1, 20, "12:00:50"
    assert floor.tell("12:01:00") == [
        "468 call_started 12:00:30 [12:00:00..12:00:30] inferred",
        "468 call_ended 12:00:50 [12:00:20..12:00:50] inferred after 20 s",
        "468 counters_reset 12:01:00 [12:00:00..12:01:00] observed",
    ]


def test_a_visible_call_that_ends_beside_a_reset_is_told_once(floor: Floor, asha: Seat) -> None:
    asha.call, asha.occupied = "12:00:05", True
    floor.poll("12:00:10")
    asha.call, asha.occupied, asha.available, asha.calls, asha.talk = None, False, "12:00:30", 1, 25
    assert calls_told(floor.tell("12:01:00")) == 1


def test_talk_time_since_a_reset_does_not_time_a_call_that_may_have_ended_before_it(
    floor: Floor, asha: Seat
) -> None:
    """The visible call was counted and forgotten; the one on the counter is another, which nobody saw."""
    asha.call, asha.occupied = "12:00:05", True
    floor.poll("12:00:10")
    asha.call, asha.calls, asha.talk = None, 1, 14
    assert "468 call_ended 12:01:00 [12:00:10..12:01:00] observed after 55 s" in floor.tell("12:01:00")


def test_counters_that_vanish_and_come_back_are_the_same(floor: Floor, asha: Seat) -> None:
    asha.calls = asha.talk = None
    assert floor.tell("12:00:10") == []
    asha.calls, asha.talk = 10, 900
    assert floor.tell("12:00:20") == []


def test_talk_time_on_counters_that_were_away_is_nobody_s(floor: Floor, asha: Seat) -> None:
    """They came back larger, but may have begun anew in between, with calls that nobody saw."""
    asha.call, asha.occupied = "12:00:05", True
    floor.poll("12:00:10")
    asha.calls = asha.talk = None
    floor.poll("12:00:20")
    asha.call, asha.occupied, asha.calls, asha.talk = None, False, 11, 920
    assert "468 call_ended 12:01:00 [12:00:20..12:01:00] observed after 55 s" in floor.tell("12:01:00")


def test_counters_that_vanish_and_come_back_smaller_were_reset_in_between(floor: Floor, asha: Seat) -> None:
    asha.calls = asha.talk = None
    floor.poll("12:00:10")
    floor.poll("12:00:20")
    asha.calls, asha.talk, asha.available = 1, 5, "12:00:28"
    assert floor.tell("12:00:30") == [
        "468 call_started 12:00:23 [12:00:20..12:00:23] inferred",
        "468 call_ended 12:00:28 [12:00:25..12:00:28] inferred after 5 s",
        "468 counters_reset 12:00:30 [12:00:00..12:00:30] observed",
    ]


def test_counters_that_fell_while_the_row_was_away_were_reset_since_it_was_last_shown() -> None:
    floor = Floor(status="login")
    teach(floor)
    seat = desk(floor)
    other = floor.seat("1", web="07:00:00")
    del floor.seats["468"]
    floor.poll("12:01:00")
    floor.poll("12:02:00")
    floor.seats["468"], seat.web, seat.calls, seat.talk = seat, "12:02:30", 0, 0
    assert floor.tell("12:03:00") == [
        "468 logged_in web 12:02:30 [12:02:29..12:02:31] observed",
        "468 counters_reset 12:03:00 [12:00:00..12:03:00] observed",
    ]
    assert other.web


def test_counters_that_vanished_while_the_row_was_away_were_reset_since_it_was_last_shown() -> None:
    floor = Floor(status="login")
    teach(floor)
    seat = desk(floor)
    floor.seat("1", web="07:00:00")
    del floor.seats["468"]
    floor.poll("12:01:00")
    floor.poll("12:02:00")
    floor.seats["468"], seat.web, seat.calls, seat.talk = seat, "12:02:30", None, None
    floor.poll("12:03:00")
    seat.calls, seat.talk, seat.available = 1, 5, "12:03:58"
    assert "468 counters_reset 12:04:00 [12:00:00..12:04:00] observed" in floor.tell("12:04:00")


def test_counters_go_on_after_a_reset(floor: Floor, asha: Seat) -> None:
    asha.calls, asha.talk = 0, 0
    floor.poll("12:01:00")
    asha.calls, asha.talk = 2, 30
    (activity,) = floor.poll("12:02:00").transitions
    assert isinstance(activity, UnseenActivity)
    assert (activity.calls, activity.talk_time) == (2, 30 * SECOND)


def test_talk_time_alone_is_no_call(floor: Floor, asha: Seat) -> None:
    asha.talk = 950
    assert floor.tell("12:01:00") == []


def test_absurd_counters_break_nothing(floor: Floor, asha: Seat) -> None:
    for number, (calls, talk) in enumerate([(2**53, 3e9), (0, 0), (10**6, 1), (5, 2.5e9)]):
        asha.call = None if number % 2 else f"12:0{number}:50"
        asha.calls, asha.talk = calls, talk
        assert not floor.poll(f"12:0{number + 1}:00").held


# --- the account ----------------------------------------------------------------------------------


def test_the_ledger_adds_up_agents_and_those_that_are_gone(floor: Floor, asha: Seat) -> None:
    asha.calls, asha.talk = 13, 960
    before = floor.poll("12:01:00").ledger
    del floor.seats["468"]
    floor.seat("1")
    after = floor.poll("12:02:00").ledger
    assert before.agents["468"].hidden == 3
    assert set(after.agents) == {"1"}
    assert after.total == before.total


def test_the_ledger_accounts_for_talk_time(floor: Floor, asha: Seat) -> None:
    lines = live_through_a_call(floor, asha, "call_end")
    account = floor.poll("12:30:00").ledger.agents["468"]
    assert calls_told(lines) == 1
    assert (account.talk_grown, account.talk_told) == (60 * SECOND, 60 * SECOND)


def test_the_residual_is_what_no_call_explains() -> None:
    account = Account(grown=10, seen=4, hidden=3, prior=1, open=1)
    assert account.residual == 1
    assert (account + account).residual == 2


def test_never_a_call_is_told_by_a_counter_that_stands_still(floor: Floor, asha: Seat) -> None:
    for minute in range(1, 30):
        asha.available = f"12:{minute - 1:02}:30"
        told = floor.poll(f"12:{minute:02}:00").transitions
        assert [words(t).split()[1] for t in told] == ["unseen_activity"]
        assert isinstance(told[0], UnseenActivity)
        assert told[0].calls is None


# --- in which period a counter counts ----------------------------------------------------------------


def test_talk_time_after_a_relogin_is_not_that_of_the_call_before_it(floor: Floor) -> None:
    """The counters may begin anew at a login: then the call seen at the last poll is not in them any more."""
    seat = desk(floor, calls=0, talk=0)
    seat.call, seat.occupied = "12:00:30", True
    floor.poll("12:01:00")
    seat.call, seat.occupied, seat.web, seat.available = None, False, "12:06:00", "12:06:56"
    seat.calls, seat.talk = 1, 46
    assert floor.tell("12:07:00")[:3] == [
        "468 logged_out web 12:06:00 [12:01:00..12:06:01] inferred after 16560 s",
        "468 logged_in web 12:06:00 [12:05:59..12:06:01] inferred",
        "468 call_ended 12:06:56 [12:01:00..12:06:56] observed after 386 s",
    ]


def test_talk_time_that_may_all_be_of_a_new_day_is_not_that_of_one_call(floor: Floor, asha: Seat) -> None:
    """Nobody says when a period ends; if it may have, all that the counters hold can have grown since."""
    asha.calls, asha.talk, asha.available = 11, 1000, "15:59:00"
    assert floor.tell("16:00:00") == [
        "468 call_started 15:59:00 [12:00:00..15:59:00] inferred",
        "468 call_ended 15:59:00 [12:00:00..15:59:00] inferred",
    ]


def test_talk_time_is_that_of_a_call_where_no_period_can_have_ended(floor: Floor) -> None:
    seat = desk(floor, calls=1, talk=10)
    floor.poll("12:01:00")
    seat.calls, seat.talk, seat.available = 2, 50, "12:05:00"
    assert floor.tell("12:10:00")[-1] == "468 call_ended 12:05:00 [12:01:40..12:05:00] inferred after 40 s"


def test_hidden_calls_before_and_after_a_reset_have_different_ids(floor: Floor) -> None:
    seat = desk(floor, occupied=True)
    ids = []
    for minute in (1, 2, 3):
        seat.calls, seat.talk = 2, 60 + minute
        seat.web = f"12:0{minute}:30"
        ids += [t.id for t in floor.poll(f"12:0{minute}:59").transitions if t.kind != "agent_updated"]
    assert len(ids) == len(set(ids))


# --- what an agent may be doing unseen -----------------------------------------------------------------


def test_a_call_before_a_wrap_up_that_no_row_shows_began_since_its_agent_was_available() -> None:
    """A call ends at 11:59:30, and its wrap-up at 12:00:30: the poll in between shows neither."""
    floor = Floor()
    seat = desk(floor, available="11:50:00")
    seat.call, seat.occupied, seat.available = "12:00:40", True, "12:00:30"
    seat.calls, seat.talk = 11, 990
    floor.poll("12:01:00")
    seat.call, seat.occupied, seat.available = None, False, "12:01:20"
    seat.calls, seat.talk = 12, 1030
    assert "468 unseen_activity 1 calls 12:02:00 [11:50:00..12:02:00] counted" in floor.tell("12:02:00")


def test_while_no_row_ever_showed_a_call_one_may_be_on_at_any_poll() -> None:
    floor = Floor()
    seat = desk(floor, available="11:50:00", occupied=None)
    seat.calls, seat.talk, seat.available = 11, 1200, "12:01:30"
    (started, ended) = floor.tell("12:02:00")
    assert started == "468 call_started 12:00:00 [11:50:00..12:00:00] inferred"
    assert ended == "468 call_ended 12:02:00 [11:55:00..12:02:00] inferred after 300 s"


def test_an_agent_whose_availability_is_left_out_while_it_is_busy_is_not_idle() -> None:
    """Wrap-up is not flagged here, and a call is counted after it: until then none is hidden."""
    floor = Floor(Seat("9", web="06:00:00"))
    seat = desk(floor)
    for number, (call, available, calls) in enumerate(
        [("12:00:20", None, 10), (None, None, 10), (None, None, 10), (None, None, 10), (None, "12:04:30", 11)]
    ):
        seat.call, seat.available, seat.calls, seat.talk = call, available, calls, 900 + 60 * (calls - 10)
        told = floor.tell(f"12:0{number + 1}:00")
        assert calls_told(told) == int(number == 1), told
    assert floor.poll("12:06:00").ledger.total.residual == 0


def test_a_call_counted_before_its_talk_time_comes_still_owns_it(floor: Floor) -> None:
    seat = desk(floor, calls=5, talk=300)
    seat.calls, seat.occupied = 6, True
    assert calls_told(floor.tell("12:05:00")) == 1
    seat.calls, seat.talk, seat.occupied, seat.available = 7, 550, False, "12:08:30"
    told = floor.tell("12:10:00")
    assert "468 call_ended 12:08:30 [12:00:00..12:08:30] inferred" in told


def test_where_talk_time_comes_apart_from_the_count_it_is_one_owners_only(floor: Floor) -> None:
    seat = desk(floor)
    seat.talk = 930  # by itself: so this server counts them at different moments
    floor.poll("12:01:00")
    seat.calls, seat.talk, seat.available = 12, 950, "12:01:50"
    assert "468 unseen_activity 2 calls of 20 s" in " ".join(floor.tell("12:02:00"))
    seat.calls, seat.talk, seat.available = 13, 990, "12:02:50"
    assert [line for line in floor.tell("12:03:00") if "after" in line] == []


def test_growth_that_nobody_can_tell_from_a_call_that_was_on_at_first_is_told_as_far_as_it_is_sure() -> None:
    """Whether the call that was on at first is counted already is not known; the others are hidden ones."""
    floor = Floor()
    seat = floor.seat("468", web="07:30:00", call="11:59:00", occupied=True, calls=10, talk=900)
    floor.poll("12:00:00")
    seat.call, seat.occupied, seat.available, seat.calls, seat.talk = None, False, "12:09:00", 20, 1900
    assert calls_told(floor.tell("12:10:00")) == 10  # one seen, nine of ten hidden
    assert floor.poll("12:11:00").ledger.total.open == 0


def test_talk_time_that_comes_while_a_call_is_on_is_not_its_own() -> None:
    floor = Floor()
    seat = floor.seat("468", web="07:00:00", available="11:59:00", calls=4, talk=85)
    floor.poll("12:00:00")
    seat.call, seat.occupied, seat.talk = "12:00:10", True, 94
    floor.poll("12:01:00")
    seat.call, seat.occupied, seat.available = None, False, "12:02:05"
    seat.calls, seat.talk = 5, 192
    assert floor.tell("12:03:00")[0] == "468 call_ended 12:01:48 [12:01:47..12:01:49] observed after 98 s"


def test_talk_time_that_leaps_to_and_fro_for_ever_ends_no_stream(floor: Floor, asha: Seat) -> None:
    for number in range(40):
        asha.talk = 3_600_000_000 if number % 2 else 0
        live = floor.poll(clock(at("12:01:00") + number * SECOND))
    assert live.ledger.total.talk_grown.total_seconds() != 0
    account = Account(talk_grown=timedelta.max)
    assert add(account.talk_grown, timedelta(days=1)) == timedelta.max
    assert add(timedelta.min, -timedelta(days=1)) == timedelta.min
