"""`deepcall events`: every transition as one line of JSON, at once; trouble as plain lines on stderr."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

from attrs import define, field

from deepcall_async import CheckpointWarning, LiveUpdate, snapshot_to_json, transition_to_json
from deepcall_async._board import Notices, summary

from ._checkpoints import checkpoints
from ._connection import connect, deadline, time_limit
from ._output import check_reader, say, tell, warnings_told
from ._recordings import recorded_updates, recording


def run(args: argparse.Namespace) -> Coroutine[Any, Any, None] | Callable[[], None]:
    """The work: to follow a floor, or to replay a recording. That one waits for nothing but its file."""
    return _follow(args) if args.replay is None else partial(_replay, args)


async def _follow(args: argparse.Namespace) -> None:
    """Write until the end: --for, a signal, or the reader going away."""
    until = deadline(args)
    with recording(args.record) as file, _telling(args) as teller:
        async with checkpoints(args.checkpoint) as kept:
            async with kept.undelivered() as left:
                for value in left:
                    write_line(value)
            async with (
                connect(args, until) as source,
                time_limit(until),
                source.poll(resume_from=kept.resume_from, record_to=file) as stream,
            ):
                async for update in stream:
                    told = teller.values(update)
                    async with kept.delivery(update, told):
                        teller.tell(update, told)


def _replay(args: argparse.Namespace) -> None:
    with _telling(args) as teller:
        for update in recorded_updates(args.replay):
            teller.tell(update, teller.values(update))


@contextmanager
def _telling(args: argparse.Namespace) -> Iterator[_Teller]:
    """A teller, and in the end, whatever ended it, the books if they were asked for."""
    teller = _Teller(baseline=args.baseline)
    try:
        with warnings_told(CheckpointWarning):
            yield teller
    finally:
        if args.ledger and teller.last is not None:
            for line in summary(teller.last.ledger):
                tell(line)


@define
class _Teller:
    """Prints updates: what happened on stdout, what an operator should know on stderr."""

    baseline: bool
    last: LiveUpdate | None = None
    _notices: Notices = field(factory=Notices)

    def values(self, update: LiveUpdate) -> list[dict[str, Any]]:
        """What is to be told of an update on stdout, in JSON."""
        told = [transition_to_json(transition) for transition in update.transitions]
        if update.is_baseline and self.baseline:
            return [{"kind": "baseline", **snapshot_to_json(update.snapshot)}, *told]
        return told

    def tell(self, update: LiveUpdate, values: Iterable[Mapping[str, Any]]) -> None:
        check_reader()
        for notice in self._notices.of(update):
            tell(notice)
        for value in values:
            write_line(value)
        self.last = update


def write_line(value: Mapping[str, Any]) -> None:
    """One object on a line of its own, in ASCII: no encoding can spoil it and no terminal obeys it."""
    say(json.dumps(value, separators=(",", ":")))
