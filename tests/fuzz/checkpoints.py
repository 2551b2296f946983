"""Damaged checkpoints: what holds for any of them, and how to make more.

An input is a base, one of a few sound checkpoints, and the edits that damage it: so the corpus can be read,
and outlives a new field in the checkpoint. An edit is a path and a value to put there, or a path alone to
delete what it leads to.
"""

from __future__ import annotations

import copy
import json
import math
import warnings
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, Literal

from attrs import frozen

from deepcall_async import CheckpointWarning, LiveFloor, LiveUpdate, TransportError, transition_to_json
from deepcall_async._floor.checkpoint import CheckpointText, dump
from deepcall_async._floor.update import mark_of
from deepcall_async.simulator import VARIANTS, Floor, Pace

from .mutator import NOW, VALUES, pick, places

CORPUS = Path(__file__).with_name("checkpoints.jsonl")
BASES: tuple[
    tuple[str, Literal["all", "login"], int, int], ...
] = (  # variant, status, polls before the checkpoint, seconds between them
    ("likely", "all", 30, 60),
    ("mixed-little-said", "login", 60, 30),
    ("reset-at-login", "login", 40, 90),
    ("breaks-without-origin", "all", 40, 45),
)
AFTER = (30, 60, 61, 400, 90_000)  # seconds from the checkpoint to the replies that a resumed stream gets
FAILED = 2  # before so many of these a poll fails
INSTANTS = ("0001-01-01T00:00:00Z", "1800-01-01T00:00:00Z", "2999-12-31T23:59:59Z", "9999-12-31T23:59:59Z")
DAMAGE: list[Any] = [
    *VALUES,
    *INSTANTS,
    *(math.inf, -math.inf, math.nan, 1e10, -1e10, 1e13, 86_399_999_999_999, -86_399_999_999_999, 10**4000),
    *("call_end", "observed", {"a": [[]] * 3}, json.loads("[" * 80 + "]" * 80)),
]

USED = "it is used"

Edit = tuple[Any, ...]  # a path, and a value unless it deletes


@frozen
class Input:
    """A damaged checkpoint."""

    base: int
    edits: tuple[Edit, ...]

    def checkpoint(self) -> Any:
        """The damaged value. Edits that lead nowhere (any more) are passed over."""
        value = copy.deepcopy(sound(self.base).checkpoint)
        for path, *put in self.edits:
            with suppress(LookupError, TypeError):
                _edit(value, path, *put)
        return value


@frozen
class Sound:
    """A sound checkpoint, the status it is of, and the replies that come after it."""

    checkpoint: dict[str, Any]
    status: str
    replies: tuple[bytes, ...]


@cache
def sound(base: int) -> Sound:
    """One of the bases."""
    variant, status, polls, step = BASES[base]
    floor = Floor(3, seed=base, pace=Pace.busy(), variant=VARIANTS[variant])
    live = LiveFloor(status)
    last = floor.start + polls * step
    for number in range(1, polls + 1):
        now = floor.start + number * step
        update = live.receive(floor.reply(now, status=status), date=_date(now))
    replies = tuple(floor.reply(last + after, status=status) for after in AFTER)
    return Sound(json.loads(json.dumps(update.checkpoint)), status, replies)


def _date(now: float) -> datetime:
    return datetime.fromtimestamp(now, UTC)


def _edit(value: Any, path: list[Any], *put: Any) -> None:
    *way, key = path
    for step in way:
        value = value[step]
    if put:
        value[key] = copy.deepcopy(put[0])
    else:
        del value[key]


# --- what holds -------------------------------------------------------------------------------------


def check(damaged: Input) -> str:
    """Used, or refused by our own warning, with a baseline and a gap; and sound from there on.

    Returns what came of it, in words.
    """
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        told = list(updates(damaged))
    assert {warning.category for warning in warned} <= {CheckpointWarning}
    assert len(warned) <= 1
    first = next(update for update in told if not update.outage)
    assert first.is_baseline is bool(warned) or damaged.checkpoint()["is_blank"]
    assert first.held or first.gap
    for update in told:
        _check_update(update, damaged)
    return " ".join(str(warning.message).partition(": ")[2] for warning in warned) or USED


