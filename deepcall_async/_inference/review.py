"""What is shown after a poll, and who needs a look at the next one in any case."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from operator import is_
from typing import cast

from deepcall_async._model import Agent

from .agent_memory import Memory
from .delta import Look
from .episodes import lacks_an_origin
from .floor_state import FloorState
from .poll_context import Diff


def needs_review(
    run: Diff, look: Look, memories: Mapping[str, Memory], looked_at: Mapping[str, Memory]
) -> frozenset[str]:
    """The agents to look at in the next poll, whether or not their rows change.

    Open books need none once a look at them has changed nothing, unless the floor teaches something new.
    """
    if run.learned is not run.before.learned and run.learned.phases != run.phases:
        found = [key for key, memory in memories.items() if memory.is_restless]
    else:
        known = run.before.memories
        found = [
            key
            for key, memory in looked_at.items()
            if memory.unread_since is not None or (memory.is_restless and memory is not known.get(key))
        ]
    return frozenset((*found, *_undated(look, looked_at)))


def _undated(look: Look, looked_at: Mapping[str, Memory]) -> Iterator[str]:
    """Who has an origin yet to be read, though the row may say the same until the agent leaves."""
    for key, memory in looked_at.items():
        seen = look.view.agents.get(key)
        if seen is not None and seen is not memory.agent and lacks_an_origin(memory.agent, seen):
            yield key


def shown_agents(before: FloorState, look: Look, looked_at: Mapping[str, Memory]) -> Mapping[str, Agent]:
    """The agents with origins pinned, in the wire's order; then those whose rows could not be read."""
    agents = look.view.agents
    if before.shown is before.view.agents and all(m.agent is agents.get(k) for k, m in looked_at.items()):
        return agents  # nearly always: nothing had to be pinned
    if agents is before.view.agents and not looked_at:
        return before.shown
    shown = dict(zip(agents, map(before.shown.get, agents), strict=True))
    shown.update((key, memory.agent) for key, memory in looked_at.items() if memory.gone_since is None)
    is_as_seen = len(shown) == len(agents) and all(map(is_, shown.values(), agents.values()))
    # Who was not shown before has been looked at.
    return agents if is_as_seen else cast("dict[str, Agent]", shown)
