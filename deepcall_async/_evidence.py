"""What two polls show of one agent: the facets on which episodes begin and end, and the evidence for both.

p is the last good poll that showed the agent, n this one, a the new `avD` where it lies in [p, n].
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from operator import attrgetter
from typing import Any

from attrs import define, field, frozen

from ._clock import PIN_TOLERANCE, epoch, is_same_origin
from ._ledger import Finding
from ._model import Agent, Break, Call, Login
from ._transitions import (
    Basis,
    BreakEnded,
    BreakStarted,
    CallEnded,
    CallStarted,
    LoggedIn,
    LoggedOut,
    fact_id,
)

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


@frozen
class Span:
    """When something happened: the best estimate within its bounds."""

    at: datetime
    earliest: datetime
    latest: datetime


@define(kw_only=True)
class Evidence:
    """Everything known of one agent between p (`polled`) and n (`now`).

    repeat: how many polls before the one at p showed the same second.
    shown: the last poll before n with the agent's row, which is p unless it was out of view.
    before, after: its state at either; `before` is blank for an agent not seen before.
    previous: `before`, or None when the agent was not in view.
    anchors: what stands for the origin in the ids of open episodes that have none.
    ended, begun: the facets whose episode at p is over, and whose episode at n is new.
    available: a. was_free: at p the agent was neither busy nor waiting to become available.
    shows_wrap_up: an agent who is not occupied is not in wrap-up.
    last_call: when the last call transition was told for.
    """

    scope: str
    polled: datetime
    repeat: int = 0
    shown: datetime
    now: datetime
    before: Agent
    after: Agent
    previous: Agent | None = None
    anchors: Mapping[str, str] = field(factory=dict)
    ended: tuple[Facet, ...] = ()
    begun: tuple[Facet, ...] = ()
    available: datetime | None = None
    was_free: bool = False
    shows_wrap_up: bool = False
    last_call: datetime
    finding: Finding

    @property
    def poll(self) -> str:
        """What identifies the poll at p in ids."""
        return self.poll_at(self.polled)

    def poll_at(self, at: datetime) -> str:
        """What identifies in ids that something is known to have happened since an earlier poll."""
        return f"p{epoch(at)}" + (f"+{self.repeat}" if self.repeat else "")

    def tell(self, kind: type[Any], span: Span, basis: Basis, anchor: str, **more: Any) -> Any:
        """A transition of this agent, with its id."""
        return kind(
            id=fact_id(self.scope, self.after.id, kind.kind, anchor),
            at=span.at,
            earliest=span.earliest,
            latest=span.latest,
            basis=basis,
            agent=self.after,
            previous=self.previous,
            **more,
        )

    def by_now(self, latest: datetime | None = None) -> Span:
        """Some time since the last row: all that is known is when it had happened."""
        latest = max(self.polled, min(latest or self.now, self.now))
        return Span(latest, self.shown, latest)


def anchor_of(facet: Facet, episode: Episode, anchors: Mapping[str, str]) -> str:
    """What identifies an episode in ids: its origin, else the poll that first showed it."""
    known = anchors.get(facet.name)
    return f"{facet.name}.{known if known or episode.since is None else epoch(episode.since)}"


def is_same_episode(facet: Facet, before: Agent, after: Agent, available: datetime | None) -> bool:
    """Whether the polls before and after show one and the same episode.

    Without origins, an agent who became available in between proves two of them.
    """
    old, new = facet.of(before), facet.of(after)
    if old is None or new is None:
        return False
    if facet.moves_available and (old.since is None or new.since is None):
        return available is None
    return is_same_origin(old.since, new.since)


def new_anchors(e: Evidence, facet: Facet) -> dict[str, str]:
    """The anchor of an episode that begins now without a usable origin: the poll before it."""
    since = facet.of(e.after).since
    if since is None:
        return {facet.name: e.poll}
    if since < e.polled - PIN_TOLERANCE:  # the poll at p contradicts it: it may have been told before
        return {facet.name: f"{epoch(since)}.{e.poll}"}
    return {}
