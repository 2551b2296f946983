"""The simulated floor: the replies it gives are its true history, seen at one instant."""

import json
import math
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest
from attrs import define, field
from hypothesis import given, settings, strategies as st

from deepcall_async._model.snapshot import Agent, FloorTotals
from deepcall_async._wire.decoder import decode_snapshot
from deepcall_async._wire.encoder import encode_reply
from deepcall_async.simulator import DEFAULT_START, VARIANTS, Fact, Floor, Pace, Variant

MIDNIGHT = datetime(2026, 1, 5, 18, 30, tzinfo=UTC).timestamp()  # in India


# --- the truth, worked out from the history alone, another way than the simulator does --------


@define
class Truth:
    """One agent at one instant."""

    doing: str = "off"
    name: str = ""
    sip_status: str = "offline"
    microphone_permitted: bool = False
    available_since: int = 0
    logins: dict[str, int] = field(factory=dict)
    since: int = 0
    reason: str | None = None
    calls: int = 0
    talk_time: int = 0


DOING = {
    "became_available": "idle",
    "ring_started": "ringing",
    "call_started": "talking",
    "wrap_up_started": "wrapping up",
    "break_started": "on break",
}


def counted_at(facts: list[Fact], variant: Variant) -> Iterator[tuple[int, int, int]]:
    """Which fact (by its place) adds how many calls and how much talk time."""
    lived = [
        (place, fact) for place, fact in enumerate(facts) if fact.kind not in ("updated", "counters_reset")
    ]
    for number, (place, fact) in enumerate(lived):
        if fact.kind == "call_started" and variant.counters_move_at == "call_start":
            yield place, 1, 0
        if fact.kind != "call_ended":
            continue
        calls, talk_time = int(variant.counters_move_at != "call_start"), fact.talk_time or 0
        wraps_up = [f.kind for _, f in lived[number + 1 : number + 2]] == ["wrap_up_started"]
        if variant.counters_move_at != "wrap_up_end" or not wraps_up:
            yield place, calls, talk_time
        elif number + 2 < len(lived):
            yield lived[number + 2][0], calls, talk_time


def truth_of(facts: list[Fact], variant: Variant) -> Truth | None:
    """One agent's state after all these facts; None when it is not on the floor."""
    counted: dict[int, tuple[int, int]] = {p: (c, t) for p, c, t in counted_at(facts, variant)}
    truth: Truth | None = None
    for place, fact in enumerate(facts):
        if fact.kind == "agent_added":
            truth = Truth(name=str(fact.value), available_since=math.floor(fact.at))
        assert truth is not None
        tell(truth, fact, variant)
        calls, talk_time = counted.get(place, (0, 0))
        truth.calls += calls
        truth.talk_time += talk_time
    return None if facts[-1].kind == "agent_removed" else truth


def tell(truth: Truth, fact: Fact, variant: Variant) -> None:
    second = math.floor(fact.at)
    truth.doing = DOING.get(fact.kind, truth.doing)
    if fact.kind == "logged_in":
        truth.logins[str(fact.channel)] = second
    if fact.kind == "logged_out":
        del truth.logins[str(fact.channel)]
        truth.doing = truth.doing if truth.logins else "off"
    if fact.kind == "became_available" or (
        variant.availability_moves_at_logout and fact.kind == "logged_out" and not truth.logins
    ):
        truth.available_since = second
    if fact.kind in ("call_started", "break_started"):
        truth.since, truth.reason = second, fact.reason
    if fact.kind == "updated":
        setattr(truth, str(fact.field), fact.value)
    if fact.kind == "counters_reset":
        truth.calls = truth.talk_time = 0


def truths(floor: Floor) -> dict[str, Truth]:
    facts: dict[str, list[Fact]] = defaultdict(list)
    for fact in floor.history:
        facts[fact.agent].append(fact)
    states = {agent: truth_of(each, floor.variant) for agent, each in facts.items()}
    return {agent: state for agent, state in states.items() if state is not None}


# --- and a reply held against it ------------------------------------------------------------


def is_near(seen: datetime | None, truth: int, variant: Variant) -> bool:
    if seen is None:
        return False
    off_by = abs(seen.timestamp() - truth)
    # a row without avT has no clock of its own, so a torn second shows
    return off_by <= variant.jitter + variant.torn_second * (variant.busy_availability == "absent")


