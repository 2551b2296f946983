"""The evidence rules, as a table: what is seen between two polls, what it proves, and when that was.

`RULES` stands at the end. Each rule reads one agent's `Evidence` and tells what it proves,
without knowing of the others: to add a rule, write a function and a line of the table.
Their order is the order of cause and effect between things told at the same instant.

p is the last good poll that showed the agent, n this one, a the new `avD` where it lies in [p, n].
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from attrs import define, field, frozen

from ._clock import PIN_TOLERANCE, ROUNDING, epoch, is_same_origin
from ._ledger import Finding
from ._model import Agent, AgentState, Break, Call, Login
from ._transitions import (
    AgentUpdated,
    Basis,
    BreakEnded,
    BreakStarted,
    CallEnded,
    CallStarted,
    Channel,
    CountersReset,
    LoggedIn,
    LoggedOut,
    Transition,
    UnseenActivity,
    fact_id,
)

Episode = Login | Call | Break


@frozen
class Facet:
    """A side of an agent on which episodes begin and end, one at a time.

    moves_available: whether its end makes the agent available, so that a bounds it from above.
    """

    name: str
    field: str
    began: type[LoggedIn | BreakStarted | CallStarted]
    ended: type[LoggedOut | BreakEnded | CallEnded]
    moves_available: bool

    def of(self, agent: Agent) -> Any:
        """The agent's episode on this side: an `Episode` or None."""
        return getattr(agent, self.field)


WEB = Facet("web", "login", LoggedIn, LoggedOut, moves_available=False)
MOBILE = Facet("mobile", "mobile_login", LoggedIn, LoggedOut, moves_available=False)
BREAK = Facet("break", "on_break", BreakStarted, BreakEnded, moves_available=True)
CALL = Facet("call", "call", CallStarted, CallEnded, moves_available=True)
FACETS = (WEB, MOBILE, BREAK, CALL)

WATCHED_FIELDS = ("name", "is_occupied", "microphone_permitted", "sip_status")


@frozen
class Span:
    """When something happened: the best estimate within its bounds."""

    at: datetime
    earliest: datetime
    latest: datetime


@define(kw_only=True)
class Evidence:
    """Everything known of one agent between p (`polled`) and n (`now`).

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
        """Some time after p: all that is known is when it had happened."""
        latest = max(self.polled, min(latest or self.now, self.now))
        return Span(latest, self.polled, latest)


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


# --- when ---------------------------------------------------------------------------------------


def _start(e: Evidence, facet: Facet) -> Span:
    """Its origin, known to a second. A claim that the poll at p contradicts is clamped."""
    origin = facet.of(e.after).since
    if origin is None:
        return Span(e.now, e.polled, e.now)
    at = min(max(origin, e.polled), e.now)
    if facet in e.ended and origin < e.polled:  # it was on at p already, too close to the other to tell
        return Span(at, origin - ROUNDING, at)
    if origin < e.polled - PIN_TOLERANCE:
        return Span(at, e.polled, e.now)
    return Span(at, max(e.polled, at - ROUNDING), min(e.now, at + ROUNDING))


def _end(e: Evidence, facet: Facet) -> Span:
    """By the time its successor began, or the agent was available again; a call's talk time tells it."""
    successor = _start(e, facet) if facet in e.begun else Span(e.now, e.polled, e.now)
    latest = successor.at
    if facet.moves_available and e.available is not None:
        latest = max(e.polled, min(latest, e.available))
    span = Span(latest, min(e.polled, successor.earliest), latest)
    since, talk = facet.of(e.before).since, _talk_of_ended(e)
    if facet is not CALL or since is None or talk is None:
        return span
    told = since + talk
    if not span.earliest - ROUNDING <= told <= span.latest + ROUNDING:
        return span
    at = min(max(told, span.earliest), span.latest)
    return Span(at, max(span.earliest, at - ROUNDING), min(span.latest, at + ROUNDING))


def _talk_of_ended(e: Evidence) -> timedelta | None:
    """The talk time of the call seen at p, when no other call can own it."""
    return None if e.finding.hidden else e.finding.talk


def _hidden_pair(e: Evidence, talk: timedelta | None) -> tuple[Span, Span]:
    """Start and end of one hidden call: between what was seen before it and what was seen after it."""
    is_after_seen = CALL in e.ended
    lower = _end(e, CALL).earliest if is_after_seen else e.finding.since
    not_before = _end(e, CALL).at if is_after_seen else max(e.last_call, lower)
    upper = e.now
    if CALL in e.begun:
        upper = _start(e, CALL).at
    elif e.available is not None and e.shows_wrap_up and e.after.state is AgentState.AVAILABLE:
        upper = e.available  # available ever since, so the call was over by then
    upper = max(upper, not_before)
    length = talk or timedelta(0)
    starts = max(upper - length, not_before)
    return Span(starts, lower, starts), Span(upper, min(lower + length, upper), upper)


# --- what ---------------------------------------------------------------------------------------


def tell_ended(e: Evidence) -> Iterator[Transition]:
    """The episode seen at p is gone, or is not the one seen at n."""
    for facet in e.ended:
        episode, span = facet.of(e.before), _end(e, facet)
        basis = Basis.OBSERVED if facet.of(e.after) is None else Basis.INFERRED
        duration = None if episode.since is None else max(span.at - episode.since, timedelta(0))
        if facet is CALL and _talk_of_ended(e) is not None and span.earliest != e.polled:
            duration = _talk_of_ended(e)
        yield e.tell(
            facet.ended,
            span,
            basis,
            anchor_of(facet, episode, e.anchors),
            duration=duration,
            **_particulars(facet, episode),
        )


