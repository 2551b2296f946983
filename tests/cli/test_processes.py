"""The command as a process: signals, pipes and terminals."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import IO

import pytest

DEEPCALL = [sys.executable, "-m", "deepcall_async"]
DEMO = ["--demo", "--warp=60", "--interval=0.2"]

pytestmark = [pytest.mark.wire, pytest.mark.skipif(os.name != "posix", reason="signals and ptys")]


def start(*arguments: str, stdout: int | IO[bytes] = subprocess.PIPE) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603  # ourselves
        [*DEEPCALL, *arguments], stdout=stdout, stderr=subprocess.PIPE, env={**os.environ, "TERM": "xterm"}
    )


def first_line(process: subprocess.Popen[bytes]) -> bytes:
    assert process.stdout is not None
    return process.stdout.readline()


def test_a_reader_who_has_had_enough_ends_the_command_quietly() -> None:
    with start("events", *DEMO) as process:
        assert json.loads(first_line(process))
        process.stdout.close()  # type: ignore[union-attr]  # it is a pipe
        assert process.stderr is not None
        assert process.stderr.read() == b""
        assert process.wait(10) == 0


def test_a_reader_who_leaves_a_quiet_floor_is_missed_at_the_next_poll() -> None:
    with start("events", "--demo", "--warp=0.01", "--interval=0.1", "--baseline") as process:
        first_line(process)
        process.stdout.close()  # type: ignore[union-attr]
        assert process.wait(10) == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a full device")
def test_a_full_disk_is_told_in_one_line() -> None:
    with Path("/dev/full").open("wb") as full, start("events", *DEMO, stdout=full) as process:
        _, errors = process.communicate(timeout=10)
    assert process.returncode == 1
    assert errors == b"deepcall: cannot write the output: No space left on device\n"


@pytest.mark.parametrize(("stop", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_the_command_quietly_with_its_own_code(stop: signal.Signals, code: int) -> None:
    with start("watch", *DEMO) as process:
        first_line(process)
        process.send_signal(stop)
        _, errors = process.communicate(timeout=10)
    assert (process.returncode, errors) == (code, b"")


@pytest.mark.parametrize(("stop", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (None, 0)])
def test_the_terminal_is_given_back_however_watch_ends(stop: signal.Signals | None, code: int) -> None:
    ours, theirs = os.openpty()
    with os.fdopen(theirs, "wb", buffering=0) as terminal:
        process = start("watch", *DEMO, *([] if stop else ["--for=1s"]), stdout=terminal)
    written = b""
    with process:
        while b"LAST TRANSITIONS" not in written:
            written += os.read(ours, 65536)
        if stop:
            process.send_signal(stop)
        try:
            while chunk := os.read(ours, 65536):
                written += chunk
        except OSError:
            pass  # Linux says so at the end
        assert process.wait(10) == code
    os.close(ours)
    entered, left = written.index(b"\x1b[?1049h"), written.rindex(b"\x1b[?1049l")
    assert entered < written.index(b"simulated floor") < left
    assert written.rindex(b"\x1b[?25h") > written.rindex(b"\x1b[?25l")
    assert written.rindex(b"\x1b[?7h") > written.rindex(b"\x1b[?7l")
