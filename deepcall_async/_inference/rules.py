"""The evidence rules, as a table: what is seen between two polls, what it proves, and when that was.

`RULES` stands at the end. Each rule reads one agent's `Evidence` and tells what it proves,
without knowing of the others: to add a rule, write a function and a line of the table.
Their order is the order of cause and effect between things told at the same instant.

p is the last good poll that showed the agent, n this one, a the new `avD` where it lies in [p, n].
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from operator import attrgetter
from typing import Any

from attrs import frozen

from deepcall_async._model import (
    PIN_TOLERANCE,
    AgentUpdated,
    Basis,
    Break,
    CallEnded,
    CallStarted,
    Channel,
    CountersReset,
    Transition,
    UnseenActivity,
    evolve,
)

from .episodes import CALL, MOBILE, WEB, Episode, Facet, anchor_of, is_of_another_clock
from .evidence import Evidence, Span, new_anchors
from .spans import end_span, hidden_spans, start_span, talk_span

WATCHED_FIELDS = ("name", "is_occupied", "microphone_permitted", "sip_status")
_watched = attrgetter(*WATCHED_FIELDS)


def tell_ended(e: Evidence) -> Iterator[Transition]:
    """The episode seen at p is gone, or is not the one seen at n."""
    for facet in e.ended:
        episode = facet.of(e.before)
        timed = talk_span(e) if facet is CALL else None
        span = timed or end_span(e, facet)
        was_watched = facet.of(e.after) is None and e.last_shown(facet) == e.polled
        basis = Basis.OBSERVED if was_watched else Basis.INFERRED
        duration = _duration(e, facet, span)
        yield e.tell(
            facet.ended,
            span,
            basis,
            anchor_of(facet, episode, e.anchors),
            duration=e.finding.talk if timed else duration,
            **_particulars(facet, episode),
        )


def _duration(e: Evidence, facet: Facet, span: Span) -> timedelta | None:
    """How long the episode at p lasted; None where its origin is not told, or was told by another clock.

    Nor does anybody know of what ended while its agent had no row.
    """
    episode: Episode = facet.of(e.before)
    was_away = e.last_shown(facet) < e.polled
    if was_away or episode.since is None or is_of_another_clock(facet, episode, e.anchors):
        return None
    return max(span.at - episode.since, timedelta(0))


def tell_begun(e: Evidence) -> Iterator[Transition]:
    """The episode seen at n was not there at p, or is not the one seen there."""
    for facet in e.begun:
        episode = facet.of(e.after)
        basis = Basis.OBSERVED if facet.of(e.before) is None else Basis.INFERRED
        anchor = anchor_of(facet, episode, new_anchors(e, facet))
        yield e.tell(facet.began, start_span(e, facet), basis, anchor, **_particulars(facet, episode))


def _particulars(facet: Facet, episode: Episode) -> dict[str, Any]:
    if isinstance(episode, Break):
        return {"reason": episode.reason}
    return {} if facet is CALL else {"channel": Channel(facet.name)}


def tell_reset(e: Evidence) -> Iterator[Transition]:
    """A call counter fell."""
    if e.finding.is_reset:
        since = e.finding.reset_since
        yield e.tell(CountersReset, Span(e.now, since, e.now), Basis.OBSERVED, e.poll_at(since))


def _has_place(e: Evidence) -> bool:
    """Whether one hidden call has its place among the calls told: none before it, none around it."""
    return e.finding.is_alone and (CALL in e.ended or e.before.call is None)


def _hidden_anchor(e: Evidence) -> str:
    return f"a{e.second(e.available)}" if e.available else f"{e.poll_at(e.finding.since)}.c{e.finding.grown}"


def tell_hidden_call(e: Evidence) -> Iterator[Transition]:
    """The counter holds one call more than were told, and it has its place among them."""
    if e.finding.hidden != 1 or not _has_place(e):
        return
    talk, anchor = (None if CALL in e.ended else e.finding.talk), f"hidden.{_hidden_anchor(e)}"
    started, ended = hidden_spans(e, talk)
    if talk is not None and ended.latest - started.earliest < talk - PIN_TOLERANCE:
        talk = None  # it does not fit: the counter speaks of something else
        started, ended = hidden_spans(e, talk)
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
            UnseenActivity, span, Basis.INFERRED, f"a{e.second(e.available)}", calls=None, talk_time=None
        )


def tell_updated(e: Evidence) -> Iterator[Transition]:
    """A field that is no episode differs from what it said when it was sent last."""
    before, after = _watched(e.before), _watched(e.after)
    if before != after:
        for name, old, new in zip(WATCHED_FIELDS, before, after, strict=True):
            if new is not None and old != new:
                yield from _field_updated(e, name, old)
    for facet in (WEB, MOBILE):
        if _is_of_another_type(e, facet):
            yield _updated(e, facet.field, e.by_now())


def _field_updated(e: Evidence, name: str, old: Any) -> Iterator[Transition]:
    sent = e.unsent.get(name)
    if old is None and sent is not None and sent.value != getattr(e.after, name):
        span = evolve(e.by_now(), earliest=min(sent.at, e.shown))
        yield evolve(_updated(e, name, span), previous=evolve(e.before, **{name: sent.value}))
    elif old is not None:
        yield _updated(e, name, _occupied_span(e) if name == "is_occupied" else e.by_now())


def _updated(e: Evidence, name: str, span: Span) -> Any:
    return e.tell(AgentUpdated, span, Basis.OBSERVED, f"{name}.{e.poll_at(e.shown)}", field=name)


def _occupied_span(e: Evidence) -> Span:
    """An agent is occupied no later than its call begins, and until it is available."""
    if e.after.is_occupied and CALL in e.begun:
        start = start_span(e, CALL)
        return evolve(e.by_now(start.at), latest=start.latest)
    return e.by_now(None if e.after.is_occupied else e.available)


def _is_of_another_type(e: Evidence, facet: Facet) -> bool:
    """Whether a login goes on, but the server calls it something else."""
    old, new = facet.of(e.before), facet.of(e.after)
    if old is None or new is None or facet in e.begun or None in (old.type, new.type):
        return False
    return bool(old.type != new.type)


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
        "name, IsOcc, mic_perm, sip_status or a login's type differs",
        "AgentUpdated",
        "in [p, n]; IsOcc by the origin of the call it led to, and until a",
        "observed",
        tell_updated,
    ),
)
