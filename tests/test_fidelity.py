"""The promise, held against a simulated floor's true history: a short form of `benchmarks.fidelity`."""

from __future__ import annotations

from functools import cache

import pytest

from benchmarks.fidelity import Setting, run
from benchmarks.scoring import Score, spread
from deepcall_async.simulator import VARIANTS

CASES = [(variant, interval) for variant in VARIANTS for interval in (5.0, 60.0)]
CASES.append(("mixed-ragged-clock", 1.0))  # many a poll shows the same second as the one before


@cache
def scores(variant: str, interval: float) -> tuple[Score, Score]:
    """Our score and the naive client's, on half an hour of a floor of forty agents."""
    setting = Setting(variant=variant, interval=interval, seed=7, hours=0.5, agents=40)
    return run(setting)[1:]


@pytest.mark.parametrize(("variant", "interval"), CASES)
def test_nothing_is_told_that_did_not_happen(variant: str, interval: float) -> None:
    ours, _ = scores(variant, interval)
    assert ours.tellings > 100
    assert ours.false == 0, ours.misses[:3]


@pytest.mark.parametrize(("variant", "interval"), CASES)
def test_whatever_the_evidence_shows_or_proves_is_told(variant: str, interval: float) -> None:
    ours, _ = scores(variant, interval)
    assert ours.truths["visible"] > 50
    assert ours.found["visible"] == ours.truths["visible"], ours.misses[:3]
    assert ours.found["provable"] == ours.truths["provable"], ours.misses[:3]


@pytest.mark.parametrize(("variant", "interval"), CASES)
def test_calls_nobody_can_tell_apart_are_counted_exactly(variant: str, interval: float) -> None:
    ours, _ = scores(variant, interval)
    assert ours.counted == ours.countable
    assert ours.found["countable"] == ours.truths["countable"]
    assert ours.residual == 0


@pytest.mark.parametrize(("variant", "interval"), CASES)
def test_the_truth_lies_within_the_bounds_and_an_origin_is_right_to_a_second(
    variant: str, interval: float
) -> None:
    ours, _ = scores(variant, interval)
    assert ours.bounded >= 0.999, ours.misses[:3]
    assert spread(ours.errors)[1] <= 1.0


@pytest.mark.parametrize(("variant", "interval"), CASES)
def test_times_never_run_backwards_and_no_id_is_used_twice(variant: str, interval: float) -> None:
    ours, _ = scores(variant, interval)
    assert ours.misordered == 0
    assert ours.repeated_ids == 0


def test_the_score_tells_a_naive_client_apart() -> None:
    ours, naive = scores("likely", 60.0)
    assert naive.recall("provable") < 0.5 < ours.recall("provable")
    assert spread(naive.errors)[0] > 15
    assert naive.bounded < 0.5


def test_only_logged_in_agents_are_told_of_as_truly() -> None:
    _, ours, _ = run(Setting(variant="likely", interval=15.0, seed=3, hours=1.0, agents=40, status="login"))
    assert ours.truths["visible"] > 100
    assert ours.false == 0, ours.misses[:3]
    assert ours.found["visible"] == ours.truths["visible"], ours.misses[:3]
    assert ours.residual == 0
