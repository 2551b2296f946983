"""The corpus of damaged checkpoints, played again."""

from __future__ import annotations

import math
from pathlib import Path
from random import Random

import pytest

from . import checkpoints
from .checkpoints import BASES, USED, Input, check, mutated

INPUTS = checkpoints.read()


@pytest.mark.parametrize("number", range(len(INPUTS)))
def test_a_damaged_checkpoint_is_used_or_refused_and_never_heard_of_again(number: int) -> None:
    check(INPUTS[number])


@pytest.mark.parametrize("base", range(len(BASES)))
def test_the_bases_are_used_and_tell_something(base: int) -> None:
    assert check(Input(base, ())) == USED
    assert any(update.transitions for update in checkpoints.updates(Input(base, ())))


def test_the_property_holds_for_some_new_damage() -> None:
    random, damaged = Random(0), Input(0, ())
    for _ in range(40):
        damaged = mutated(damaged, random) if len(damaged.edits) < 3 else Input(1, ())
        check(damaged)


def test_a_broken_law_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The property is not one that holds for anything."""
    path = ["state", "memories", "1", "agent", "extra"]
    late = Input(0, ((path, {"x": math.inf}),))
    assert "it is damaged" in check(late)
    monkeypatch.setattr(
        "deepcall_async._model.json_form._is_number", lambda value: isinstance(value, int | float)
    )
    with pytest.raises(ValueError, match="Out of range float"):
        check(late)


def test_the_corpus_is_sorted_small_and_outlives_the_form_of_a_checkpoint(tmp_path: Path) -> None:
    checkpoints.write(INPUTS, tmp_path / "corpus")
    assert (tmp_path / "corpus").read_bytes() == checkpoints.CORPUS.read_bytes()
    assert checkpoints.CORPUS.stat().st_size < 300_000
    assert len(INPUTS) > 50
    assert Input(0, ((["no", "such", "place"], 1), (["status"],))).checkpoint().keys() == {
        *Input(0, ()).checkpoint()
    } - {"status"}
