"""The laws of proportion, as properties: what is believed when, who is excused, what it all may cost."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

import pytest
from attrs import frozen
from hypothesis import given, settings, strategies as st

from deepcall_async import LiveFloor, LiveUpdate, ReplyError, TransportError
from deepcall_async._client.backlog import FEWEST, Pending, baseline
from deepcall_async._client.credentials import TokenAuth
from deepcall_async._client.renewal import Grant
from deepcall_async._client.scope import AccountName
from deepcall_async._floor.checkpoint import CheckpointWarning
from deepcall_async._floor.update import mark_of
from deepcall_async._inference import absence, differ
from deepcall_async._model.transitions import fact_id
from deepcall_async._wire import predictor, rows as wire_rows
from deepcall_async._wire.rows import FEW, read_row
from deepcall_async._wire.unread import MOST_LISTED
from deepcall_async.simulator import VARIANTS, Fault, Floor as SimulatedFloor, Pace

from .floors import Floor, Seat, at, clock

SECOND = timedelta(seconds=1)
NOON = at("12:00:00")
STATUS = st.sampled_from(["all", "login"])
many = settings(max_examples=150)


def crew(count: int, **options: Any) -> Floor:
    """Agents who logged in a minute apart; of three, one is on a call and one on a break. Polled at noon."""
    floor = Floor(**options)
    for number in range(count):
        floor.seat(
            str(number),
            name=f"Agent {number}",
            web=f"07:{number % 60:02}:00",
            call="11:50:00" if number % 3 == 1 else None,
            on_break="11:50:00" if number % 3 == 2 else None,
        )
    return floor


def instants(gaps: Iterable[int]) -> list[datetime]:
    """Instants that lie so many seconds apart, the first so many after noon."""
    seconds = 0
    return [NOON + (seconds := seconds + gap) * SECOND for gap in gaps]


def tolerance(agents: int) -> int:
    """By how many totals and rows may disagree: one in ten, and one in any case."""
    return max(1, agents // 10)


def who(update: LiveUpdate) -> set[str]:
    """Of whom anything is told."""
    return {t.agent.id for t in update.transitions}


# --- law 13: plausibility is in proportion ----------------------------------------------------------


@frozen
class Lie:
    """What a reply leaves out of a floor, while its totals count all: most rows, all calls or all breaks.

    left: the rows that are left, as a share of as many as contradict the totals. first: the first of them.
    """

    hides: str
    left: float = 0.0
    first: int = 0

    def tell(self, floor: Floor, now: datetime) -> bytes:
        reply = floor.reply(clock(now))
        if self.hides in ("null", "object"):
            return Fault(rows=self.hides).garble(reply, now.timestamp())  # type: ignore[arg-type]
        value = json.loads(reply)
        rows = value["message"]["pr"]
        if self.hides == "rows":
            most = len(rows) - tolerance(len(rows)) - 1
            turned = rows[self.first % len(rows) :] + rows[: self.first % len(rows)]
            value["message"]["pr"] = turned[: round(self.left * most)]
        for row in rows:
            row.pop(self.hides, None)
        return json.dumps(value).encode()


LIE = st.one_of(
    st.builds(Lie, st.sampled_from(["null", "object", "liC", "br"])),
    st.builds(Lie, st.just("rows"), st.floats(0, 1), st.integers(0, 40)),
)


@many
@given(st.integers(6, 40), st.lists(st.tuples(st.integers(1, 60), LIE), min_size=1, max_size=9), STATUS)
def test_law_13_replies_that_contradict_themselves_take_nothing_away_however_many_come_in_ten_minutes(
    agents: int, lies: list[tuple[int, Lie]], status: str
) -> None:
    floor = crew(agents, status=status)
    floor.poll("12:00:00")
    for now, (_, lie) in zip(instants(gap for gap, _ in lies), lies, strict=True):
        update = floor.live.receive(lie.tell(floor, now), date=now)
        assert update.held
        assert update.transitions == ()
    assert floor.tell("12:09:30") == []


EMPTY = (
    b'{"message":{"pr":[],"lA":0,"oCA":0,"oBA":0},"status":"success","code":200}',
    b'{"message":{"pr":null,"lA":0},"status":"success","code":200}',
    b'{"message":{"pr":[]},"status":"success","code":200}',
    b'{"message":"No data found","status":"error","code":1012}',
)


@many
@given(
    st.integers(1, 20),
    st.lists(st.tuples(st.integers(1, 40), st.sampled_from(EMPTY)), min_size=1, max_size=12),
    STATUS,
)
def test_law_13_an_empty_floor_is_believed_after_three_replies_over_half_a_minute_and_not_before(
    agents: int, replies: list[tuple[int, bytes]], status: str
) -> None:
    floor = crew(agents, status=status)
    floor.poll("12:00:00")
    nows = instants(gap for gap, _ in replies)
    is_over = False
    for place, (now, (_, body)) in enumerate(zip(nows, replies, strict=True)):
        update = floor.live.receive(body, date=now)
        has_lasted = place >= 2 and now - nows[0] >= 30 * SECOND
        assert who(update) == (set(floor.seats) if has_lasted and not is_over else set())
        assert bool(update.held) is not has_lasted
        is_over = is_over or has_lasted


@many
@given(
    st.integers(1, 40),
    st.lists(
        st.tuples(
            st.integers(1, 60),
            st.lists(st.tuples(st.integers(0, 39), st.sampled_from(["web", "call", "on_break"])), max_size=3),
            st.tuples(*[st.floats(-1, 1)] * 3),
        ),
        max_size=12,
    ),
)
def test_law_13_totals_that_are_off_by_one_in_ten_hold_nothing(
    agents: int, polls: list[tuple[int, list[tuple[int, str]], tuple[float, ...]]]
) -> None:
    floor = crew(agents)
    floor.poll("12:00:00")
    names = {"logged_in": "web", "on_call": "call", "on_break": "on_break"}

    def counts() -> dict[str, int]:
        return {t: sum(getattr(s, of) is not None for s in floor.seats.values()) for t, of in names.items()}

    for now, (_, changes, off) in zip(instants(gap for gap, _, _ in polls), polls, strict=True):
        before = counts()
        for number, name in changes:
            seat = floor.seats[str(number % agents)]
            setattr(seat, name, None if getattr(seat, name) else clock(now - SECOND))
        after = counts()
        wrong = {
            total: max(0, after[total] + round(by * tolerance(min(before[total], after[total]))))
            for total, by in zip(names, off, strict=True)
        }
        assert floor.poll(clock(now), **wrong).held == ()


@many
@given(st.integers(2, 60), st.data(), STATUS)
def test_law_13_a_first_reply_that_is_cut_short_never_leads_to_a_mass_login(
    agents: int, data: st.DataObject, status: str
) -> None:
    floor = crew(agents, status=status)
    whole, totals = floor.seats, floor.totals()
    cut = data.draw(st.sets(st.sampled_from(sorted(whole))))
    floor.seats = {key: seat for key, seat in whole.items() if key not in cut}
    first = floor.poll(
        "12:00:00", logged_in=totals.logged_in, on_call=totals.on_call, on_break=totals.on_break
    )
    floor.seats = whole
    update = floor.poll("12:00:05")
    assert bool(first.held) is (len(cut) > max(2, agents // 10) or len(cut) == agents)
    assert who(update) == (set() if first.held else cut)


@many
@given(st.integers(4, 60), st.data(), STATUS)
def test_law_13_first_replies_that_are_cut_short_in_several_ways_are_no_baseline_to_compare_with(
    agents: int, data: st.DataObject, status: str
) -> None:
    """Within half a minute: one that lasts longer is taken for the server's way, and compared with."""
    floor = crew(agents, status=status)
    whole, totals = floor.seats, floor.totals()
    cut_off = st.sets(st.sampled_from(sorted(whole)), min_size=max(2, agents // 10) + 1)
    cuts = data.draw(st.lists(cut_off, min_size=1, max_size=4))
    for place, cut in enumerate(cuts):
        floor.seats = {key: seat for key, seat in whole.items() if key not in cut}
        update = floor.poll(f"12:00:{7 * place:02}", logged_in=totals.logged_in)
        assert (bool(update.held), update.transitions) == (True, ())
    floor.seats = whole
    update = floor.poll("12:00:29")
    assert (update.is_baseline, update.held, update.transitions) == (True, (), ())


@many
@given(st.integers(5, 40), st.data(), st.sampled_from(["out", "gone", "in again"]), STATUS)
def test_law_13_a_change_of_most_of_the_floor_needs_a_second_witness(
    agents: int, data: st.DataObject, how: str, status: str
) -> None:
    floor = crew(agents, status=status)
    turned = data.draw(st.sets(st.sampled_from(sorted(floor.seats)), max_size=agents - 1))
    floor.poll("12:00:00")
    for key in turned:
        if how == "gone" or (how == "out" and status == "login"):
            del floor.seats[key]
        else:
            floor.seats[key].web = None if how == "out" else "12:00:05"
    is_most = len(turned) >= 5 and 2 * len(turned) > agents
    first, second = floor.poll("12:00:10"), floor.poll("12:00:15")
    assert bool(first.held) is is_most
    assert (who(first), who(second)) == ((set(), turned) if is_most else (turned, set()))


# --- law 16: absence is in proportion ---------------------------------------------------------------

NAMELESS = {"I": None}


@many
@given(
    st.integers(30, 40),
    st.integers(0, 3),
    st.lists(
        st.tuples(st.lists(st.integers(0, 29), max_size=3), st.lists(st.integers(0, 29), max_size=3)),
        min_size=1,
        max_size=6,
    ),
    st.booleans(),
    STATUS,
)
def test_law_16_as_many_of_the_missing_are_excused_as_rows_have_lost_their_id_and_no_more(
    agents: int, strangers: int, polls: list[tuple[list[int], list[int]]], has_names: bool, status: str
) -> None:
    """strangers: rows that never had an id, which excuse nobody. Names tell who it is that is missing.

    Where all have the same name, all who are missing wait for a reply. So many agents are there that most
    rows can always be read.
    """
    floor = crew(agents, status=status)
    for seat in floor.seats.values():
        seat.name = seat.name if has_names else "Asha"
    for number in range(strangers):
        floor.seat(f"stranger {number}", name="Nobody", more=NAMELESS)
    floor.poll("12:00:00")
    lost: set[str] = set()
    for place, (leaving, losing) in enumerate(polls, start=1):
        for seat in floor.seats.values():
            seat.more = NAMELESS if seat.name == "Nobody" else {}
        # Who was excused at the last poll is excused first, whatever the names say.
        left = {str(number) for number in leaving} & floor.seats.keys() - lost
        for key in left:
            del floor.seats[key]
        lost = {str(number) for number in losing} & floor.seats.keys()
        for key in lost:
            floor.seats[key].more = NAMELESS
        update = floor.poll(f"12:{place:02}:00")
        assert len(update.snapshot.agents) == len(floor.seats) - strangers or not has_names
        assert who(update) == left or not has_names


SINCE = st.sampled_from([None, "Yes", "11:58:00", "11:30:00", "07:00:00"])
AWAY = st.lists(st.integers(1, 3600), min_size=1, max_size=8)  # seconds from poll to poll


@many
@given(
    st.builds(Seat, st.just("1"), web=SINCE, mobile=SINCE, call=SINCE, on_break=SINCE),
    AWAY,
    STATUS,
)
def test_law_16_who_leaves_a_narrowed_view_and_comes_back_as_before_has_ended_and_begun_nothing(
    seat: Seat, away: list[int], status: str
) -> None:
    floor = Floor(seat, Seat("2", web="07:00:00"), status=status, is_narrowed=True)
    nows = [clock(now) for now in instants([*away, 1, 1])]
    floor.poll("12:00:00")
    del floor.seats["1"]
    kinds = [t.kind for now in nows[:-2] for t in floor.poll(now).transitions]
    floor.seats["1"] = seat
    kinds += [t.kind for now in nows[-2:] for t in floor.poll(now).transitions]
    assert kinds == ["agent_removed", "agent_added"]


@many
@given(
    st.builds(Seat, st.just("1"), web=st.just("07:00:00"), call=SINCE, on_break=SINCE),
    AWAY,
)
def test_law_16_a_call_or_break_goes_on_while_its_agent_is_logged_out_of_view(
    seat: Seat, away: list[int]
) -> None:
    floor = Floor(seat, Seat("2", web="07:00:00"), status="login")
    nows = [clock(now) for now in instants([*away, 5, 1])]
    floor.poll("12:00:00")
    del floor.seats["1"]
    kinds = [t.kind for now in nows[:-2] for t in floor.poll(now).transitions]
    floor.seats["1"] = seat
    seat.web = clock(at(nows[-2]) - SECOND)
    kinds += [t.kind for now in nows[-2:] for t in floor.poll(now).transitions]
    assert kinds == ["logged_out", "logged_in"]


# --- law 17: cost is in proportion ------------------------------------------------------------------

UNREADABLE = {"avT": "soon"}


@many
@given(st.integers(1, 60), st.integers(0, 200), st.booleans())
def test_law_17_of_a_reply_with_more_rows_than_any_floor_has_no_more_are_read_than_that(
    most: int, rows: int, is_known: bool
) -> None:
    """`MOST_ROWS`; here it is a number so small that it can be tried."""
    live, body = LiveFloor(), crew(rows).reply("12:00:00")
    with patch.object(wire_rows, "MOST_ROWS", most), patch.object(predictor, "MOST_ROWS", most):
        if is_known:
            live.receive(crew(min(rows, most)).reply("11:59:00"), date=NOON)
        with rows_read() as read:
            if rows > most:
                with pytest.raises(ReplyError, match=f"{rows} rows, and no floor has more than {most}"):
                    live.receive(body, date=NOON)
            else:
                assert len(live.receive(body, date=NOON).snapshot.agents) == rows
    assert len(read) <= most + 1


@contextmanager
def rows_read() -> Iterator[list[Any]]:
    """The rows that are read meanwhile."""
    seen: list[Any] = []

    def reading(raw: Any) -> Any:
        seen.append(raw)
        return read_row(raw)

    with patch.object(predictor, "read_row", reading), patch.object(wire_rows, "read_row", reading):
        yield seen


@contextmanager
def agents_weighed() -> Iterator[list[str]]:
    """The agents whose evidence is weighed meanwhile, present or missing."""
    weighed: list[str] = []
    meet, miss = differ._meet, differ._miss

    def meeting(run: Any, seen: Any) -> Any:
        weighed.append(seen.id)
        return meet(run, seen)

    def missing(run: Any, memory: Any) -> Any:
        weighed.append(memory.agent.id)
        return miss(run, memory)

    with patch.object(differ, "_meet", meeting), patch.object(differ, "_miss", missing):
        yield weighed


@settings(max_examples=40)
@given(st.integers(0, 250), st.integers(0, 250))
def test_law_17_of_parts_that_cannot_be_read_the_first_hundred_are_kept_and_all_are_counted(
    bad: int, good: int
) -> None:
    floor = crew(good)
    for number in range(bad):
        floor.seat(f"bad {number}", more=UNREADABLE)
    if bad > max(FEW, good):
        with pytest.raises(ReplyError):
            floor.poll("12:00:00")
        return
    snapshot = floor.poll("12:00:00").snapshot
    assert len(snapshot.quarantined) == min(bad, MOST_LISTED)
    assert snapshot.quarantined_count == sum(snapshot.unread_rows.values()) == bad


@settings(max_examples=40)
@given(st.integers(1, 300), st.integers(0, 200), st.data(), STATUS)
def test_law_17_a_poll_reads_the_rows_and_weighs_the_agents_that_changed_and_no_other(
    agents: int, gone: int, data: st.DataObject, status: str
) -> None:
    """However many there are, and however many of them went home."""
    floor = crew(agents + gone, status=status)
    floor.poll("12:00:00")
    for number in range(gone):
        del floor.seats[str(agents + number)]
    for second in (5, 10, 40, 45):  # held, if most went home
        floor.poll(f"12:00:{second:02}")
    changed = data.draw(st.sets(st.sampled_from(sorted(floor.seats)), max_size=20))
    for key in changed:
        floor.seats[key].name = "another"
    with rows_read() as read, agents_weighed() as weighed:
        assert who(floor.poll("12:00:50")) == changed
    assert {row["I"] for row in read} == changed
    assert sorted(weighed) == sorted(changed)


@settings(max_examples=40)
@given(
    st.integers(10, 60),
    st.lists(st.one_of(st.integers(0, 9), st.just("down")), max_size=60),
    st.integers(1, 50),
)
def test_law_17_no_more_floors_and_transitions_wait_for_a_slow_reader_than_is_stated(
    agents: int, ticks: list[int | str], limit: int
) -> None:
    """`MOST_ROWS` rows; here each agent stands for so many that five to thirty floors may wait."""
    most = 300
    floor, pending = crew(agents), Pending(limit)
    pending.push(baseline(floor.poll("12:00:00")))
    for now, tick in zip(instants([10] * len(ticks)), ticks, strict=True):
        for seat in [*floor.seats.values()][: tick if isinstance(tick, int) else 0]:
            seat.web = None if seat.web else clock(now)
        is_down = tick == "down"
        with patch("deepcall_async._client.backlog.MOST_ROWS", most):
            pending.push(floor.live.fail(TransportError("down")) if is_down else floor.poll(clock(now)))
        news = [len(update.transitions) for update in pending]
        assert len(news) <= max(FEWEST, most // agents) + 1  # an outage waits beside the news
        assert sum(news) <= limit or sum(bool(count) for count in news) == 1


@settings(max_examples=40)
@given(
    st.integers(1, 30),
    st.lists(st.tuples(st.integers(0, 9), st.sampled_from([60, 3600, 7 * 3600])), min_size=1, max_size=30),
)
def test_law_17_of_those_who_went_home_no_more_are_remembered_than_is_stated_and_none_longer_than_a_day(
    most: int, shifts: list[tuple[int, int]]
) -> None:
    floor = crew(20, status="login")
    floor.poll("12:00:00")
    leave: list[str] = []
    for place, (now, (count, _)) in enumerate(zip(instants(gap for _, gap in shifts), shifts, strict=True)):
        for key in leave:
            del floor.seats[key]
        come = [f"{place}.{number}" for number in range(count)]
        for key in come:
            floor.seat(key, web=clock(now - SECOND))
        with patch.object(absence, "MOST_REMEMBERED", most):
            state = mark_of(floor.poll(clock(now))).state
        gone = [memory.gone_since for memory in state.everyone.values() if memory.gone_since]
        assert len(gone) <= most + len(leave)
        assert all(now - since <= timedelta(days=1, seconds=shifts[place][1]) for since in gone)
        leave = come


@settings(max_examples=15)
@given(
    st.sampled_from(sorted(VARIANTS)), st.integers(1, 40), st.integers(0, 99_999), st.integers(1, 40), STATUS
)
def test_law_17_a_checkpoint_has_no_more_bytes_than_900_an_agent(
    variant: str, agents: int, seed: int, polls: int, status: str
) -> None:
    floor = SimulatedFloor(agents, seed=seed, variant=VARIANTS[variant], pace=Pace.busy())
    live = LiveFloor(status, scope="057262a38173@v4-api.deepcall.com")
    for poll in range(1, polls + 1):
        now = floor.start + 30 * poll
        update = live.receive(floor.reply(now, status=status), received_at=NOON)  # type: ignore[arg-type]
    value = update.checkpoint
    assert len(json.dumps(value, separators=(",", ":"))) <= 900 * len(value["state"]["memories"]) + 2000


# --- law 18: accounts never mix ---------------------------------------------------------------------

USER = st.sampled_from(["1", "01", "10000001", "10000002", "70212345"])  # few: each name costs 60 ms
SERVER = st.sampled_from(["a.example", "a.example:8443", "b.example", "127.0.0.1:8055", "[::1]:8055"])
LABEL = st.text(max_size=100)


@frozen
class Account:
    """What a session is opened with. label: "" for none."""

    user_id: str
    server: str
    label: str = ""

    @property
    def scope(self) -> str:
        name = AccountName(self.label, self.server)
        name.grant = Grant(TokenAuth(self.user_id, "t0ken"))
        return name()


ACCOUNT = st.one_of(st.builds(Account, USER, SERVER), st.builds(Account, USER, SERVER, LABEL))


def is_one(one: Account, other: Account) -> bool:
    """Whether two sessions are of one account: that of a label, or else of a user on a server."""
    return one == other if not (one.label or other.label) else one.label == other.label


@many
@given(ACCOUNT, ACCOUNT)
def test_law_18_two_accounts_never_have_one_name(one: Account, other: Account) -> None:
    assert (one.scope == other.scope) is is_one(one, other)


ANY_ID = st.text(min_size=1, max_size=100)


def an_id(account: Account, agent: str) -> str:
    return fact_id(account.scope, agent, "logged_in", "web.1")


@many
@given(ACCOUNT, ACCOUNT, ANY_ID, ANY_ID)
def test_law_18_ids_of_two_accounts_never_collide(one: Account, other: Account, his: str, hers: str) -> None:
    assert (an_id(one, his) == an_id(other, hers)) is (is_one(one, other) and his == hers)


@many
@given(st.lists(st.sampled_from(["1", "2", "north", ""]), min_size=3, max_size=5), st.data())
def test_law_18_ids_never_collide_though_the_names_of_account_and_agent_run_into_one_another(
    parts: list[str], data: st.DataObject
) -> None:
    one, other = [data.draw(st.integers(1, len(parts) - 1)) for _ in range(2)]
    ids = {fact_id(":".join(parts[:n]), ":".join(parts[n:]), "logged_in", "web.1") for n in (one, other)}
    assert len(ids) == len({one, other})


@settings(max_examples=60)
@given(ACCOUNT, ACCOUNT)
def test_law_18_a_checkpoint_of_one_account_is_refused_by_every_other(one: Account, other: Account) -> None:
    floor = crew(3, scope=one.scope)
    checkpoint = json.loads(json.dumps(floor.poll("12:00:00").checkpoint))
    if is_one(one, other):
        assert not crew(3, scope=other.scope, resume_from=checkpoint).poll("12:01:00").is_baseline
        return
    with pytest.warns(CheckpointWarning, match="for another account"):
        twin = crew(3, scope=other.scope, resume_from=checkpoint)
    assert twin.poll("12:01:00").is_baseline
