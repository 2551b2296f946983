"""What is remembered of a floor between two polls."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from attrs import field, frozen

from deepcall_async._model import PIN_TOLERANCE, Account, Agent, Snapshot, evolve

from .agent_memory import (
    Memory,
    Rest,
    account_at_rest,
    first_rest,
    from_rest,
    remember,
    rests_at_first_sight,
    to_rest,
)
from .delta import Look, View, view_of
from .server_behaviour import Learned


@frozen(kw_only=True)
class FloorState:
    """What is remembered of a floor.

    time: the latest server time believed. server_time: the last one, earlier after the clock was set back.
    repeat: how many polls before the last showed `time` too. rewinds: how often the clock was set back.
    behind_until: what the clock showed before, or what it has stored ahead of itself; None: it never was.
    strangers: rows without a readable id that are nobody's who was in view before. named_at: the last poll
    whose rows all had one; None: there was none.
    unread: the agents of whom nothing is known but that there is a row, and the last poll without it; None:
    there was none.
    memories: of the agents who are not at rest; resting: of those who are. All by id.
    forgotten: the accounts of agents no longer remembered.
    view: the last snapshot's agents as decoded; shown: the same with origins pinned, and those it left out.
    restless: the agents who need a look at every poll, news or not. oldest_gone: who is out of view and
    remembered has been so since then at most.
    """

    time: datetime
    server_time: datetime
    repeat: int = 0
    rewinds: int = 0
    behind_until: datetime | None = None
    strangers: int = 0
    named_at: datetime | None = None
    unread: Mapping[str, datetime | None] = field(factory=dict)
    memories: Mapping[str, Memory]
    resting: Mapping[str, Rest] = field(factory=dict)
    learned: Learned = field(factory=Learned)
    forgotten: Account = field(factory=Account)
    view: View = field(factory=View, eq=False)
    shown: Mapping[str, Agent] = field(factory=dict, eq=False)
    restless: frozenset[str] = field(default=frozenset(), eq=False)
    oldest_gone: datetime | None = field(default=None, eq=False)

    def is_behind(self, now: datetime) -> bool:
        """Whether the clock has not caught up yet with what it showed before it was set back."""
        return self.behind_until is not None and now <= self.behind_until + PIN_TOLERANCE

    def recall(self, agent_id: str) -> Memory | None:
        """The memory of an agent; None when it is not known."""
        rest = self.resting.get(agent_id)
        return self.memories.get(agent_id) if rest is None else from_rest(self.shown[agent_id], rest)

    @property
    def everyone(self) -> dict[str, Memory]:
        """All memories, those of the agents shown first."""
        rested = {key: from_rest(self.shown[key], rest) for key, rest in self.resting.items()}
        known = {**rested, **self.memories}
        return {key: known[key] for key in dict.fromkeys((*self.shown, *known))}

    @property
    def accounts(self) -> dict[str, Account]:
        """The account of every agent who is remembered."""
        rested = {key: account_at_rest(rest) for key, rest in self.resting.items()}
        return {**rested, **{key: memory.tally.account for key, memory in self.memories.items()}}


class Keeping:
    """The memories of a state while they are brought up to date."""

    def __init__(self, state: FloorState) -> None:
        self.memories, self.resting = dict(state.memories), dict(state.resting)

    def keep(self, memories: Mapping[str, Memory]) -> None:
        """Keep these instead of what was kept of the same agents."""
        for agent_id, memory in memories.items():
            rest = to_rest(memory)
            if rest is None:
                self.memories[agent_id] = memory
                self.resting.pop(agent_id, None)
            else:
                self.resting[agent_id] = rest
                self.memories.pop(agent_id, None)

    def drop(self, agent_ids: Iterable[str]) -> None:
        """Keep nothing of these agents."""
        for agent_id in agent_ids:
            self.memories.pop(agent_id, None)
            self.resting.pop(agent_id, None)


def first_state(look: Look) -> FloorState:
    """The state after a baseline: everything is known, nothing has changed."""
    now, agents = look.snapshot.server_time, look.view.agents
    rest, learned = first_rest(now), Learned().taught_by(*agents.values())
    resting = {key: rest for key, agent in agents.items() if rests_at_first_sight(agent, learned)}
    memories = {key: remember(agents[key], now, learned) for key in agents if key not in resting}
    return FloorState(
        time=now,
        server_time=now,
        unread=dict.fromkeys(never_read(look.snapshot, agents)),
        strangers=look.snapshot.unread_rows.get(None, 0),
        named_at=None if look.snapshot.unread_rows.get(None) else look.snapshot.server_time,
        memories=memories,
        resting=resting,
        learned=learned,
        view=look.view,
        shown=agents,
    )


def recalled(state: FloorState, memories: Mapping[str, Memory]) -> FloorState:
    """The state with what follows from the memories, when these are all there is."""
    kept = Keeping(evolve(state, memories={}, resting={}))
    kept.keep(memories)
    shown = {key: memory.agent for key, memory in memories.items() if memory.gone_since is None}
    return evolve(
        state,
        memories=kept.memories,
        resting=kept.resting,
        view=view_of(shown),
        shown=shown,
        restless=frozenset(key for key, memory in memories.items() if memory.is_restless),
        oldest_gone=min((m.gone_since for m in memories.values() if m.gone_since), default=None),
    )


def never_read(snapshot: Snapshot, *known: Mapping[str, object]) -> list[str]:
    """The agents of whom nothing is known but that there is a row."""
    ids = {agent_id for agent_id in snapshot.unread_rows if agent_id is not None}
    return sorted(ids.difference(*known))
