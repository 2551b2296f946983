"""What makes a reply suspect: signs that the server, not the floor, has changed."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

from attrs import frozen

from ._clock import PIN_TOLERANCE, ROUNDING
from ._evidence import FACETS
from ._look import Census, Look
from ._model import Agent, Snapshot
from ._state import FloorState

OLDER = "the server's time runs backwards"
NO_ROWS = "no rows, though lA counts logged-in agents"
EMPTIED = "no rows, though the last reply had some"
LOGINS = "lA contradicts the rows"
CALLS = "oCA counts calls, but the rows show none any more"
BREAKS = "oBA counts breaks, but the rows show none any more"
CLOCKLESS = "nothing tells the server's time"
SHIFTED = "most origins moved by the same amount"

MIN_SHIFTED = 3  # fewer origins that move alike are no sign of a clock


@frozen
class Suspicion:
    """Why a reply was not believed, and the server's time on it."""

    reasons: tuple[str, ...]
    server_time: datetime


def suspicions(state: FloorState, look: Look) -> set[str]:
    """The reasons not to believe this reply after the last one."""
    found, unread = oddities(look), _unread(look.snapshot)
    known = state.view.census.after(_unreadable(state), ()) if state.restless else state.view.census
    totals, seen = look.snapshot.totals, look.view.census
    if look.snapshot.server_time < state.server_time:
        found.add(OLDER)
    if not (look.view.agents or unread) and state.shown:
        found.add(EMPTIED)
    if totals.on_call and known.on_call and not (unread or seen.on_call):
        found.add(CALLS)
    if totals.on_break and known.on_break and not (unread or seen.on_break):
        found.add(BREAKS)
    if common_shift(state, look):
        found.add(SHIFTED)
    return found


def _unreadable(state: FloorState) -> list[Agent]:
    """The agents whose rows could not be read, as last known."""
    return [state.shown[key] for key in state.restless if key in state.shown and key not in state.view.agents]


def oddities(look: Look) -> set[str]:
    """What a reply contradicts in itself."""
    counted, unread, seen = look.snapshot.totals.logged_in, _unread(look.snapshot), look.view.census
    if counted is None:
        return set()
    if counted and not look.view.agents and not unread:
        return {NO_ROWS}
    is_either = any(count <= counted <= count + unread for count in (seen.web, seen.logged_in))
    return set() if is_either else {LOGINS}


def _unread(snapshot: Snapshot) -> int:
    """How many rows could not be read."""
    return sum(snapshot.unread_rows.values())


def common_shift(state: FloorState, look: Look) -> timedelta:
    """By how much most origins moved alike, as when the server's clock steps; zero if they did not.

    A clock that was set ahead has itself gone on by as much: a team that logs in again together has not.
    """
    if not look.changed:
        return timedelta(0)
    news = Census().after(look.changed, ())
    unmoved = look.view.census.logged_in - news.logged_in
    if unmoved >= len(FACETS) * len(look.changed):  # nearly always: the others cannot be the most
        return timedelta(0)
    moves = Counter({timedelta(0): unmoved})
    passed = look.snapshot.server_time - state.server_time
    for seen in look.changed:
        known = state.shown.get(seen.id)
        if known is None or known == seen:
            moves[timedelta(0)] += known is not None and seen.is_logged_in
            continue
        for facet in FACETS:
            old, new = facet.of(known), facet.of(seen)
            if old is not None and new is not None and old.since and new.since:
                moves[new.since - old.since] += 1
    shift = moves.most_common(1)[0][0]
    alike = sum(count for move, count in moves.items() if abs(move - shift) <= ROUNDING)
    is_common = alike >= MIN_SHIFTED and 2 * alike > moves.total()
    is_step = abs(shift) > PIN_TOLERANCE and shift <= passed + PIN_TOLERANCE
    return shift if is_common and is_step else timedelta(0)
