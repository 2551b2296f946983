"""The benchmarks' own floor is the one they speak of, and the benchmarks run."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest
from attrs import evolve

from benchmarks import checkpoint, fleet, latency, soak, stretch, waiting
from benchmarks.compared import ComparedFloor, DifferenceError
from benchmarks.payload import INTERVAL, START, payload
from deepcall_async import AgentUpdated, LiveFloor, ReplyError, Snapshot
from deepcall_async._model.instants import epoch
from deepcall_async._wire.decoder import decode_snapshot
from deepcall_async._wire.predictor import Predictor


def states(snapshot: Snapshot) -> dict[str, tuple[object, ...]]:
    return {
        agent.id: (agent.login, agent.call, agent.on_break, agent.calls) for agent in snapshot.agents.values()
    }


def test_the_same_seed_gives_the_same_bytes() -> None:
    assert payload(20, 5, 0.1, seed=1) == payload(20, 5, 0.1, seed=1)
    assert payload(20, 5, 0.1, seed=1) != payload(20, 5, 0.1, seed=2)
    assert payload(20, 3, 0.1) == payload(20, 5, 0.1)[:3]


@pytest.mark.parametrize("agents", [1, 10, 1000])
def test_every_reply_is_readable_whole_and_the_clock_ticks(agents: int) -> None:
    for poll, body in enumerate(payload(agents, 4, 0.2)):
        snapshot = decode_snapshot(body)
        assert len(snapshot.agents) == agents
        assert not snapshot.quarantined
        assert not snapshot.unknown_keys
        assert epoch(snapshot.server_time) == START + poll * INTERVAL
        assert snapshot.totals.logged_in == len(snapshot.logged_in)


def test_the_floor_is_an_ordinary_one() -> None:
    totals = decode_snapshot(payload(1000, 1)[0]).totals
    assert (totals.logged_in, totals.on_call, totals.on_break) == (600, 180, 60)


@pytest.mark.parametrize(("changed", "each"), [(0.0, 0), (0.01, 2), (0.2, 40), (1.0, 200)])
def test_the_given_share_of_the_agents_really_changes_and_no_other(changed: float, each: int) -> None:
    shown = [states(decode_snapshot(body)) for body in payload(200, 5, changed)]
    for before, after in pairwise(shown):
        assert sum(before[agent] != after[agent] for agent in after) == each


def test_less_than_one_agent_a_poll_is_one_every_few_polls() -> None:
    shown = [states(decode_snapshot(body)) for body in payload(10, 31, 0.01)]
    changes = [before != after for before, after in pairwise(shown)]
    assert sum(changes) == 3


def test_every_change_is_told_and_where_nothing_changes_nothing_is() -> None:
    floor, quiet = LiveFloor(), LiveFloor()
    for poll, body in enumerate(payload(100, 20, 0.05)):
        update = floor.receive(body)
        told = {t.agent.id for t in update.transitions if not isinstance(t, AgentUpdated)}
        assert not update.held
        assert len(told) == (5 if poll else 0)
    for body in payload(100, 20, 0.0):
        assert not quiet.receive(body).transitions


@pytest.mark.parametrize("run", ["login", "compared", "shell"])
def test_the_soak_tells_memory_and_leaks_at_three_points_of_a_run(
    run: soak.Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "figures.json"
    tiny = ["--polls", "60", "--agents", "4", "--faults", "0.2", "--samples", "10"]
    soak.main(["--runs", run, *tiny, "--json", str(file)])
    figures = json.loads(file.read_text())
    (result,) = figures["results"]
    assert result["counts"]["polls"] == 60
    assert result["counts"]["failed"] > 0
    assert [point["share"] for point in result["checkpoints"]] == [0.1, 0.5, 1.0]
    assert all(0 < point["remembered"] <= point["known"] for point in result["checkpoints"])
    assert (result["descriptors_left"], result["tasks_left"]) == (0, 0)
    assert figures["machine"]["python"]
    assert f"{run}: " in capsys.readouterr().out


def test_a_floor_that_is_read_both_ways_tells_when_they_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    floor, (first, second) = ComparedFloor(), payload(20, 2, 0.5)
    with pytest.raises(ReplyError):
        floor.receive(b"oops")
    assert floor.receive(first).is_baseline
    monkeypatch.setattr(Predictor, "decode", lambda *_, **__: decode_snapshot(first))
    with pytest.raises(DifferenceError):
        floor.receive(second)


def test_the_soak_finds_fault_with_growth_and_leaks_and_says_so_by_its_exit_code(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    setting = soak.Setting(run="login", polls=9, agents=3, interval=15.0, faults=0.0, seed=1, samples=3)
    ran = soak.soak_core(setting)
    small, large = (evolve(ran.checkpoints[0], memory=memory) for memory in (100_000, 1_000_000))
    good = evolve(ran, growth=0.0)
    noisy = evolve(ran, growth=0.06, checkpoints=[small])  # of so little that it is nothing
    bad = evolve(ran, growth=0.06, checkpoints=[large], descriptors_left=1, tasks_left=2, most_too_many=3)
    assert soak.faults_of(good) == soak.faults_of(noisy) == []
    assert len(soak.faults_of(bad)) == 4
    results = [good, bad]
    monkeypatch.setattr(soak, "soak", lambda _: results.pop(0))
    soak.main(["--runs", "login", "--assert"])
    with pytest.raises(SystemExit) as ended:
        soak.main(["--runs", "login", "--assert"])
    assert ended.value.code == 1


def test_the_fleet_polls_every_session_on_every_tick_beside_a_bare_loop(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "figures.json"
    tiny = ["--sessions", "3", "--agents", "4", "--seconds", "1", "--interval", "0.2", "--warm-up", "0.2"]
    fleet.main([*tiny, "--shared", "--json", str(file)])
    figures = json.loads(file.read_text())
    assert [result["setting"]["contender"] for result in figures["results"]] == ["bare", "ours"]
    for result in figures["results"]:
        assert result["polls"] + result["missed"] == 3 * 5
        assert result["polls"] > 0
        assert result["failed"] == 0
        assert result["cpu_per_poll"] > 0
    assert figures["ours_to_bare"]["cpu_per_poll"] > 0
    assert "bare" in capsys.readouterr().out


def test_the_stretch_is_told_of_large_floors_read_in_place_and_aside(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "figures.json"
    stretch.main(["--quick", "--json", str(file)])
    results = json.loads(file.read_text())["stretch"]["results"]
    assert {(one["poll"], one["mode"]) for one in results} == {
        (poll, mode) for poll in ("first", "quiet", "busy") for mode in ("in place", "ours")
    }
    assert all(0 < one["held"] <= one["longest"] for one in results)
    assert "held for" in capsys.readouterr().out


def test_what_waits_for_a_slow_reader_is_told_in_bytes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "figures.json"
    waiting.main(["--quick", "--json", str(file)])
    (result,) = json.loads(file.read_text())["waiting"]["results"]
    assert (result["agents"], result["transitions"], result["floors"]) == (100, 20, 21)
    assert 0 < result["kept"] < 20 * 100_000
    assert "floors" in capsys.readouterr().out


def test_the_saving_of_a_checkpoint_is_told_in_place_and_as_ours_beside_what_the_machine_does(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "figures.json"
    checkpoint.main(["--quick", "--json", str(file)])
    results = json.loads(file.read_text())["checkpoint"]["results"]
    assert {(one["save"], one["mode"]) for one in results} == {
        (save, mode) for save in ("first", "next") for mode in ("idle", "in place", "ours")
    }
    assert all(0 < one["held"] <= one["longest"] for one in results)
    assert len({one["size"] for one in results if one["mode"] != "idle"}) == 1
    assert "held for" in capsys.readouterr().out


def test_the_latency_of_news_is_that_of_the_tick_of_the_server_and_of_ours(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "figures.json"
    latency.main(["--agents", "40", "--seconds", "1", "--interval", "0.25", "--json", str(file)])
    result = json.loads(file.read_text())["result"]
    assert result["transitions"] > result["unpaired"]
    assert 0 < result["waiting"]["p50"] < result["total"]["max"]
    assert result["ours"]["p50"] > 0
    assert "waiting" in capsys.readouterr().out
