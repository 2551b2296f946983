"""The full-screen view: it paints, ticks, and gives the terminal back."""

from __future__ import annotations

import asyncio
import io
import logging
import sys
from collections.abc import AsyncIterator, Callable

import pytest
from rich.console import Console

from deepcall_async import Agent, LiveUpdate, Snapshot, TransportError
from deepcall_async._board.board import Board
from deepcall_async.cli._screen import print_snapshot, show
from deepcall_async.cli._watch import load_screen

MakeUpdate = Callable[..., LiveUpdate]
GIVEN_BACK = ("\x1b[?1049l", "\x1b[?25h", "\x1b[?7h")  # the usual screen, the cursor, wrapped lines


class Terminal:
    """A terminal of 80 x 24 that remembers what was written to it."""

    def __init__(self) -> None:
        self.file = io.StringIO()
        self.console = Console(file=self.file, force_terminal=True, width=80, height=24, highlight=False)

    @property
    def written(self) -> str:
        return self.file.getvalue()


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.setenv("TERM", "xterm-256color")
    return Terminal()


@pytest.fixture
def board() -> Board:
    return Board("the floor", interval=5.0)


async def test_every_update_is_painted_on_a_screen_of_its_own(
    terminal: Terminal,
    board: Board,
    make_agent: Callable[..., Agent],
    make_snapshot: Callable[..., Snapshot],
    make_update: MakeUpdate,
) -> None:
    async def updates() -> AsyncIterator[LiveUpdate]:
        yield make_update(snapshot=make_snapshot(make_agent("1")))
        yield make_update(snapshot=make_snapshot(make_agent("2", name="\x1b]0;title\x07")))

    await show(updates(), board, terminal.console)
    assert "Agent 1" in terminal.written
    assert "\ufffd]0;title\ufffd" in terminal.written
    assert terminal.written.index("\x1b[?1049h") < terminal.written.index("Agent 1")
    assert all(terminal.written.count(command) == 1 for command in GIVEN_BACK)


async def test_an_error_of_the_stream_comes_out_as_it_is_and_gives_the_screen_back(
    terminal: Terminal, board: Board, make_update: MakeUpdate
) -> None:
    error = TransportError("gone")

    async def updates() -> AsyncIterator[LiveUpdate]:
        yield make_update()
        raise error

    with pytest.raises(TransportError) as raised:
        await show(updates(), board, terminal.console)
    assert raised.value is error
    assert all(command in terminal.written for command in GIVEN_BACK)


@pytest.mark.looptime
async def test_time_ticks_on_the_screen_between_polls_until_it_is_stopped(
    terminal: Terminal, board: Board, make_update: MakeUpdate
) -> None:
    async def updates() -> AsyncIterator[LiveUpdate]:
        yield make_update()
        await asyncio.sleep(3600)

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(20):
            await show(updates(), board, terminal.console)
    assert all(f"server time 12:19:{second} UTC" in terminal.written for second in range(25, 36))
    assert "server time 12:19:36 UTC" not in terminal.written
    assert "STALE for 0:19" in terminal.written
    assert all(command in terminal.written for command in GIVEN_BACK)


async def test_log_lines_wait_until_the_screen_is_given_back(
    terminal: Terminal, board: Board, make_update: MakeUpdate, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = io.StringIO()
    logging.getLogger().handlers[:] = [logging.StreamHandler(log)]
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)

    async def updates() -> AsyncIterator[LiveUpdate]:
        yield make_update()
        logging.getLogger("deepcall_async").warning("polls fail")
        assert log.getvalue() == ""

    await show(updates(), board, terminal.console)
    assert log.getvalue() == "polls fail\n"


def test_a_snapshot_on_a_terminal_is_as_wide_as_the_terminal(
    terminal: Terminal, make_agent: Callable[..., Agent], make_snapshot: Callable[..., Snapshot]
) -> None:
    print_snapshot(make_snapshot(make_agent("1", name="x" * 70)), "the floor", terminal.console)
    assert "x…" in terminal.written
    assert "\x1b[?1049h" not in terminal.written


def test_a_snapshot_in_a_file_is_plain_text_and_whole(
    make_agent: Callable[..., Agent], make_snapshot: Callable[..., Snapshot]
) -> None:
    file = io.StringIO()
    print_snapshot(make_snapshot(make_agent("1", name="x" * 70)), "the floor", Console(file=file))
    assert "x" * 70 in file.getvalue()
    assert "\x1b" not in file.getvalue()


def test_a_fault_of_our_own_is_not_taken_for_a_missing_rich(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "deepcall_async.cli._screen")
    monkeypatch.setitem(sys.modules, "deepcall_async.cli._render", None)
    with pytest.raises(ModuleNotFoundError, match="_render"):
        load_screen()
