"""`LiveFloor`: baselines, held replies, outages and gaps, and going on after a restart."""

from __future__ import annotations

import json
import warnings
from datetime import timedelta
from types import MappingProxyType
from typing import Any

import pytest
from attrs import evolve

from deepcall_async import (
    ApiError,
    ConfigurationError,
    Gap,
    LiveFloor,
    LiveUpdate,
    Outage,
    ReplyError,
    TransportError,
)
from deepcall_async._floor import live_floor
from deepcall_async._floor.checkpoint import CheckpointWarning
from deepcall_async._inference.plausibility import (
    BREAKS,
    CALLS,
    CUT_SHORT,
    EMPTIED,
    LOGINS,
    NO_ROWS,
    OLDER,
    SHIFTED,
    TURNED_OVER,
)

from .floors import Floor, Seat, at, clock, words

EMPTY = b'{"message":{"pr":[],"lA":0},"status":"success","code":200}'
REFUSED = TransportError("connection refused")


@pytest.fixture
def floor() -> Floor:
    """Three agents, polled at 12:00:00; 1 is on a call, 2 on a break."""
    floor = Floor(
        Seat("1", web="07:01:00", call="11:50:00"),
        Seat("2", web="07:02:00", on_break="11:51:00"),
        Seat("3", web="07:03:00"),
    )
    floor.poll("12:00:00")
    return floor


def resumed(floor: Floor, update: LiveUpdate, **options: Any) -> Floor:
    """The same seats, watched by a new `LiveFloor` that goes on from an update's checkpoint."""
    twin = Floor(**{"resume_from": json.loads(json.dumps(update.checkpoint)), **options})
    twin.seats = floor.seats
    return twin


# --- baseline -------------------------------------------------------------------------------------


def test_the_first_reply_is_a_baseline_without_transitions() -> None:
    update = Floor(Seat("1", web="07:00:00", call="11:59:59")).poll("12:00:00")
    assert update.is_baseline
    assert (update.sequence, update.transitions, update.outage, update.gap, update.held) == (
        0,
        (),
        None,
        None,
        (),
    )
    assert not update.is_stale


def test_a_status_that_is_neither_is_a_configuration_error() -> None:
    with pytest.raises(ConfigurationError, match=r"all.*login.*'everyone'"):
        LiveFloor("everyone")


def test_a_failure_before_the_baseline_is_raised_and_changes_nothing() -> None:
    floor = Floor(Seat("1"))
    with pytest.raises(TransportError) as raised:
        floor.live.fail(REFUSED)
    assert raised.value is REFUSED
    assert floor.poll("12:00:00").sequence == 0


def test_a_first_reply_that_contradicts_itself_is_shown_but_is_no_baseline_to_compare_with() -> None:
    whole = [Seat(str(number), web="06:00:00") for number in range(50)]
    floor = Floor(*whole[:4])
    first = floor.poll("12:00:00", logged_in=50)
    assert (first.is_baseline, first.held, len(first.snapshot.agents)) == (True, (LOGINS,), 4)
    floor.seats = {seat.id: seat for seat in whole}
    update = floor.poll("12:00:05")
    assert (update.is_baseline, update.held, update.transitions, update.sequence) == (True, (), (), 1)
    assert (len(update.snapshot.agents), update.ledger.held) == (50, 1)
    whole[0].web = None
    assert [t.kind for t in floor.poll("12:00:10").transitions] == ["logged_out"]


def test_totals_that_never_match_the_rows_are_believed_when_they_have_lasted() -> None:
    floor = Floor(*[Seat(str(number), web="06:00:00") for number in range(4)])
    held = [floor.poll(f"12:00:{second:02}", logged_in=50).held for second in range(0, 40, 10)]
    assert held == [(LOGINS,)] * 3 + [()]
    floor.seats["0"].web = None
    assert [t.kind for t in floor.poll("12:00:40", logged_in=49).transitions] == ["logged_out"]


def test_a_narrowed_view_has_totals_of_others_too() -> None:
    floor = Floor(*[Seat(str(number), web="06:00:00") for number in range(4)], is_narrowed=True)
    assert floor.poll("12:00:00", logged_in=50).held == ()
    floor.seats["0"].web = None
    update = floor.poll("12:00:10", logged_in=49, on_call=7)
    assert (update.held, [t.kind for t in update.transitions]) == ((), ["logged_out"])


