"""The terminal side of `watch` and `live`. The only file besides `_render` that needs rich."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections import deque
from collections.abc import AsyncIterable, Callable, Iterator
from contextlib import contextmanager

from rich.console import Console, Group
from rich.live import Live

from deepcall_async import LiveUpdate, Snapshot
from deepcall_async._board import Board, Frame

from ._render import agent_table, head, screen

REPAINT = 0.5  # seconds; ages tick in seconds
LOG_LINES = 1000
PAPER_WIDTH = 100  # of the head line in a file


async def show(stream: AsyncIterable[LiveUpdate], board: Board, console: Console | None = None) -> None:
    """Paint the board over the whole screen until the stream ends; the screen is given back in any case."""
    console = console or Console(highlight=False)
    clock = asyncio.get_running_loop().time
    live = Live(console=console, screen=True, auto_refresh=False)
    with _log_kept_off_the_screen(), _lines_cut_not_wrapped(console), live:

        def paint() -> None:
            frame = board.frame(clock())
            if frame is not None:
                live.update(Group(*screen(frame, *console.size)), refresh=True)

        with _first_error():
            async with asyncio.TaskGroup() as tasks:
                painter = tasks.create_task(_again_and_again(paint))
                async for update in stream:
                    board.take(update, clock())
                    paint()
                painter.cancel()


async def _again_and_again(paint: Callable[[], None]) -> None:
    """Ages tick and the size of the screen may change, also between polls."""
    while True:
        paint()
        await asyncio.sleep(REPAINT)


@contextmanager
def _lines_cut_not_wrapped(console: Console) -> Iterator[None]:
    """A line that the terminal takes for wider than it is must not push all others down."""
    console.file.write("\x1b[?7l")
    try:
        yield
    finally:
        console.file.write("\x1b[?7h")
        console.file.flush()


@contextmanager
def _first_error() -> Iterator[None]:
    """A task group wraps what went wrong; the caller wants the error itself."""
    try:
        yield
    except BaseExceptionGroup as group:
        raise group.exceptions[0] from None


@contextmanager
def _log_kept_off_the_screen() -> Iterator[None]:
    """Log lines would tear the picture: the last ones are shown when it is over."""
    root = logging.getLogger()
    if sys.stderr is None or not sys.stderr.isatty() or not root.handlers:
        yield
        return
    kept, handlers = _KeptLines(), root.handlers[:]
    root.handlers[:] = [kept]
    try:
        yield
    finally:
        root.handlers[:] = handlers
        for record in kept.records:
            root.handle(record)


class _KeptLines(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.records: deque[logging.LogRecord] = deque(maxlen=LOG_LINES)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it for later."""
        self.records.append(record)


def print_snapshot(snapshot: Snapshot, title: str, console: Console | None = None) -> None:
    """The floor as one table, fitted to the terminal's width; as wide as it needs to be in a file."""
    console = console or Console(highlight=False)
    frame = Frame(title=title, snapshot=snapshot, now=snapshot.server_time)
    if console.is_terminal:
        console.print(Group(*head(frame, console.width), *agent_table(frame, console.width)))
    else:
        console.width = 2 * PAPER_WIDTH  # no name is cut
        console.print(Group(*head(frame, PAPER_WIDTH), *agent_table(frame)))
