"""The lives that agents of a simulated floor lead."""

from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from itertools import pairwise

import pytest
from hypothesis import given, settings, strategies as st

from deepcall_async.simulator import DEFAULT_START, VARIANTS, Fact, Floor, Pace

HOUR = 3600.0
# state -> kind of fact -> state; "off" is logged out, "idle" logged in and available
LEGAL: dict[str, dict[str, str]] = {
    "nowhere": {"agent_added": "off"},
    "off": {"logged_in": "arriving", "agent_removed": "nowhere"},
    "arriving": {"became_available": "idle"},
    "idle": {
        "ring_started": "ringing",
        "call_started": "talking",
        "break_started": "on break",
        "logged_in": "idle",
        "logged_out": "idle",
    },
    "ringing": {"ring_ended": "rang"},
    "rang": {"call_started": "talking", "became_available": "idle"},
    "talking": {"call_ended": "talked"},
    "talked": {"call_started": "talking", "wrap_up_started": "wrapping up", "became_available": "idle"},
    "wrapping up": {"wrap_up_ended": "wrapped up"},
    "wrapped up": {"ring_started": "ringing", "break_started": "on break", "became_available": "idle"},
    "on break": {"break_ended": "rested"},
    "rested": {"became_available": "idle", "logged_out": "rested"},
}
PASSING = ("arriving", "rang", "talked", "wrapped up", "rested")  # states that last no time


def by_agent(history: list[Fact]) -> dict[str, list[Fact]]:
    facts: dict[str, list[Fact]] = defaultdict(list)
    for fact in history:
        facts[fact.agent].append(fact)
    return facts


@cache
def busy_day(seed: int = 1, agents: int = 20, hours: float = 4.0) -> list[Fact]:
    floor = Floor(agents, seed=seed, pace=Pace.busy())
    floor.advance(floor.start + hours * HOUR)
    return floor.history


@pytest.fixture(scope="module", autouse=True)
def _days_end() -> Iterator[None]:
    """What others weigh or look through need not hold a hundred thousand facts."""
    yield
    busy_day.cache_clear()


def check_life(facts: list[Fact]) -> None:
    """One agent's facts obey the table above, with at most one login a channel."""
    state, logins, arrived_at = "nowhere", dict[str, float](), 0.0
    for fact in facts:
        if fact.kind in ("updated", "counters_reset"):
            continue
        assert fact.kind in LEGAL[state], (state, fact)
        if state in PASSING:
            assert fact.at == arrived_at, "nobody stays in a passing state"
        state, arrived_at = LEGAL[state][fact.kind], fact.at
        if fact.kind == "logged_in":
            assert fact.channel is not None
            assert fact.channel not in logins
            logins[fact.channel] = fact.at
        if fact.kind == "logged_out":
            assert fact.channel is not None
            assert fact.began == logins.pop(fact.channel)
            state = state if logins else "off"


@given(seed=st.integers(0, 10_000), variant=st.sampled_from(sorted(VARIANTS)))
@settings(max_examples=40, deadline=None)
def test_every_life_obeys_the_state_machine_in_every_variant(seed: int, variant: str) -> None:
    floor = Floor(4, seed=seed, pace=Pace.busy(), variant=VARIANTS[variant])
    floor.advance(floor.start + HOUR)
    assert all(earlier.at <= later.at for earlier, later in pairwise(floor.history))
    for facts in by_agent(floor.history).values():
        check_life(facts)


def test_an_end_names_the_instant_of_its_start_and_so_its_duration() -> None:
    open_episodes: dict[tuple[str, str, str | None], float] = {}
    for fact in busy_day():
        facet, _, edge = fact.kind.rpartition("_")
        if edge == "started":
            assert fact.began == fact.at
            open_episodes[fact.agent, facet, None] = fact.at
        if edge == "ended":
            assert fact.began == open_episodes.pop((fact.agent, facet, None))
            assert fact.duration == fact.at - fact.began
    assert Fact(at=1.0, agent="1", kind="became_available").duration is None


