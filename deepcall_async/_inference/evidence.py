"""What two polls show of one agent: the facets on which episodes begin and end, and the evidence for both.

p is the last good poll that showed the agent, n this one, a the new `avD` where it lies in [p, n].
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from attrs import define, field, frozen

from deepcall_async._model import PIN_TOLERANCE, Agent, Basis, epoch, fact_id

from .call_books import Finding
from .episodes import FACETS, Facet


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
    shown: the last poll before n with the agent's row, which is p unless it was out of view. was_away: there
    was no such row in the last reply; how many polls showed the same second as that one is not known.
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
    was_away: bool = False
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
        if self.was_away and at == self.shown:
            return f"p{self.second(at)}+away"
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


def was(facet: Facet) -> str:
    """Where the anchors keep the origin of an episode that ended right after it began."""
    return f"was {facet.name}"


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
