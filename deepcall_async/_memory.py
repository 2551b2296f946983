"""What is remembered between two polls: of each agent, and of the floor."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from attrs import field, frozen

from ._account import Account, Learned
from ._clock import PIN_TOLERANCE, epoch, moved
from ._evidence import FACETS, Facet
from ._evolve import evolve
from ._ledger import Tally, first_sight
from ._look import Look, View, view_of
from ._model import Agent, Snapshot


@frozen(kw_only=True)
class Memory:
    """What is remembered of one agent.

    agent: its last known state, origins pinned. available_since: the last `avD` sent.
    awaits_available: it was busy, and `avD` has not moved since. anchors: see `Evidence`.
    last_call: when the last call transition was told for. unread_since: the last poll that showed
    its row, when later ones could not be read. gone_since: the last that did before it logged out of view.
    """

    agent: Agent
    tally: Tally
    available_since: datetime | None
    awaits_available: bool
    anchors: Mapping[str, str] = field(factory=dict)
    last_call: datetime
    unread_since: datetime | None = None
    gone_since: datetime | None = None

    @property
    def is_away(self) -> bool:
        """Whether no row of the agent could be read in the last reply."""
        return self.unread_since is not None or self.gone_since is not None

    @property
    def is_restless(self) -> bool:
        """Whether the agent may need a look without any news: it is away, or its books are open."""
        return self.is_away or self.tally.is_open


@frozen(kw_only=True)
class FloorState:
    """What is remembered of a floor.

    time: the latest server time believed. server_time: the last one, earlier after the clock was set back.
    repeat: how many polls before the last showed `time` too. unread: the agents of whom nothing is known
    but that there is a row, and the last poll without it; None: there was none.
    forgotten: the accounts of agents no longer remembered.
    view: the last snapshot's agents as decoded; shown: the same with origins pinned, and those it left out.
    restless: the agents who need a look at every poll, news or not.
    """

    time: datetime
    server_time: datetime
    repeat: int = 0
    unread: Mapping[str, datetime | None] = field(factory=dict)
    memories: Mapping[str, Memory]
    learned: Learned = field(factory=Learned)
    forgotten: Account = field(factory=Account)
    view: View = field(factory=View, eq=False)
    shown: Mapping[str, Agent] = field(factory=dict, eq=False)
    restless: frozenset[str] = field(default=frozenset(), eq=False)


def first_state(look: Look) -> FloorState:
    """The state after a baseline: everything is known, nothing has changed."""
    now, agents = look.snapshot.server_time, look.view.agents
    memories = {key: remember(agent, now) for key, agent in agents.items()}
    unread = dict.fromkeys(never_read(look.snapshot, memories))
    return FloorState(
        time=now, server_time=now, unread=unread, memories=memories, view=look.view, shown=agents
    )


def recalled(state: FloorState) -> FloorState:
    """The state with what follows from the memories, when these are all there is."""
    shown = {key: memory.agent for key, memory in state.memories.items() if memory.gone_since is None}
    restless = frozenset(key for key, memory in state.memories.items() if memory.is_restless)
    return evolve(state, view=view_of(shown), shown=shown, restless=restless)


def never_read(snapshot: Snapshot, memories: Mapping[str, Memory]) -> list[str]:
    """The agents of whom nothing is known but that there is a row."""
    ids = {part.agent_id for part in snapshot.quarantined if part.agent_id is not None}
    return sorted(ids - memories.keys())


def shifted(state: FloorState, by: timedelta, snapshot: Snapshot) -> FloorState:
    """The state after the server's clock was set: every origin moved but those the snapshot shows unmoved."""
    agents = snapshot.agents
    memories = {key: _shifted(memory, agents.get(key), by) for key, memory in state.memories.items()}
    return recalled(evolve(state, memories=memories))


def _shifted(memory: Memory, seen: Agent | None, by: timedelta) -> Memory:
    episodes = {facet: facet.of(memory.agent) for facet in FACETS if not _stands_still(facet, memory, seen)}
    dated = {facet: episode for facet, episode in episodes.items() if episode and episode.since}
    agent = evolve(memory.agent, **{f.field: evolve(e, since=moved(e.since, by)) for f, e in dated.items()})
    anchors = {facet.name: str(epoch(episode.since)) for facet, episode in dated.items()}
    available = memory.available_since
    if available and not (seen and seen.available_since == available):
        available = moved(available, by)
    return evolve(memory, agent=agent, available_since=available, anchors={**anchors, **memory.anchors})


def _stands_still(facet: Facet, memory: Memory, seen: Agent | None) -> bool:
    """Whether an episode's origin reads as before."""
    old, new = facet.of(memory.agent), facet.of(seen) if seen else None
    if not (old and new and old.since and new.since):
        return False
    return bool(abs(new.since - old.since) <= PIN_TOLERANCE)


def remember(agent: Agent, now: datetime) -> Memory:
    """The memory of an agent at first sight."""
    undated = [facet for facet in FACETS if (seen := facet.of(agent)) is not None and seen.since is None]
    return Memory(
        agent=agent,
        tally=first_sight(agent, now),
        available_since=agent.available_since,
        awaits_available=is_busy(agent),
        anchors={facet.name: f"b{epoch(now)}" for facet in undated},
        last_call=now,
    )


def is_busy(agent: Agent) -> bool:
    return agent.call is not None or bool(agent.is_occupied)