def test_a_baseline_without_rows_though_some_are_counted_is_replaced_by_the_first_with_rows() -> None:
    floor = Floor()
    assert floor.poll("12:00:00", logged_in=2).is_baseline
    floor.seat("1", web="12:00:05")
    update = floor.poll("12:00:10")
    assert update.is_baseline
    assert (update.sequence, update.transitions) == (1, ())
    floor.seat("2")
    assert [t.kind for t in floor.poll("12:00:20").transitions] == ["agent_added"]


def test_no_rows_while_agents_are_counted_are_never_believed(floor: Floor) -> None:
    for minute in range(1, 59):
        update = floor.live.receive(lie(floor, NO_ROWS, f"12:{minute:02}:00"), date=at(f"12:{minute:02}:00"))
        assert set(update.held) == {EMPTIED, NO_ROWS}
    floor.seats["3"].call = "12:58:05"
    assert [t.kind for t in floor.poll("12:59:00").transitions] == ["call_started"]


def test_a_floor_that_truly_was_empty_tells_of_its_first_agent() -> None:
    floor = Floor()
    assert floor.poll("12:00:00").is_baseline
    floor.seat("1")
    assert floor.tell("12:00:10") == ["1 agent_added 12:00:10 [12:00:00..12:00:10] observed"]


# --- sequence, failures, outage, gap --------------------------------------------------------------


def test_the_sequence_has_no_holes_whatever_happens(floor: Floor) -> None:
    updates = [floor.poll("12:00:10"), floor.live.fail(REFUSED), floor.live.fail(REFUSED)]
    updates += [floor.poll("12:00:20", logged_in=9), floor.poll("12:00:30"), floor.poll("12:00:40")]
    with pytest.raises(ReplyError):
        floor.live.receive(b"<html>")
    updates.append(floor.poll("12:00:50"))
    assert [update.sequence for update in updates] == list(range(1, 8))


def test_an_outage_says_since_when_and_how_many_polls_failed_and_with_what(floor: Floor) -> None:
    floor.live.fail(TransportError("first"))
    update = floor.live.fail(REFUSED)
    assert update.outage == Outage(since=at("12:00:00"), failures=2, error=REFUSED)
    assert update.outage.error is REFUSED
    assert update.is_stale
    assert (update.transitions, update.gap, update.is_baseline) == ((), None, False)
    assert update.snapshot.server_time == at("12:00:00")


def test_the_first_good_reply_ends_an_outage_with_a_gap_and_only_real_differences(floor: Floor) -> None:
    for _ in range(3):
        floor.live.fail(REFUSED)
    floor.seats["3"].call = "12:04:00"
    update = floor.poll("12:05:00")
    assert update.gap == Gap(since=at("12:00:00"), until=at("12:05:00"), failures=3, error=REFUSED)
    assert update.gap.error is REFUSED
    assert update.outage is None
    assert [words(t) for t in update.transitions] == ["3 call_started 12:04:00 [12:03:59..12:04:01] observed"]
    assert floor.poll("12:05:10").gap is None


def test_a_held_reply_leaves_the_outage_open(floor: Floor) -> None:
    floor.live.fail(REFUSED)
    held = floor.poll("12:00:20", logged_in=9)
    assert held.held
    assert held.outage is not None
    assert held.outage.failures == 1
    assert held.gap is None
    update = floor.poll("12:00:30")
    assert update.gap == Gap(since=at("12:00:00"), until=at("12:00:30"), failures=1, error=REFUSED)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"", ReplyError),
        (b"<html>502</html>", ReplyError),
        (b"[]", ReplyError),
        (b'{"message":"pr","status":"success","code":200}', ReplyError),
        (b'{"message":{"oCA":0},"status":"success","code":200}', ReplyError),
        (b'{"message":{"pr":[{"nm":1}]},"status":"success","code":200}', ReplyError),
        (b'{"message":"Invalid token","status":"error","code":1014}', ApiError),
    ],
)
def test_a_reply_that_cannot_be_read_leaves_the_floor_untouched(
    floor: Floor, body: bytes, error: type[Exception]
) -> None:
    twin = Floor(*floor.seats.values())
    twin.poll("12:00:00")
    with pytest.raises(error):
        floor.live.receive(body)
    floor.seats["3"].call = "12:00:05"
    assert floor.poll("12:00:10") == twin.poll("12:00:10")
    assert floor.poll("12:00:20").checkpoint == twin.poll("12:00:20").checkpoint


def test_a_reply_the_server_calls_empty_is_an_empty_floor(floor: Floor) -> None:
    nothing = b'{"message":"No data found","status":"error","code":1012}'
    for second in (10, 20, 30):
        assert floor.live.receive(nothing, date=at(f"12:00:{second}")).held == (EMPTIED,)
    update = floor.live.receive(nothing, date=at("12:00:40"))
    assert {t.kind for t in update.transitions} == {"agent_removed"}


