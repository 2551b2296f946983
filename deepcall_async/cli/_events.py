"""`deepcall events`: every transition as one line of JSON, at once; trouble as plain lines on stderr."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from typing import Any

from deepcall_async import LiveUpdate, snapshot_to_json, transition_to_json

from ._connection import connect, deadline, time_limit
from ._notices import Notices
from ._output import check_reader, say, tell


async def run(args: argparse.Namespace) -> None:
    """Write until the end: --for, a signal, or the reader going away."""
    until = deadline(args)
    notices = Notices()
    async with connect(args, until) as source, time_limit(until), source.poll() as stream:
        async for update in stream:
            check_reader()
            for notice in notices.of(update):
                tell(notice)
            _write(update, baseline=args.baseline)


def _write(update: LiveUpdate, *, baseline: bool) -> None:
    if update.is_baseline and baseline:
        write_line({"kind": "baseline", **snapshot_to_json(update.snapshot)})
    for transition in update.transitions:
        write_line(transition_to_json(transition))


def write_line(value: Mapping[str, Any]) -> None:
    """One object on a line of its own, in ASCII: no encoding can spoil it and no terminal obeys it."""
    say(json.dumps(value, separators=(",", ":")))
