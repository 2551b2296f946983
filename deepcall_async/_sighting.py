"""What two polls show of one agent: its `Evidence` for the rules, and its books taken to the later poll."""

from __future__ import annotations

from datetime import datetime
from functools import cached_property

from attrs import define

from ._account import Learned, Phase
from ._evidence import CALL, Evidence, Facet
from ._ledger import Finding, Sighting, Tally, audit
from ._memory import Memory, is_busy
from ._model import Agent, Snapshot
from ._state import FloorState
from ._transitions import Transition


@define
class Diff:
    """One diff in progress: from `before` to `snapshot`, in which `told` and `learned` grow."""

    before: FloorState
    snapshot: Snapshot
    scope: str
    by_login: bool
    now: datetime
    phases: tuple[Phase, ...]
    learned: Learned
    told: list[Transition]

    @cached_property
    def unreadable(self) -> frozenset[str | None]:
        """The agents whose rows could not be read; None among them when even an id could not."""
        return frozenset(self.snapshot.unread_rows)


def bare_evidence(
    run: Diff, polled: datetime, before: Agent, after: Agent, begun: tuple[Facet, ...]
) -> Evidence:
    """The evidence where there is no poll to compare with."""
    return Evidence(
        scope=run.scope,
        polled=polled,
        repeat=run.before.repeat,
        shown=polled,
        now=run.now,
        before=before,
        after=after,
        begun=begun,
        last_call=polled,
        finding=Finding(since=polled, reset_since=polled),
    )


def audited(
    run: Diff, memory: Memory, after: Agent, changed: list[Facet], available: datetime | None, is_sent: bool
) -> tuple[Tally, Evidence]:
    """The evidence, with the books taken to this poll."""
    polled = memory.unread_since or run.before.time
    shown = memory.gone_since or polled
    ended = tuple(facet for facet in changed if facet.of(memory.agent) is not None)
    begun = tuple(facet for facet in changed if facet.of(after) is not None)
    sighting = Sighting(
        polled=polled,
        shown=shown,
        now=run.now,
        agent=after,
        is_sent=is_sent,
        began=int(CALL in begun),
        ended=int(CALL in ended),
        is_idle=_is_idle(memory, after),
    )
    tally, finding = _audit(run, memory, sighting)
    return tally, Evidence(
        scope=run.scope,
        polled=polled,
        repeat=run.before.repeat,
        shown=shown,
        now=run.now,
        before=memory.agent,
        after=after,
        previous=memory.agent,
        anchors=memory.anchors,
        ended=ended,
        begun=begun,
        available=available,
        was_free=run.before.learned.shows_wrap_up and _is_free(memory),
        shows_wrap_up=run.before.learned.shows_wrap_up,
        last_call=memory.last_call,
        finding=finding,
    )


def _audit(run: Diff, memory: Memory, sighting: Sighting) -> tuple[Tally, Finding]:
    """Take the poll into the agent's books."""
    tally, finding = audit(memory.tally, sighting, run.phases)
    if finding.hidden and Phase.WRAP_UP_END in run.phases and not run.before.learned.shows_wrap_up:
        # It may have been in wrap-up at p, not counted yet: all that is sure is that it was available before.
        finding.since = min(finding.since, memory.available_since or finding.since)
    return tally, finding


def newly_available(run: Diff, memory: Memory, seen: Agent) -> datetime | None:
    """The new `avD`, where it lies between the polls."""
    new, known = seen.available_since, memory.available_since
    polled = memory.unread_since or run.before.time
    return min(new, run.now) if new and known and new > known and new >= polled else None


def became_available(memory: Memory, after: Agent) -> bool:
    new, known = after.available_since, memory.available_since
    return new is not None and (known is None or new > known)


def _is_idle(memory: Memory, after: Agent) -> bool:
    """Whether no call and no wrap-up can be on.

    Should a server not flag wrap-up as occupied, the agent still waits for its `avD`.
    """
    if is_busy(after):
        return False
    if not after.is_logged_in or after.on_break is not None or after.available_since is None:
        return True
    return not memory.awaits_available or became_available(memory, after)


def _is_free(memory: Memory) -> bool:
    """Whether a new `avD` would be unaccounted for: logged in, not busy, and not waiting for one."""
    agent = memory.agent
    return agent.is_logged_in and not (is_busy(agent) or agent.on_break or memory.awaits_available)
