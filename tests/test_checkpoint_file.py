"""A checkpoint file is the old one or the new one, never stops a restart, and never costs anybody a file."""

from __future__ import annotations

import asyncio
import json
import logging
import math
import os
import threading
import warnings
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from deepcall_async import CheckpointFile, CheckpointWarning, ConfigurationError, LiveFloor, LiveUpdate
from deepcall_async._persistence import checkpoint_file as module
from deepcall_async._persistence.checkpoint_file import load_checkpoint, save_checkpoint
from deepcall_async._persistence.safe_file import overwrite_end, replace_file
from deepcall_async.simulator import Floor

OURS: dict[str, Any] = {"deepcall_checkpoint": 1}
NOT_OURS = [
    b"",
    b"{",
    b"[1]",
    b"\xff\xfe\xfd",
    b"[" * 100_000,
    b'{"other": "file"}',
    b'{"a": NaN}',
    b"my thesis",
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "floor.json"


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


# --- the two functions ------------------------------------------------------------------------------


def test_what_was_saved_is_loaded(path: Path) -> None:
    save_checkpoint(path, {**OURS, "a": [1, None, "x"]})
    save_checkpoint(path, {**OURS, "a": [2]})
    assert load_checkpoint(path) == {**OURS, "a": [2]}
    assert names(path.parent) == ["floor.json"]


def test_the_file_is_its_owners_alone(path: Path) -> None:
    save_checkpoint(path, OURS)
    assert path.stat().st_mode & 0o077 == 0


def test_no_file_is_no_checkpoint(path: Path) -> None:
    assert load_checkpoint(path) is None


@pytest.mark.parametrize("content", NOT_OURS)
def test_a_file_that_holds_something_else_warns_and_starts_afresh(
    path: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    path.write_bytes(content)
    caplog.set_level(logging.WARNING, "deepcall_async")
    with pytest.warns(CheckpointWarning, match="holds no checkpoint.*starting afresh") as warned:
        assert load_checkpoint(path) is None
    assert warned[0].filename == __file__
    assert caplog.record_tuples == [("deepcall_async", logging.WARNING, str(warned[0].message))]


def test_no_more_of_a_file_is_read_than_a_checkpoint_can_have(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_checkpoint(path, OURS)
    monkeypatch.setattr(module, "MAX_BYTES", path.stat().st_size - 1)
    with pytest.warns(CheckpointWarning, match="holds no checkpoint"):
        assert load_checkpoint(path) is None


@pytest.mark.parametrize("content", NOT_OURS)
def test_what_is_no_checkpoint_is_set_aside_and_not_overwritten(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    path.with_name("floor.json.old").write_text("its only backup")
    with pytest.warns(CheckpointWarning, match=r"what was in .*floor.json is now in .*floor.json.old.2"):
        save_checkpoint(path, OURS)
    assert load_checkpoint(path) == OURS
    assert path.with_name("floor.json.old").read_text() == "its only backup"
    assert path.with_name("floor.json.old.2").read_bytes() == content


def test_what_was_just_saved_is_not_read_again_unless_somebody_wrote_to_it(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reading costs as much as half of a save."""
    read: list[Path] = []

    def reading(path: Path) -> Any:
        read.append(path)
        return OURS

    monkeypatch.setattr(module, "_read", reading)
    save_checkpoint(path, OURS)
    save_checkpoint(path, OURS)
    assert not read
    path.write_bytes(content(path) + b" ")
    save_checkpoint(path, OURS)
    assert read == [path]


@pytest.mark.parametrize("wrong", [{}, {"old": True}, {"a": OURS}])
def test_what_is_no_checkpoint_is_not_saved(path: Path, wrong: Any) -> None:
    with pytest.raises(ConfigurationError, match="no checkpoint"):
        save_checkpoint(path, wrong)
    assert names(path.parent) == []


def test_a_failure_in_the_middle_leaves_the_old_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_checkpoint(path, OURS)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space") as raised:
            save_checkpoint(path, {**OURS, "new": True})
    assert raised.value.filename == str(path)
    with pytest.raises(TypeError):
        save_checkpoint(path, {**OURS, "new": object()})
    assert load_checkpoint(path) == OURS
    assert names(path.parent) == ["floor.json"]


# --- updates to keep --------------------------------------------------------------------------------


def updates(resume_from: Any = None, *, begin: int = 0) -> Iterator[LiveUpdate]:
    """A calm floor, polled every second."""
    floor, live = Floor(5, seed=1), LiveFloor(resume_from=resume_from)
    for second in range(begin, 300):
        yield live.receive(floor.reply(floor.start + second))


def some() -> tuple[LiveUpdate, list[LiveUpdate], LiveUpdate]:
    """A baseline, some quiet updates, and the first one after them with news."""
    baseline, *others = updates()
    at = next(n for n, update in enumerate(others) if update.transitions and n > 2)
    assert not any(update.transitions for update in others[:at])
    return baseline, others[:at], others[at]


BASELINE, QUIET, NEWS = some()


def saved(path: Path) -> Any:
    """The sequence of the update whose checkpoint is in the file."""
    return json.loads(path.read_bytes())["sequence"]


def content(path: Path) -> bytes:
    return path.read_bytes()


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many bytes each write to the disk had."""
    sizes: list[int] = []

    def replacing(path: Path, data: bytes) -> os.stat_result:
        sizes.append(len(data))
        return replace_file(path, data)

    def overwriting(path: Path, known: os.stat_result, data: bytes, *, before_end: int) -> bool:
        sizes.append(len(data))
        return overwrite_end(path, known, data, before_end=before_end)

    monkeypatch.setattr(module, "replace_file", replacing)
    monkeypatch.setattr(module, "overwrite_end", overwriting)
    return sizes


class Gate:
    """Holds every write up until it is opened."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.is_reached, self.is_open = threading.Event(), threading.Event()
        self.under_way, self.most = 0, 0

        def wait(path: Path, data: bytes) -> os.stat_result:
            self.under_way += 1
            self.most = max(self.most, self.under_way)
            self.is_reached.set()
            assert self.is_open.wait(60)
            try:
                return replace_file(path, data)
            finally:
                self.under_way -= 1

        monkeypatch.setattr(module, "replace_file", wait)

    async def reached(self) -> None:
        """Wait for a write to begin. The event loop runs meanwhile."""
        assert await asyncio.to_thread(self.is_reached.wait, 60)
        self.is_reached.clear()


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Gate:
    return Gate(monkeypatch)


# --- what is saved, and when ------------------------------------------------------------------------


async def test_an_update_with_news_is_on_the_disk_when_it_is_kept(path: Path) -> None:
    async with CheckpointFile(path) as kept:
        assert kept.checkpoint is None
        await kept.keep(BASELINE)
        assert saved(path) == BASELINE.sequence
        await kept.keep(QUIET[0])
        assert saved(path) == BASELINE.sequence
        await kept.keep(NEWS)
        assert load_checkpoint(path) == kept.checkpoint == NEWS.checkpoint
        assert content(path) == json.dumps(NEWS.checkpoint, separators=(",", ":")).encode()


async def test_a_quiet_floor_is_saved_now_and_then(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(CheckpointFile, "_now", staticmethod(lambda: now[0]))
    async with CheckpointFile(path, every=30) as kept:
        await kept.keep(BASELINE)
        for update, now[0] in zip(QUIET, (15.0, 30.0, 45.0), strict=False):
            await kept.keep(update)
        assert saved(path) == QUIET[1].sequence


@pytest.mark.parametrize("end", [None, ZeroDivisionError(), asyncio.CancelledError()])
async def test_the_last_update_is_saved_whatever_ends_the_block(path: Path, end: Any) -> None:
    with suppress(ZeroDivisionError, asyncio.CancelledError):
        async with CheckpointFile(path) as kept:
            await kept.keep(BASELINE)
            await kept.keep(QUIET[0])
            if end:
                raise end
    assert saved(path) == QUIET[0].sequence
    assert names(path.parent) == ["floor.json"]


async def test_what_is_on_the_disk_is_not_saved_again(path: Path, written: list[int]) -> None:
    async with CheckpointFile(path) as kept:
        await kept.keep(BASELINE)
        await kept.keep(NEWS)
    assert len(written) == 2
    async with CheckpointFile(path):
        pass
    assert len(written) == 2


async def test_the_next_run_goes_on_from_the_file(path: Path) -> None:
    async with CheckpointFile(path) as kept:
        await kept.keep(BASELINE)
    async with CheckpointFile(path) as kept:
        assert kept.checkpoint == BASELINE.checkpoint
        again = next(updates(kept.checkpoint, begin=1))
        assert again.gap
        await kept.keep(again)
        assert saved(path) == again.sequence == BASELINE.sequence + 1
    assert names(path.parent) == ["floor.json"]


# --- beside the event loop --------------------------------------------------------------------------


async def test_the_event_loop_runs_while_a_checkpoint_is_saved(path: Path, gate: Gate) -> None:
    async with CheckpointFile(path) as kept:
        keeping = asyncio.create_task(kept.keep(BASELINE))
        await gate.reached()
        assert not keeping.done()
        gate.is_open.set()
        await keeping
    assert saved(path) == BASELINE.sequence


async def test_a_save_that_is_cancelled_is_done_and_never_overwrites_a_later_one(
    path: Path, gate: Gate
) -> None:
    async with CheckpointFile(path) as kept:
        for update in (BASELINE, NEWS):
            keeping = asyncio.create_task(kept.keep(update))
            await asyncio.sleep(0.01)
            keeping.cancel()
            with pytest.raises(asyncio.CancelledError):
                await keeping
        gate.is_open.set()
    assert saved(path) == NEWS.sequence
    assert gate.most == 1


async def test_a_block_that_is_cancelled_twice_still_saves_the_last_update(path: Path, gate: Gate) -> None:
    async def run() -> None:
        async with CheckpointFile(path, every=math.nextafter(math.inf, 0)) as kept:
            kept._latest = kept._unsaved = QUIET[0]
            await asyncio.sleep(60)

    running = asyncio.create_task(run())
    await asyncio.sleep(0.05)
    running.cancel()
    await gate.reached()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    gate.is_open.set()
    await asyncio.get_running_loop().shutdown_default_executor()
    assert saved(path) == QUIET[0].sequence


async def test_a_save_that_was_abandoned_and_comes_late_is_passed_over(path: Path) -> None:
    disk = module._Disk(path)
    disk.save(2, NEWS)
    disk.save(1, BASELINE)
    disk.strike(1, BASELINE)
    disk.replace(1, OURS)
    assert saved(path) == NEWS.sequence


# --- failures ---------------------------------------------------------------------------------------


async def test_a_save_that_fails_names_the_file_and_is_made_up_for_by_the_next(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    async with CheckpointFile(path) as kept:
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", full)
            with pytest.raises(OSError, match="No space") as raised:
                await kept.keep(BASELINE)
        assert raised.value.filename == str(path)
        assert names(path.parent) == []
    assert saved(path) == BASELINE.sequence


@pytest.mark.parametrize("name", ["there/floor.json", ".", "x" * 300])
async def test_a_place_that_can_hold_no_checkpoint_is_refused_at_once(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigurationError, match="checkpoint"):
        async with CheckpointFile(tmp_path / name):
            pass


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may read everything")
async def test_a_checkpoint_that_may_not_be_read_is_a_matter_of_configuration(path: Path) -> None:
    os.close(os.open(path, os.O_CREAT, 0o000))
    with pytest.raises(ConfigurationError, match="Permission denied"):
        async with CheckpointFile(path):
            pass


async def test_it_is_entered_once_and_used_inside_only(path: Path) -> None:
    kept = CheckpointFile(path)
    with pytest.raises(ConfigurationError, match="async with"):
        await kept.keep(BASELINE)
    async with kept:
        pass
    with pytest.raises(ConfigurationError, match="async with"):
        await kept.keep(BASELINE)
    with pytest.raises(ConfigurationError, match="once"):
        async with kept:
            pass
    with pytest.raises(ConfigurationError, match="every"):
        CheckpointFile(path, every=-1)


# --- what was there ---------------------------------------------------------------------------------


@pytest.fixture(params=[*NOT_OURS, json.dumps({**OURS, "sequence": 7, "scope": "another's"}).encode()])
def unusable(request: pytest.FixtureRequest, path: Path) -> bytes:
    """What is in the file, which no stream can go on from. The name it would be given is somebody's."""
    path.write_bytes(request.param)
    path.with_name("floor.json.old").write_text("its only backup")
    there: bytes = request.param
    return there


async def run(path: Path, count: int) -> list[Warning]:
    """Keep so many updates of a new run; the warnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        async with CheckpointFile(path) as kept:
            for update, _ in zip(updates(kept.checkpoint), range(count), strict=False):
                await kept.keep(update)
    return [warning.message for warning in caught if isinstance(warning.message, Warning)]


async def test_what_the_stream_does_not_go_on_from_is_set_aside(path: Path, unusable: bytes) -> None:
    why, where = await run(path, 3)
    assert "checkpoint" in str(why)
    assert str(where) == f"what was in {path} is now in {path}.old.2"
    assert saved(path) == 2
    assert content(path.with_name("floor.json.old")) == b"its only backup"
    assert content(path.with_name("floor.json.old.2")) == unusable


async def test_of_our_own_checkpoints_one_is_kept_aside(path: Path) -> None:
    assert not await run(path, 1)
    for _ in range(2):
        with pytest.warns(CheckpointWarning, match="is now in"):
            async with CheckpointFile(path) as kept:
                await kept.keep(BASELINE)  # of a stream that was not resumed
    assert names(path.parent) == ["floor.json", "floor.json.old"]


# --- delivery ---------------------------------------------------------------------------------------


async def test_what_is_delivered_is_on_the_disk_before_it_and_struck_out_after_it(
    path: Path, written: list[int]
) -> None:
    """With one whole write, and one of a byte."""
    async with CheckpointFile(path) as kept:
        await kept.keep(BASELINE)
        written.clear()
        async with kept.delivery(NEWS, ["a", "b"]):
            assert saved(path) == NEWS.sequence
            assert await left_over(path) == ["a", "b"]
        assert written[1:] == [1]
        assert await left_over(path) == []
        assert kept.checkpoint == NEWS.checkpoint
    assert len(written) == 2


async def left_over(path: Path) -> list[Any]:
    """What a run would find that began now."""
    twin = CheckpointFile(path)
    twin._take(load_checkpoint(path))
    async with twin.undelivered() as left:
        twin._found = None  # it only looks
        return list(left)


async def fail_to_deliver(path: Path, update: LiveUpdate, told: list[Any]) -> None:
    async with CheckpointFile(path) as kept, kept.delivery(update, told):
        raise BrokenPipeError


async def test_what_a_delivery_that_failed_left_over_is_found_by_the_next_run_once(path: Path) -> None:
    with pytest.raises(BrokenPipeError):
        await fail_to_deliver(path, NEWS, [{"a": 1}])
    for left in ([{"a": 1}], []):
        async with CheckpointFile(path) as kept:
            async with kept.undelivered() as found:
                assert found == left
            assert kept.checkpoint == NEWS.checkpoint
    assert load_checkpoint(path) == NEWS.checkpoint


async def test_what_is_left_over_and_not_delivered_again_stays(path: Path) -> None:
    with pytest.raises(BrokenPipeError):
        await fail_to_deliver(path, BASELINE, ["a"])
    with pytest.raises(BrokenPipeError):
        async with CheckpointFile(path) as kept, kept.undelivered():
            raise BrokenPipeError
    assert await left_over(path) == ["a"]


async def test_a_file_that_another_program_replaced_meanwhile_is_written_whole(
    path: Path, written: list[int]
) -> None:
    async with CheckpointFile(path) as kept:
        async with kept.delivery(BASELINE, ["a"]):
            save_checkpoint(path, {**OURS, "x": 0})
            written.clear()
        assert load_checkpoint(path) == BASELINE.checkpoint
        assert len(written) == 2


async def test_a_delivery_that_is_cancelled_before_it_begins_is_made_by_the_next_run(
    path: Path, gate: Gate
) -> None:
    gate.is_open.set()
    async with CheckpointFile(path) as kept:
        await kept.keep(BASELINE)
        await kept.keep(QUIET[0])
        await gate.reached()
        gate.is_open.clear()
        delivering = asyncio.create_task(kept.delivery(NEWS, ["a"]).__aenter__())
        await gate.reached()
        delivering.cancel()
        with pytest.raises(asyncio.CancelledError):
            await delivering
        gate.is_open.set()
    await asyncio.get_running_loop().shutdown_default_executor()
    assert saved(path) == NEWS.sequence
    assert await left_over(path) == ["a"]
