"""Logins, breaks and calls as episodes, and which readings are of one episode."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from operator import attrgetter
from typing import Any

from attrs import frozen

from deepcall_async._model import (
    PIN_TOLERANCE,
    STRAY,
    Agent,
    Break,
    BreakEnded,
    BreakStarted,
    Call,
    CallEnded,
    CallStarted,
    LoggedIn,
    LoggedOut,
    Login,
    epoch,
    evolve,
)

from .origins import Between, is_same_origin

Episode = Login | Call | Break


@frozen(eq=False)
class Facet:
    """A side of an agent on which episodes begin and end, one at a time.

    of: the agent's episode on this side, an `Episode` or None.
    moves_available: whether its end makes the agent available, so that a bounds it from above.
    """

    name: str
    field: str
    of: Callable[[Agent], Any]
    began: type[LoggedIn | BreakStarted | CallStarted]
    ended: type[LoggedOut | BreakEnded | CallEnded]
    moves_available: bool


WEB = Facet("web", "login", attrgetter("login"), LoggedIn, LoggedOut, False)
MOBILE = Facet("mobile", "mobile_login", attrgetter("mobile_login"), LoggedIn, LoggedOut, False)
BREAK = Facet("break", "on_break", attrgetter("on_break"), BreakStarted, BreakEnded, True)
CALL = Facet("call", "call", attrgetter("call"), CallStarted, CallEnded, True)
FACETS = (WEB, MOBILE, BREAK, CALL)


def anchor_of(facet: Facet, episode: Episode, anchors: Mapping[str, str]) -> str:
    """What identifies an episode in ids: its origin, else the poll that first showed it."""
    known = anchors.get(facet.name)
    return f"{facet.name}.{known if known or episode.since is None else epoch(episode.since)}"


def is_of_another_clock(facet: Facet, episode: Episode, anchors: Mapping[str, str]) -> bool:
    """Whether an origin was told by a clock that has been set since, so that it tells no duration.

    Such an episode keeps its id, so it has an anchor; and an anchor that says what the origin still says.
    """
    return episode.since is not None and anchors.get(facet.name) == str(epoch(episode.since))


def is_same_episode(facet: Facet, before: Agent, after: Agent, between: Between) -> bool:
    """Whether the polls before and after show one and the same episode.

    A break for another reason is another break. Without an origin on either side, an agent who became
    available in between proves two breaks or calls; two logins only if it became so by the second.
    """
    old, new = facet.of(before), facet.of(after)
    if old is None or new is None or (facet is BREAK and is_another_reason(old, new)):
        return False
    if not facet.moves_available and not _became_so_by_logging_in(old, new, between):
        between = evolve(between, available=None)
    if old.since is None or new.since is None:
        return between.available is None
    return is_same_origin(old.since, new.since, between)


def _became_so_by_logging_in(old: Episode, new: Episode, between: Between) -> bool:
    """Whether the agent's new `avD` speaks of a login that began then."""
    available, since = between.available, new.since
    if available is None or since is None or (old.since is None and between.says_nothing(since)):
        return False
    return -PIN_TOLERANCE <= available - since <= STRAY


def pinned_origin(old: datetime | None, seen: datetime | None, between: Between) -> datetime | None:
    """The origin of an episode that goes on: the first that was read, unless there was none in it."""
    if old is None:
        return None if seen is None or between.says_nothing(seen) else seen
    return None if seen is not None and between.stands_still(old, seen) else old


def lacks_an_origin(shown: Agent, seen: Agent) -> bool:
    """Whether an origin that was read was none, so that the next reading of it counts, news or not."""
    episodes = ((facet.of(shown), facet.of(seen)) for facet in FACETS)
    return any(old and new and old.since is None and new.since is not None for old, new in episodes)


def is_another_reason(old: Break, new: Break) -> bool:
    """Whether both breaks say why, and not the same."""
    return bool(old.reason and new.reason) and old.reason != new.reason
