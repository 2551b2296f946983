"""Checkpoints: nothing but JSON, complete, and harmless when damaged."""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest

from deepcall_async import LiveFloor, LiveUpdate
from deepcall_async._checkpoint import (
    FORMAT,
    CheckpointWarning,
    UnusableCheckpointError,
    read_checkpoint,
    write_checkpoint,
)
from deepcall_async._json import from_json
from deepcall_async.simulator import VARIANTS, Pace
from deepcall_async.simulator import Floor as SimulatedFloor

from .floors import Floor, Seat, teach

JUNK: tuple[Any, ...] = (
    *(None, True, 0, -1, 1.5, 10**30, float("inf"), "", "x", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"),
    *([], [1], {}, {"a": 1}),
)


def lived_in() -> tuple[LiveUpdate, list[tuple[bytes, datetime]]]:
    """An update of a floor with open windows, gone agents and undated episodes; and the replies after it."""
    floor = SimulatedFloor(6, seed=2, pace=Pace.busy(), variant=VARIANTS["mixed-little-said"])
    live = LiveFloor("login", scope="desk", view="group 55")
    polls = [floor.start + 30.0 * number for number in range(1, 64)]
    replies = [(floor.reply(now, status="login"), datetime.fromtimestamp(now, UTC)) for now in polls]
    updates = [live.receive(body, date=date) for body, date in replies[:-4]]
    return updates[-1], replies[-4:]


UPDATE, REPLIES = lived_in()


def is_json(value: Any) -> bool:
    """Whether a value is made of JSON's own types, and of no others."""
    if isinstance(value, dict):
        return all(type(key) is str and is_json(part) for key, part in value.items())
    if isinstance(value, list):
        return all(is_json(part) for part in value)
    return value is None or type(value) in (bool, int, str) or (type(value) is float and math.isfinite(value))


def paths(value: Any, so_far: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every part of a JSON value."""
    yield so_far
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in parts:
        yield from paths(part, (*so_far, key))


def replaced(value: Any, path: tuple[Any, ...], junk: Any) -> Any:
    """A copy of a JSON value with one part replaced."""
    copy = part = json.loads(json.dumps(value))
    for key in path[:-1]:
        part = part[key]
    part[path[-1]] = junk
    return copy


def test_a_checkpoint_holds_nothing_but_json() -> None:
    assert is_json(UPDATE.checkpoint)
    assert json.loads(json.dumps(UPDATE.checkpoint, allow_nan=False)) == UPDATE.checkpoint


def test_a_checkpoint_says_what_it_is_and_whose() -> None:
    value = UPDATE.checkpoint
    assert value["deepcall_checkpoint"] == FORMAT
    assert (value["scope"], value["view"], value["status"]) == ("desk", "group 55", "login")
    assert value["sequence"] == UPDATE.sequence


def test_a_checkpoint_read_and_written_again_is_the_same() -> None:
    mark = read_checkpoint(UPDATE.checkpoint, scope="desk", view="group 55", status="login")
    assert write_checkpoint(mark) == UPDATE.checkpoint
    assert any(memory.tally.since for memory in mark.state.memories.values())
    assert any(memory.gone_since for memory in mark.state.memories.values())
    assert mark.state.learned.votes


def test_every_update_has_its_own_checkpoint() -> None:
    floor = Floor(Seat("1", web="07:00:00"))
    updates = [floor.poll("12:00:00"), floor.poll("12:00:10", logged_in=5), floor.poll("12:00:20")]
    assert [update.checkpoint["sequence"] for update in updates] == [0, 1, 2]
    assert [update.checkpoint["held"] for update in updates] == [0, 1, 1]
    assert [bool(update.checkpoint["suspect"]) for update in updates] == [False, True, False]


def test_a_checkpoint_keeps_what_the_wire_sent_as_json() -> None:
    floor = Floor(
        Seat("1", call={"callId": "c1", "legs": [1, {"x": None}]}, more={"new": {"deep": [True, 1.5]}})
    )
    value = json.loads(json.dumps(floor.poll("12:00:00").checkpoint))
    twin = Floor(*floor.seats.values(), resume_from=value)
    assert twin.poll("12:00:10").transitions == ()
    assert twin.poll("12:00:20").snapshot.agents == floor.poll("12:00:20").snapshot.agents


def test_learnt_ways_of_the_server_survive_a_restart() -> None:
    floor = Floor()
    teach(floor, counts_at="wrap_up_end")
    floor.seat("1", web="07:00:00")
    update = floor.poll("09:00:00")
    twin = Floor(*floor.seats.values(), resume_from=update.checkpoint)
    assert twin.poll("09:00:10").ledger.counted_at == update.ledger.counted_at
    assert len(update.ledger.counted_at) == 1


@pytest.mark.parametrize("seed", range(4))
def test_a_checkpoint_with_any_part_replaced_is_refused_or_harmless(seed: int) -> None:
    """Never a crash loop: a warning and a fresh baseline, or a stream that goes on."""
    random = Random(seed)
    value = UPDATE.checkpoint
    for path in random.sample(list(paths(value))[1:], 60):
        for junk in random.sample(JUNK, 4):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", CheckpointWarning)
                live = LiveFloor(
                    "login", scope="desk", view="group 55", resume_from=replaced(value, path, junk)
                )
                for body, date in REPLIES:
                    json.dumps(live.receive(body, date=date).checkpoint)


@pytest.mark.parametrize("form", [True, 1, 0])
def test_an_older_or_equal_format_is_read(form: int) -> None:
    value = {**UPDATE.checkpoint, "deepcall_checkpoint": form}
    assert read_checkpoint(value, scope="desk", view="group 55", status="login").sequence == UPDATE.sequence


def test_the_reason_names_what_is_wrong_and_shows_no_value() -> None:
    value = replaced(UPDATE.checkpoint, ("state", "time"), "sesame")
    with pytest.raises(UnusableCheckpointError) as raised:
        read_checkpoint(value, scope="desk", view="group 55", status="login")
    assert str(raised.value).startswith("it is damaged")
    assert "sesame" not in str(raised.value)


@pytest.mark.parametrize(
    "text", ["0999-12-31T23:59:59Z", "9000-01-01T00:00:00Z", "2026-01-05T12:00:00", "noon"]
)
def test_an_instant_without_a_zone_or_beyond_all_reason_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"time|Invalid"):
        from_json(text, datetime)


def test_an_instant_of_another_zone_is_read_as_utc() -> None:
    assert from_json("2026-01-05T17:30:00+05:30", datetime) == datetime(2026, 1, 5, 12, tzinfo=UTC)
