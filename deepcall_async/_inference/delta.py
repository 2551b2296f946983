"""A snapshot beside the last one: whom there can be news of.

Agents are values, and the decoder gives the very object again where a row says the same. So who is the
same object as last time has no news, and needs no second look: neither by the differ nor in any count.
Nor has who is equal, as a decoder without a memory makes all of them anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import chain, compress, repeat
from operator import is_not

from attrs import field, frozen

from deepcall_async._model import Agent, Snapshot


@frozen
class Census:
    """How many agents are logged in on the web, on any channel, on a call, on a break."""

    web: int = 0
    logged_in: int = 0
    on_call: int = 0
    on_break: int = 0

    def after(self, come: Iterable[Agent], gone: Iterable[Agent]) -> Census:
        """The census once some agents have come and some have gone."""
        counts = [self.web, self.logged_in, self.on_call, self.on_break]
        for sign, agents in ((1, come), (-1, gone)):
            for agent in agents:
                counts[0] += sign * (agent.login is not None)
                counts[1] += sign * agent.is_logged_in
                counts[2] += sign * (agent.call is not None)
                counts[3] += sign * (agent.on_break is not None)
        return Census(*counts)


@frozen
class View:
    """The agents of a reply as they were decoded."""

    agents: Mapping[str, Agent] = field(factory=dict)
    census: Census = field(factory=Census)


def view_of(agents: Mapping[str, Agent]) -> View:
    """A view of agents that were never counted before."""
    return View(agents, Census().after(agents.values(), ()))


@frozen
class Look:
    """A snapshot beside the last view.

    view: the snapshot's. changed: its agents that may be news. vanished: the ids that were in view before.
    """

    snapshot: Snapshot
    view: View
    changed: tuple[Agent, ...]
    vanished: tuple[str, ...]


def look(last: View, snapshot: Snapshot) -> Look:
    """Compare by identity first."""
    before, now = last.agents, snapshot.agents
    if now is before:
        return Look(snapshot, last, (), ())
    elsewhere = map(is_not, now.values(), chain(before.values(), repeat(None)))  # most are where they were
    changed = tuple(a for a in compress(now.values(), elsewhere) if _is_news(before.get(a.id), a))
    replaced = [before[agent.id] for agent in changed if agent.id in before]
    vanished: tuple[str, ...] = ()
    if len(now) - len(changed) + len(replaced) < len(before):
        vanished = tuple(agent_id for agent_id in before if agent_id not in now)
    census = last.census.after(changed, [*replaced, *(before[agent_id] for agent_id in vanished)])
    return Look(snapshot, View(now, census), changed, vanished)


def _is_news(before: Agent | None, now: Agent) -> bool:
    """Whether a row says something else: another decoder may make a new object of one that does not."""
    return before is not now and before != now
