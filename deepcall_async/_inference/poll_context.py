"""What two polls show of one agent: its `Evidence` for the rules, and its books taken to the later poll."""

from __future__ import annotations

from datetime import datetime
from functools import cached_property

from attrs import define

from deepcall_async._model import Agent, Phase, Snapshot, Transition

from .agent_memory import Memory, is_busy
from .call_audit import audit
from .call_books import Finding, Sighting, Tally
from .episodes import CALL, MOBILE, WEB, Facet
from .evidence import Evidence
from .floor_state import FloorState
from .origins import Between
from .server_behaviour import Learned


@define
class Diff:
    """One diff in progress: from `before` to `snapshot`, in which `told` and `learned` grow.

    excused: the agents without a row whose rows may be among those without a readable id. familiar: how many
    of those who are new may have been in view all the time, in a row without a readable id; which of them,
    nobody knows. is_narrowed: only
    some of the account's agents are in view, who come and go.
    """

    before: FloorState
    snapshot: Snapshot
    scope: str
    by_login: bool
    now: datetime
    phases: tuple[Phase, ...]
    learned: Learned
    told: list[Transition]
    excused: frozenset[str] = frozenset()
    familiar: int = 0
    is_narrowed: bool = False

    @cached_property
    def unreadable(self) -> frozenset[str]:
        """The agents whose rows could not be read."""
        return frozenset(agent_id for agent_id in self.snapshot.unread_rows if agent_id is not None)

    @property
    def unnamed(self) -> int:
        """How many rows there are in which even the id could not be read."""
        return self.snapshot.unread_rows.get(None, 0)

    def between(self, memory: Memory, available: datetime | None) -> Between:
        """The time since the last poll that showed an agent's row. available: see `Between`."""
        polled = memory.gone_since or memory.unread_since or self.before.time
        return Between(polled, self.now, available, is_behind=self.before.is_behind(self.now))


def bare_evidence(
    run: Diff, polled: datetime, before: Agent, after: Agent, begun: tuple[Facet, ...]
) -> Evidence:
    """The evidence where there is no poll to compare with."""
    return Evidence(
        scope=run.scope,
        polled=polled,
        repeat=run.before.repeat,
        rewinds=run.before.rewinds,
        behind_until=run.before.behind_until,
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
    sighting = _sighted(run, memory, after, ended, begun, is_sent=is_sent)
    tally, finding = audit(memory.tally, sighting, run.phases)
    return tally, Evidence(
        scope=run.scope,
        polled=polled,
        repeat=run.before.repeat,
        rewinds=run.before.rewinds,
        behind_until=run.before.behind_until,
        shown=shown,
        was_away=memory.is_away,
        now=run.now,
        before=memory.agent,
        after=after,
        previous=memory.agent,
        anchors=memory.anchors,
        unsent=memory.unsent,
        ended=ended,
        begun=begun,
        available=available,
        was_free=run.before.learned.shows_wrap_up and _is_free(memory),
        shows_wrap_up=run.before.learned.shows_wrap_up,
        last_call=memory.last_call,
        finding=finding,
    )


def _sighted(
    run: Diff,
    memory: Memory,
    after: Agent,
    ended: tuple[Facet, ...],
    begun: tuple[Facet, ...],
    *,
    is_sent: bool,
) -> Sighting:
    """What the polls show of the agent's calls."""
    polled = memory.unread_since or run.before.time
    return Sighting(
        polled=polled,
        shown=memory.gone_since or polled,
        since=_surely_free(run, memory, polled),
        now=run.now,
        agent=after,
        is_sent=is_sent,
        began=int(CALL in begun),
        ended=int(CALL in ended),
        is_idle=_is_idle(run, memory, after),
        logged_in_anew=WEB in begun or MOBILE in begun,
        talk_comes_apart=run.before.learned.talk_comes_apart,
    )


def _surely_free(run: Diff, memory: Memory, polled: datetime) -> datetime:
    """Since when, at the last poll, a call that nobody saw can have been on, or wait to be counted.

    A server may not flag wrap-up as occupied, or not show who is on a call: then all that is sure is that
    the agent was free when it became available.
    """
    learned = run.before.learned
    hides_wrap_up = Phase.WRAP_UP_END in run.phases and not learned.shows_wrap_up
    if memory.available_since and (hides_wrap_up or not learned.shows_busy):
        return min(polled, memory.available_since)
    return polled


def newly_available(run: Diff, memory: Memory, seen: Agent) -> datetime | None:
    """The new `avD`, where it lies between the polls."""
    new, polled = seen.available_since, memory.unread_since or run.before.time
    if new is None or new < polled or not memory.available_since or not became_available(run, memory, seen):
        return None
    return min(new, run.now)


def became_available(run: Diff, memory: Memory, after: Agent) -> bool:
    """Whether `avD` has moved on; earlier than the last one only where that lay ahead of a clock set back."""
    new, known = after.available_since, memory.available_since
    if new is None or known is None:
        return new is not None
    return new > known or new < known > run.before.time


def _is_idle(run: Diff, memory: Memory, after: Agent) -> bool:
    """Whether no call and no wrap-up can be on.

    Should a server not flag wrap-up as occupied, the agent still waits for its `avD`. Should it not send
    that of those who are busy, an agent without one is not idle.
    """
    if is_busy(after):
        return False
    if not after.is_logged_in or after.on_break is not None:
        return True
    if after.available_since is None:
        return not run.before.learned.shows_available
    return not memory.awaits_available or became_available(run, memory, after)


def _is_free(memory: Memory) -> bool:
    """Whether a new `avD` would be unaccounted for: logged in, not busy, and not waiting for one."""
    agent = memory.agent
    return agent.is_logged_in and not (is_busy(agent) or agent.on_break or memory.awaits_available)
