"""The promise, held in combinations of everything that is unknown about the server, at any interval.

The oracle decides, from the truth and the bare replies, what may be told and what must be. Many more
combinations, and longer runs: `python -m benchmarks combinations`.
"""

from __future__ import annotations

import pytest
from attrs import fields

from benchmarks.combinations import PACE_OPTIONS, VARIANT_OPTIONS, details, draw, play
from deepcall_async.simulator import Pace, Variant

# What the benchmark still finds wrong with these is told there; none of them may be added.
UNSOLVED: set[int] = set()
SEEDS = [seed for seed in range(1, 61) if seed not in UNSOLVED]


@pytest.mark.parametrize("seed", SEEDS)
def test_all_that_is_told_happened_and_all_that_the_evidence_shows_or_proves_is_told(seed: int) -> None:
    combination = draw(seed, small=True)
    played = play(combination)
    assert played.is_good, "\n".join([f"{combination}", *details(played, 5)])


def test_the_combinations_try_every_interval_status_and_option() -> None:
    """So that what they do not find is not what they never tried."""
    drawn = [draw(seed) for seed in range(1, 301)]
    words = {word for each in drawn for word in str(each).split()}
    assert words >= {"login", "all", "irregular", "0.5", "600", "outages", "spoilt", "steps", "is_cut_short"}
    for options, of in ((Variant, "variant"), (Pace, "pace")):
        usual, tried = options(), [getattr(each, of) for each in drawn]
        names = VARIANT_OPTIONS if of == "variant" else PACE_OPTIONS
        assert all(any(getattr(one, name) != getattr(usual, name) for one in tried) for name in names)
    assert {option.name for option in fields(Variant)} == set(VARIANT_OPTIONS)
