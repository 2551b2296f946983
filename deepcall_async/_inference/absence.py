"""Agents without a readable row: who is excused, who is forgotten, and when they are somebody else's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from deepcall_async._model import PIN_TOLERANCE, Agent, Snapshot

from .agent_memory import Memory
from .floor_state import FloorState
from .poll_context import Diff

REMEMBERED = timedelta(days=1)  # how long an agent who logged out of view is remembered
MIN_OTHERS = 5  # agents of another name
MOST_REMEMBERED = 10_000  # of those: more are no call centre but a server that invents agents


def excused_agents(run: Diff, missing: Iterable[Memory], newcomers: int) -> frozenset[str]:
    """Those whose rows may be among the ones without a readable id: as many as there are, and no more.

    A row that had none while everybody was in view excuses nobody. But it may have been that of one of the
    newcomers; then who has the name that such a row shows now is excused. Who has such a name comes first,
    then who was excused before. Where that does not tell whose they are, all who are missing for the first
    time, or those of that name, wait for the next reply.
    """
    strangers = run.before.strangers
    free, spare = run.unnamed - strangers, min(strangers, newcomers)
    if free <= 0 and not spare:
        return frozenset()
    unnamed = [part.raw for part in run.snapshot.quarantined if part.agent_id is None]
    names = [raw.get("nm") for raw in unnamed if isinstance(raw, dict)]
    in_order = sorted(missing, key=lambda memory: memory.agent.id)  # whatever the order after a resume
    candidates = [memory for memory in in_order if memory.agent.id not in run.unreadable]
    waiting = [memory for memory in candidates if memory.unread_since is not None]
    others = [memory for memory in candidates if memory.unread_since is None]
    named = [memory for memory in waiting if memory.agent.name in names][: free + spare]
    if len(named) < free + spare:  # of several of one name, all are
        named += [memory for memory in others if memory.agent.name in names]
    if len(named) < free:
        named = waiting[:free] if len(waiting) >= free else [*waiting, *others]
    return frozenset(memory.agent.id for memory in named)


def overdue_agents(state: FloorState, now: datetime) -> list[str] | None:
    """Those who have been out of view for too long, or the longest where there are too many.

    None, nearly always: it is not time to look through them.
    """
    if state.oldest_gone is None:
        return None
    out_of_view = len(state.memories) + len(state.resting) - len(state.shown)
    if now - state.oldest_gone <= REMEMBERED and out_of_view <= MOST_REMEMBERED:
        return None
    gone = _gone(state.memories.values())
    too_many = max(0, len(gone) - MOST_REMEMBERED * 9 // 10) if len(gone) > MOST_REMEMBERED else 0
    return [key for place, (since, key) in enumerate(gone) if place < too_many or now - since > REMEMBERED]


def oldest_gone(memories: Iterable[Memory], *known: datetime | None) -> datetime | None:
    """Since when the first of these, and of those known before, has been out of view."""
    since: list[Any] = [since for since, _ in _gone(memories)]
    return min([*since, *(at for at in known if at is not None)], default=None)


def _gone(memories: Iterable[Memory]) -> list[tuple[datetime, str]]:
    return sorted((m.gone_since, m.agent.id) for m in memories if m.gone_since is not None)


def contradiction(known: Mapping[str, Memory], snapshot: Snapshot, *, is_whole: bool) -> str | None:
    """Why what was remembered of a floor cannot be of the floor that a snapshot shows; None: it can.

    is_whole: the snapshot shows all agents. Where only those who are logged in have rows, that not one is
    there proves a change of shift.
    """
    common = known.keys() & snapshot.agents.keys()
    if known and snapshot.agents and not common:
        return "it shares no agent with the floor" if is_whole else None
    pairs = [(known[agent_id].agent, snapshot.agents[agent_id]) for agent_id in common]
    others = sum(old.name is not None is not new.name and old.name != new.name for old, new in pairs)
    if others < MIN_OTHERS or 2 * others <= len(common) or any(_is_known_again(*pair) for pair in pairs):
        return None
    return f"{others} of the {len(common)} agents it shares with the floor have other names"


def _is_known_again(known: Agent, seen: Agent) -> bool:
    """Whether an instant of an agent's past is the same."""
    if known.available_since is not None and known.available_since == seen.available_since:
        return True
    old, new = known.login, seen.login
    return bool(old and new and old.since and new.since and abs(old.since - new.since) <= PIN_TOLERANCE)
