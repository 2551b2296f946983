"""A checkpoint file is the old one or the new one, and never stops a restart."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from deepcall_async import CheckpointWarning
from deepcall_async._checkpoint_file import load_checkpoint, save_checkpoint


def test_what_was_saved_is_loaded(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "floor.json", {"a": [1, None, "x"]})
    save_checkpoint(tmp_path / "floor.json", {"a": [2]})
    assert load_checkpoint(tmp_path / "floor.json") == {"a": [2]}
    assert [path.name for path in tmp_path.iterdir()] == ["floor.json"]


def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "floor.json", {})
    assert (tmp_path / "floor.json").stat().st_mode & 0o077 == 0


def test_no_file_is_no_checkpoint(tmp_path: Path) -> None:
    assert load_checkpoint(tmp_path / "floor.json") is None


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff\xfe\xfd", b"[" * 100_000])
def test_a_damaged_file_warns_and_starts_afresh(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "floor.json"
    path.write_bytes(content)
    with pytest.warns(CheckpointWarning, match="starting afresh"):
        assert load_checkpoint(path) is None


def test_a_failure_in_the_middle_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "floor.json"
    save_checkpoint(path, {"old": True})

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        save_checkpoint(path, {"new": True})
    with pytest.raises(TypeError):
        save_checkpoint(path, {"new": object()})
    assert load_checkpoint(path) == {"old": True}
    assert [entry.name for entry in tmp_path.iterdir()] == ["floor.json"]
