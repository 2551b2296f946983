"""`LiveFloor`: reply bytes in, `LiveUpdate` out. The pure core behind `poll_live`.

No I/O and no clock: bring your own HTTP, replay a recording, test a bot.

A reply is not believed on sight. One that looks like a lie is *held*: its update shows the
last good snapshot and says why. What comes next confirms it, as `plausibility` says, or replaces
it. So one bad answer never logs fifty agents out. Only what is new about a reply is suspect.

The first reply is judged like any other: one that contradicts itself is shown, but provisionally.
The first that does not is a baseline again.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from copy import copy
from datetime import datetime, timedelta
from typing import Any

from deepcall_async._inference import (
    ABSURD,
    CLOCKLESS,
    LOGINS,
    Look,
    Suspicion,
    View,
    agrees,
    clock_step,
    contradiction,
    diff,
    first_state,
    look,
    oddities,
    stepped,
    suspicion,
    suspicions,
    with_what_lies_ahead,
    without_starts,
)
from deepcall_async._model import ClockSource, ConfigurationError, DeepcallError, Snapshot, evolve
from deepcall_async._wire import Predictor, Strike, as_it_is

from .checkpoint import CheckpointWarning, Mark, UnusableCheckpointError, read_checkpoint
from .update import Gap, LiveUpdate, Outage

STATUSES = ("all", "login")
NONE = timedelta(0)
TRUSTED = 5  # replies in a row whose totals agree with the rows of a group: they are the group's


class LiveFloor:
    """One floor, as its replies tell it.

    status: what the requests ask for: "all" (every agent has a row; one without was removed) or
        "login" (only logged-in agents have rows; one without logged out).
    scope: names the account in transition ids, so that two accounts never share one; any text.
    view: tells differently narrowed requests (group, filters) apart; only checkpoints compare it.
    is_narrowed: the requests ask for some of the agents only. Then totals may count others as well, and with
        either status an agent without a row left the view, which is no logout.
    resume_from: the `checkpoint` of an earlier update, a mapping. One that cannot be used gives a
        `CheckpointWarning`, and a fresh baseline with a `gap`; `refusal` says why then.
    interval: seconds from one reply to the next, if there is a rate. Where good replies lie more than
        three intervals apart (and more than a second), the later one has a `gap`. It takes `received_at`.

    Raises `ConfigurationError` when status is neither, or `resume_from` no mapping.
    """

    refusal: str | None = None

    def __init__(
        self,
        status: str = "all",
        *,
        scope: str = "",
        view: str = "",
        is_narrowed: bool = False,
        resume_from: Mapping[str, Any] | None = None,
        interval: float = math.inf,
    ) -> None:
        if status not in STATUSES:
            raise ConfigurationError(f'status must be "all" or "login", not {status!r}')
        self._status, self._scope, self._view, self._is_narrowed = status, scope, view, is_narrowed
        self._last: tuple[Mark, Snapshot] | None = None
        self._outage: Outage | None = None
        self._is_resumed = False
        self._unwatched_since: datetime | None = None  # as a checkpoint tells that could not be used
        self._predictor = Predictor()
        self._watched_within = max(3 * interval, 1.0)
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
        if not self._is_resumed:
            return self._compare(self._last, snapshot)
        try:
            return self._compare(self._last, snapshot)
        except DeepcallError:
            raise
        except Exception as error:  # whatever a checkpoint trips that is damaged and does not look it
            self._refuse(f"it is damaged ({type(error).__name__})", depth=4)
            return self._begin(snapshot)

    def _compare(self, known: tuple[Mark, Snapshot], snapshot: Snapshot) -> LiveUpdate:
        """Weigh a reply against what is known."""
        mark, last = known
        seen = look(mark.state.view, snapshot)
        found = self._suspicions(mark, last, seen)
        suspect = _suspected(mark.suspect, found - set(mark.accepted), snapshot)
        if suspect is not None and suspect.is_habit:
            return self._begin(snapshot, is_habit=True)
        is_over = suspect is None or suspect.is_over(
            is_provisional=mark.is_provisional, is_narrowed=self._is_narrowed
        )
        if suspect is not None and not is_over:
            state = (
                mark.state if ABSURD.intersection(suspect.reasons) else with_what_lies_ahead(mark.state, seen)
            )
            mark = evolve(mark, sequence=mark.sequence + 1, held=mark.held + 1, suspect=suspect, state=state)
            return self._update(mark, last, held=suspect.reasons, outage=self._outage)
        if mark.is_provisional and not self._oddities(seen):  # at last there is something to go on from
            return self._begin(snapshot)
        return self._go_on(mark, last, seen, found)

    def _suspicions(self, mark: Mark, last: Snapshot, seen: Look) -> set[str]:
        """The reasons not to believe a reply, those among them that are accepted by now."""
        covers_rows = mark.agreed >= TRUSTED if self._is_narrowed else LOGINS not in mark.accepted
        found = suspicions(mark.state, seen, covers_rows=covers_rows)
        if seen.snapshot.clock_source is ClockSource.LOCAL and last.clock_source is not ClockSource.LOCAL:
            found.add(CLOCKLESS)
        return found

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
        if not isinstance(checkpoint, Mapping):
            what = f"resume_from must be a checkpoint, got {type(checkpoint).__name__}"
            raise ConfigurationError(f"{what}: `load_checkpoint` reads one from a file")
        try:
            mark = read_checkpoint(checkpoint, scope=self._scope, view=self._view, status=self._status)
        except UnusableCheckpointError as error:
            self._is_resumed, self._unwatched_since = True, error.time
            self._refuse(str(error), depth=4)
            return
        snapshot = Snapshot(
            agents=mark.state.shown,
            totals=mark.totals,
            server_time=mark.state.server_time,
            clock_source=ClockSource.ROWS,
        )
        self._last, self._is_resumed = (mark, snapshot), True

    def _is_foreign(self, snapshot: Snapshot) -> bool:
        """Whether the checkpoint contradicts the floor, so that it must be another account's."""
        known = self._last[0].state.everyone if self._last else {}
        reason = contradiction(known, snapshot, is_whole=self._status == "all")
        if reason is not None:
            self._refuse(f"{reason}: another account's?", depth=5)
        return reason is not None

    def _refuse(self, reason: str, *, depth: int) -> None:
        self.refusal = f"the checkpoint cannot be used: {reason}. Starting with a fresh baseline."
        warnings.warn(self.refusal, CheckpointWarning, stacklevel=depth)

    def _begin(self, snapshot: Snapshot, *, is_habit: bool = False) -> LiveUpdate:
        """A baseline: everything is known, nothing has changed.

        is_habit: the server is odd for good, so that this is no reason to distrust it.
        """
        seen = look(View(), snapshot)
        odd = self._oddities(seen)
        suspect = None if is_habit or not odd else suspicion(odd, snapshot)
        before = self._last[0] if self._last else None
        mark = Mark(
            scope=self._scope,
            view=self._view,
            status=self._status,
            sequence=before.sequence + 1 if before else 0,
            totals=snapshot.totals,
            state=with_what_lies_ahead(first_state(seen), seen),
            accepted=tuple(sorted(odd)) if is_habit else (),
            suspect=suspect,
            is_provisional=suspect is not None,
            held=(before.held if before else 0) + (suspect is not None),
            clock_steps=before.clock_steps if before else 0,
        )
        since = before.state.time if before else self._unwatched_since or mark.state.time
        now, held = mark.state.time, suspect.reasons if suspect else ()
        gap = self._gap(min(since, now), now, is_unwatched=False) if self._is_resumed else None
        return self._believe(mark, snapshot, is_baseline=True, gap=gap, held=held)

    def _go_on(self, mark: Mark, last: Snapshot, seen: Look, found: set[str]) -> LiveUpdate:
        """What happened since the last good reply."""
        state, step = mark.state, clock_step(mark.state, mark.suspect, last, seen, found)
        if step is not None:
            state = stepped(state, step, seen.snapshot)
            seen = look(state.view, seen.snapshot)
        state = with_what_lies_ahead(state, seen)
        if state.is_behind(seen.snapshot.server_time):
            seen = look(state.view, without_starts(seen.snapshot))
        since, is_unwatched = state.time, self._is_unwatched(last, seen.snapshot)
        by_login = self._status == "login" and not self._is_narrowed
        state, snapshot, transitions = diff(
            state, seen, scope=self._scope, by_login=by_login, is_narrowed=self._is_narrowed
        )
        mark = evolve(
            mark,
            sequence=mark.sequence + 1,
            totals=snapshot.totals,
            state=state,
            accepted=tuple(sorted(self._oddities(seen))) if found or mark.accepted else (),
            suspect=None,
            is_provisional=False,
            agreed=0 if oddities(seen) else min(mark.agreed + agrees(seen), TRUSTED),
            clock_steps=mark.clock_steps + (step is not None),
        )
        gap = self._gap(since, state.time, is_unwatched=is_unwatched)
        return self._believe(mark, snapshot, transitions=transitions, gap=gap, clock_step=step and step.size)

    def _oddities(self, seen: Look) -> set[str]:
        """What a reply contradicts in itself, if its totals count what it shows."""
        return set() if self._is_narrowed else oddities(seen)

    def _gap(self, since: datetime, until: datetime, *, is_unwatched: bool) -> Gap | None:
        """What a good reply ends: an outage, a restart, or a time in which nobody asked."""
        if self._outage is None:
            return Gap(since=since, until=until, failures=0) if self._is_resumed or is_unwatched else None
        return Gap(since=since, until=until, failures=self._outage.failures, error=self._outage.error)

    def _is_unwatched(self, last: Snapshot, snapshot: Snapshot) -> bool:
        """Whether the last good reply is long ago, by both clocks: one alone may have been set."""
        if last.received_at is None or snapshot.received_at is None:
            return False
        passed = min(snapshot.server_time - last.server_time, snapshot.received_at - last.received_at)
        return passed.total_seconds() > self._watched_within

    def _believe(self, mark: Mark, snapshot: Snapshot, **news: Any) -> LiveUpdate:
        self._outage, self._is_resumed = None, False
        return self._update(mark, snapshot, **news)

    def _update(self, mark: Mark, snapshot: Snapshot, **news: Any) -> LiveUpdate:
        self._last = mark, snapshot
        return LiveUpdate(sequence=mark.sequence, snapshot=snapshot, mark=mark, **news)


def _suspected(before: Suspicion | None, fresh: set[str], snapshot: Snapshot) -> Suspicion | None:
    """The suspicion that a reply adds to or begins; None when there is nothing new against it."""
    if not fresh:
        return None
    return suspicion(fresh, snapshot) if before is None else before.and_of(fresh, snapshot)
