"""What holds for any bytes at all: the one property that the fuzzer, and the tests of its corpus, check.

An input is one reply, or several that come one after the other, see `corpus.SEPARATOR`.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime

from deepcall_async import CheckpointWarning, DeepcallError, LiveFloor, LiveUpdate, SsidAuth
from deepcall_async._client.renewal import Grant
from deepcall_async._wire.decoder import decode_snapshot
from deepcall_async._wire.envelope import read_error
from tests.wire.laws import check_round_trip

from .corpus import replies
from .mutator import SECRET

DATE = datetime(2024, 11, 16, 12, 20, tzinfo=UTC)  # the Date header, for replies in which no row has a clock
STATUSES = ("all", "login")
GRANT = Grant(SsidAuth(SECRET))


def check(data: bytes) -> None:
    """Only our own errors escape, and what is told is in order. Anything else is an exception here."""
    bodies = replies(data)
    for body in bodies:
        decode(body)
    for status in STATUSES:
        check_told(list(updates(bodies, status)))


def decode(body: bytes) -> None:
    """One reply on its own, as a success and as the body of a bad status."""
    with suppress(DeepcallError):
        read_error(body, 500)
    with suppress(DeepcallError):
        check_round_trip(decode_snapshot(body, date=DATE))
    struck = GRANT.strike_from(body)
    assert GRANT.strike_from(struck) is struck


def updates(bodies: list[bytes], status: str) -> Iterator[LiveUpdate]:
    """The updates of a floor that takes these replies.

    It does the same if it is given them decoded, and if it is resumed from its last checkpoint each time.
    Whatever is said back of the credentials is not shown.
    """
    floor, twin = LiveFloor(status), LiveFloor(status)
    last: LiveUpdate | None = None
    for body in bodies:
        try:
            update = floor.receive(body, date=DATE, strike=GRANT.strike_from)
        except DeepcallError as error:
            if last is None:
                continue
            update = floor.fail(error)
            twin.fail(error)
        else:
            body = GRANT.strike_from(body)  # noqa: PLW2901  # the rest is about what is left of it
            same = twin.take(decode_snapshot(body, date=DATE))
            assert (update, update.checkpoint) == (same, same.checkpoint)
            if last is not None:
                check_resumed(last, body, update)
        assert SECRET not in f"{update!r} {json.dumps(update.checkpoint)}"
        yield update
        last = update


def check_resumed(last: LiveUpdate, body: bytes, update: LiveUpdate) -> None:
    """A floor that goes on from the last checkpoint tells the same."""
    saved = json.loads(json.dumps(last.checkpoint, allow_nan=False))
    with warnings.catch_warnings(), suppress(CheckpointWarning):
        warnings.simplefilter("error")  # no agent in common with the checkpoint is a baseline there
        again = LiveFloor(saved["status"], resume_from=saved).receive(body, date=DATE)
        assert (again.transitions, again.checkpoint) == (update.transitions, update.checkpoint)


def check_told(told: list[LiveUpdate]) -> None:
    """Sequences without holes, times within their bounds, ids that are used once."""
    assert [update.sequence for update in told] == list(range(len(told)))
    for update in told:
        ids = [transition.id for transition in update.transitions]
        assert len(set(ids)) == len(ids)
        assert all(t.earliest <= t.at <= t.latest for t in update.transitions)
        assert not (update.transitions and (update.is_baseline or update.outage or update.held))
        assert update.ledger.total.grown >= 0