def tell_begun(e: Evidence) -> Iterator[Transition]:
    """The episode seen at n was not there at p, or is not the one seen there."""
    for facet in e.begun:
        episode = facet.of(e.after)
        basis = Basis.OBSERVED if facet.of(e.before) is None else Basis.INFERRED
        anchor = anchor_of(facet, episode, new_anchors(e, facet))
        yield e.tell(facet.began, _start(e, facet), basis, anchor, **_particulars(facet, episode))


def new_anchors(e: Evidence, facet: Facet) -> dict[str, str]:
    """The anchor of an episode that begins now without a usable origin: the poll before it."""
    since = facet.of(e.after).since
    if since is None:
        return {facet.name: f"p{epoch(e.polled)}"}
    if since < e.polled - PIN_TOLERANCE:  # the poll at p contradicts it: it may have been told before
        return {facet.name: f"{epoch(since)}.p{epoch(e.polled)}"}
    return {}


def _particulars(facet: Facet, episode: Episode) -> dict[str, Any]:
    if isinstance(episode, Break):
        return {"reason": episode.reason}
    return {} if facet is CALL else {"channel": Channel(facet.name)}


def tell_reset(e: Evidence) -> Iterator[Transition]:
    """A call counter fell."""
    if e.finding.is_reset:
        since = e.finding.reset_since
        yield e.tell(CountersReset, Span(e.now, since, e.now), Basis.OBSERVED, f"p{epoch(since)}")


def _has_place(e: Evidence) -> bool:
    """Whether one hidden call has its place among the calls told: none before it, none around it."""
    return e.finding.is_alone and (CALL in e.ended or e.before.call is None)


def _hidden_anchor(e: Evidence) -> str:
    return f"a{epoch(e.available)}" if e.available else f"p{epoch(e.finding.since)}.c{e.after.calls}"


def tell_hidden_call(e: Evidence) -> Iterator[Transition]:
    """The counter holds one call more than were told, and it has its place among them."""
    if e.finding.hidden != 1 or not _has_place(e):
        return
    talk, anchor = (None if CALL in e.ended else e.finding.talk), f"hidden.{_hidden_anchor(e)}"
    started, ended = _hidden_pair(e, talk)
    if talk is not None and ended.latest - started.earliest < talk - PIN_TOLERANCE:
        talk = None  # it does not fit: the counter speaks of something else
        started, ended = _hidden_pair(e, talk)
    yield e.tell(CallStarted, started, Basis.INFERRED, anchor)
    yield e.tell(CallEnded, ended, Basis.INFERRED, anchor, duration=talk)


def tell_counted_calls(e: Evidence) -> Iterator[Transition]:
    """The counter holds more calls than were told, and nobody can tell them apart."""
    if e.finding.hidden > 1 or (e.finding.hidden == 1 and not _has_place(e)):
        only_theirs = CALL not in e.ended and e.finding.is_alone
        yield e.tell(
            UnseenActivity,
            Span(e.now, e.finding.since, e.now),
            Basis.COUNTED,
            f"calls.{_hidden_anchor(e)}",
            calls=e.finding.hidden,
            talk_time=e.finding.total_talk if only_theirs else None,
        )


def tell_unseen_activity(e: Evidence) -> Iterator[Transition]:
    """The agent became available anew, and nothing that was seen or counted accounts for it."""
    is_unexplained = e.was_free and e.finding.is_quiet and not e.ended and not e.begun
    if e.available is not None and is_unexplained:
        span = e.by_now(e.available)
        yield e.tell(
            UnseenActivity, span, Basis.INFERRED, f"a{epoch(e.available)}", calls=None, talk_time=None
        )


def tell_updated(e: Evidence) -> Iterator[Transition]:
    """A field that is no episode differs. One that was not sent on either side says nothing."""
    for name in WATCHED_FIELDS:
        old, new = getattr(e.before, name), getattr(e.after, name)
        if old != new and old is not None and new is not None:
            yield e.tell(AgentUpdated, e.by_now(), Basis.OBSERVED, f"{name}.p{epoch(e.polled)}", field=name)


# --- the table ------------------------------------------------------------------------------------


@frozen
class Rule:
    """One line of the evidence table: what is seen, what is said, when that was, and how it is known."""

    seen: str
    said: str
    time: str
    basis: str
    tell: Callable[[Evidence], Iterator[Transition]]


RULES: tuple[Rule, ...] = (
    Rule(
        "a login, break or call is gone at n, or another is there",
        "LoggedOut, BreakEnded, CallEnded",
        "in [p, n]; by the origin of its successor; a break or call by a; a call at its origin + Δtt",
        "observed when gone, inferred when another is there",
        tell_ended,
    ),
    Rule("tC or tt fell", "CountersReset", "in [p, n]", "observed", tell_reset),
    Rule(
        "tC holds one call more than were told",
        "CallStarted, CallEnded",
        "between the calls seen before and after it; over by a if free at n; Δtt long if that is its own",
        "inferred",
        tell_hidden_call,
    ),
    Rule(
        "tC holds k calls more than were told",
        "UnseenActivity(calls=k)",
        "in [p, n]",
        "counted",
        tell_counted_calls,
    ),
    Rule(
        "a in [p, n], free at p, tC and tt as before, nothing else changed",
        "UnseenActivity(calls=None)",
        "in [p, a], over at a",
        "inferred",
        tell_unseen_activity,
    ),
    Rule(
        "a login, break or call is there at n, and was not at p, or its origin moved later by > 2 s",
        "LoggedIn, BreakStarted, CallStarted",
        "its origin ± 1 s, clamped into [p, n]",
        "observed when new, inferred when moved",
        tell_begun,
    ),
    Rule(
        "name, IsOcc, mic_perm or sip_status differs", "AgentUpdated", "in [p, n]", "observed", tell_updated
    ),
)
