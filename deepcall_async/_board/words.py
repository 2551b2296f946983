"""Words and figures for people: short texts from values. Pure, and without rich.

Names and other words come from the wire, so they pass through `plain` before anyone sees them.
Times are shown on the reader's own clock face (the local zone), as told by the server's clock.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import assert_never

from deepcall_async import (
    Agent,
    AgentAdded,
    AgentRemoved,
    AgentState,
    AgentUpdated,
    BreakEnded,
    BreakStarted,
    CallEnded,
    CallStarted,
    CountersReset,
    LiveUpdate,
    LoggedIn,
    LoggedOut,
    Login,
    Snapshot,
    Transition,
    UnseenActivity,
)

STATE_WORDS = {
    AgentState.ON_CALL: "on call",
    AgentState.OCCUPIED: "occupied",
    AgentState.ON_BREAK: "on break",
    AgentState.AVAILABLE: "available",
    AgentState.LOGGED_OUT: "logged out",
}
FIELD_WORDS = {
    "login": "web login by",
    "mobile_login": "mobile login by",
    "is_occupied": "occupied",
    "microphone_permitted": "microphone",
    "sip_status": "SIP",
    "average_talk_time": "average talk",
}
TOTALS_WORDS = {
    "logged_in": "logged in",
    "on_call": "on call",
    "ringing": "ringing",
    "after_call_work": "wrap-up",
    "on_break": "on break",
}
EXACT = timedelta(seconds=2)  # bounds no wider than this are shown as a point in time
_JOINERS = "\u200c\u200d"  # invisible, but part of the spelling of Indic names


def plain(text: object, limit: int = 80) -> str:
    """Text that does nothing but show itself: no control or direction characters, one line, not endless."""
    cut = str(text)[: limit + 1]
    safe = cut if cut.isprintable() else "".join(map(_harmless, cut))
    return safe if len(cut) <= limit else safe[: limit - 1] + "…"


def _harmless(character: str) -> str:
    if character.isspace():
        return " "
    return character if character.isprintable() or character in _JOINERS else "\ufffd"


def age(duration: timedelta) -> str:
    """How long: 0:05, 12:04, 1:02:11, and from a hundred hours on in days: 143 d."""
    total = max(0, int(duration.total_seconds()))
    hours, rest = divmod(total, 3600)
    if hours >= 100:
        return f"{hours // 24} d"
    return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60}:{rest % 60:02}"


def time_of_day(at: datetime) -> str:
    """The local time of day."""
    return f"{at.astimezone():%H:%M:%S}"


def stamp(at: datetime) -> str:
    """The local date and time with its zone, so that the line stands on its own in a log."""
    return at.astimezone().isoformat(sep=" ", timespec="seconds")


def named(agent: Agent) -> str:
    """The name and, as names repeat, the id."""
    return (
        f"{plain(agent.name, 40)} ({plain(agent.id, 20)})" if agent.name else f"agent {plain(agent.id, 20)}"
    )


def channels(agent: Agent) -> str:
    """Where the agent is logged in: "web", "mobile", "web+mob" or nothing."""
    if agent.login and agent.mobile_login:
        return "web+mob"
    return "web" if agent.login else "mobile" if agent.mobile_login else ""


def counts(snapshot: Snapshot) -> str:
    """How many rows there are, and the server's own totals as far as it sends them."""
    sent = ((getattr(snapshot.totals, name), words) for name, words in TOTALS_WORDS.items())
    told = [f"{count} {words}" for count, words in sent if count is not None]
    return " · ".join([f"{len(snapshot.agents)} agents", *told])


def when(transition: Transition) -> str:
    """The time of day, with a ~ before it when the evidence leaves it open by more than `EXACT`."""
    approximate = transition.latest - transition.earliest > EXACT
    return ("~" if approximate else "") + time_of_day(transition.at)


def describe(transition: Transition) -> str:  # noqa: C901, PLR0911  # one case for each kind
    """What happened, in a few words, without who and when."""
    match transition:
        case AgentAdded(agent=agent):
            return f"came into view, {STATE_WORDS[agent.state]}"
        case AgentRemoved():
            return "is gone from view"
        case LoggedIn(channel=channel):
            return f"logged in ({channel.value})"
        case LoggedOut(channel=channel, duration=duration):
            return f"logged out ({channel.value}){_after(duration)}"
        case BreakStarted(reason=reason):
            return f"break began{_because(reason)}"
        case BreakEnded(reason=reason, duration=duration):
            return f"break ended{_after(duration)}{_because(reason)}"
        case CallStarted():
            return "call began"
        case CallEnded(duration=duration):
            return f"call ended{_after(duration)}"
        case UnseenActivity(calls=calls, talk_time=talk_time):
            return _unseen(calls, talk_time)
        case AgentUpdated(field=field):
            return _updated(field, transition.previous, transition.agent)
        case CountersReset():
            return "call counters began anew"
        case _:
            assert_never(transition)


def line(transition: Transition) -> str:
    """One transition as a line of a log: date, time and zone, who, what, and how it is known."""
    bounds = transition.latest - transition.earliest
    known = transition.basis.value + (f", within {age(bounds)}" if bounds > EXACT else "")
    return f"{stamp(transition.at)}  {named(transition.agent)}: {describe(transition)} [{known}]"


def trouble(update: LiveUpdate) -> str | None:
    """Why this update's snapshot is old; None when it is not."""
    if update.held:
        return f"the answer is not believed yet: {plain('; '.join(update.held), 300)}"
    if update.outage is not None:
        failures = update.outage.failures
        polls = "poll has" if failures == 1 else "polls have"
        return f"{failures} {polls} failed: {plain(update.outage.error, 300)}"
    return None


def _after(duration: timedelta | None) -> str:
    return "" if duration is None else f" after {age(duration)}"


def _because(reason: str | None) -> str:
    return "" if reason is None else f": {plain(reason, 40)}"


def _unseen(calls: int | None, talk_time: timedelta | None) -> str:
    if calls is None:
        return "unseen break or ring"
    talked = "" if talk_time is None else f", {age(talk_time)} talk"
    return f"{calls} unseen {'call' if calls == 1 else 'calls'}{talked}"


def _updated(field: str, before: Agent | None, after: Agent) -> str:
    old, new = _value(getattr(before, field, None)), _value(getattr(after, field, None))
    return f"{FIELD_WORDS.get(field, field.replace('_', ' '))}: {old} → {new}"


def _value(value: object) -> str:
    if value is None:
        return "unknown"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return time_of_day(value)
    if isinstance(value, Login):
        return _value(value.type)
    return age(value) if isinstance(value, timedelta) else plain(value, 40)