def updates(damaged: Input) -> Iterator[LiveUpdate]:
    """The updates of a stream that goes on from it, one of them of a poll that failed."""
    base = sound(damaged.base)
    live = LiveFloor(base.status, resume_from=damaged.checkpoint())
    for number, reply in enumerate(base.replies):
        if number == FAILED or (number == 0 and live.refusal is None):
            yield live.fail(TransportError("cut"))
        yield live.receive(reply, date=_date(NOW))


def _check_update(update: LiveUpdate, damaged: Input) -> None:
    """It tells what can be, and leaves a checkpoint that is JSON and can be used."""
    assert update.ledger.total is not None
    for transition in update.transitions:
        assert transition.earliest <= transition.at <= transition.latest, transition
        json.dumps(transition_to_json(transition), allow_nan=False)
    text = json.dumps(update.checkpoint, allow_nan=False, separators=(",", ":"))
    assert CheckpointText().write(mark_of(update)).decode() == text
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        LiveFloor(sound(damaged.base).status, resume_from=json.loads(text))


# --- the corpus -------------------------------------------------------------------------------------


def read(corpus: Path = CORPUS) -> list[Input]:
    """The inputs in the tree, shortest first."""
    lines = corpus.read_text(encoding="ascii").splitlines()
    return [Input(base, tuple(map(tuple, edits))) for base, edits in map(json.loads, lines)]


def write(inputs: Iterable[Input], corpus: Path = CORPUS) -> None:
    """Replace the corpus."""
    lines = {dump([damaged.base, damaged.edits]) + "\n" for damaged in inputs}
    corpus.write_text("".join(sorted(lines, key=lambda line: (len(line), line))), encoding="ascii")


def what_is_new(damaged: Input, came: str) -> str:
    """By what an input earns its place: the field it damages last, and whether it is used all the same."""
    path = damaged.edits[-1][0] if damaged.edits else []
    known = [step if step in names() else "*" for step in path[-2:]]
    return f"{'.'.join(known)} {came == USED}"


@cache
def names() -> frozenset[str]:
    """The fields of a sound checkpoint."""
    ways = [way for base in range(len(BASES)) for way in _ways(sound(base).checkpoint)]
    return frozenset(way[-1] for way in ways if isinstance(way[-1], str) and not way[-1].isdecimal())


# --- making more ------------------------------------------------------------------------------------


def mutated(damaged: Input, random: Random) -> Input:
    """The input with an edit more; now and then with one less, or from another base."""
    match random.randrange(8):
        case 0 if damaged.edits:
            return Input(damaged.base, damaged.edits[:-1])
        case 1:
            return Input(random.randrange(len(BASES)), damaged.edits)
    edit = _new_edit(damaged.checkpoint(), random)
    return Input(damaged.base, (*damaged.edits, edit))


def _new_edit(value: Any, random: Random) -> Edit:
    """A value replaced or deleted, or put under another key."""
    found = list(places(value))
    way = random.choice(list(_ways(value)))
    here = value
    for step in way:
        here = here[step]
    match random.randrange(8):
        case 0:
            return (way,)
        case 1:
            other = pick(found, random)
            key = other if isinstance(other, str) else random.choice(["9", "1", "2", "since"])
            return [*way[:-1], key], here
        case 2 | 3:
            return way, pick(found, random)
        case 4 | 5:
            return way, _tweaked(here, random)
    return way, copy.deepcopy(random.choice(DAMAGE))


def _tweaked(value: Any, random: Random) -> Any:
    """A value a little, or much, off."""
    by = random.choice([1, 2, 60, 3600, 86_400, 10**7, 10**10]) * random.choice([-1, 1])
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + by
    if isinstance(value, str):
        with suppress(ValueError, OverflowError):
            return (datetime.fromisoformat(value) + timedelta(seconds=by)).isoformat()
    return copy.deepcopy(random.choice(DAMAGE))


def _ways(value: Any, so_far: tuple[Any, ...] = ()) -> Iterator[list[Any]]:
    """The path to every part of a JSON value but itself."""
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in parts:
        yield [*so_far, key]
        yield from _ways(part, (*so_far, key))
