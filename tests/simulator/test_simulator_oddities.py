"""What seldom happens on a floor, or goes wrong with its server: groups, reloads, crashes, clocks, lags."""

import json
import math
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import aiohttp
import pytest
from attrs import evolve

from deepcall_async.simulator import Fact, Fault, Floor, Pace, Simulator, Variant

from .test_simulator_variants import LIFE

BUSY = Pace.busy()
EPISODES = {"started": "ended", "in": "out"}
Row = dict[str, Any]


def message(floor: Floor, at: float, **wanted: Any) -> dict[str, Any]:
    shown: dict[str, Any] = json.loads(floor.reply(at, **wanted))["message"]
    return shown


def rows(floor: Floor, at: float, **wanted: Any) -> dict[str | None, Row]:
    return {row["I"]: row for row in message(floor, at, **wanted)["pr"]}


def seconds(elapsed: list[str]) -> int:
    hours, minutes, second = map(int, elapsed)
    return hours * 3600 + minutes * 60 + second


def lived(pace: Pace, hours: float = 2.0, **options: Any) -> Floor:
    floor = Floor(12, seed=5, pace=pace, **options)
    floor.advance(floor.start + hours * 3600)
    return floor


def episodes(floor: Floor) -> Iterator[tuple[str, str, float, float]]:
    """Agent, side, start and end of whatever has ended; each start has one end, which knows its start."""
    on: dict[tuple[str, str], Fact] = {}
    for fact in floor.history:
        side, _, stage = fact.kind.rpartition("_")
        name = fact.agent, fact.channel or side
        if stage in EPISODES:
            assert name not in on
            on[name] = fact
        elif stage in EPISODES.values():
            start = on.pop(name)
            assert fact.began == start.at
            yield *name, start.at, fact.at


# --- counters -----------------------------------------------------------------------------------------


def counters(at: float, **options: Any) -> tuple[int, int]:
    row = rows(Floor(facts=LIFE, start=1001.0, variant=Variant(counters_absent_at_zero=False, **options)), at)
    return row["7"]["tC"], row["7"]["tt"]


@pytest.mark.parametrize("moves_at", ["call_start", "call_end"])
def test_talk_time_can_move_after_wrap_up_while_the_call_counts_before(moves_at: str) -> None:
    shown = [counters(at, counters_move_at=moves_at, talk_time_moves_at="wrap_up_end") for at in (1175, 1200)]
    assert shown == [(1, 0), (1, 65)]


def test_talk_time_can_lag_and_what_is_late_at_a_reset_is_lost() -> None:
    assert [counters(at, talk_time_lag=10.0) for at in (1175, 1184.9, 1185)] == [(1, 0), (1, 0), (1, 65)]
    again = [*LIFE, Fact(at=1605.0, agent="7", kind="logged_in", channel="web", began=1605.0)]
    variant = Variant(counters_absent_at_zero=False, counters_reset="login", talk_time_lag=100.0)
    floor = Floor(facts=again, start=1001.0, variant=variant)
    assert [rows(floor, at)["7"]["tt"] for at in (1600, 1604, 1605, 1611)] == [65, 65, 0, 0]


def test_a_variant_that_contradicts_itself_is_refused() -> None:
    with pytest.raises(ValueError, match="leave one of them out"):
        Variant(counters_move_at="wrap_up_end", talk_time_moves_at="wrap_up_end")


# --- totals, ids, readings ----------------------------------------------------------------------------


def test_totals_can_lag_behind_the_rows() -> None:
    floor, late = (Floor(12, seed=3, pace=BUSY, variant=Variant(totals_lag=lag)) for lag in (0.0, 2.5))
    for wanted in ({"status": "login", "group": "56"}, {}):
        for _ in range(60):
            at = late.time + 7.0
            then = {key: value for key, value in message(floor, at - 2.5, **wanted).items() if key != "pr"}
            shown = message(late, at, **wanted)
            assert {key: shown[key] for key in then} == then
            assert shown["pr"] == message(floor, at, **wanted)["pr"]


def test_some_agents_never_have_an_id_and_others_now_and_then() -> None:
    never = Floor(12, variant=Variant(unidentified="some_agents"))
    first = {*rows(never, never.time)}
    assert None in first
    assert all({*rows(never, never.time + 60)} == first for _ in range(20))
    sometimes = Floor(12, variant=Variant(unidentified="now_and_then"))
    counts = [sum(i is None for i in rows(sometimes, sometimes.time + 60)) for _ in range(100)]
    assert 0 < sum(counts) < 60


