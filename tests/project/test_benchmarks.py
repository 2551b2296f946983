"""The benchmarks' own floor is the one they speak of, and the benchmarks run."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest

from benchmarks import decode
from benchmarks.payload import INTERVAL, START, payload
from deepcall_async import AgentUpdated, LiveFloor, Snapshot
from deepcall_async._clock import epoch
from deepcall_async._wire import decode_snapshot


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


def test_the_decoding_benchmark_prints_a_table_and_writes_it_as_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "figures.json"
    decode.main(["--agents", "5", "20", "--rounds", "3", "--json", str(file)])
    lines = capsys.readouterr().out.splitlines()
    figures = json.loads(file.read_text())
    assert [result["name"] for result in figures["results"]] == [
        *("json.loads", "orjson.loads", "first", "steady"),
        *("json.loads", "orjson.loads", "first", "steady"),
    ]
    assert len(lines) == 4 + len(figures["results"])
    assert figures["machine"]["python"] in lines[1]
    assert all(result["to_json"] > 0 for result in figures["results"])