def check_agent(agent: Agent, truth: Truth, variant: Variant) -> None:
    busy = truth.doing in ("ringing", "talking", "wrapping up", "on break")
    assert agent.name == truth.name
    assert (agent.sip_status, agent.microphone_permitted) == (truth.sip_status, truth.microphone_permitted)
    for login, channel in ((agent.login, "web"), (agent.mobile_login, "mobile")):
        assert (login is not None) == (channel in truth.logins)
        assert login is None or login.type == channel.capitalize()
        assert login is None or is_near(login.since, truth.logins[channel], variant)
    assert (agent.call is not None) == (truth.doing == "talking")
    if agent.call and variant.call_shape not in ("no_origin", "word"):
        assert is_near(agent.call.since, truth.since, variant)
    assert (agent.on_break is not None) == (truth.doing == "on break")
    if agent.on_break:
        assert agent.on_break.reason == truth.reason
    if agent.on_break and variant.break_shape not in ("no_origin", "word"):
        assert is_near(agent.on_break.since, truth.since, variant)
    if busy and variant.busy_availability == "absent":
        assert agent.available_since is None
    else:
        assert agent.available_since is not None
        assert agent.available_since.timestamp() == truth.available_since
    occupied = {"call": ("talking",)}.get(variant.occupied_while, ("ringing", "talking", "wrapping up"))
    assert agent.is_occupied == (truth.doing in occupied)
    check_counters(agent, truth, variant)


