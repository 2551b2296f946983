"""The laws of the stream contract, as properties: of simulated floors with a true history, and of garbage."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest
from attrs import define, evolve, field, frozen
from hypothesis import Phase, given, settings, strategies as st

from deepcall_async import (
    Agent,
    Basis,
    CallEnded,
    CallStarted,
    DeepcallError,
    LiveFloor,
    LiveUpdate,
    LoggedIn,
    ReplyError,
    Transition,
    TransportError,
    UnseenActivity,
    transition_from_json,
    transition_to_json,
)
from deepcall_async._inference.episodes import FACETS
from deepcall_async._wire.rows import FEW
from deepcall_async.simulator import VARIANTS, Floor as SimulatedFloor, Pace, Variant

from .floors import Floor, Seat, at, clock, words
from .truths import PATTERNS, Reply, Run, Status, begins, disorders, side, told, untrue, watch

SECOND = timedelta(seconds=1)
NEVER_RESET = [name for name, variant in VARIANTS.items() if variant.counters_reset == "never"]
EXACT = [name for name, variant in VARIANTS.items() if not (variant.jitter or variant.torn_second)]


def runs(
    variants: Iterable[str] = VARIANTS, polls: int = 120, status: tuple[Status, ...] = ("all", "login")
) -> st.SearchStrategy[Run]:
    """Simulated floors in every variant, polled in every pattern."""
    return st.builds(
        Run,
        variant=st.sampled_from(sorted(variants)),
        seed=st.integers(0, 99_999),
        pattern=st.sampled_from(PATTERNS),
        agents=st.integers(3, 5),
        status=st.sampled_from(status),
        polls=st.just(polls),
    )


# --- garbage --------------------------------------------------------------------------------------

UNREADABLE = {"avT": "soon"}
AGO = st.sampled_from([0, 1, 2, 3, 5, 60, 3600, -2, -60])  # seconds; negative: in the future
EPISODE: st.SearchStrategy[Any] = st.one_of(
    AGO, st.sampled_from([None, "Yes", {"type": "Web"}, {"duration": 7}, "No", []])
)
CHANGE = st.one_of(
    st.tuples(st.sampled_from(["web", "mobile", "call", "on_break"]), EPISODE),
    st.tuples(st.just("available"), st.one_of(st.none(), AGO)),
    st.tuples(st.just("calls"), st.sampled_from([None, 0, 1, 2, 3, 10**6])),
    st.tuples(st.just("talk"), st.sampled_from([None, 0, 5, 7.5, 60, 10**6, 3e9])),
    st.tuples(st.just("occupied"), st.sampled_from([None, False, True])),
    st.tuples(st.just("name"), st.sampled_from([None, "A", "B"])),
    st.tuples(st.just("more"), st.sampled_from([{}, {}, UNREADABLE, {"I": None}, {"avT": [0, 0, 0]}])),
    st.tuples(st.just("is_there"), st.booleans()),
)
STEP = st.sampled_from([0, 0, 1, 2, 5, 30, 90, -1, -2, -3, -30, 3600, -3600])
POLL = st.tuples(
    STEP,
    st.lists(st.tuples(st.sampled_from("12"), CHANGE), max_size=4),
    st.sampled_from([None, None, None, 0, 1, 2]),  # lA
)


@define
class Garbage:
    """A floor of two agents that are changed at random, and of one that never is."""

    polls: list[tuple[int, list[tuple[str, tuple[str, Any]]], int | None]]
    replies: list[Reply] = field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        floor, now = Floor(Seat("0", web="06:00:00"), Seat("1"), Seat("2")), at("12:00:00")
        away: dict[str, Seat] = {}
        self.replies = []
        for step, changes, logged_in in self.polls:
            now += step * SECOND
            for agent_id, (name, value) in changes:
                self._change(floor, away, agent_id, name, value, now)
            self.replies.append(Reply(now.timestamp(), floor.reply(clock(now), logged_in=logged_in)))

    @staticmethod
    def _change(
        floor: Floor, away: dict[str, Seat], agent_id: str, name: str, value: Any, now: datetime
    ) -> None:
        seat = floor.seats.get(agent_id) or away[agent_id]
        if name == "is_there":
            (floor.seats if value else away)[agent_id] = seat
            (away if value else floor.seats).pop(agent_id, None)
        elif type(value) is int and name in ("web", "mobile", "call", "on_break", "available"):
            setattr(seat, name, clock(now - value * SECOND))
        else:
            setattr(seat, name, value)

    def updates(self, status: str) -> list[LiveUpdate]:
        """What the stream yields."""
        return watch(LiveFloor(status, scope="junk"), self.replies)


# A seed does not shrink to anything simpler: a run that fails is reported as it is.
a_few = settings(max_examples=15, phases=[Phase.explicit, Phase.generate])
GARBAGE = st.builds(Garbage, st.lists(POLL, min_size=2, max_size=14))
STATUS = st.sampled_from(["all", "login"])
many = settings(max_examples=150)


# --- law 1: time passing alone is no news ---------------------------------------------------------


@a_few
@given(runs(polls=40))
def test_law_1_no_snapshot_differs_from_itself(run: Run) -> None:
    """But it may confirm a reply that was held, and close books once others have taught what they mean."""
    live = run.live()
    for reply in run.replies:
        (update,) = watch(live, [reply])
        (again,) = watch(live, [reply])
        still_open = {agent_id for agent_id, account in update.ledger.agents.items() if account.open}
        assert update.held or {t.agent.id for t in again.transitions} <= still_open


@pytest.mark.parametrize("form", ["triple", "seconds", "hms"])
def test_law_1_time_passing_alone_yields_nothing_with_every_origin_read_a_second_off(form: str) -> None:
    """10 000 polls, in which nothing happens but rounding."""
    random, now = Random(form), at("12:00:00")
    origins = {
        "web": at("11:00:00"),
        "mobile": at("11:10:00"),
        "on_break": at("11:20:00"),
        "call": at("11:30:00"),
    }
    floor = Floor(
        Seat("1", calls=3, talk=200, occupied=True, available="11:00:00"),
        Seat("2", web="Web", call="Yes", on_break={"type": "Tea"}, available="10:00:00"),
    )

    def show(instant: datetime) -> Any:
        seconds = int((now - instant).total_seconds())
        if form == "triple":
            return clock(instant)
        return {
            "type": "x",
            "duration": seconds
            if form == "seconds"
            else f"{seconds // 3600}:{seconds // 60 % 60}:{seconds % 60}",
        }

    live = floor.live
    for _ in range(3400):
        now += random.randint(0, 30) * SECOND
        for name, origin in origins.items():
            stray = origin + random.choice((-1, 0, 1)) * SECOND
            setattr(floor.seats["1"], name, clock(stray) if name in ("web", "mobile") else show(stray))
        update = live.receive(floor.reply(clock(now)))
        assert update.transitions == ()
        assert not update.held


ALL_STRAY = Variant(jitter=True, availability_jitter=True)
LEFT_OUT = Variant(jitter=True, torn_second=True, busy_availability="absent")
STRAYING = st.sampled_from([ALL_STRAY, LEFT_OUT, evolve(ALL_STRAY, torn_second=True)])


@a_few
@given(STRAYING, st.integers(0, 99_999), st.sampled_from([1, 5, 60]), STATUS)
def test_law_1_time_passing_alone_yields_nothing_where_the_rows_own_clocks_stray_too(
    variant: Variant, seed: int, interval: int, status: Status
) -> None:
    """Agents who go on doing for ever what they did at first."""
    lived = SimulatedFloor(12, seed=seed, pace=Pace.busy()).history
    floor, live = SimulatedFloor(facts=lived, seed=seed, variant=variant), LiveFloor(status)
    now = floor.start
    for _ in range(150):
        now += interval
        assert live.receive(floor.reply(now, status=status), date=Reply(now, b"").date).transitions == ()


# --- law 2: kinds alternate, times never decrease -------------------------------------------------


@a_few
@given(runs())
def test_law_2_kinds_alternate_and_times_never_decrease_on_a_truthful_floor(run: Run) -> None:
    assert disorders(run.updates()) == []


@many
@given(GARBAGE, STATUS)
def test_law_2_kinds_alternate_and_times_never_decrease_whatever_the_input(
    garbage: Garbage, status: str
) -> None:
    assert disorders(garbage.updates(status)) == []


@many
@given(GARBAGE, STATUS)
def test_law_2_what_is_told_leads_from_each_snapshot_to_the_next_whatever_the_input(
    garbage: Garbage, status: str
) -> None:
    """Nothing that is shown is untold, and nothing told is unshown."""
    is_on: dict[tuple[str, str], bool] = {}
    known: set[str] = set()
    for update in garbage.updates(status):
        for t in update.transitions:
            if (name := side(t)) is not None:
                is_on[t.agent.id, name] = begins(t)
        for agent_id, agent in update.snapshot.agents.items():
            shown = {(agent_id, f.name): f.of(agent) is not None for f in FACETS}
            if agent_id in known:
                assert {key: is_on.get(key, False) for key in shown} == shown
            is_on |= shown
        known = set(update.snapshot.agents)


# --- law 3: bounds --------------------------------------------------------------------------------


@many
@given(GARBAGE, STATUS)
def test_law_3_every_time_lies_within_its_bounds_whatever_the_input(garbage: Garbage, status: str) -> None:
    for t in told(garbage.updates(status)):
        assert t.earliest <= t.at <= t.latest
        assert (getattr(t, "duration", None) or timedelta(0)) >= timedelta(0)


@many
@given(GARBAGE, STATUS)
def test_all_that_is_told_goes_through_json_whatever_the_input(garbage: Garbage, status: str) -> None:
    for update in garbage.updates(status):
        json.dumps(update.checkpoint, allow_nan=False)
        for t in update.transitions:
            assert transition_from_json(json.loads(json.dumps(transition_to_json(t)))) == t


# --- laws 3 and 4: everything told happened, within its bounds ------------------------------------


@pytest.mark.parametrize("variant", VARIANTS)
@settings(a_few, max_examples=2)
@given(data=st.data())
def test_laws_3_and_4_everything_told_happened_once_and_within_a_second_of_its_bounds(
    data: st.DataObject, variant: str
) -> None:
    run = data.draw(runs([variant]))
    assert [words(t) for t in untrue(told(run.updates()), run.floor.history)] == []


@a_few
@given(STRAYING, st.integers(0, 99_999), st.sampled_from([1, 5, 15]))
def test_law_4_where_all_readings_stray_at_once_nobody_is_told_to_have_logged_in_who_has_not(
    variant: Variant, seed: int, interval: int
) -> None:
    floor, live = SimulatedFloor(8, seed=seed, variant=variant, pace=Pace.busy()), LiveFloor()
    polls = [floor.start + interval * number for number in range(1, 101)]
    transitions = told(watch(live, [Reply(now, floor.reply(now)) for now in polls]))
    said = Counter((t.agent.id, t.channel.value) for t in transitions if isinstance(t, LoggedIn))
    assert said <= Counter((f.agent, f.channel) for f in floor.history if f.kind == "logged_in")


# --- law 5: the ledger ----------------------------------------------------------------------------


def steady(run: Run) -> set[str]:
    """The agents in view throughout who were idle, by their raw rows, at the first poll and at the last."""
    everywhere = set.intersection(*(set(reply.rows) for reply in run.replies))
    ends = (run.replies[0].rows, run.replies[-1].rows)
    return {agent_id for agent_id in everywhere if all(is_idle(rows[agent_id]) for rows in ends)}


def is_idle(row: dict[str, Any]) -> bool:
    return int(row["IsOcc"]) == 0 and row.get("liC") in (None, "No", "", [], {})


def calls_told(transitions: Iterable[Transition], agent_id: str, kind: type[Any]) -> int:
    """How many calls were told to have begun or ended, one by one or counted."""
    own = [t for t in transitions if t.agent.id == agent_id]
    counted = sum(t.calls or 0 for t in own if isinstance(t, UnseenActivity))
    return counted + sum(isinstance(t, kind) for t in own)


@a_few
@given(runs(NEVER_RESET))
def test_law_5_the_growth_of_the_counter_is_the_calls_told_and_what_is_still_open(run: Run) -> None:
    updates = run.updates()
    transitions, ledger = told(updates), updates[-1].ledger
    kind = CallStarted if VARIANTS[run.variant].counters_move_at == "call_start" else CallEnded
    for agent_id in steady(run):
        before, after = (
            int(reply.rows[agent_id].get("tC", 0)) for reply in (run.replies[0], run.replies[-1])
        )
        account = ledger.agents[agent_id]
        assert account.grown == after - before
        assert calls_told(transitions, agent_id, kind) + account.open == after - before
    assert ledger.total.residual == 0


@a_few
@given(runs(sorted(set(VARIANTS) - set(NEVER_RESET))))
def test_law_5_what_a_reset_hides_is_a_residual_and_never_a_call(run: Run) -> None:
    updates = run.updates()
    ledger = updates[-1].ledger
    assert ledger.total.residual >= 0
    for agent_id, account in ledger.agents.items():
        truths = sum(f.kind == "call_started" and f.agent == agent_id for f in run.floor.history)
        assert calls_told(told(updates), agent_id, CallEnded) <= truths
        assert account.hidden + account.seen <= truths


@many
@given(GARBAGE, STATUS)
def test_law_5_the_books_add_up_whatever_the_input(garbage: Garbage, status: str) -> None:
    updates = garbage.updates(status)
    transitions, total = told(updates), updates[-1].ledger.total
    counted = sum(t.calls or 0 for t in transitions if isinstance(t, UnseenActivity))
    inferred = sum(isinstance(t, CallEnded) and ":hidden." in t.id for t in transitions)
    assert total.hidden == counted + inferred
    assert total.open >= 0
    assert total.grown == total.seen + total.hidden + total.prior + total.open + total.residual


# --- law 6: failed polls --------------------------------------------------------------------------

BAD = (
    b"",
    b"<html>",
    b"{}",
    b'{"message":"x","status":"error","code":1009}',
    b'{"message":{},"status":"success"}',
)


@a_few
@given(runs(polls=60), st.randoms(use_true_random=False))
def test_law_6_failed_polls_change_nothing_of_what_is_told(run: Run, random: Random) -> None:
    live, failures = run.live(), 0
    updates: list[LiveUpdate] = []
    for reply in run.replies:
        (update,) = watch(live, [reply])
        if not update.held:
            assert (update.gap.failures if update.gap else 0) == failures
            failures = 0
        updates.append(update)
        for _ in range(random.choice([0, 0, 1, 3])):
            failures += 1
            with pytest.raises(DeepcallError):
                live.receive(random.choice(BAD))
            failed = live.fail(TransportError("refused"))
            assert failed.transitions == ()
            assert failed.snapshot == update.snapshot
            assert failed.outage is not None
    assert told(updates) == told(run.updates())
    assert updates[-1].snapshot == run.updates()[-1].snapshot


@a_few
@given(runs(polls=60), st.integers(1, 20), st.integers(2, 40))
def test_law_6_after_an_outage_only_what_happened_is_told(run: Run, since: int, length: int) -> None:
    live = run.live()
    updates = watch(live, run.replies[:since])
    updates += [live.fail(TransportError("refused")) for _ in range(length)]
    updates += watch(live, run.replies[since + length :])
    assert untrue(told(updates), run.floor.history) == []
    assert disorders(updates) == []


# --- law 7: rows that cannot be read --------------------------------------------------------------

FAULTS = ({"avT": "soon"}, {"l": 5}, {"tC": -1}, {"I": "1", "nm": []}, {"ataT": [1]})


def spoilt(reply: Reply, agent_id: str, fault: dict[str, Any]) -> Reply:
    """The reply with one agent's row made unreadable."""
    value = json.loads(reply.body)
    for row in value["message"]["pr"]:
        row.update(fault if row["I"] == agent_id else {})
    return Reply(reply.now, json.dumps(value).encode())


