"""How a file is replaced: whole, in its place, and without harm to any other."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from textwrap import dedent

import pytest

from deepcall_async._persistence import safe_file
from deepcall_async._persistence.safe_file import naming, overwrite_end, replace_file, set_aside, sweep

posix = pytest.mark.skipif(os.name != "posix", reason="modes, links and locks as POSIX has them")
LEFT = ".floor.json.abcd_123.tmp"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "floor.json"


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def never(_: Path) -> bool:
    return False


# --- replacing --------------------------------------------------------------------------------------


def test_a_file_is_replaced_and_nothing_is_left_beside_it(path: Path) -> None:
    replace_file(path, b"old")
    replace_file(path, b"new")
    assert path.read_bytes() == b"new"
    assert names(path.parent) == ["floor.json"]


@posix
def test_the_mode_of_a_file_stays_and_a_new_one_is_its_owners_alone(path: Path) -> None:
    replace_file(path, b"")
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o640)
    replace_file(path, b"")
    assert path.stat().st_mode & 0o777 == 0o640


@posix
@pytest.mark.parametrize("is_there", [True, False])
def test_a_link_stays_and_what_it_names_is_replaced(path: Path, is_there: bool) -> None:
    real = path.parent / "data" / "real.json"
    real.parent.mkdir()
    if is_there:
        real.write_bytes(b"old")
    path.symlink_to(Path("data", "real.json"))
    replace_file(path, b"new")
    assert path.is_symlink()
    assert real.read_bytes() == b"new"
    assert names(real.parent) == ["real.json"]


@posix
def test_what_is_no_file_is_not_replaced(path: Path) -> None:
    os.mkfifo(path)
    with pytest.raises(OSError, match="no file that could be replaced"):
        replace_file(path, b"new")
    assert path.is_fifo()
    assert names(path.parent) == ["floor.json"]


@posix
@pytest.mark.parametrize("is_open", [True, False])
def test_it_is_on_the_disk_before_it_is_renamed_and_closed_where_that_must_be(
    path: Path, monkeypatch: pytest.MonkeyPatch, is_open: bool
) -> None:
    """Windows renames no open file; elsewhere it stays locked. A power cut finds bytes behind the name."""
    synced: list[int] = []
    really, sync = Path.replace, os.fsync

    def replace(written: Path, target: Path) -> Path:
        assert written.stat().st_ino in synced
        sweep(target)  # removes it unless it is locked, as it is while it is open
        assert written.exists() is is_open
        monkeypatch.setattr(Path, "replace", really)
        return really(written, target)

    def fsync(descriptor: int) -> None:
        synced.append(os.fstat(descriptor).st_ino)
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "replace", replace)
    monkeypatch.setattr(safe_file, "RENAMES_WHAT_IS_OPEN", is_open)
    replace_file(path, b"new")
    assert path.read_bytes() == b"new"
    assert synced[-2:] == [path.stat().st_ino, path.parent.stat().st_ino]


@pytest.mark.parametrize("times", [1, 4, 5])
def test_a_file_that_another_program_holds_for_a_moment_is_tried_again(
    path: Path, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    path.write_bytes(b"old")
    really, left = Path.replace, [PermissionError(errno.EACCES, "held")] * times
    monkeypatch.setattr(time, "sleep", lambda _: None)

    def held(written: Path, target: Path) -> Path:
        if left:
            raise left.pop()
        return really(written, target)

    monkeypatch.setattr(Path, "replace", held)
    if times > len(safe_file.WAITS):
        with pytest.raises(PermissionError, match="held"):
            replace_file(path, b"new")
    else:
        replace_file(path, b"new")
    assert path.read_bytes() == (b"old" if times > len(safe_file.WAITS) else b"new")
    assert names(path.parent) == ["floor.json"]


def test_a_full_disk_leaves_the_old_file_and_nothing_beside_it(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace_file(path, b"old")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        replace_file(path, b"new")
    assert path.read_bytes() == b"old"
    assert names(path.parent) == ["floor.json"]


# --- what is left behind ----------------------------------------------------------------------------


@posix
def test_what_killed_processes_left_is_removed(path: Path) -> None:
    code = """
        import os, signal, sys
        from pathlib import Path
        from deepcall_async._persistence.safe_file import replace_file
        os.fsync = lambda _: os.kill(os.getpid(), signal.SIGKILL)
        replace_file(Path(sys.argv[1]), b"x" * 100_000)
    """
    for _ in range(3):
        subprocess.run([sys.executable, "-c", dedent(code), str(path)], check=False)  # noqa: S603  # our own
    assert len(names(path.parent)) == 3
    sweep(path)
    assert names(path.parent) == []


@posix
def test_what_another_process_is_writing_is_not_removed(path: Path) -> None:
    left = path.with_name(LEFT)
    with left.open("wb") as file:
        safe_file._lock(file.fileno())
        sweep(path)
        assert left.exists()
    sweep(path)
    assert not left.exists()


@posix
def test_only_what_has_such_a_name_and_is_a_file_is_removed(path: Path) -> None:
    others = [
        ".floor.json.abc.tmp",
        ".floor.json.abcd_1234.tmp",
        "floor.json.abcd_123.tmp",
        ".floor.jsonabcd_123",
    ]
    for name in others:
        path.with_name(name).touch()
    path.with_name(LEFT).symlink_to(others[0])
    sweep(path)
    os.mkfifo(path.with_name(".floor.json.12345678.tmp"))
    sweep(path)  # and does not wait for somebody to write to it
    assert set(others) <= set(names(path.parent))


def test_a_file_that_is_swept_before_it_is_renamed_is_written_again(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    really = Path.replace

    def swept(written: Path, target: Path) -> Path:
        monkeypatch.setattr(Path, "replace", really)
        written.unlink()
        return really(written, target)

    monkeypatch.setattr(Path, "replace", swept)
    replace_file(path, b"new")
    assert path.read_bytes() == b"new"
    assert names(path.parent) == ["floor.json"]


def test_processes_that_save_to_one_file_do_not_spoil_each_others(path: Path) -> None:
    code = """
        import json, sys
        from pathlib import Path
        from deepcall_async._persistence.safe_file import replace_file, sweep
        for number in range(60):
            sweep(Path(sys.argv[1]))
            replace_file(Path(sys.argv[1]), json.dumps([sys.argv[2]] * 3000).encode())
    """
    replace_file(path, json.dumps(["0"] * 3000).encode())
    command = [sys.executable, "-c", dedent(code), str(path)]
    writers = [subprocess.Popen([*command, who]) for who in "123"]  # noqa: S603  # our own
    while any(writer.poll() is None for writer in writers):
        found = json.loads(path.read_bytes())
        assert len(found) == 3000
        assert len(set(found)) == 1
    assert [writer.returncode for writer in writers] == [0, 0, 0]
    assert names(path.parent) == ["floor.json"]


# --- the end of a file, and another name ------------------------------------------------------------


def test_the_end_of_a_file_is_overwritten_if_it_is_still_the_one_that_was_written(path: Path) -> None:
    known = replace_file(path, b'{"a":0}')
    assert overwrite_end(path, known, b"1", before_end=2)
    assert path.read_bytes() == b'{"a":1}'
    replace_file(path, b'{"a":5}')
    assert not overwrite_end(path, known, b"1", before_end=2)
    assert path.read_bytes() == b'{"a":5}'
    path.unlink()
    assert not overwrite_end(path, known, b"1", before_end=2)


def test_a_file_is_set_aside_under_a_name_nobody_has(path: Path) -> None:
    for content in ("a", "b", "c"):
        path.write_text(content)
        set_aside(path, may_replace=never)
    assert names(path.parent) == ["floor.json.old", "floor.json.old.2", "floor.json.old.3"]
    assert [entry.read_text() for entry in sorted(path.parent.iterdir())] == ["a", "b", "c"]


def test_a_name_whose_file_is_worth_no_more_is_taken_again(path: Path) -> None:
    for content in ("a", "b"):
        path.write_text(content)
        aside = set_aside(path, may_replace=lambda aside: aside.read_text() == "a")
    assert names(path.parent) == [aside.name] == ["floor.json.old"]
    assert aside.read_text() == "b"


def test_an_error_names_the_file_that_was_meant(path: Path) -> None:
    with pytest.raises(FileNotFoundError) as raised, naming(path):
        replace_file(path / "no" / "such", b"")
    assert raised.value.filename == str(path)
