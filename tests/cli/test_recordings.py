"""Where recordings are written to and read from."""

from __future__ import annotations

import io
import os
import stat
import sys
from pathlib import Path

import pytest

from deepcall_async import ConfigurationError, RecordingFloor
from deepcall_async.cli._recordings import recorded_updates, recording
from deepcall_async.simulator import Floor


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "recording"


def record(path: Path) -> None:
    floor = Floor(5)
    with recording(path) as file:
        assert file is not None
        recorder = RecordingFloor(file)
        for second in (0, 10, 20):
            recorder.receive(floor.reply(floor.start + second))


def test_what_was_recorded_is_read_again(path: Path) -> None:
    record(path)
    assert [update.sequence for update in recorded_updates(path)] == [0, 1, 2]


def test_a_recording_is_read_from_stdin(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record(path)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(path.read_bytes()), encoding="utf-16"))
    assert [update.sequence for update in recorded_updates(Path("-"))] == [0, 1, 2]


def test_without_a_name_nothing_is_recorded() -> None:
    with recording(None) as file:
        assert file is None


@pytest.mark.skipif(os.name != "posix", reason="modes of files")
def test_only_its_owner_may_read_a_new_recording(path: Path) -> None:
    record(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_an_empty_file_is_recorded_to_and_one_with_something_in_it_is_not(path: Path) -> None:
    path.touch()
    record(path)
    before = path.read_bytes()
    with pytest.raises(ConfigurationError, match=f"{path} is not empty: remove it"):
        record(path)
    assert path.read_bytes() == before


def test_a_recording_that_cannot_be_made_is_a_matter_of_configuration(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot write the recording"):
        record(tmp_path / "there" / "recording")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a full device")
def test_a_recording_that_cannot_take_more_is_named() -> None:
    with pytest.raises(OSError, match="No space left") as raised:
        record(Path("/dev/full"))
    assert raised.value.filename == "/dev/full"


@pytest.mark.parametrize(
    ("content", "line"),
    [(b"", 1), (b"hello\n", 1), (b"\x1f\x8b\x08\x00", 1), (b"{}\n", 1)],
)
def test_a_file_that_is_no_recording_is_refused_with_its_name_and_line(
    content: bytes, line: int, path: Path
) -> None:
    path.write_bytes(content)
    with pytest.raises(ConfigurationError, match=f"{path}: line {line} is not of a recording"):
        list(recorded_updates(path))


def test_what_stands_before_a_broken_line_is_told(path: Path) -> None:
    record(path)
    path.write_bytes(path.read_bytes()[:-9])
    updates = recorded_updates(path)
    assert [next(updates).sequence, next(updates).sequence] == [0, 1]
    with pytest.raises(ConfigurationError, match="line 4 is not of a recording"):
        next(updates)


@pytest.mark.parametrize("name", ["missing", "."])
def test_a_recording_that_cannot_be_read_is_a_matter_of_configuration(name: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot read the recording"):
        list(recorded_updates(tmp_path / name))