def test_talk_time_is_the_servers_seconds_between_start_and_end() -> None:
    for fact in busy_day():
        if fact.kind == "call_ended":
            assert fact.began is not None
            assert fact.talk_time == fact.at // 1 - fact.began // 1


def seen_between(one: Fact, two: Fact) -> str:
    """What two facts of one agent, one after the other, are an instance of."""
    gap = two.at - one.at
    match one.kind, two.kind:
        case "logged_out", "logged_in" if one.channel == two.channel:
            return "relogin at once" if gap == 0 else "relogin soon" if gap < 10 else "relogin"
        case "agent_added", "logged_in" if one.at > DEFAULT_START:
            return "hired"
    return f"{one.kind}, {two.kind}"


def seen_in(fact: Fact) -> str:
    """What one fact is an instance of."""
    if fact.kind in ("call_ended", "break_ended") and fact.duration is not None:
        return f"short {fact.kind}" if fact.duration < 15 else f"long {fact.kind}"
    if fact.kind == "ring_ended":
        return "answered" if fact.answered else "not answered"
    return fact.field or fact.reason or fact.kind


def test_everything_happens_that_a_client_finds_hard() -> None:
    """Short and back-to-back calls, hidden relogins, wrap-up straight into a ring, hires, and the like."""
    seen = set()
    for facts in by_agent(busy_day()).values():
        seen |= {seen_in(fact) for fact in facts}
        seen |= {seen_between(*pair) for pair in pairwise(fact for fact in facts if fact.kind != "updated")}
    assert seen >= {
        *("call_ended, call_started", "wrap_up_ended, ring_started", "wrap_up_ended, break_started"),
        *("break_ended, logged_out", "became_available, call_started"),
        *("relogin at once", "relogin soon", "relogin", "hired", "agent_removed"),
        *("short call_ended", "long call_ended", "short break_ended", "long break_ended"),
        *("answered", "not answered", "Tea", "Lunch", "Meeting"),
        *("name", "sip_status", "microphone_permitted"),
    }


def test_some_log_in_on_mobile_only_and_some_on_both_channels() -> None:
    combinations = set()
    for facts in by_agent(busy_day()).values():
        logins: set[str | None] = set()
        for fact in facts:
            if fact.kind == "logged_in":
                logins.add(fact.channel)
            if fact.kind == "logged_out":
                logins.discard(fact.channel)
            combinations.add(tuple(sorted(filter(None, logins))))
    assert combinations == {(), ("web",), ("mobile",), ("mobile", "web")}


def test_every_update_is_a_change() -> None:
    for facts in by_agent(busy_day()).values():
        now: dict[str | None, str | bool | None] = {"sip_status": "offline", "microphone_permitted": False}
        for fact in facts:
            if fact.kind == "agent_added":
                now["name"] = fact.value
            if fact.kind == "updated":
                assert now[fact.field] != fact.value
                now[fact.field] = fact.value


def test_who_is_gone_is_replaced_under_another_id() -> None:
    history = busy_day(agents=10, hours=8)
    added = [fact.agent for fact in history if fact.kind == "agent_added"]
    removed = [fact.agent for fact in history if fact.kind == "agent_removed"]
    assert len(set(added)) == len(added) > 10
    assert removed
    assert len(added) - len(removed) in range(5, 11)


def test_names_repeat_and_are_not_all_ascii() -> None:
    names = [str(fact.value) for fact in busy_day(agents=50, hours=0.1) if fact.kind == "agent_added"]
    assert len(set(names)) < len(names)
    assert not all(name.isascii() for name in names)


def test_a_busy_pace_is_busier_than_the_usual_one() -> None:
    calm = Floor(20, seed=1)
    calm.advance(calm.start + HOUR)
    assert len(busy_day(hours=1)) > 2 * len(calm.history)


def test_a_mean_time_must_be_positive() -> None:
    with pytest.raises(ValueError, match="idle"):
        Pace(idle=0)
