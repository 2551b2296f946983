"""How a command ends: its exit code, and what is said."""

from __future__ import annotations

import asyncio
import logging
import os
import signal

import pytest

from deepcall_async import (
    ApiError,
    AuthenticationError,
    ConfigurationError,
    DeepcallError,
    InvalidRequest,
    PermissionDenied,
    ReplyError,
    RequestTimeout,
    ServerBusy,
    TransportError,
    UnexpectedStatus,
    UnknownGroup,
    _lazy,
    cli,
)
from deepcall_async.cli._running import execute


async def fail(error: BaseException) -> None:
    raise error


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigurationError("set DEEPCALL_SSID"), 3),
        (AuthenticationError(1014, "Invalid token"), 4),
        (PermissionDenied(1015, "no"), 4),
        (TransportError("refused"), 5),
        (RequestTimeout("30 s"), 5),
        (UnexpectedStatus("HTTP 502", 502), 5),
        (ReplyError("not JSON"), 5),
        (ApiError(9999, "odd"), 6),
        (UnknownGroup(1006, "no"), 6),
        (InvalidRequest(1000, "no"), 6),
        (ServerBusy(1009, "no"), 6),
        (DeepcallError("something else"), 6),
    ],
)
def test_every_error_has_its_exit_code_and_one_line_of_explanation(
    error: DeepcallError, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert execute(fail(error)) == code
    output = capsys.readouterr()
    assert output.err == f"deepcall: {error}\n"
    assert output.out == ""


def test_words_of_the_server_in_an_error_are_not_obeyed(capsys: pytest.CaptureFixture[str]) -> None:
    execute(fail(ReplyError("\x1b[2J")))
    assert capsys.readouterr().err == "deepcall: \ufffd[2J\n"


def test_a_command_that_ends_by_itself_is_a_success() -> None:
    assert execute(asyncio.sleep(0)) == 0


def test_ctrl_c_is_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    async def interrupted() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        await asyncio.sleep(5)

    assert execute(interrupted()) == 130
    assert capsys.readouterr().err == ""


def test_sigterm_lets_the_command_clean_up() -> None:
    cleaned = []

    async def terminated() -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        try:
            await asyncio.sleep(5)
        finally:
            cleaned.append(True)

    assert execute(terminated()) == 143
    assert cleaned


def test_an_output_that_cannot_be_written_is_told(capfd: pytest.CaptureFixture[str]) -> None:
    assert execute(fail(OSError(28, "No space left on device"))) == 1
    assert capfd.readouterr().err == "deepcall: cannot write the output: No space left on device\n"


def test_a_file_that_cannot_be_written_is_named(capfd: pytest.CaptureFixture[str]) -> None:
    """Also when it is a pipe whose reader is gone: only that of stdout leaves in peace."""
    assert execute(fail(BrokenPipeError(32, "Broken pipe", "there"))) == 1
    assert capfd.readouterr().err == "deepcall: cannot write there: Broken pipe\n"
    assert execute(fail(BrokenPipeError())) == 0
    assert capfd.readouterr().err == ""


def test_work_that_needs_no_loop_ends_in_the_same_ways(capsys: pytest.CaptureFixture[str]) -> None:
    def refused() -> None:
        raise ConfigurationError("no recording")

    def interrupted() -> None:
        os.kill(os.getpid(), signal.SIGINT)

    assert [execute(lambda: None), execute(refused), execute(interrupted)] == [0, 3, 130]
    assert capsys.readouterr().err == "deepcall: no recording\n"


def test_an_error_nobody_expects_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        execute(fail(ZeroDivisionError()))


def test_verbose_shows_the_log_of_this_package(capsys: pytest.CaptureFixture[str]) -> None:
    async def talk() -> None:
        logging.getLogger("deepcall_async").debug("polling")
        logging.getLogger("somebody_else").debug("noise")

    logging.getLogger().handlers[:] = []
    assert execute(talk(), verbose=True) == 0
    assert "polling" in capsys.readouterr().err
    assert "noise" not in capsys.readouterr().err


def test_ctrl_c_while_the_libraries_are_still_being_loaded_is_quiet_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(_lazy, "load", interrupted)
    assert cli.main(["live"]) == 130