def test_availability_can_stray_by_a_second_while_logins_do_not() -> None:
    floor = Floor(facts=LIFE, start=1001.0, variant=Variant(availability_jitter=True))
    shown = [rows(floor, at)["7"] for at in range(1030, 1090)]
    assert {seconds(row["avT"]) + row["avD"] - at for at, row in enumerate(shown, 1030)} == {-1, 0, 1}
    assert {seconds(row["l"]["duration"]) - at for at, row in enumerate(shown, 1030)} == {-1000}


# --- the clock ----------------------------------------------------------------------------------------


def set_back(**options: Any) -> list[Row]:
    """The agent's row on a call that began at 1110, before and after the clock was set back at 1115."""
    floor = Floor(facts=LIFE, start=1001.0, variant=Variant(call_shape="seconds", **options))
    before = rows(floor, 1115)["7"]
    floor.set_clock(-50)
    return [before, rows(floor, 1115)["7"], rows(floor, 1165)["7"]]


def test_after_the_clock_was_set_back_an_elapsed_time_is_what_the_clock_says_and_never_below_zero() -> None:
    shown = set_back()
    assert [row["liC"]["duration"] for row in shown] == [5, 0, 5]
    assert [seconds(row["l"]["duration"]) for row in shown] == [115, 65, 115]
    assert [row["avD"] + seconds(row["avT"]) for row in shown] == [1115, 1065, 1115]


def test_or_it_goes_on_counting_while_the_clock_is_another() -> None:
    shown = set_back(elapsed_by="counting")
    assert [row["liC"]["duration"] for row in shown] == [5, 5, 55]
    assert [row["liC"]["callId"] for row in shown] == ["1110.7"] * 3
    assert [row["avD"] + seconds(row["avT"]) for row in shown] == [1115, 1065, 1115]


def test_the_history_knows_when_the_clock_was_set_and_goes_on_in_its_own_time() -> None:
    floor = Floor(facts=LIFE, start=1001.0)
    floor.advance(1150)
    floor.set_clock(3600)
    floor.advance(1180)
    floor.set_clock(-7200)
    assert [(f.at, f.step) for f in floor.history if f.kind == "clock_set"] == [(1150, 3600), (1180, -7200)]
    assert [floor.clock_at(at) for at in (1149, 1150, 1179, 1200)] == [1149, 4750, 4779, -2400]
    assert rows(floor, 1200)["7"]["avD"] == 1200 - 3600
    assert [f.at for f in floor.history if f.kind == "wrap_up_ended"] == [1200]


# --- what befalls agents ------------------------------------------------------------------------------


def test_who_leaves_a_group_is_gone_from_its_view_and_does_what_it_did() -> None:
    plain, floor = lived(BUSY), lived(evolve(BUSY, regroup_every=300.0))
    moves = ("group_left", "group_joined")
    assert [fact for fact in floor.history if fact.kind not in moves] == plain.history
    left, joined = ([fact for fact in floor.history if fact.kind == kind] for kind in moves)
    assert len(left) == len(joined) > 50
    last = {fact.agent: fact.value for fact in joined}
    everyone = rows(floor, floor.time)
    for agent in last.keys() & everyone.keys():
        views = [group for group in ("56", "57") if agent in rows(floor, floor.time, group=group)]
        assert views == [last[agent]]
    assert rows(floor, floor.time, group="55") == everyone


def test_a_browser_is_reloaded_and_what_is_on_goes_on() -> None:
    floor = lived(evolve(BUSY, reload_every=120.0))
    ended = list(episodes(floor))
    calls = [(agent, start, end) for agent, side, start, end in ended if side in ("call", "break")]
    inside = [
        (agent, at)
        for agent, start, end in calls
        for who, side, _, at in ended
        if side == "web" and who == agent and start < at < end
    ]
    assert len(inside) > 10
    again = Floor(facts=floor.history, start=floor.start)
    for agent, at in sorted(inside, key=lambda each: each[1]):
        if not again._desks[agent].logins.keys() - {"web"} and at > again.time:
            shown = rows(again, at + 1)[agent]
            assert shown["l"] == "No"
            assert "liC" in shown or "br" in shown
            break
    else:
        pytest.fail("nobody was reloaded while logged in on the web alone")