@a_few
@given(runs(EXACT, polls=60), st.randoms(use_true_random=False))
def test_law_7_an_unreadable_row_is_no_removal_and_leaves_the_others_alone(run: Run, random: Random) -> None:
    live = run.live()
    updates: list[LiveUpdate] = []
    for reply in run.replies:
        is_spoilt = random.random() < 0.4 and "1" in reply.rows
        (update,) = watch(live, [spoilt(reply, "1", random.choice(FAULTS)) if is_spoilt else reply])
        if is_spoilt and updates:
            assert [t for t in update.transitions if t.agent.id == "1"] == []
            assert update.snapshot.agents.get("1") == updates[-1].snapshot.agents.get("1")
            assert {part.agent_id for part in update.snapshot.quarantined} == {"1"}
        updates.append(update)
    assert untrue(told(updates), run.floor.history) == []
    if not any(update.held for update in run.updates()):  # an empty floor is held, an unreadable one is not
        assert facts_of_others(updates) == facts_of_others(run.updates())


def test_law_7_in_a_floor_of_nothing_but_unreadable_rows_nothing_is_told() -> None:
    run = Run(variant="likely", seed=7, polls=30)
    live = run.live()
    watch(live, run.replies[:1])
    for reply in run.replies[1:]:
        for agent_id in reply.rows:
            reply = spoilt(reply, agent_id, {"avT": "soon"})  # noqa: PLW2901  # one after another
        try:
            (update,) = watch(live, [reply])
        except ReplyError as error:  # more than a few: a failed poll
            assert len(reply.rows) > FEW
            update = live.fail(error)
        assert (update.transitions, update.held) == ((), ())
        assert update.snapshot.agents


