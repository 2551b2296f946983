"""What two polls show of one agent: the facets on which episodes begin and end, and the evidence for both.

p is the last good poll that showed the agent, n this one, a the new `avD` where it lies in [p, n].
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from operator import attrgetter
from typing import Any

from attrs import define, field, frozen

from ._clock import PIN_TOLERANCE, STRAY, Between, epoch, is_same_origin
from ._evolve import evolve
from ._model import Agent, Break, Call, Login
from ._tally import Finding
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

    repeat: how many polls before the one at p showed the same second. rewinds: how often the server's
    clock was set back so far; behind_until: until when its seconds come again.
    shown: the last poll before n with the agent's row, which is p unless it was out of view.
    before, after: its state at either; `before` is blank for an agent not seen before.
    previous: `before`, or None when the agent was not in view.
    anchors: what stands for the origin in the ids of open episodes that have none; under `was`, the origin
    of an episode so short that the next may be read to begin in the same second.
    unsent: what earlier rows said of the fields that the last one left out.
    ended, begun: the facets whose episode at p is over, and whose episode at n is new.
    available: a. was_free: at p the agent was neither busy nor waiting to become available.
    shows_wrap_up: an agent who is not occupied is not in wrap-up.
    last_call: when the last call transition was told for.
    """

    scope: str
    polled: datetime
    repeat: int = 0
    rewinds: int = 0
    behind_until: datetime | None = None
    shown: datetime
    now: datetime
    before: Agent
    after: Agent
    previous: Agent | None = None
    anchors: Mapping[str, str] = field(factory=dict)
    unsent: Mapping[str, Any] = field(factory=dict)
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
        return f"p{self.second(at)}" + (f"+{self.repeat}" if self.repeat else "")

    def second(self, at: datetime) -> str:
        """What identifies an instant in ids: a second may come again after the clock was set back."""
        comes_again = self.behind_until is not None and at <= self.behind_until
        return f"{epoch(at)}~{self.rewinds}" if comes_again else str(epoch(at))

    def last_shown(self, facet: Facet) -> datetime:
        """The last poll before n that would have shown an episode on this side.

        An agent without a row is logged out, but may be on the phone.
        """
        return self.shown if facet.moves_available else self.polled

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


def is_of_another_clock(facet: Facet, episode: Episode, anchors: Mapping[str, str]) -> bool:
    """Whether an origin was told by a clock that has been set since, so that it tells no duration.

    Such an episode keeps its id, so it has an anchor; and an anchor that says what the origin still says.
    """
    return episode.since is not None and anchors.get(facet.name) == str(epoch(episode.since))


def was(facet: Facet) -> str:
    """Where the anchors keep the origin of an episode that ended right after it began."""
    return f"was {facet.name}"


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


def is_another_reason(old: Break, new: Break) -> bool:
    """Whether both breaks say why, and not the same."""
    return bool(old.reason and new.reason) and old.reason != new.reason


def new_anchors(e: Evidence, facet: Facet) -> dict[str, str]:
    """The anchor of an episode that begins now without a usable origin: the poll before it."""
    since = facet.of(e.after).since
    if since is None:
        return {facet.name: e.poll}
    is_contradicted = since < e.last_shown(facet) - PIN_TOLERANCE  # by p: it may have been told before
    second = e.second(since)
    if is_contradicted or epoch(since) == _epoch_before(e, facet):
        return {facet.name: f"{second}.{e.poll}"}
    return {} if second == str(epoch(since)) else {facet.name: second}


def _epoch_before(e: Evidence, facet: Facet) -> int | None:
    """The origin of the episode before the one that begins now, where both may be read in one second."""
    if facet in e.ended:
        since = facet.of(e.before).since
        return None if since is None else epoch(since)
    known = e.anchors.get(was(facet), "")
    return int(known) if known.isdecimal() and len(known) < 20 else None


def anchors_after(e: Evidence) -> dict[str, str]:
    """The anchors that the next polls need: of what is open, and of what ended right after it began."""
    over = {facet.name for facet in (*e.ended, *e.begun)}
    anchors = {name: anchor for name, anchor in e.anchors.items() if name not in over}
    for facet in e.begun:
        anchors |= new_anchors(e, facet)
    for facet in FACETS:
        if facet.name not in over and _has_lost_its_origin(e, facet):
            anchors.setdefault(facet.name, str(epoch(facet.of(e.before).since)))
        before = _epoch_before(e, facet)
        anchors.pop(was(facet), None)
        if before is not None and epoch(e.polled) <= before + PIN_TOLERANCE.seconds:
            anchors[was(facet)] = str(before)
    return anchors


def _has_lost_its_origin(e: Evidence, facet: Facet) -> bool:
    """Whether what was taken for the origin of an episode that goes on has turned out to be none."""
    old, new = facet.of(e.before), facet.of(e.after)
    return old is not None and new is not None and old.since is not None and new.since is None
