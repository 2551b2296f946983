"""The cost benchmarks: replies in every form, rivals that do the work they are timed for, and the runs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from benchmarks import __main__ as everything, costs, decode, memory, poll, rivals, startup
from benchmarks.payload import (
    AT_THE_HOUR,
    CYCLE,
    hourly,
    jittered,
    payload,
    pretty,
    rekeyed,
    reshuffled,
    ticking,
)
from benchmarks.turns import in_turns, json_alone, ours, plain
from deepcall_async import LiveFloor, Snapshot
from deepcall_async._wire.decoder import decode_snapshot

Vary = Callable[[Iterable[bytes], int], Iterator[bytes]]
RANDOM: dict[str, Vary] = {
    "reshuffled": reshuffled,
    "jittered": jittered,
    "ticking": ticking,
    "rekeyed": rekeyed,
}


def shown(bodies: Iterable[bytes]) -> list[Snapshot]:
    return [decode_snapshot(body) for body in bodies]


def rows(body: bytes) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(body)["message"]["pr"]
    return found


def clocks(row: dict[str, Any]) -> list[int]:
    """What ticks in a row, in seconds."""
    triples = [row["avT"], *(part["duration"] for part in row.values() if isinstance(part, dict))]
    return [3600 * int(hours) + 60 * int(minutes) + int(seconds) for hours, minutes, seconds in triples]


# --- replies in every form --------------------------------------------------------------------------


@pytest.mark.parametrize("vary", RANDOM.values(), ids=RANDOM)
def test_a_variation_changes_the_bytes_and_the_same_seed_changes_them_alike(vary: Vary) -> None:
    bodies = payload(50, 4, 0.1)
    assert [*vary(bodies, 1)] == [*vary(bodies, 1)] != [*vary(bodies, 2)]
    assert all(told != body for told, body in zip(vary(bodies, 1), bodies, strict=True))


def test_order_of_rows_order_of_keys_and_blanks_change_nothing_that_is_said() -> None:
    bodies = payload(50, 4, 0.1)
    assert shown(pretty(rekeyed(bodies))) == shown(bodies)
    assert [*pretty(bodies)] != bodies
    assert shown(reshuffled(bodies)) == shown(bodies)
    assert [list(s.agents) for s in shown(reshuffled(bodies))] != [list(s.agents) for s in shown(bodies)]


def test_jitter_moves_each_field_that_ticks_by_a_second_at_most_and_nothing_else() -> None:
    bodies = payload(50, 3, 0.1)
    moves = set()
    for body, told in zip(bodies, jittered(bodies), strict=True):
        for row, moved in zip(rows(body), rows(told), strict=True):
            moves |= {after - before for before, after in zip(clocks(row), clocks(moved), strict=True)}
            assert (row["tt"], row["avD"], row["ataT"]) == (moved["tt"], moved["avD"], moved["ataT"])
    assert moves == {-1, 0, 1}


def test_a_second_that_ticks_over_puts_all_rows_after_one_place_a_second_forward() -> None:
    bodies = payload(50, 10)
    for body, told in zip(bodies, ticking(bodies), strict=True):
        pairs = zip(rows(body), rows(told), strict=True)
        moves = [{b - a for a, b in zip(clocks(row), clocks(moved), strict=True)} for row, moved in pairs]
        assert all(len(move) == 1 for move in moves)
        assert moves == sorted(moves, key=max)
        assert {1} in moves


def test_every_elapsed_time_of_the_floor_reaches_a_full_hour_at_the_same_poll() -> None:
    bodies = list(hourly(30, 2 * CYCLE))
    for number, body in enumerate(bodies):
        on_the_hour = {clock % 3600 == 0 for row in rows(body) for clock in clocks(row)}
        assert on_the_hour == {number % CYCLE == AT_THE_HOUR}
    floor = LiveFloor()
    assert not any(floor.receive(body).transitions for body in bodies)
    assert all(a.server_time < b.server_time for a, b in pairwise(shown(bodies)))


# --- rivals and turns -------------------------------------------------------------------------------


@pytest.mark.parametrize("make", rivals.RIVALS.values(), ids=rivals.RIVALS)
@pytest.mark.parametrize("changed", [0.0, 0.05, 0.5])
def test_a_rival_finds_the_agents_that_changed_which_are_those_we_tell_of(
    make: Callable[[], rivals.Rival], changed: float
) -> None:
    try:
        rival = make()
    except ImportError as error:
        pytest.skip(f"{error.name} is not installed")
    floor = LiveFloor()
    for body in payload(40, 5, changed):
        assert rival(body) == {transition.agent.id for transition in floor.receive(body).transitions}


def test_a_rival_notices_agents_that_come_and_go() -> None:
    rival = rivals.dict_diff()
    few, many = payload(3, 1)[0], payload(5, 1)[0]
    rival(few)
    assert {"4", "5"} <= rival(many)
    assert {"4", "5"} <= rival(few)


def test_contenders_read_all_replies_in_turns_and_who_is_missing_or_too_slow_is_left_out() -> None:
    bodies = payload(5, 7)
    absent: Any = partial(import_module, "nobodys_rival")
    with in_turns({"ours": ours, "json": json_alone, "absent": absent}) as turns:
        assert turns.missing == {"absent": "nobodys_rival is not installed"}
        times = turns.take(bodies, 3)
        assert {name: len(taken) for name, taken in times.items()} == {"ours": 7, "json": 7}
        assert all(seconds > 0 for taken in times.values() for seconds in taken)
        assert turns.take(bodies, 3, patience=0.0) == {}
        assert turns.names == []
        assert turns.missing["ours"].startswith("one reply took ")


def test_without_short_cuts_the_library_tells_the_same() -> None:
    fast, slow = ours(), plain()
    for body in payload(50, 10, 0.1):
        assert fast(body) == slow(body)


# --- the runs ---------------------------------------------------------------------------------------


def test_the_decoding_benchmark_tells_every_scenario_and_writes_the_figures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "figures.json"
    decode.main(["--quick", "--agents", "5", "100", "150", "--rounds", "2", "--json", str(file)])
    told = capsys.readouterr().out
    figures = json.loads(file.read_text())
    assert figures["machine"]["python"] in told
    lines = {(result["agents"], result["scenario"]) for result in figures["decode"]["results"]}
    assert lines == {(size, scenario) for size in (5, 100, 150) for scenario in decode.NAMES}
    assert all(scenario in told for scenario in decode.NAMES)
    assert [early["number"] for early in figures["decode"]["early"]] == [*range(1, 21)] * 3
    assert {"plain", "ours", "json.loads"} <= figures["decode"]["exponents"].keys()


def test_the_exponent_is_the_slope_of_the_cost_in_a_double_logarithmic_plot() -> None:
    def result(agents: int, seconds: float, scenario: str = "steady") -> decode.Result:
        measured: dict[str, Any] = {"bytes": agents * 200, "to_orjson": None, "to_plain": 1.0}
        return decode.Result(agents=agents, scenario=scenario, name="ours", seconds=seconds, **measured)

    cubic = [result(size, size**3 / 7) for size in (100, 1_000, 10_000)]
    ignored = [result(10, 5.0), result(1_000, 5.0, "order")]
    assert decode.exponents([*cubic, *ignored]) == {"ours": pytest.approx(3)}
    assert decode.exponents([result(10, 1.0), result(100, 1.0)]) == {}


def test_the_rivals_benchmark_tells_all_and_of_who_is_missing_why(capsys: pytest.CaptureFixture[str]) -> None:
    results = rivals.run(agents=[5], rounds=2)["results"]
    told = capsys.readouterr().out
    assert {result["name"] for result in results} == rivals.MAKERS.keys()
    assert all(f"  {name} " in told for name in rivals.MAKERS)
    took_part = {result["name"] for result in results if result["seconds"] is not None}
    assert {rivals.OURS, rivals.PLAIN, "json + dict diff"} <= took_part
    for result in results:
        assert result["to_ours"] if result["name"] in took_part else "is not installed" in result["why"]


def test_the_rivals_benchmark_leaves_out_who_takes_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rivals, "MAKERS", {rivals.OURS: ours})
    (result,) = rivals.measure(5, 2, patience=0.0)
    assert result.seconds is None
    assert result.why.startswith("one reply took ")


def test_the_memory_benchmark_looks_at_both_floors_after_so_many_replies() -> None:
    results = memory.measure(20, (3, 6))
    assert [(result.name, result.polls) for result in results] == [
        *(("ours", 3), ("ours", 6)),
        *(("plain", 3), ("plain", 6)),
    ]
    assert all(200 < result.per_agent < 20_000 for result in results)


@pytest.mark.wire
def test_the_polling_benchmark_compares_whole_polls_with_a_bare_exchange(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(poll, "BLOCK", 2)
    monkeypatch.setattr(poll, "AGENTS", 5)
    figures = poll.run(quick=True)
    assert [(result["scheme"], result["name"]) for result in figures["results"]] == [
        (scheme, name)
        for scheme in ("http", "https")
        for name in (poll.BARE, poll.OURS, "with its timer", "tenacity + cattrs")
    ]
    assert all(result["to_bare"] > 0 for result in figures["results"])
    assert [early["number"] for early in figures["early"]] == [*range(1, 21)]
    assert "with its timer" in capsys.readouterr().out


def test_the_start_up_benchmark_times_imports_and_commands() -> None:
    results = {result.name: result for result in startup.measure(1)}
    assert results.keys() == startup.IMPORTS.keys() | startup.COMMANDS.keys()
    assert results["DeepcallSession"].seconds > results["import deepcall_async"].seconds > 0
    assert results["import aiohttp"].to_aiohttp == 1


def test_one_command_runs_all_and_writes_all_figures_to_one_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, bool]] = []

    def standing_in_for(name: str) -> Callable[..., dict[str, Any]]:
        def run(*, quick: bool) -> dict[str, Any]:
            asked.append((name, quick))
            return {"results": [name]}

        return run

    names = ["decode", "rivals", "memory", "poll", "stretch", "startup"]
    assert list(everything.RUNS) == names
    monkeypatch.setattr(everything, "RUNS", {name: standing_in_for(name) for name in names})
    file = tmp_path / "costs.json"
    everything.main(["--quick", "--json", str(file)])
    figures = json.loads(file.read_text())
    assert asked == [(name, True) for name in names]
    assert {name: figures[name] for name in names} == {name: {"results": [name]} for name in names}
    told = capsys.readouterr().out
    assert [line for line in told.splitlines() if line.startswith("===")] == [f"=== {name}" for name in names]


# --- the picture and the table ----------------------------------------------------------------------


def cost(name: str, agents: int, seconds: float | None, why: str = "") -> dict[str, Any]:
    ratios = {"to_orjson": None if seconds is None else 10 * seconds, "to_ours": seconds}
    return {"name": name, "agents": agents, "bytes": 200 * agents, "seconds": seconds, "why": why, **ratios}


DOCUMENT = {
    "machine": {"implementation": "CPython", "python": "3.11", "system": "Any", "machine": "vm"},
    "rivals": {
        "results": [
            cost(rivals.OURS, 100, 0.001),
            cost("slow", 100, 0.5),
            cost(rivals.OURS, 1_000, 0.01),
            cost("slow", 1_000, None, "one reply took 6.0 s"),
        ]
    },
}


def test_the_table_holds_ratios_and_the_reasons_of_who_was_left_out() -> None:
    assert costs.table(DOCUMENT).splitlines()[2:] == [
        "| deepcall-async | 0.01 | 0.10 |",
        "| slow | 5.00 | one reply took 6.0 s |",
    ]


def test_the_plot_draws_who_took_part_and_where() -> None:
    assert costs.series(DOCUMENT) == {rivals.OURS: [(100, 1.0), (1_000, 10.0)], "slow": [(100, 500.0)]}
    drawn = str(costs.plot(DOCUMENT))
    assert drawn.count("<polyline") == 2
    assert drawn.count("<circle") == 3
    for text in (">slow<", ">deepcall-async<", ">1 ms<", ">1 s<", ">1,000<", ">agents<"):
        assert text in drawn


def test_labels_that_would_touch_move_apart_and_the_others_stay() -> None:
    placed = costs._spread([10.0, 100.0, 101.0, 104.0, 200.0])
    assert placed[0] == 10.0
    assert placed[-1] == 200.0
    assert all(b - a >= costs.APART for a, b in pairwise(placed))
    assert sum(placed[1:4]) == pytest.approx(100.0 + 101.0 + 104.0)
