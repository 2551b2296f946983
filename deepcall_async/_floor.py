"""`LiveFloor`: reply bytes in, `LiveUpdate` out. The pure core behind `poll_live`.

No I/O and no clock: bring your own HTTP, replay a recording, test a bot.

A reply is not believed on sight. One that looks like a lie is *held*: its update shows the
last good snapshot and says why. The next reply confirms it, by being suspect for the same
reasons, or replaces it. So one bad answer never logs fifty agents out. Only what is new
about a reply is suspect: a floor whose totals never match its rows is held once.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from copy import copy
from datetime import datetime
from typing import Any

from ._checkpoint import CheckpointWarning, Mark, UnusableCheckpointError, read_checkpoint
from ._differ import diff
from ._errors import ConfigurationError, DeepcallError
from ._evolve import evolve
from ._look import Look, View, look
from ._model import ClockSource, Snapshot
from ._prediction import Predictor
from ._state import first_state, shifted
from ._suspicion import CLOCKLESS, NO_ROWS, OLDER, SHIFTED, Suspicion, common_shift, oddities, suspicions
from ._update import Gap, LiveUpdate, Outage
from ._wire import Strike, as_it_is

STATUSES = ("all", "login")


class LiveFloor:
    """One floor, as its replies tell it.

    status: what the requests ask for: "all" (every agent has a row; one without was removed) or
        "login" (only logged-in agents have rows; one without logged out).
    scope: names the account in transition ids, so that two accounts never share one; any text.
    view: tells differently narrowed requests (group, filters) apart; only checkpoints compare it.
    resume_from: the `checkpoint` of an earlier update. One that cannot be used gives a
        `CheckpointWarning` and a fresh baseline.

    Raises `ConfigurationError` when status is neither.
    """

    def __init__(
        self,
        status: str = "all",
        *,
        scope: str = "",
        view: str = "",
        resume_from: Mapping[str, Any] | None = None,
    ) -> None:
        if status not in STATUSES:
            raise ConfigurationError(f'status must be "all" or "login", not {status!r}')
        self._status, self._scope, self._view = status, scope, view
        self._last: tuple[Mark, Snapshot] | None = None
        self._outage: Outage | None = None
        self._is_resumed = False
        self._predictor = Predictor()
        if resume_from is not None:
            self._resume(resume_from)

    def receive(
        self,
        body: bytes,
        *,
        date: datetime | None = None,
        received_at: datetime | None = None,
        strike: Strike = as_it_is,
    ) -> LiveUpdate:
        """Take one reply.

        body: the reply, decompressed. date: its Date header, the clock where no row carries one.
        received_at: this machine's clock, noted on the snapshot and the clock of last resort.
        strike: takes secrets out of the reply, or of a part of it, before it is read; gives the very same
            bytes where there are none.

        Raises `ApiError` when the server says no and `ReplyError` when the reply cannot be read;
        the floor is untouched then. Tell it with `fail` if the consumer is to know.
        """
        return self.take(self._predictor.decode(body, date=date, received_at=received_at, strike=strike))

    def take(self, snapshot: Snapshot) -> LiveUpdate:
        """Take one reply that is decoded already."""
        if self._last is None or (self._is_resumed and self._is_foreign(snapshot)):
            return self._begin(snapshot)
        mark, last = self._last
        seen = look(mark.state.view, snapshot)
        found = suspicions(mark.state, seen)
        if snapshot.clock_source is ClockSource.LOCAL and last.clock_source is not ClockSource.LOCAL:
            found.add(CLOCKLESS)
        fresh = found - set(mark.accepted)
        if fresh and not _is_confirmed(mark.suspect, fresh, snapshot):
            suspect = Suspicion(tuple(sorted(fresh)), snapshot.server_time)
            mark = evolve(mark, sequence=mark.sequence + 1, held=mark.held + 1, suspect=suspect)
            return self._update(mark, last, held=suspect.reasons, outage=self._outage)
        if mark.is_blank:  # there is nothing to compare with
            return self._begin(snapshot)
        return self._go_on(mark, seen, found)

    def fork(self) -> LiveFloor:
        """A copy that takes the next reply in another thread; `join` makes it this floor's own.

        Until then, or if that never comes, this floor goes on as if the reply had not been seen.
        """
        fork = copy(self)
        self._predictor = Predictor()  # what the fork has learned is being changed there
        return fork

    def learn_from(self, fork: LiveFloor) -> None:
        """Read the next reply with what a fork has learned that will not join. It must be done."""
        self._predictor = fork._predictor

    def join(self, fork: LiveFloor) -> None:
        """Go on from where the fork stands. Nothing may be done to the fork any more."""
        vars(self).update(vars(fork))

    def fail(self, error: DeepcallError) -> LiveUpdate:
        """Take a poll that failed. The update shows the last good snapshot and the outage.

        Raises the error itself when there was no good reply yet: there is nothing to show.
        """
        if self._last is None:
            raise error
        mark, last = self._last
        failures = 1 + (self._outage.failures if self._outage else 0)
        self._outage = Outage(since=mark.state.time, failures=failures, error=error)
        return self._update(evolve(mark, sequence=mark.sequence + 1), last, outage=self._outage)

    def _resume(self, checkpoint: Mapping[str, Any]) -> None:
        try:
            mark = read_checkpoint(checkpoint, scope=self._scope, view=self._view, status=self._status)
        except UnusableCheckpointError as error:
            _warn(str(error), depth=4)
            return
        snapshot = Snapshot(
            agents=mark.state.shown,
            totals=mark.totals,
            server_time=mark.state.server_time,
            clock_source=ClockSource.ROWS,
        )
        self._last, self._is_resumed = (mark, snapshot), True

    def _is_foreign(self, snapshot: Snapshot) -> bool:
        """Whether the checkpoint is of another account's floor: not one agent in common."""
        known = self._last[0].state.everyone.keys() if self._last else {}
        is_foreign = bool(known and snapshot.agents) and not known & snapshot.agents.keys()
        if is_foreign:
            _warn("it shares no agent with the floor: another account's?", depth=5)
        return is_foreign

    def _begin(self, snapshot: Snapshot) -> LiveUpdate:
        """A baseline: everything is known, nothing has changed."""
        seen = look(View(), snapshot)
        odd = oddities(seen)
        mark = Mark(
            scope=self._scope,
            view=self._view,
            status=self._status,
            sequence=self._last[0].sequence + 1 if self._last else 0,
            totals=snapshot.totals,
            state=first_state(seen),
            accepted=tuple(sorted(odd)),
            is_blank=NO_ROWS in odd,
        )
        return self._believe(mark, snapshot, is_baseline=True)

    def _go_on(self, mark: Mark, seen: Look, found: set[str]) -> LiveUpdate:
        """What happened since the last good reply."""
        state = mark.state
        if SHIFTED in found:
            state = shifted(state, common_shift(state, seen), seen.snapshot)
            seen = look(state.view, seen.snapshot)
        state, snapshot, transitions = diff(state, seen, scope=self._scope, by_login=self._status == "login")
        gap = self._gap(mark.state.time, state.time)
        mark = evolve(
            mark,
            sequence=mark.sequence + 1,
            totals=snapshot.totals,
            state=state,
            accepted=tuple(sorted(found & oddities(seen))) if found else (),
            suspect=None,
            clock_steps=mark.clock_steps + bool(found & {OLDER, SHIFTED}),
        )
        return self._believe(mark, snapshot, transitions=transitions, gap=gap)

    def _gap(self, since: datetime, until: datetime) -> Gap | None:
        """What a good reply ends: an outage, or the time between a checkpoint and its resumption."""
        if self._outage is None:
            return Gap(since=since, until=until, failures=0) if self._is_resumed else None
        return Gap(since=since, until=until, failures=self._outage.failures, error=self._outage.error)

    def _believe(self, mark: Mark, snapshot: Snapshot, **news: Any) -> LiveUpdate:
        self._outage, self._is_resumed = None, False
        return self._update(mark, snapshot, **news)

    def _update(self, mark: Mark, snapshot: Snapshot, **news: Any) -> LiveUpdate:
        self._last = mark, snapshot
        return LiveUpdate(sequence=mark.sequence, snapshot=snapshot, mark=mark, **news)


def _is_confirmed(suspect: Suspicion | None, fresh: set[str], snapshot: Snapshot) -> bool:
    """Whether the reply before was suspect alike; a clock that stands still is no witness."""
    if suspect is None or not fresh <= set(suspect.reasons):
        return False
    return OLDER not in fresh or snapshot.server_time > suspect.server_time


def _warn(reason: str, *, depth: int) -> None:
    message = f"the checkpoint cannot be used: {reason}. Starting with a fresh baseline."
    warnings.warn(message, CheckpointWarning, stacklevel=depth)
