"""`deepcall live`: the floor once, as a table or as JSON."""

from __future__ import annotations

import argparse

from deepcall_async import snapshot_to_json

from ._connection import answer_within, connect, deadline
from ._events import write_line
from ._watch import load_screen


async def run(args: argparse.Namespace) -> None:
    """Ask once and print."""
    screen = None if args.json else load_screen()
    until = deadline(args)
    async with connect(args, until) as connection, answer_within(until):
        snapshot = await connection.snapshot()
    if screen is None:
        write_line(snapshot_to_json(snapshot))
    else:
        screen.print_snapshot(snapshot, connection.title)
