"""`deepcall watch`: the floor on the screen, or a line per transition where there is none."""

from __future__ import annotations

import argparse
import os
import sys
from types import ModuleType

from deepcall_async import ConfigurationError, LiveStream, _lazy
from deepcall_async._board import Board, Notices, counts, line, stamp

from ._connection import connect, deadline, time_limit
from ._output import check_reader, say, tell


async def run(args: argparse.Namespace) -> None:
    """Watch until the end: --for or a signal."""
    until = deadline(args)
    screen = load_screen() if _has_screen() else None
    if screen is not None and not args.demo:
        tell("connecting ...")  # a server that is slow or not there must not look like a hung program
    async with connect(args, until) as connection, time_limit(until), connection.poll() as stream:
        if screen is None:
            await _print_lines(stream, connection.title)
        else:
            board = Board(connection.title, interval=args.interval, rate=connection.rate)
            await screen.show(stream, board)


def load_screen() -> ModuleType:
    """The module that draws. Raises `ConfigurationError` when rich is not installed."""
    try:
        screen: ModuleType = _lazy.load("._screen", __package__)
    except ModuleNotFoundError as error:
        if str(error.name).partition(".")[0] != "rich":
            raise
        raise ConfigurationError("the table needs rich: pip install 'deepcall-async[cli]'") from None
    return screen


def _has_screen() -> bool:
    return sys.stdout.isatty() and os.environ.get("TERM") not in ("dumb", "unknown")


async def _print_lines(stream: LiveStream, title: str) -> None:
    notices = Notices()
    async for update in stream:
        check_reader()
        for notice in notices.of(update):
            tell(notice)
        if update.is_baseline:
            say(f"{stamp(update.snapshot.server_time)}  {title}: {counts(update.snapshot)}")
        for transition in update.transitions:
            say(line(transition))