# --- held replies ---------------------------------------------------------------------------------


LYING_TOTALS: dict[str, dict[str, int | None]] = {
    NO_ROWS: {"logged_in": 3},
    LOGINS: {"logged_in": 9},
    CALLS: {"on_call": 2},
    BREAKS: {"on_break": 2},
}


def lie(floor: Floor, reason: str, now: str) -> bytes:
    """A reply that is suspect for this reason."""
    liar = Floor(*[evolve(seat) for seat in floor.seats.values()])
    for seat in liar.seats.values():
        seat.call = None if reason == CALLS else seat.call
        seat.on_break = None if reason == BREAKS else seat.on_break
        seat.web = clock(at(seat.web) - timedelta(minutes=5)) if reason == SHIFTED else seat.web
    if reason in (EMPTIED, NO_ROWS):
        liar.seats.clear()
    hours = timedelta(hours=int(reason == OLDER))
    return liar.reply(clock(at(now) - hours), **LYING_TOTALS.get(reason, {}))


REASONS = [EMPTIED, OLDER, LOGINS, CALLS, BREAKS, SHIFTED]


@pytest.mark.parametrize("reason", REASONS)
def test_a_suspect_reply_is_held_and_the_last_good_snapshot_shown(floor: Floor, reason: str) -> None:
    good = floor.poll("12:00:10")
    update = floor.live.receive(lie(floor, reason, "12:00:20"), date=at("12:00:20"))
    assert update.held == (reason,)
    assert update.is_stale
    assert update.snapshot == good.snapshot
    assert (update.transitions, update.outage, update.gap) == ((), None, None)


@pytest.mark.parametrize("reason", [*REASONS, NO_ROWS])
def test_a_good_reply_replaces_a_held_one_as_if_that_had_never_come(floor: Floor, reason: str) -> None:
    twin = Floor(*floor.seats.values())
    twin.poll("12:00:00")
    assert floor.live.receive(lie(floor, reason, "12:00:20"), date=at("12:00:20")).held
    floor.seats["3"].call = "12:00:25"
    update, same = floor.poll("12:00:30"), twin.poll("12:00:30")
    assert update.transitions == same.transitions
    assert update.snapshot == same.snapshot
    assert (update.held, update.is_stale, update.ledger.held) == ((), False, 1)


@pytest.mark.parametrize("reason", [OLDER, SHIFTED])
def test_a_second_reply_of_a_set_clock_confirms_the_held_one(floor: Floor, reason: str) -> None:
    assert floor.live.receive(lie(floor, reason, "12:00:20"), date=at("12:00:20")).held
    update = floor.live.receive(lie(floor, reason, "12:00:30"), date=at("12:00:30"))
    assert not update.held
    assert not update.is_stale
    assert update.transitions == ()
    assert update.ledger.clock_steps == 1


@pytest.mark.parametrize("reason", [EMPTIED, LOGINS])
def test_what_may_be_the_servers_state_is_believed_when_it_has_lasted(floor: Floor, reason: str) -> None:
    for second in (20, 30, 40):
        assert floor.live.receive(lie(floor, reason, f"12:00:{second}"), date=at(f"12:00:{second}")).held
    update = floor.live.receive(lie(floor, reason, "12:00:50"), date=at("12:00:50"))
    assert not update.held
    assert [t.kind for t in update.transitions] == (["agent_removed"] * 3 if reason == EMPTIED else [])


@pytest.mark.parametrize("reason", [CALLS, BREAKS])
def test_a_server_that_contradicts_itself_for_long_is_seen_anew_and_nothing_is_told(
    floor: Floor, reason: str
) -> None:
    for minute in range(1, 11):
        now = f"12:{minute:02}:00"
        assert floor.live.receive(lie(floor, reason, now), date=at(now)).held == (reason,)
    update = floor.live.receive(lie(floor, reason, "12:11:00"), date=at("12:11:00"))
    assert (update.held, update.is_baseline, update.transitions, update.sequence) == ((), True, (), 11)
    assert not floor.live.receive(lie(floor, reason, "12:12:00"), date=at("12:12:00")).held


def test_a_reply_that_is_suspect_for_another_reason_confirms_nothing(floor: Floor) -> None:
    for reason in (EMPTIED, LOGINS, OLDER, CALLS, EMPTIED):
        assert floor.live.receive(lie(floor, reason, "12:00:20"), date=at("12:00:20")).held == (reason,)
    assert floor.tell("12:00:30") == []
    assert floor.poll("12:00:40").ledger.held == 5


