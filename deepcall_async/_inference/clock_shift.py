"""Whether the server's clock was set, as the origins tell that moved along with it.

Origins that all moved by the same amount are as many witnesses, unless they had to do with each other: a
crowd that logged in together, and did so again, is one.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise

from attrs import frozen

from deepcall_async._model import PIN_TOLERANCE, ROUNDING, STRAY, Agent, Snapshot, moved

from .delta import Census, Look
from .episodes import FACETS
from .floor_state import FloorState

MIN_SHIFTED = 3  # fewer origins that move alike are no sign of a clock
MIN_STRAYING = 5  # fewer may all stray as one clock does that they are read by
NO_SHIFT = timedelta(0)


def common_shift(state: FloorState, look: Look) -> timedelta:
    """By how much most origins moved alike, as when the server's clock steps; zero if they did not.

    A clock that was set ahead has itself gone on by as much: a team that logs in again together has not.
    Nor is it a clock if they logged in together before, too, and all may have become available by logging in
    again. What has begun since then, on the new clock, says nothing about it.
    """
    if not look.changed:
        return NO_SHIFT
    news = Census().after(look.changed, ())
    unmoved = look.view.census.logged_in - news.logged_in
    if unmoved >= len(FACETS) * len(look.changed):  # nearly always: the others cannot be the most
        return NO_SHIFT
    moves = [Move(NO_SHIFT)] * unmoved
    for seen in look.changed:
        moves += _moves(state, look.snapshot, seen)
    shift = _commonest(moves)
    alike = [move for move in moves if abs(move.by - shift) <= PIN_TOLERANCE]
    others = [move for move in moves if abs(move.by - shift) > PIN_TOLERANCE]
    if _witnesses(alike) >= MIN_SHIFTED:
        polled = moved(state.time, shift) - STRAY
        others = [move for move in others if move.to is None or move.to < polled]
    passed = look.snapshot.server_time - state.server_time
    is_common = len(alike) >= MIN_SHIFTED and len(alike) > len(others)
    strays = PIN_TOLERANCE if len(alike) >= MIN_STRAYING else STRAY
    is_step = all(abs(move.by) > strays for move in alike) and shift <= passed + PIN_TOLERANCE
    return shift if is_common and is_step and not _is_a_team(alike) else NO_SHIFT


@frozen
class Move:
    """An origin was read again. by: so much later. since: what it was. to: what it is.

    is_no_login: it is not that of a new login, as its agent has been available since before it.
    """

    by: timedelta
    since: datetime | None = None
    to: datetime | None = None
    is_no_login: bool = False


def _commonest(moves: list[Move]) -> timedelta:
    """What most origins moved by, give or take what readings stray."""
    every = sorted(move.by for move in moves)

    def near(by: timedelta) -> int:
        return bisect_right(every, by + PIN_TOLERANCE) - bisect_left(every, by - PIN_TOLERANCE)

    return max(Counter(every).items(), key=lambda item: (near(item[0]), item[1]))[0] if every else NO_SHIFT


def _moves(state: FloorState, snapshot: Snapshot, seen: Agent) -> Iterator[Move]:
    """How the origins of an agent's episodes moved.

    One that is just now may stem from an elapsed time that does not tick: it says nothing yet.
    """
    known = state.shown.get(seen.id)
    if known is None or known == seen:
        if known is not None and seen.is_logged_in:
            yield Move(NO_SHIFT)
        return
    available = seen.available_since
    for facet in FACETS:
        old, new = facet.of(known), facet.of(seen)
        if old is not None and new is not None and old.since and new.since:
            is_just_now = new.since >= snapshot.server_time - ROUNDING
            is_no_login = available is not None and available < new.since - PIN_TOLERANCE
            by = NO_SHIFT if is_just_now else new.since - old.since
            yield Move(by, old.since, new.since, is_no_login)


def _witnesses(moves: list[Move]) -> int:
    """How many origins moved that had nothing to do with each other."""
    before = sorted(move.since for move in moves if move.since)
    return sum(later - earlier > STRAY for earlier, later in pairwise(before)) + bool(before)


def _is_a_team(moves: list[Move]) -> bool:
    """Whether these are logins at one time of agents who had all logged in at one time before."""
    return _witnesses(moves) == 1 and not any(move.is_no_login for move in moves)