def facts_of_others(updates: Iterable[LiveUpdate]) -> set[str]:
    return {t.id for t in told(updates) if t.agent.id != "1" and t.basis is Basis.OBSERVED}


# --- law 8: suspect replies -----------------------------------------------------------------------


def lies(run: Run, place: int) -> list[Reply]:
    """What a server may answer that has lost its mind, or that answers from an old copy."""
    reply = run.replies[place]
    nobody, wrong_count = json.loads(reply.body), json.loads(reply.body)
    wrong_count["message"]["lA"] += 5
    nobody["message"]["pr"] = []
    told = [
        Reply(reply.now, json.dumps(lie).encode()) for lie in (wrong_count, nobody)[: 1 + bool(reply.rows)]
    ]
    return told + [old for old in run.replies[:place] if old.now < reply.now - 4][-1:]


@a_few
@given(runs(polls=60), st.randoms(use_true_random=False))
def test_law_8_a_lie_between_good_replies_is_held_and_never_told(run: Run, random: Random) -> None:
    live = run.live()
    good: list[LiveUpdate] = []
    for place, reply in enumerate(run.replies):
        good += watch(live, [reply])
        if good[-1].held:  # a lie may confirm it
            continue
        (update,) = watch(live, [random.choice(lies(run, place))])
        assert update.held
        assert update.transitions == ()
        assert update.snapshot == good[-1].snapshot
    if not any(update.held for update in run.updates()):  # a floor that is truly empty is held as well
        assert told(good) == told(run.updates())


