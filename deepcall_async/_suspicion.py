"""What makes a reply suspect: signs that the server, not the floor, has changed."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

from attrs import frozen

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


@frozen
class Suspicion:
    """Why a reply was not believed, and the server's time on it."""

    reasons: tuple[str, ...]
    server_time: datetime


def suspicions(state: FloorState, snapshot: Snapshot) -> set[str]:
    """The reasons not to believe this reply after the last one."""
    found, unread = oddities(snapshot), _unread(snapshot)
    known = [memory.agent for memory in state.memories.values() if memory.gone_since is None]
    if snapshot.server_time < state.server_time - timedelta(seconds=ROW_CLOCK_SLACK):
        found.add(OLDER)
    if known and not snapshot.agents and not unread:
        found.add(EMPTIED)
    seen, totals = snapshot.agents.values(), snapshot.totals
    if totals.on_call and any(a.call for a in known) and not (unread or any(a.call for a in seen)):
        found.add(CALLS)
    if totals.on_break and any(a.on_break for a in known) and not (unread or any(a.on_break for a in seen)):
        found.add(BREAKS)
    if common_shift(state, snapshot):
        found.add(SHIFTED)
    return found


def oddities(snapshot: Snapshot) -> set[str]:
    """What a reply contradicts in itself."""
    counted, unread = snapshot.totals.logged_in, _unread(snapshot)
    if counted is None:
        return set()
    if counted and not snapshot.agents and not unread:
        return {NO_ROWS}
    web = sum(agent.login is not None for agent in snapshot.agents.values())
    is_either = any(seen <= counted <= seen + unread for seen in (web, len(snapshot.logged_in)))
    return set() if is_either else {LOGINS}


def _unread(snapshot: Snapshot) -> int:
    """How many rows could not be read."""
    return sum(part.row is not None for part in snapshot.quarantined)


def common_shift(state: FloorState, snapshot: Snapshot) -> timedelta:
    """By how much most origins moved alike, as when the server's clock steps; zero if they did not.

    A clock that was set ahead has itself gone on by as much: a team that logs in again together has not.
    """
    moves: Counter[timedelta] = Counter()
    passed = snapshot.server_time - state.server_time
    for agent_id, seen in snapshot.agents.items():
        memory = state.memories.get(agent_id)
        if memory is None or memory.agent == seen:
            moves[timedelta(0)] += memory is not None and seen.is_logged_in
            continue
        for facet in FACETS:
            old, new = facet.of(memory.agent), facet.of(seen)
            if old is not None and new is not None and old.since and new.since:
                moves[new.since - old.since] += 1
    if not moves:
        return timedelta(0)
    shift = moves.most_common(1)[0][0]
    alike = sum(count for move, count in moves.items() if abs(move - shift) <= ROUNDING)
    is_common = alike >= MIN_SHIFTED and 2 * alike > moves.total()
    is_step = abs(shift) > PIN_TOLERANCE and shift <= passed + PIN_TOLERANCE
    return shift if is_common and is_step else timedelta(0)
