"""What the stream yields: one `LiveUpdate` a tick."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from attrs import field, frozen

from deepcall_async._model import Account, DeepcallError, Phase, Snapshot, Transition

from .checkpoint import Mark, write_checkpoint


@frozen(kw_only=True)
class Outage:
    """Polls are failing. since: the server's time at the last good one. failures: ticks lost so far.

    error: what the last of them failed with.
    """

    since: datetime
    failures: int
    error: DeepcallError = field(eq=False)


@frozen(kw_only=True)
class Gap:
    """A time in which the floor was not watched, and which is over: an outage, a restart, or nobody polled.

    since, until: the server's time at the good polls on either side; both the later one's when a checkpoint
    that could not be used does not tell the other. failures: ticks lost to failures.
    error: what the last of them failed with; None when nothing failed. Then it was a restart, or more than
    three intervals (and a second) passed between two polls: a suspended machine, a slow consumer of a stream.
    """

    since: datetime
    until: datetime
    failures: int
    error: DeepcallError | None = field(default=None, eq=False)


@frozen(kw_only=True)
class Missed:
    """What a reader of a `LiveFeed` lost, because it was too slow: it belongs right before this update.

    transitions, gaps: how many. since, until: the server's time, from the earliest that any of them can
    have been to the latest.
    """

    transitions: int
    gaps: int
    since: datetime
    until: datetime


@frozen(kw_only=True)
class Ledger:
    """The books of the whole run: what the counters grew by, and what was told of it.

    total, agents: the accounts, of all and by agent id. counted_at: when the server may count a call,
    as far as the floor has shown. held: replies not believed. clock_steps: times the server's clock was set.
    """

    total: Account
    agents: Mapping[str, Account] = field(hash=False)
    counted_at: tuple[Phase, ...]
    held: int
    clock_steps: int


@frozen(kw_only=True)
class LiveUpdate:
    """One tick of the stream.

    sequence: 0, 1, 2, ... without holes, for each stream and each reader of a feed.
    snapshot: the latest good one; stale while `outage` or `held` says so.
    transitions: what is new, ordered by time, agent id, and cause before effect.
    is_baseline: first sight of the floor. Everything is known, nothing has changed.
    outage: not None while polls fail.
    gap: the time without watching that this update ends; the transitions beside it are differences across it.
    held: why this tick's reply was not believed; empty when it was. What comes next confirms or replaces it.
        A baseline that is held contradicts itself: it is shown because there is nothing better yet.
    clock_step: by how much the server's clock was set since the last good reply; None when it was not. From
        here on all times are told on the new clock.
    missed: not None when a reader of a feed lost what came before; always None in a stream.
    """

    sequence: int
    snapshot: Snapshot
    transitions: tuple[Transition, ...] = ()
    is_baseline: bool = False
    outage: Outage | None = None
    gap: Gap | None = None
    held: tuple[str, ...] = ()
    clock_step: timedelta | None = None
    missed: Missed | None = None
    _mark: Mark = field(eq=False, repr=False)

    @property
    def checkpoint(self) -> dict[str, Any]:
        """Everything needed to go on after a restart, JSON-serialisable: give it to `resume_from`.

        Built when asked for. It holds no secret.
        """
        return write_checkpoint(self._mark)

    @property
    def ledger(self) -> Ledger:
        """The books up to this update. Built when asked for: its cost grows with the number of agents."""
        state = self._mark.state
        agents = state.accounts
        return Ledger(
            total=sum(agents.values(), state.forgotten),
            agents=agents,
            counted_at=state.learned.phases,
            held=self._mark.held,
            clock_steps=self._mark.clock_steps,
        )

    @property
    def is_stale(self) -> bool:
        """Whether `snapshot` is older than this tick."""
        return self.outage is not None or bool(self.held)


def mark_of(update: LiveUpdate) -> Mark:
    """What an update's checkpoint is made from, for those who write it in another way."""
    return update._mark  # noqa: SLF001  # of this module's own class