def test_a_failed_poll_between_suspect_replies_does_not_keep_them_from_confirming(floor: Floor) -> None:
    for second in (10, 20, 30):
        assert floor.live.receive(EMPTY, date=at(f"12:00:{second}")).held
    floor.live.fail(REFUSED)
    assert not floor.live.receive(EMPTY, date=at("12:00:50")).held


def test_everybody_logged_in_again_is_told_once_when_a_second_reply_shows_it_too() -> None:
    floor = Floor(*[Seat(str(number), web="10:00:02", available="10:00:02") for number in range(50)])
    floor.poll("10:00:05")
    for seat in floor.seats.values():
        seat.web = seat.available = "10:00:22"
    assert floor.poll("10:00:35").held == (TURNED_OVER,)
    told = [t.kind for t in floor.poll("10:01:05").transitions]
    assert sorted(told) == ["logged_in"] * 50 + ["logged_out"] * 50
    assert floor.tell("10:01:35") == []


@pytest.mark.parametrize("with_available", [False, True])
def test_a_server_that_has_lost_its_memory_tells_everybodys_login_once(*, with_available: bool) -> None:
    """All its elapsed times are 0 for a while; then they count from when it began anew."""
    floor = Floor(*[Seat(str(number), web=f"06:{number}:00") for number in range(10, 30)])
    floor.poll("12:00:00")

    def begin_at(now: str) -> None:
        for seat in floor.seats.values():
            seat.web = now
            seat.available = now if with_available else seat.available

    for second in range(5, 30, 5):
        begin_at(f"12:00:{second:02}")
        update = floor.poll(f"12:00:{second:02}")
        assert TURNED_OVER in update.held
        assert update.transitions == ()
    told = [t.kind for t in floor.poll("12:00:35").transitions]
    assert sorted(told) == ["logged_in"] * 20 + ["logged_out"] * 20
    assert floor.tell("12:00:40") == []


def test_one_bad_answer_never_logs_anybody_out() -> None:
    floor = Floor(*[Seat(str(number), web="07:00:00") for number in range(50)], status="login")
    floor.poll("12:00:00")
    assert floor.live.receive(EMPTY, date=at("12:00:10")).transitions == ()
    assert floor.tell("12:00:20") == []


def test_an_oddity_that_was_accepted_is_not_held_again_until_it_has_gone_away(floor: Floor) -> None:
    held = [bool(floor.poll(f"12:0{minute}:00", logged_in=9).held) for minute in range(1, 6)]
    assert held == [True, True, False, False, False]
    assert not floor.poll("12:06:00").held
    assert floor.poll("12:07:00", logged_in=9).held


def test_totals_that_lag_behind_the_rows_hold_nothing() -> None:
    floor = Floor(*[Seat(str(number), web=f"07:{number}:00") for number in range(10, 50)])
    counted = 40
    floor.poll("12:00:00")
    for number in range(10, 30):
        seat = floor.seats[str(number)]
        seat.web = None if number % 2 else f"12:{number}:03"
        held = floor.poll(f"12:{number}:05", logged_in=counted).held
        counted = sum(seat.web is not None for seat in floor.seats.values())
        assert held == ()


def test_a_row_that_stays_unreadable_keeps_no_reply_from_being_believed(floor: Floor) -> None:
    floor.seats["1"].more = {"avT": "soon"}
    assert [floor.poll(f"12:0{minute}:00").held for minute in range(1, 5)] == [()] * 4


# --- a clock that was set back --------------------------------------------------------------------


def test_an_old_reply_sent_again_and_again_is_never_believed(floor: Floor) -> None:
    old = floor.reply("12:00:00")
    floor.seats["3"].call = "12:00:05"
    floor.poll("12:00:10")
    for _ in range(5):
        update = floor.live.receive(old, date=at("12:00:00"))
        assert update.held == (OLDER,)
        assert update.snapshot.agents["3"].call is not None
    assert floor.tell("12:01:00") == []


def polls(floor: Floor, *clocks: str) -> list[LiveUpdate]:
    """Poll at these instants of the server's clock; our own goes on by ten seconds each."""
    ours = [at("18:00:00") + timedelta(seconds=10 * number) for number in range(len(clocks))]
    times = zip(clocks, ours, strict=True)
    return [floor.live.receive(floor.reply(now), date=at(now), received_at=own) for now, own in times]