def check_counters(agent: Agent, truth: Truth, variant: Variant) -> None:
    if variant.counters_absent_at_zero and truth.calls == truth.talk_time == 0:
        assert (agent.calls, agent.talk_time, agent.average_talk_time) == (None, None, None)
        return
    assert agent.talk_time is not None
    assert agent.average_talk_time is not None
    assert (agent.calls, agent.talk_time.total_seconds()) == (truth.calls, truth.talk_time)
    assert agent.average_talk_time.total_seconds() == (truth.talk_time // truth.calls if truth.calls else 0)


def totals_of(states: list[Truth]) -> FloorTotals:
    def count(doing: str) -> int:
        return sum(state.doing == doing for state in states)

    return FloorTotals(
        logged_in=sum("web" in state.logins for state in states),
        on_call=count("talking"),
        on_break=count("on break"),
        after_call_work=count("wrapping up"),
        ringing=count("ringing"),
        sip=sum(state.sip_status == "online" for state in states),
        microphones=sum(state.microphone_permitted for state in states),
    )


@pytest.mark.parametrize("variant", VARIANTS.values(), ids=VARIANTS)
@given(
    seed=st.integers(0, 10_000),
    steps=st.lists(st.floats(0.1, 900, allow_nan=False), min_size=1, max_size=5),
)
@settings(max_examples=10, deadline=None)
def test_a_reply_shows_the_truth_at_its_instant(variant: Variant, seed: int, steps: list[float]) -> None:
    floor = Floor(5, seed=seed, start=MIDNIGHT - 300, pace=Pace.busy(), variant=variant)
    for step in steps:
        at = floor.time + step
        snapshot = decode_snapshot(floor.reply(at), date=datetime.fromtimestamp(at, UTC))
        states = truths(floor)
        assert not snapshot.quarantined
        assert snapshot.agents.keys() == states.keys()
        assert 0 <= snapshot.server_time.timestamp() - math.floor(at) <= floor.variant.torn_second
        for agent_id, state in states.items():
            check_agent(snapshot.agents[agent_id], state, floor.variant)
        assert snapshot.totals == totals_of(list(states.values()))


@pytest.mark.parametrize("variant", VARIANTS.values(), ids=VARIANTS)
def test_a_reply_is_written_as_the_shared_encoder_writes_it(variant: Variant) -> None:
    floor = Floor(20, pace=Pace.busy(), variant=variant)
    body = floor.reply(floor.start + 1000.5)
    rows = json.loads(body)["message"]["pr"]
    assert body == encode_reply(rows, decode_snapshot(body).totals)


@pytest.mark.parametrize("variant", VARIANTS.values(), ids=VARIANTS)
def test_the_same_arguments_live_the_same_history_in_whatever_steps(variant: Variant) -> None:
    end = DEFAULT_START + 3000.0
    slow, fast = (Floor(10, seed=7, pace=Pace.busy(), variant=variant) for _ in range(2))
    for step in range(1, 300):
        slow.reply(slow.start + step * 9.7)
    assert slow.reply(end) == fast.reply(end)
    assert slow.history == fast.history


def test_another_seed_lives_another_history() -> None:
    assert Floor(5, seed=1).history != Floor(5, seed=2).history


def test_a_history_can_be_lived_again_under_another_variant() -> None:
    first = Floor(5, pace=Pace.busy(), variant=Variant(counters_reset="login"))
    first.advance(first.start + 2000)
    again = Floor(facts=first.history, variant=Variant(call_shape="seconds"))
    again.advance(first.time)
    lived = [fact for fact in first.history if fact.kind != "counters_reset"]
    assert len(lived) < len(first.history)
    assert again.history == lived


def test_a_floor_cannot_go_back() -> None:
    floor = Floor(1)
    floor.advance(floor.start + 10)
    with pytest.raises(ValueError, match="cannot go back"):
        floor.reply(floor.start)


def test_clearing_the_history_changes_nothing_that_comes() -> None:
    kept, cleared = Floor(5, pace=Pace.busy()), Floor(5, pace=Pace.busy())
    cleared.history.clear()
    assert kept.reply(kept.start + 500) == cleared.reply(kept.start + 500)


def rows_of(body: bytes) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(body)["message"]["pr"]
    return rows


def test_rows_are_sorted_by_availability() -> None:
    floor = Floor(50, pace=Pace.busy())
    for minute in range(30):
        since = [row["avD"] for row in rows_of(floor.reply(floor.start + 60 * minute))]
        assert since == sorted(since)


def test_every_agent_has_an_availability_from_the_start() -> None:
    for row in rows_of(Floor(50).reply(DEFAULT_START)):
        hours, minutes, seconds = map(int, row["avT"])
        assert row["avD"] + hours * 3600 + minutes * 60 + seconds == DEFAULT_START


def test_status_login_leaves_out_who_is_logged_out_of_both_channels() -> None:
    floor = Floor(50)
    everybody, logged_in = (rows_of(floor.reply(floor.start, status=status)) for status in ("all", "login"))
    assert logged_in == [row for row in everybody if row["l"] != "No" or row["ml"] != "No"]
    assert 0 < len(logged_in) < len(everybody)


def test_a_group_shows_its_own_agents_only_and_55_all_of_them() -> None:
    floor = Floor(50)
    ids = {
        group: {row["I"] for row in rows_of(floor.reply(floor.start, group=group))} for group in floor.groups
    }
    assert len(ids["55"]) == 50
    assert ids["56"] | ids["57"] == ids["55"]
    assert not ids["56"] & ids["57"]
    assert ids["56"]
    assert ids["57"]


def test_an_unknown_group_is_refused() -> None:
    with pytest.raises(ValueError, match="no group '1'"):
        Floor(1).reply(DEFAULT_START, group="1")


def test_totals_cover_the_rows_asked_for_or_the_account() -> None:
    for variant, agents in ((Variant(), "rows"), (Variant(totals_cover="account"), "account")):
        floor = Floor(50, variant=variant)
        part, whole = floor.reply(floor.start, group="56"), floor.reply(floor.start)
        same = decode_snapshot(part).totals == decode_snapshot(whole).totals
        assert same == (agents == "account")


def test_counters_begin_anew_at_midnight_in_india() -> None:
    floor = Floor(5, start=MIDNIGHT - 1800, pace=Pace.busy(), variant=Variant(counters_reset="midnight"))
    floor.reply(MIDNIGHT - 0.5)
    floor.advance(MIDNIGHT + 86_400)
    resets = [fact.at for fact in floor.history if fact.kind == "counters_reset"]
    assert set(resets) == {MIDNIGHT, MIDNIGHT + 86_400}


def test_counters_begin_anew_at_a_login_but_not_at_the_second_channels() -> None:
    floor = Floor(10, pace=Pace.busy(), variant=Variant(counters_reset="login"))
    floor.advance(floor.start + 3600)
    logins: dict[str, int] = defaultdict(int)
    resets = 0
    for before, fact in pairwise(floor.history):
        logins[fact.agent] += (fact.kind == "logged_in") - (fact.kind == "logged_out")
        if fact.kind == "counters_reset":
            assert (before.kind, before.agent, before.at) == ("logged_in", fact.agent, fact.at)
            assert logins[fact.agent] == 1
            resets += 1
    assert resets > 10


def test_an_empty_floor_answers_with_no_rows() -> None:
    assert decode_snapshot(Floor(0).reply(DEFAULT_START), received_at=datetime.now(UTC)).agents == {}
