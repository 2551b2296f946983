"""Checkpoints: nothing but JSON, complete, and harmless when damaged."""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime
from random import Random
from typing import Any, Literal

import pytest

from deepcall_async import LiveFloor, LiveUpdate
from deepcall_async._floor import checkpoint
from deepcall_async._floor.checkpoint import (
    FORMAT,
    CheckpointText,
    CheckpointWarning,
    UnusableCheckpointError,
    read_checkpoint,
    write_checkpoint,
)
from deepcall_async._floor.update import mark_of
from deepcall_async._model.json_form import from_json, to_json
from deepcall_async.simulator import VARIANTS, Floor as SimulatedFloor, Pace

from .floors import Floor, Seat, at, teach

STATUSES: tuple[Literal["all", "login"], ...] = ("all", "login")
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


END_OF_TIME = 86_399_999_999_999  # seconds: the longest timedelta
HURT: dict[str, Any] = {
    "talk before the end of time": lambda m: m["1"]["tally"].update(base_talk=END_OF_TIME),
    "talk before all time": lambda m: m["1"]["tally"].update(base_talk=-86_000_000_000_000),
    "a memory under another's id": lambda m: m.update({"9": m.pop("2")}),
    "a memory twice": lambda m: m.update({"9": m["2"]}),
    "infinity in what the wire sent": lambda m: m["1"]["agent"]["login"]["details"].update(x=[math.inf]),
    "a number that is none": lambda m: m["1"]["agent"]["extra"].update(x=math.nan),
    "a nesting bomb": lambda m: m["1"]["agent"]["extra"].update(x=json.loads("[" * 500 + "]" * 500)),
    "a key that is no string": lambda m: m["1"]["agent"]["extra"].update({5: 5}),
    "an integer no one can write": lambda m: m["1"]["agent"]["extra"].update(x=10**5000),
    "half of a character": lambda m: m["1"]["agent"].update(name="\ud800"),
}


@pytest.mark.parametrize("hurt", HURT.values(), ids=HURT)
def test_damage_that_would_come_out_at_a_later_poll_is_refused_when_it_is_read(hurt: Any) -> None:
    """Whatever is read can be calculated with, written again, and told."""
    floor = Floor(Seat("1", web="09:00:00", calls=5, talk=300), Seat("2", web="09:00:00", calls=1, talk=9))
    value = floor.poll("12:00:00").checkpoint
    hurt(value["state"]["memories"])
    with pytest.raises(UnusableCheckpointError, match="it is damaged"):
        read_checkpoint(value, scope="", view="", status="all")


def test_more_agents_than_a_reply_can_show_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    value = Floor(Seat("1"), Seat("2")).poll("12:00:00").checkpoint
    monkeypatch.setattr(checkpoint, "MAX_AGENTS", 2)
    assert len(read_checkpoint(value, scope="", view="", status="all").state.everyone) == 2
    monkeypatch.setattr(checkpoint, "MAX_AGENTS", 1)
    with pytest.raises(UnusableCheckpointError, match="it is damaged"):
        read_checkpoint(value, scope="", view="", status="all")


@pytest.mark.parametrize(
    "where", [("last_call",), ("unread_since",), ("tally", "watched"), ("tally", "since")]
)
def test_no_poll_that_is_remembered_was_later_than_the_last(where: tuple[str, ...]) -> None:
    """So nothing is told to have begun after it was over."""
    value = Floor(Seat("1", calls=1)).poll("12:00:00").checkpoint
    for late, read in (("11:00:00", "11:00:00"), ("12:00:01", "12:00:00"), ("23:00:00", "12:00:00")):
        told = replaced(value, ("state", "memories", "1", *where), to_json(at(late)))
        mark = read_checkpoint(told, scope="", view="", status="all")
        memory = to_json(mark.state.recall("1"))
        for step in where:
            memory = memory[step]
        assert memory == to_json(at(read))


def test_what_the_server_says_of_the_future_is_remembered_as_it_was_said() -> None:
    floor = Floor(Seat("1", available="12:30:00"))
    value = floor.poll("12:00:00").checkpoint
    mark = read_checkpoint(value, scope="", view="", status="all")
    assert write_checkpoint(mark) == value


@pytest.mark.parametrize(
    ("field", "told", "read"),
    [
        ("talk_grown", 1e12, 10**12),  # ten thousand agents talk a thousand years in a few months
        ("talk_grown", END_OF_TIME, END_OF_TIME // 2),
        ("talk_told", -END_OF_TIME, -END_OF_TIME // 2),
        ("grown", 2**96 + 5, 2**96),
    ],
)
def test_what_was_summed_up_is_brought_within_bounds_so_that_it_can_go_on(
    field: str, told: float, read: float
) -> None:
    """A server that lied for years, or damage: what goes on from it leaves checkpoints that can be read."""
    value = replaced(UPDATE.checkpoint, ("state", "forgotten", field), told)
    mark = read_checkpoint(value, scope="desk", view="group 55", status="login")
    assert to_json(mark.state.forgotten)[field] == pytest.approx(read, abs=1)


def test_what_is_read_shares_nothing_with_what_was_given() -> None:
    floor = Floor(Seat("1", more={"x": {"y": [1]}}))
    value = floor.poll("12:00:00").checkpoint
    mark = read_checkpoint(value, scope="", view="", status="all")
    value["state"]["memories"]["1"]["agent"]["extra"]["x"]["y"].append(2)
    assert mark.state.shown["1"].extra == {"x": {"y": [1]}}


# --- the text of a checkpoint -----------------------------------------------------------------------


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("status", STATUSES)
def test_the_text_of_a_checkpoint_is_to_the_byte_that_of_its_value(
    variant: str, status: Literal["all", "login"]
) -> None:
    """Of one writer that saw the updates before, and of one that did not."""
    floor, live = SimulatedFloor(8, seed=3, pace=Pace.busy(), variant=VARIANTS[variant]), LiveFloor(status)
    writer = CheckpointText()
    for number in range(30):
        now = floor.start + number * 30.0
        update = live.receive(floor.reply(now, status=status), date=datetime.fromtimestamp(now, UTC))
        text = json.dumps(update.checkpoint, separators=(",", ":")).encode()
        assert writer.write(mark_of(update)) == CheckpointText().write(mark_of(update)) == text


def test_more_keys_stand_behind_those_of_the_checkpoint() -> None:
    more = {"undelivered": [{"a": "ß"}], "is_delivered": 0}
    text = CheckpointText().write(mark_of(UPDATE), more=more)
    assert json.loads(text) == {**UPDATE.checkpoint, **more}
    assert text.endswith(b',"is_delivered":0}')


def test_only_the_agents_who_changed_are_written_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Work is counted, in agents: a tenth of a floor that changes costs a tenth."""
    floor = Floor(*(Seat(str(number), web="07:00:00", calls=number) for number in range(1, 101)))
    writer = CheckpointText()
    written: list[str] = []

    def counted(value: Any) -> Any:
        written.append(type(value).__name__)
        return to_json(value)

    monkeypatch.setattr(checkpoint, "to_json", counted)
    writer.write(mark_of(floor.poll("12:00:00")))
    assert written.count("Memory") == 100
    for quiet in ("12:00:05", "12:00:10"):
        written.clear()
        writer.write(mark_of(floor.poll(quiet)))
        assert written == ["Mark"]
    for number in range(1, 11):
        floor.seats[str(number)].call = "12:00:12"
    written.clear()
    writer.write(mark_of(floor.poll("12:00:15")))
    assert sorted(written) == ["Mark", *["Memory"] * 10]


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