def test_a_clock_that_was_set_back_is_told_with_its_size_and_times_are_told_on_it_from_then_on(
    floor: Floor,
) -> None:
    updates = polls(floor, "12:00:10", "11:00:20", "11:00:30", "11:00:40")
    assert [update.held for update in updates] == [(), (OLDER,), (), ()]
    assert [update.clock_step for update in updates] == [None, None, -timedelta(hours=1), None]
    assert updates[-1].ledger.clock_steps == 1
    floor.seats["3"].call = "11:00:55"
    assert floor.tell("11:01:00") == ["3 call_started 11:00:55 [11:00:54..11:00:56] observed"]
    floor.seats["3"].call = None
    assert floor.tell("11:01:10") == ["3 call_ended 11:01:10 [11:01:00..11:01:10] observed after 15 s"]
    floor.seats["1"].call = None
    assert floor.tell("11:01:20") == ["1 call_ended 11:01:20 [11:01:10..11:01:20] observed"]


def test_what_lies_ahead_of_a_clock_that_was_set_back_is_the_same_login_all_the_while(floor: Floor) -> None:
    """Its server goes by the clock: what it has stored ahead of that has lasted for 0 seconds."""
    floor.seat("4", web="12:00:05", available="12:00:05")
    polls(floor, "12:00:10", "11:00:20", "11:00:30")
    for minute in range(1, 60):
        floor.seats["4"].web = f"11:{minute:02}:00"  # as much as `max(0, now - login)` says
        assert floor.tell(f"11:{minute:02}:00") == []
    floor.seats["4"].web = "12:00:05"
    assert floor.tell("12:00:30") == []
    floor.seats["4"].web = "12:00:50"
    told = floor.tell("12:01:00")
    assert [line.split()[1] for line in told] == ["logged_out", "logged_in"]


def test_the_clock_is_behind_until_it_shows_again_what_it_showed_when_it_was_set(floor: Floor) -> None:
    """Between the last good reply and that moment, too, something may have been stored ahead of it."""
    floor.seat("4", web="12:00:05")
    polls(floor, "12:00:10", "11:00:20", "11:00:30")  # it was set at 12:00:20, as our own clock says
    for now in ("11:30:00", "12:00:14"):
        floor.seats["4"].web = now  # it will be 12:00:15
        assert floor.tell(now) == []


def test_what_a_held_reply_shows_ahead_of_the_clock_is_not_forgotten(floor: Floor) -> None:
    floor.seat("4", web="07:00:00")
    floor.poll("12:00:10")
    floor.seats["4"].available = "12:00:40"
    floor.poll("11:00:20")
    floor.seats["4"].available = "11:00:29"
    floor.poll("11:00:30")
    floor.seat("5", web="12:00:35")
    for now in ("12:00:34", "12:00:38"):
        floor.seats["5"].web = min(now, "12:00:35")
        kinds = [line.split()[1] for line in floor.tell(now)]
        assert "logged_in" not in kinds


def test_who_comes_into_view_behind_the_clock_does_not_log_in_by_becoming_available(floor: Floor) -> None:
    """The login lies ahead of the clock: it has lasted for nothing at every poll."""
    polls(floor, "12:00:10", "11:00:20", "11:00:30")
    floor.seat("4", web="11:10:00", occupied=True)
    told = floor.tell("11:10:00")
    assert [line.split()[1] for line in told] == ["agent_added"]
    floor.seats["4"].web, floor.seats["4"].available = "11:10:02", "11:10:01"
    assert floor.tell("11:10:02") == []


def test_a_login_after_the_clock_was_set_back_is_another(floor: Floor) -> None:
    floor.seat("4", web="12:00:05", available="12:00:05")
    polls(floor, "12:00:10", "11:00:20", "11:00:30")
    floor.seats["4"].web = floor.seats["4"].available = "11:05:00"
    told = floor.tell("11:06:00")
    assert told == [
        "4 logged_out web 11:05:00 [11:00:30..11:05:01] inferred",
        "4 logged_in web 11:05:00 [11:04:59..11:05:01] inferred",
    ]


def test_where_our_own_clock_is_no_good_nothing_is_claimed_of_the_time_before_the_step(floor: Floor) -> None:
    floor.poll("11:00:10")
    floor.seats["3"].call = "Yes"
    (line,) = floor.tell("11:00:20")
    assert line.startswith("3 call_started 11:00:20 [-1 ")