# --- law 9: ids -----------------------------------------------------------------------------------


@a_few
@given(runs())
def test_law_9_no_id_is_used_twice_on_a_truthful_floor(run: Run) -> None:
    ids = [t.id for t in told(run.updates())]
    assert len(ids) == len(set(ids))


@frozen
class Shown:
    """An episode with an origin: whose, where, since when."""

    agent_id: str
    facet: str
    since: datetime


def shown(agents: Iterable[Agent]) -> set[Shown]:
    """The episodes in view that have an origin."""
    episodes = {(a.id, f.name): f.of(a) for a in agents for f in FACETS}
    return {Shown(*key, e.since) for key, e in episodes.items() if e is not None and e.since is not None}


def starts(updates: list[LiveUpdate]) -> dict[Shown, str]:
    """The ids of the starts told, by the episode that began."""
    return {
        episode: t.id
        for t in told(updates)
        if begins(t) and ":hidden." not in t.id
        for episode in shown([t.agent])
        if episode.facet == side(t)
    }


@a_few
@given(
    st.sampled_from(EXACT),
    st.integers(0, 99_999),
    st.tuples(st.sampled_from([1, 2, 5, 7.3, 15]), st.sampled_from([1, 3, 5, 11.1, 30])),
    st.tuples(st.floats(0, 1), st.floats(0, 1)),
)
def test_law_9_two_pollers_give_the_same_fact_the_same_id(
    variant: str, seed: int, intervals: tuple[float, float], phases: tuple[float, float]
) -> None:
    floor = SimulatedFloor(3, seed=seed, variant=VARIANTS[variant], pace=Pace.busy())
    ticks = sorted(
        (floor.start + 1 + interval * (number + phase), poller)
        for poller, (interval, phase) in enumerate(zip(intervals, phases, strict=True))
        for number in range(int(600 / interval))
    )
    pollers = LiveFloor(scope="sim"), LiveFloor(scope="sim")
    seen: tuple[list[LiveUpdate], list[LiveUpdate]] = ([], [])
    for now, poller in ticks:
        seen[poller].extend(watch(pollers[poller], [Reply(now, floor.reply(now))]))
    one, two = (starts(updates) for updates in seen)
    known = {episode for updates in seen for episode in shown(updates[0].snapshot.agents.values())}
    views = [{e for update in updates for e in shown(update.snapshot.agents.values())} for updates in seen]
    both = (views[0] & views[1]) - known
    added = {t.agent.id for updates in seen for t in told(updates) if t.kind == "agent_added"}
    for episode in both:
        if episode.agent_id not in added:
            assert one[episode] == two[episode]


