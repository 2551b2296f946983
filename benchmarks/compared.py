"""Floors to compare with: one that is read the plain way, and one that is read both ways and must agree."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from deepcall_async import DeepcallError, LiveFloor, LiveUpdate
from deepcall_async._wire.decoder import decode_snapshot


class PlainFloor(LiveFloor):
    """The library without short cuts: every reply is decoded whole, then compared."""

    def receive(self, body: bytes, **clocks: Any) -> LiveUpdate:
        """Take one reply."""
        return self.take(decode_snapshot(body, **clocks))


class DifferenceError(AssertionError):
    """The two ways do not say the same of a reply."""


class ComparedFloor(LiveFloor):
    """A `LiveFloor` with a `PlainFloor` beside it.

    Takes what `LiveFloor` takes. `receive` raises `DifferenceError` unless both give the same update, the
    agents in the same order, and remember the same; or fail with the same words.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._plain = PlainFloor(*args, **options)

    def receive(self, body: bytes, **clocks: Any) -> LiveUpdate:
        """Take one reply, twice."""
        fast = _outcome(lambda: super(ComparedFloor, self).receive(body, **clocks))
        plain = _outcome(lambda: self._plain.receive(body, **clocks))
        if _told(fast) != _told(plain):
            raise DifferenceError(f"read as {fast}, but the plain way as {plain}")
        if isinstance(fast, DeepcallError):
            raise fast
        return fast

    def fail(self, error: DeepcallError) -> LiveUpdate:
        """Take a poll that failed, twice."""
        update = super().fail(error)
        self._plain.fail(error)
        return update


def _outcome(read: Callable[[], LiveUpdate]) -> LiveUpdate | DeepcallError:
    try:
        return read()
    except DeepcallError as error:
        return error


def _told(outcome: LiveUpdate | DeepcallError) -> tuple[Any, ...]:
    """All that an outcome says."""
    if isinstance(outcome, DeepcallError):
        return type(outcome), str(outcome)
    remembered = outcome._mark  # noqa: SLF001  # its checkpoint says as much, and takes far longer
    return outcome, remembered, list(outcome.snapshot.agents)
