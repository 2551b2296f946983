"""Lines out, and what may go wrong with them."""

from __future__ import annotations

import io
import os
import sys
import warnings
from pathlib import Path

import pytest

from deepcall_async import CheckpointWarning
from deepcall_async.cli._output import naming, settle, warnings_told


def test_a_warning_of_ours_is_one_line_each_time_and_others_are_left_alone(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with warnings.catch_warnings(record=True) as others:
        warnings.simplefilter("always")
        with warnings_told(CheckpointWarning):
            for _ in range(2):
                warnings.warn("not \x1b usable", CheckpointWarning, stacklevel=1)
            warnings.warn("something else", UserWarning, stacklevel=1)
        warnings.warn("afterwards", CheckpointWarning, stacklevel=1)
    assert capsys.readouterr().err == 2 * "deepcall: not \ufffd usable\n"
    assert [str(warning.message) for warning in others] == ["something else", "afterwards"]


def test_a_failure_to_write_names_its_file() -> None:
    with pytest.raises(BrokenPipeError) as raised, naming("here"):
        raise BrokenPipeError(32, "Broken pipe")
    assert (raised.value.filename, raised.value.strerror) == ("here", "Broken pipe")


def test_only_a_file_is_forced_to_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    forced: list[int] = []
    monkeypatch.setattr(os, "fsync", forced.append)
    with (tmp_path / "out").open("w") as file:
        monkeypatch.setattr(sys, "stdout", file)
        settle()
        assert forced == [file.fileno()]
    reader, writer = os.pipe()
    with os.fdopen(reader), os.fdopen(writer, "w") as pipe:
        monkeypatch.setattr(sys, "stdout", pipe)
        settle()
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    settle()
    assert len(forced) == 1
