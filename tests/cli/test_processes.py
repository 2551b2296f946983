"""The command as a process: signals, pipes and terminals."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import pytest

from deepcall_async import RecordingFloor
from deepcall_async.simulator import Floor

DEEPCALL = [sys.executable, "-m", "deepcall_async"]
DEMO = ["--demo", "--warp=60", "--interval=0.2"]
PATIENCE = 100  # seconds to wait for a process that has every reason to end

pytestmark = [pytest.mark.wire, pytest.mark.skipif(os.name != "posix", reason="signals and ptys")]


class Process(subprocess.Popen[bytes]):
    """One that does not outlive a test that fails in its block, which would wait for it for ever."""

    def __exit__(self, kind: type[BaseException] | None, *rest: Any) -> None:  # noqa: PYI036  # what Popen takes
        if kind is not None:
            self.kill()
        super().__exit__(kind, *rest)


def start(
    *arguments: str, stdout: int | IO[bytes] = subprocess.PIPE, settings: Mapping[str, str] | None = None
) -> Process:
    ours = {key: value for key, value in os.environ.items() if not key.startswith("DEEPCALL_")}
    return Process(
        [*DEEPCALL, *arguments],
        stdin=subprocess.PIPE,
        stdout=stdout,
        stderr=subprocess.PIPE,
        env={**ours, "TERM": "xterm", **(settings or {})},
    )


def first_line(process: Process) -> bytes:
    assert process.stdout is not None
    return process.stdout.readline()


def rest_of(process: Process) -> bytes:
    """What follows the lines already read, which `communicate` would lose."""
    assert process.stdout is not None
    return process.stdout.read()


def test_a_reader_who_has_had_enough_ends_the_command_quietly() -> None:
    with start("events", *DEMO) as process:
        assert json.loads(first_line(process))
        process.stdout.close()  # type: ignore[union-attr]  # it is a pipe
        assert process.stderr is not None
        assert process.stderr.read() == b""
        assert process.wait(PATIENCE) == 0


def test_a_reader_who_leaves_a_quiet_floor_is_missed_at_the_next_poll() -> None:
    with start("events", "--demo", "--warp=0.01", "--interval=0.1", "--baseline") as process:
        first_line(process)
        process.stdout.close()  # type: ignore[union-attr]
        assert process.wait(PATIENCE) == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a full device")
def test_a_full_disk_is_told_in_one_line() -> None:
    with Path("/dev/full").open("wb") as full, start("events", *DEMO, stdout=full) as process:
        _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert errors == b"deepcall: cannot write the output: No space left on device\n"


@pytest.mark.parametrize(("stop", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_the_command_quietly_with_its_own_code(stop: signal.Signals, code: int) -> None:
    with start("watch", *DEMO) as process:
        first_line(process)
        process.send_signal(stop)
        _, errors = process.communicate(timeout=PATIENCE)
    assert (process.returncode, errors) == (code, b"")


def read(terminal: int) -> bytes:
    """What was written there; nothing at the end."""
    try:
        return os.read(terminal, 65536)
    except OSError:  # Linux says so at the end
        return b""


def watched(*arguments: str, stop: signal.Signals | None = None) -> tuple[bytes, int]:
    """What `watch` writes to a terminal, and its exit code. stop: a signal for it once the floor is shown."""
    ours, theirs = os.openpty()
    with os.fdopen(theirs, "wb", buffering=0) as terminal:
        process = start("watch", *DEMO, *arguments, stdout=terminal)
    written = b""
    with process:
        while chunk := read(ours):
            written += chunk
            if stop and SHOWN in written:
                process.send_signal(stop)
                stop = None
        code = process.wait(PATIENCE)
    os.close(ours)
    return written, code


SHOWN = b"LAST TRANSITIONS"


def watched_for_a_while() -> tuple[bytes, int]:
    """The same with --for: as long as a machine needs that may be slow to show the floor."""
    for seconds in (1, 10, PATIENCE):
        written, code = watched(f"--for={seconds}s")
        if SHOWN in written:
            break
    return written, code


@pytest.mark.parametrize(("stop", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (None, 0)])
def test_the_terminal_is_given_back_however_watch_ends(stop: signal.Signals | None, code: int) -> None:
    written, ended = watched(stop=stop) if stop else watched_for_a_while()
    assert ended == code
    entered, left = written.index(b"\x1b[?1049h"), written.rindex(b"\x1b[?1049l")
    assert entered < written.index(b"simulated floor") < left
    assert written.rindex(b"\x1b[?25h") > written.rindex(b"\x1b[?25l")
    assert written.rindex(b"\x1b[?7h") > written.rindex(b"\x1b[?7l")


# --- streams that are closed --------------------------------------------------------------------


def with_closed(*descriptors: int) -> Callable[[], None]:
    """What a shell does for `>&-` and `<&-`."""

    def close() -> None:
        for descriptor in descriptors:
            os.close(descriptor)

    return close


def run_with_closed(*descriptors: int, arguments: tuple[str, ...]) -> tuple[int, str, str]:
    process = subprocess.run(  # noqa: S603  # ourselves
        [*DEEPCALL, *arguments],
        capture_output=True,
        text=True,
        preexec_fn=with_closed(*descriptors),  # no threads here
        timeout=20,
        check=False,
    )
    return process.returncode, process.stdout, process.stderr


@pytest.mark.parametrize(
    "command", [("events", "--demo"), ("watch", "--demo"), ("simulate",), ("--version",)]
)
def test_a_closed_stdout_is_told_in_one_line(command: tuple[str, ...]) -> None:
    told = "deepcall: stdout is closed: send it to a file or to /dev/null\n"
    assert run_with_closed(1, arguments=command) == (1, "", told)
    assert run_with_closed(1, 2, arguments=command) == (1, "", "")


def test_a_closed_stdin_cannot_be_replayed() -> None:
    told = "deepcall: stdin: there is none, it is closed\n"
    assert run_with_closed(0, arguments=("events", "--replay", "-")) == (3, "", told)


def test_a_closed_stderr_changes_nothing_but_that_nothing_is_told() -> None:
    code, output, _ = run_with_closed(2, arguments=("events", "--baseline", "--for=0.5s", "--verbose", *DEMO))
    assert (code, json.loads(output.splitlines()[0])["kind"]) == (0, "baseline")
    assert run_with_closed(2, arguments=("events", "--replay", "/nowhere")) == (3, "", "")


# --- recordings and checkpoints ---------------------------------------------------------------


def test_a_recorded_demo_is_replayed_to_the_byte_from_a_file_and_from_stdin(tmp_path: Path) -> None:
    file = tmp_path / "recording"
    with start("events", *DEMO, f"--record={file}") as process:
        lines = [first_line(process) for _ in range(20)]
        process.terminate()
        live = b"".join(lines) + rest_of(process)
    for name in (str(file), "-"):
        with start("events", f"--replay={name}") as process:
            replayed, errors = process.communicate(
                file.read_bytes() if name == "-" else None, timeout=PATIENCE
            )
        assert (process.returncode, errors) == (0, b"")
        assert replayed == live


@pytest.mark.parametrize(("stop", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, -signal.SIGTERM)])
def test_a_replay_that_waits_for_its_recording_can_be_ended(stop: signal.Signals, code: int) -> None:
    recorded, floor = io.StringIO(), Floor(3)
    RecordingFloor(recorded).receive(floor.reply(floor.start))
    with start("events", "--baseline", "--replay=-") as process:
        assert process.stdin is not None
        process.stdin.write(recorded.getvalue().encode())
        process.stdin.flush()
        assert b"baseline" in first_line(process)
        process.send_signal(stop)
        _, errors = process.communicate(timeout=PATIENCE)
    assert (process.returncode, errors) == (code, b"")


@pytest.fixture
def settings() -> Iterator[dict[str, str]]:
    """The environment for a client of a simulated floor that lives on while clients die."""
    with start("simulate", "--port=0", "--warp=60", "--agents=40") as server:
        exports: dict[str, str] = {}
        while "DEEPCALL_TOKEN" not in exports:
            key, _, value = first_line(server).decode().strip().removeprefix("export ").partition("=")
            exports[key] = value
        yield {key: value for key, value in exports.items() if key.startswith("DEEPCALL_")}
        server.terminate()


def killed_after(count: int, *arguments: str, settings: Mapping[str, str]) -> bytes:
    """What a run printed until kill -9 struck after so many lines."""
    with start(*arguments, settings=settings) as process:
        lines = [first_line(process) for _ in range(count)]
        process.kill()
        return b"".join(lines) + rest_of(process)


def test_runs_that_are_killed_tell_one_story(settings: dict[str, str], tmp_path: Path) -> None:
    """What is told twice is told in the same words, and nothing is told in two ways."""
    arguments = ("events", "--interval=0.1", "--baseline", f"--checkpoint={tmp_path / 'checkpoint'}")
    printed = b"".join(killed_after(count, *arguments, settings=settings) for count in (1, 2, 5, 17))
    with start(*arguments, "--ledger", settings=settings) as process:
        assert process.stderr is not None
        assert b": a restart" in process.stderr.readline()
        process.terminate()
        rest, told = process.communicate(timeout=PATIENCE)
    assert process.returncode == 143, told
    assert b"unexplained 0" in told
    baseline, *transitions = map(json.loads, dict.fromkeys((printed + rest).splitlines()))
    ids = [transition["id"] for transition in transitions]  # a second baseline would have none
    assert baseline["kind"] == "baseline"
    assert len(ids) == len(set(ids)) > 15
    assert_kinds_alternate(transitions)


def assert_kinds_alternate(transitions: list[dict[str, Any]]) -> None:
    """Per agent, no call or break begins before the one before it has ended, and none ends twice."""
    doing: dict[tuple[str, str], str] = {}
    for fact in transitions:
        what, _, how = fact["kind"].partition("_")
        if how in ("started", "ended"):
            assert doing.get((fact["agent"]["id"], what)) != how, fact
            doing[fact["agent"]["id"], what] = how
