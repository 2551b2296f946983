"""What makes a reply suspect: signs that the server, not the floor, has changed."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from ._clock import PIN_TOLERANCE, ROUNDING, ROW_CLOCK_SLACK
from ._evidence import FACETS
from ._memory import FloorState
from ._model import Snapshot

OLDER = "the server's time runs backwards"
NO_ROWS = "no rows, though lA counts logged-in agents"
EMPTIED = "no rows, though the last reply had some"
LOGINS = "lA contradicts the rows"
CALLS = "oCA counts calls, but the rows show none any more"
BREAKS = "oBA counts breaks, but the rows show none any more"
SHIFTED = "most origins moved by the same amount"

MIN_SHIFTED = 3  # fewer origins that move alike are no sign of a clock


def suspicions(state: FloorState, snapshot: Snapshot) -> set[str]:
    """The reasons not to believe this reply after the last one."""
    found = oddities(snapshot)
    known = [memory.agent for memory in state.memories.values() if memory.gone_since is None]
    if snapshot.server_time < state.time - timedelta(seconds=ROW_CLOCK_SLACK):
        found.add(OLDER)
    if known and not snapshot.agents and not snapshot.quarantined:
        found.add(EMPTIED)
    seen, totals = snapshot.agents.values(), snapshot.totals
    if totals.on_call and any(agent.call for agent in known) and not any(agent.call for agent in seen):
        found.add(CALLS)
    if totals.on_break and any(a.on_break for a in known) and not any(a.on_break for a in seen):
        found.add(BREAKS)
    if common_shift(state, snapshot):
        found.add(SHIFTED)
    return found


def oddities(snapshot: Snapshot) -> set[str]:
    """What a reply contradicts in itself."""
    counted = snapshot.totals.logged_in
    if counted is None:
        return set()
    unread = sum(part.row is not None for part in snapshot.quarantined)
    if counted and not snapshot.agents and not unread:
        return {NO_ROWS}
    web = sum(agent.login is not None for agent in snapshot.agents.values())
    is_either = any(seen <= counted <= seen + unread for seen in (web, len(snapshot.logged_in)))
    return set() if is_either else {LOGINS}


def common_shift(state: FloorState, snapshot: Snapshot) -> timedelta:
    """By how much most origins moved alike, as when the server's clock steps; zero if they did not."""
    moves: Counter[timedelta] = Counter()
    for agent_id, seen in snapshot.agents.items():
        memory = state.memories.get(agent_id)
        if memory is None or memory.agent == seen:
            continue
        for facet in FACETS:
            old, new = facet.of(memory.agent), facet.of(seen)
            if old is not None and new is not None and old.since and new.since:
                moves[new.since - old.since] += 1
    if not moves:
        return timedelta(0)
    shift = moves.most_common(1)[0][0]
    alike = sum(count for move, count in moves.items() if abs(move - shift) <= ROUNDING)
    is_common = abs(shift) > PIN_TOLERANCE and alike >= MIN_SHIFTED and 2 * alike > moves.total()
    return shift if is_common else timedelta(0)
