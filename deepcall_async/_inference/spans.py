"""When things happened, as exactly as the evidence shows: never more.

An origin tells a start to the second. An end lies before whatever follows it. The talk time a
call added to the counter tells its end from its start.
"""

from __future__ import annotations

from datetime import timedelta

from deepcall_async._model import PIN_TOLERANCE, ROUNDING, AgentState

from .episodes import BREAK, CALL, Facet, is_another_reason
from .evidence import Evidence, Span


def start_span(e: Evidence, facet: Facet) -> Span:
    """Its origin, known to a second. A claim that the poll at p contradicts is clamped."""
    origin, shown = facet.of(e.after).since, e.last_shown(facet)
    if origin is None:
        return Span(e.now, shown, e.now)
    at = min(max(origin, shown), e.now)
    if facet in e.ended and origin < shown and not _is_renamed(e, facet):
        return Span(at, origin - ROUNDING, at)  # it was on at p already, too close to the other to tell
    if origin < shown - PIN_TOLERANCE:
        return Span(e.now, shown, e.now) if _is_renamed(e, facet) else Span(at, shown, e.now)
    return Span(at, max(shown, at - ROUNDING), min(e.now, at + ROUNDING))


def _is_renamed(e: Evidence, facet: Facet) -> bool:
    """Whether p showed a break for another reason, so that this one surely came after p."""
    return facet is BREAK and facet in e.ended and is_another_reason(facet.of(e.before), facet.of(e.after))


def end_span(e: Evidence, facet: Facet) -> Span:
    """By the time its successor began, or the agent was available again."""
    shown = e.last_shown(facet)
    successor = start_span(e, facet) if facet in e.begun else Span(e.now, shown, e.now)
    at, latest = successor.at, successor.latest
    if facet.moves_available and e.available is not None:
        at, latest = (max(shown, min(time, e.available)) for time in (at, latest))
    return Span(at, min(shown, successor.earliest), latest)


def talk_span(e: Evidence) -> Span | None:
    """The end of the call seen at p as its talk time tells it; None where no talk time is surely its own."""
    since = e.before.call.since if e.before.call else None
    talk, bounds = e.finding.talk, end_span(e, CALL)
    if since is None or talk is None or e.finding.hidden:
        return None
    told = since + talk
    if not bounds.earliest - ROUNDING <= told <= bounds.at + ROUNDING:
        return None  # the counter speaks of something else
    at = min(max(told, bounds.earliest, e.last_call), bounds.at)
    return Span(at, max(bounds.earliest, at - ROUNDING), min(bounds.latest, at + ROUNDING))


def hidden_spans(e: Evidence, talk: timedelta | None) -> tuple[Span, Span]:
    """Start and end of one hidden call: between what was seen before it and what was seen after it."""
    lower, not_before = e.finding.since, max(e.last_call, e.finding.since)
    if CALL in e.ended:
        lower, not_before = end_span(e, CALL).earliest, end_span(e, CALL).at
    upper = latest = e.now
    if CALL in e.begun:
        successor = start_span(e, CALL)
        upper, latest = successor.at, successor.latest
    elif e.available is not None and e.shows_wrap_up and e.after.state is AgentState.AVAILABLE:
        upper = latest = e.available  # available ever since, so the call was over by then
    upper, latest = max(upper, not_before), max(latest, not_before)
    length = talk or timedelta(0)
    starts = max(upper - length, not_before)
    latest_start = max(latest - length, not_before)
    return Span(starts, lower, latest_start), Span(upper, min(lower + length, upper), latest)