# --- law 10: checkpoints --------------------------------------------------------------------------


def rest_after(
    live: LiveFloor, replies: Iterable[Reply]
) -> list[tuple[tuple[str, ...], tuple[Transition, ...]]]:
    return [(update.held, update.transitions) for update in watch(live, replies)]


@a_few
@given(runs(polls=30, status=("all",)))
def test_law_10_from_every_checkpoint_the_stream_goes_on_as_if_never_interrupted(run: Run) -> None:
    updates = run.updates()
    expected = [(update.held, update.transitions) for update in updates]
    for place, update in enumerate(updates):
        saved = json.loads(json.dumps(update.checkpoint, allow_nan=False))
        live = run.live(resume_from=saved)
        assert rest_after(live, run.replies[place + 1 :]) == expected[place + 1 :]


@settings(max_examples=60)
@given(GARBAGE, STATUS)
def test_law_10_from_every_checkpoint_the_stream_goes_on_whatever_the_input(
    garbage: Garbage, status: str
) -> None:
    updates = garbage.updates(status)
    expected = [(update.held, update.transitions) for update in updates]
    for place, update in enumerate(updates):
        live = LiveFloor(status, scope="junk", resume_from=json.loads(json.dumps(update.checkpoint)))
        assert rest_after(live, garbage.replies[place + 1 :]) == expected[place + 1 :]


@a_few
@given(runs(polls=30, status=("all",)), st.data())
def test_law_10_after_a_crash_only_what_was_not_saved_is_told_again(run: Run, data: st.DataObject) -> None:
    updates = run.updates()
    crash = data.draw(st.integers(1, len(updates) - 1))
    delivered = told(updates[: crash + 1])
    live = run.live(resume_from=updates[crash - 1].checkpoint)
    again = told(watch(live, run.replies[crash:]))
    assert again[: len(updates[crash].transitions)] == list(updates[crash].transitions)
    assert {t.id: t for t in [*delivered, *again]} == {t.id: t for t in told(updates)}
