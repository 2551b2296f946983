"""What is remembered between two polls: of each agent, and of the floor."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from attrs import evolve, field, frozen

from ._clock import epoch
from ._evidence import FACETS
from ._ledger import Account, Learned, Tally, first_sight
from ._model import Agent, Snapshot


@frozen(kw_only=True)
class Memory:
    """What is remembered of one agent.

    agent: its last known state, origins pinned. available_since: the last `avD` sent.
    awaits_available: it was busy, and `avD` has not moved since. anchors: see `Evidence`.
    last_call: when the last call transition was told for. unread_since: the last poll that showed
    its row, when later ones could not be read. gone_since: when it was last in view, by login.
    """

    agent: Agent
    tally: Tally
    available_since: datetime | None
    awaits_available: bool
    anchors: Mapping[str, str] = field(factory=dict)
    last_call: datetime
    unread_since: datetime | None = None
    gone_since: datetime | None = None


@frozen(kw_only=True)
class FloorState:
    """What is remembered of a floor.

    time: the latest server time believed. repeat: how many polls before the last showed it too.
    forgotten: the accounts of agents no longer remembered.
    """

    time: datetime
    repeat: int = 0
    memories: Mapping[str, Memory]
    learned: Learned = field(factory=Learned)
    forgotten: Account = field(factory=Account)


def first_state(snapshot: Snapshot) -> FloorState:
    """The state after a baseline: everything is known, nothing has changed."""
    now = snapshot.server_time
    return FloorState(
        time=now, memories={key: remember(agent, now) for key, agent in snapshot.agents.items()}
    )


def shifted(state: FloorState, by: timedelta) -> FloorState:
    """The state after the server's clock was set: every origin moved, and no episode changed."""
    memories = {key: _shifted(memory, by) for key, memory in state.memories.items()}
    return evolve(state, memories=memories)


def _shifted(memory: Memory, by: timedelta) -> Memory:
    episodes = {facet: facet.of(memory.agent) for facet in FACETS}
    dated = {facet: episode for facet, episode in episodes.items() if episode and episode.since}
    agent = evolve(memory.agent, **{f.field: evolve(e, since=e.since + by) for f, e in dated.items()})
    anchors = {facet.name: str(epoch(episode.since)) for facet, episode in dated.items()}
    return evolve(memory, agent=agent, anchors={**anchors, **memory.anchors})


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