def test_a_checkpoint_of_a_clock_that_was_set_back_goes_on_behind_it(floor: Floor) -> None:
    floor.seat("4", web="12:00:05", available="12:00:05")
    *_, update = polls(floor, "12:00:10", "11:00:20", "11:00:30")
    floor.seats["4"].web = "11:10:00"
    twin = resumed(floor, update)
    assert twin.tell("11:10:00") == []


def test_ids_stay_apart_while_time_stands_still(floor: Floor) -> None:
    floor.poll("11:00:10")
    ids = []
    for second in range(20, 50):
        floor.seats["3"].name = f"Asha {second}"
        floor.seats["3"].call = "Yes" if second % 2 else None
        ids += [t.id for t in floor.poll(f"11:00:{second}").transitions]
    assert len(ids) == len(set(ids)) >= 59


def test_a_second_step_back_is_held_again(floor: Floor) -> None:
    floor.poll("11:00:10")
    floor.poll("11:00:20")
    assert floor.poll("10:00:20").held == (OLDER,)
    assert not floor.poll("10:00:30").held


# --- resume ---------------------------------------------------------------------------------------


def test_a_resumed_floor_goes_on_with_a_gap_and_the_next_sequence(floor: Floor) -> None:
    update = floor.poll("12:00:10")
    twin = resumed(floor, update)
    floor.seats["3"].call = "12:05:00"
    after = twin.poll("12:10:00")
    assert after.gap == Gap(since=at("12:00:10"), until=at("12:10:00"), failures=0)
    assert (after.sequence, after.is_baseline, after.outage) == (update.sequence + 1, False, None)
    assert after.transitions == floor.poll("12:10:00").transitions
    assert twin.poll("12:10:10").gap is None


def test_a_row_that_could_not_be_read_is_as_known_to_a_running_floor_as_to_a_resumed_one() -> None:
    floor = Floor(seat := Seat("1", web="07:00:00"))
    floor.poll("12:00:00")
    seat.more = {"l": {"type": "Web", "duration": ["?"]}}
    update = floor.poll("12:00:10")
    seat.more, seat.web = {}, None
    twin = resumed(floor, update)
    assert floor.poll("12:00:20", logged_in=2).held == (CUT_SHORT,)
    assert twin.poll("12:00:20", logged_in=2).held == (CUT_SHORT,)


def test_a_row_that_still_cannot_be_read_is_no_logout_to_either() -> None:
    floor = Floor(seat := Seat("1", web="07:00:00"))
    floor.poll("12:00:00")
    seat.more = {"l": {"type": "Web", "duration": ["?"]}}
    twin = resumed(floor, floor.poll("12:00:10"))
    assert floor.poll("12:00:20", logged_in=4).held == (LOGINS,)
    assert twin.poll("12:00:20", logged_in=4).held == (LOGINS,)


def test_a_resumed_floor_whose_first_polls_fail_shows_the_last_known_snapshot(floor: Floor) -> None:
    update = floor.poll("12:00:10")
    twin = resumed(floor, update)
    failed = twin.live.fail(REFUSED)
    assert failed.outage == Outage(since=at("12:00:10"), failures=1, error=REFUSED)
    assert (failed.sequence, failed.snapshot.agents) == (update.sequence + 1, update.snapshot.agents)
    assert twin.poll("12:01:00").gap == Gap(
        since=at("12:00:10"), until=at("12:01:00"), failures=1, error=REFUSED
    )


def test_a_resumed_floor_holds_and_confirms_as_if_there_had_been_no_restart(floor: Floor) -> None:
    for second in (10, 20):
        floor.live.receive(EMPTY, date=at(f"12:00:{second}"))
    twin = resumed(floor, floor.live.receive(EMPTY, date=at("12:00:30")))
    update = twin.live.receive(EMPTY, date=at("12:00:40"))
    assert not update.held
    assert update.transitions == floor.live.receive(EMPTY, date=at("12:00:40")).transitions