def test_a_crash_logs_out_all_at_one_moment_and_they_are_back_together() -> None:
    floor = lived(evolve(BUSY, crash_every=900.0))
    ended = list(episodes(floor))
    agents_at: dict[float, set[str]] = defaultdict(set)
    for agent, side, _, end in ended:
        if side in ("web", "mobile"):
            agents_at[end].add(agent)
    crashes = [(at, agents) for at, agents in agents_at.items() if len(agents) > 2]
    assert len(crashes) > 1
    for at, agents in crashes:
        assert not [each for each in ended if each[0] in agents and each[2] < at < each[3]]
        back = {
            agent: min(f.at for f in floor.history if (f.agent, f.kind) == (agent, "logged_in") and f.at > at)
            for agent in agents
        }
        assert at + 1 <= min(back.values()) <= max(back.values()) <= min(back.values()) + 3
    times = [fact.at for fact in floor.history]
    assert times == sorted(times)


def test_breaks_can_switch_their_reason_at_once() -> None:
    floor = lived(evolve(BUSY, break_switches=0.5))
    breaks = [fact for fact in floor.history if fact.kind.startswith("break")]
    ends = {(fact.agent, fact.at): fact.reason for fact in breaks if fact.kind == "break_ended"}
    switched = [f for f in breaks if f.kind == "break_started" and (f.agent, f.at) in ends]
    assert len(switched) > 10
    assert all(fact.reason != ends[fact.agent, fact.at] for fact in switched)


def test_all_at_once_the_same_life_is_lived_whatever_the_steps_and_the_history_can_be_lived_again() -> None:
    pace = evolve(BUSY, regroup_every=300.0, reload_every=120.0, crash_every=900.0, break_switches=0.3)
    variant = Variant(
        talk_time_lag=10.0,
        totals_lag=1.0,
        jitter=True,
        availability_jitter=True,
        torn_second=True,
        unidentified="now_and_then",
        elapsed_by="counting",
    )
    floor = lived(pace, hours=1.0, variant=variant)
    steps = Floor(12, seed=5, pace=pace, variant=variant)
    for number in range(1, 61):
        steps.reply(steps.start + 60 * number, status="login", group="56")
    assert steps.history == floor.history
    again = Floor(facts=floor.history, start=floor.start, seed=5, variant=variant)
    assert again.reply(floor.time) == floor.reply(floor.time)


# --- faults -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "shown"), [("null", None), ("object", {}), ("missing", ...)])
def test_the_rows_can_be_something_else(kind: Any, shown: Any) -> None:
    floor = Floor(8, seed=2)
    reply = json.loads(Fault(rows=kind).garble(floor.reply(floor.start), floor.start))
    assert reply["message"].get("pr", ...) == shown
    assert reply["message"]["lA"] == message(floor, floor.start)["lA"] > 0


def test_the_rows_can_be_cut_short_while_the_totals_count_all() -> None:
    floor = Floor(8, seed=2)
    whole = message(floor, floor.start)
    cut = json.loads(Fault(rows="cut_short").garble(floor.reply(floor.start), floor.start))["message"]
    assert cut == {**whole, "pr": whole["pr"][:2]}


@pytest.mark.parametrize(
    ("shape", "zero"), [("triple", ["0", "00", "00"]), ("seconds", 0), ("hms", "00:00:00")]
)
def test_a_server_that_lost_its_memory_shows_no_elapsed_time(shape: Any, zero: object) -> None:
    floor = Floor(facts=LIFE, start=1001.0, variant=Variant(call_shape=shape, numbers_as_strings=True))
    (row,) = json.loads(Fault(forgets=True).garble(floor.reply(1150), 1150.7))["message"]["pr"]
    assert (row["l"]["duration"], row["liC"]["duration"]) == (["0", "00", "00"], zero)
    assert (row["avT"], row["avD"]) == (["0", "00", "00"], "1150")


@pytest.mark.wire
async def test_faults_of_the_reply_are_scripted_like_others() -> None:
    async with Simulator(agents=10, warp=0.0) as server, aiohttp.ClientSession() as http:
        server.script(Fault(rows="null"), Fault(clock_step=-3600), None)
        bodies, dates = [], []
        for _ in range(3):
            url = f"{server.url}/api/v2/Agent/live"
            async with http.post(url, json={"ssid": server.ssid}) as answer:
                bodies.append((await answer.json())["message"]["pr"])
                dates.append(answer.headers["Date"])
        assert bodies[0] is None
        row = bodies[2][-1]
        assert row["avD"] + seconds(row["avT"]) == max(row["avD"], math.floor(server.clock))
        assert server.clock == server.time - 3600
        assert [date[-12:-4] for date in dates] == ["04:00:00", "03:00:00", "03:00:00"]


@pytest.mark.wire
async def test_a_simulator_that_is_running_is_not_entered_again() -> None:
    server = Simulator(agents=1)
    async with server:
        url = server.url
        with pytest.raises(RuntimeError, match="running already"):
            await server.__aenter__()
        assert server.url == url
    async with server:
        assert server.url