def test_a_checkpoint_of_a_failed_tick_goes_on_from_the_last_good_reply(floor: Floor) -> None:
    twin = resumed(floor, floor.live.fail(REFUSED))
    floor.seats["3"].call = "12:05:00"
    assert twin.poll("12:10:00").transitions == floor.poll("12:10:00").transitions


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda _: None, ""),
        (lambda _: {}, "not a checkpoint"),
        (lambda value: {**value, "deepcall_checkpoint": "1"}, "not a checkpoint"),
        (lambda value: {**value, "deepcall_checkpoint": 99}, "format 99 is newer"),
        (lambda value: {**value, "scope": "elsewhere"}, "made for account 'elsewhere', not 'desk'"),
        (lambda value: {**value, "view": "group 55"}, "made for view 'group 55'"),
        (lambda value: {**value, "status": "login"}, "made for status 'login'"),
        (lambda value: {key: part for key, part in value.items() if key != "state"}, "damaged"),
        (lambda value: {**value, "state": {**value["state"], "time": "noon"}}, "damaged"),
        (lambda value: {**value, "state": {**value["state"], "time": "2026-01-05T12:00:00"}}, "damaged"),
        (lambda value: {**value, "state": {**value["state"], "time": "0001-01-01T00:00:00Z"}}, "damaged"),
        (lambda value: {**value, "state": {**value["state"], "time": "9999-12-31T23:59:59Z"}}, "damaged"),
        (lambda value: {**value, "state": {**value["state"], "memories": [1]}}, "damaged"),
        (lambda value: {**value, "totals": None}, "damaged"),
        (lambda value: {**value, "sequence": "many"}, "damaged"),
        (lambda value: {**value, "sequence": True}, "damaged"),
        (lambda value: {**value, "view": json.loads("[" * 500 + "]" * 500)}, "made for view"),
        (lambda value: {**value, "deepcall_checkpoint": 10**5000}, "damaged"),
    ],
)
def test_a_checkpoint_that_cannot_be_used_gives_a_warning_and_a_fresh_baseline(
    floor: Floor, spoil: Any, reason: str
) -> None:
    made = Floor(*floor.seats.values(), scope="desk")
    value = spoil(json.loads(json.dumps(made.poll("12:00:00").checkpoint)))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        twin = Floor(*floor.seats.values(), scope="desk", resume_from=value)
    assert [issubclass(warning.category, CheckpointWarning) for warning in caught] == [True] * bool(reason)
    assert all(reason in str(warning.message) for warning in caught)
    update = twin.poll("12:01:00")
    assert (update.is_baseline, update.sequence, update.transitions) == (True, 0, ())
    assert bool(update.gap) is bool(reason)
    assert (twin.live.refusal or "") == "".join(str(warning.message) for warning in caught)
    assert not twin.poll("12:01:10").gap


@pytest.mark.parametrize(
    ("time", "since"),
    [
        ("2026-01-05T11:00:00Z", "11:00:00"),  # as the damaged checkpoint tells
        ("2027-01-05T11:00:00Z", "12:01:00"),  # which cannot be
        ("noon", "12:01:00"),  # which it does not tell
    ],
)
def test_the_baseline_after_a_damaged_checkpoint_tells_since_when_nobody_watched(
    floor: Floor, time: str, since: str
) -> None:
    value = floor.poll("12:00:00").checkpoint
    value["state"]["time"], value["totals"] = time, None
    with pytest.warns(CheckpointWarning, match="damaged"):
        twin = Floor(*floor.seats.values(), resume_from=value)
    assert twin.poll("12:01:00").gap == Gap(since=at(since), until=at("12:01:00"), failures=0)


@pytest.mark.parametrize("wrong", ["floor.json", b"{}", ["a"], 5, True])
def test_what_is_no_mapping_is_an_error_of_the_caller(wrong: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"resume_from must be a checkpoint, got .*load_checkpoint"):
        LiveFloor(resume_from=wrong)


def test_any_mapping_is_a_checkpoint_if_it_holds_one(floor: Floor) -> None:
    value = floor.poll("12:00:00").checkpoint
    value["state"] = MappingProxyType(value["state"])
    twin = Floor(*floor.seats.values(), resume_from=MappingProxyType(value))
    assert not twin.poll("12:00:10").is_baseline


def test_a_checkpoint_that_trips_the_first_reply_is_refused_and_the_reply_is_the_baseline(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    twin = resumed(floor, floor.poll("12:00:10"))
    twin.live.fail(REFUSED)
    with monkeypatch.context() as patch:
        patch.setattr(live_floor, "diff", lambda *_, **__: 1 // 0)  # no damage is known that would do it
        with pytest.warns(CheckpointWarning, match="damaged .ZeroDivisionError"):
            update = twin.poll("12:01:00")
        assert (update.is_baseline, update.transitions) == (True, ())
        assert update.gap == Gap(since=at("12:00:10"), until=at("12:01:00"), failures=1, error=REFUSED)
        with pytest.raises(ZeroDivisionError):  # a fault of ours, and not of any checkpoint
            twin.poll("12:01:10")


def test_a_checkpoint_of_a_floor_without_an_agent_in_common_is_not_used(floor: Floor) -> None:
    twin = resumed(floor, floor.poll("12:00:10"))
    twin.seats = {"9": Seat("9", web="07:00:00")}
    with pytest.warns(CheckpointWarning, match="shares no agent"):
        update = twin.poll("12:01:00")
    assert (update.is_baseline, update.transitions) == (True, ())
    assert update.gap == Gap(since=at("12:00:10"), until=at("12:01:00"), failures=0)
    assert not twin.poll("12:01:10").is_baseline


def test_by_login_a_change_of_shift_while_nobody_watched_is_told() -> None:
    early = Floor(*[Seat(str(number), web="06:00:00") for number in (1, 2, 3)], status="login")
    twin = resumed(early, early.poll("13:55:00"), status="login")
    twin.seats = {str(number): Seat(str(number), web="14:00:05") for number in (4, 5, 6)}
    update = twin.poll("14:05:00")
    assert update.gap == Gap(since=at("13:55:00"), until=at("14:05:00"), failures=0)
    assert sorted(t.kind for t in update.transitions) == ["logged_in"] * 3 + ["logged_out"] * 3


def test_a_checkpoint_whose_agents_have_other_names_is_another_accounts() -> None:
    floor = Floor(*[Seat(str(number), web="06:00:00") for number in range(9)])
    update = floor.poll("12:00:00")
    twin = resumed(floor, update)
    twin.seats = {
        key: Seat(key, name="Ravi", web=f"07:0{key}:00", available="08:00:00") for key in floor.seats
    }
    with pytest.warns(CheckpointWarning, match="9 of the 9 agents it shares with the floor have other names"):
        assert twin.poll("12:01:00").is_baseline
    renamed = resumed(floor, update)
    renamed.seats = {key: evolve(seat, name="Ravi") for key, seat in floor.seats.items()}
    assert {t.kind for t in renamed.poll("12:01:00").transitions} == {"agent_updated"}


def test_a_warning_points_at_the_line_that_gave_the_checkpoint(floor: Floor) -> None:
    with pytest.warns(CheckpointWarning) as caught:
        LiveFloor(resume_from={"deepcall_checkpoint": 99})
    assert caught[0].filename == __file__
    twin = resumed(floor, floor.poll("12:00:10"))
    with pytest.warns(CheckpointWarning) as caught:
        twin.live.receive(Floor(Seat("9")).reply("12:01:00"))
    assert caught[0].filename == __file__


def test_a_resumed_floor_that_finds_no_rows_holds_them(floor: Floor) -> None:
    twin = resumed(floor, floor.poll("12:00:10"))
    assert twin.live.receive(EMPTY, date=at("12:01:00")).held == (EMPTIED,)


# --- details of updates ---------------------------------------------------------------------------


def test_an_update_stays_what_it_was_when_the_floor_goes_on(floor: Floor) -> None:
    first = floor.poll("12:00:10")
    checkpoint, agents = json.dumps(first.checkpoint), dict(first.snapshot.agents)
    for second in range(20, 60, 10):
        floor.seats["3"].call = f"12:00:{second - 5}"
        floor.seats["1"].name = f"{second}"
        floor.poll(f"12:00:{second}")
    assert json.dumps(first.checkpoint) == checkpoint
    assert first.snapshot.agents == agents


def test_what_was_received_when_is_noted_on_the_snapshot() -> None:
    floor = Floor(Seat("1"))
    snapshot = floor.live.receive(floor.reply("12:00:00"), received_at=at("12:34:00")).snapshot
    assert (snapshot.server_time, snapshot.received_at) == (at("12:00:00"), at("12:34:00"))


# --- in another thread ------------------------------------------------------------------------------


def test_a_reply_that_a_fork_has_taken_is_new_to_the_floor_until_it_joins(floor: Floor) -> None:
    floor.seats["3"].call = "12:00:07"
    reply = floor.reply("12:00:10")
    told = floor.live.fork().receive(reply)
    fork = floor.live.fork()  # as the first one never came back
    assert fork.receive(reply) == told
    floor.live.join(fork)
    assert [t.kind for t in told.transitions] == ["call_started"]
    assert floor.poll("12:00:20").transitions == ()


def test_a_fork_and_its_floor_share_nothing_that_changes(floor: Floor) -> None:
    floor.poll("12:00:10")
    fork, later = floor.live.fork(), floor.reply("12:00:30")
    alone = Floor(*floor.seats.values())
    alone.poll("12:00:10")
    here, there = floor.live.receive(floor.reply("12:00:20")), fork.receive(later)
    assert (here.snapshot, there.snapshot) == (
        alone.poll("12:00:20").snapshot,
        alone.live.receive(later).snapshot,
    )
