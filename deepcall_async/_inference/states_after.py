"""The state each transition leads to: what one agent's transitions, in order of time, make of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import attrgetter
from typing import Any

from deepcall_async._model import (
    Agent,
    AgentRemoved,
    AgentUpdated,
    Break,
    BreakEnded,
    BreakStarted,
    Call,
    CallEnded,
    CallStarted,
    Channel,
    LoggedIn,
    LoggedOut,
    Login,
    Transition,
    evolve,
)

from .episodes import Episode

_when = attrgetter("at")
_LOGIN = {Channel.WEB: "login", Channel.MOBILE: "mobile_login"}


def with_states(before: Agent, after: Agent, told: Iterable[Transition]) -> Iterator[Transition]:
    """One agent's transitions between two polls, with the states they lead to.

    Of one instant, what is seen of the agent's fields counts first, though it is told in its place: a call
    without wrap-up leaves its agent available at once.
    """
    agent = before if before.is_occupied is not None else evolve(before, is_occupied=after.is_occupied)
    for _, instant in groupby(sorted(told, key=_when), key=_when):
        together = list(instant)
        seen = [transition.field for transition in together if isinstance(transition, AgentUpdated)]
        agent = evolve(agent, **{name: getattr(after, name) for name in seen})
        for transition in together:
            agent = evolve(agent, **_changes(transition, after))
            state = None if isinstance(transition, AgentRemoved) else agent.state
            yield evolve(transition, state_after=state)


def _changes(transition: Transition, after: Agent) -> dict[str, Any]:
    """The episode of the agent that a transition begins or ends."""
    unseen: Episode
    match transition:
        case LoggedIn(channel=channel) | LoggedOut(channel=channel):
            name, unseen = _LOGIN[channel], Login()
        case BreakStarted(reason=reason) | BreakEnded(reason=reason):
            name, unseen = "on_break", Break(reason)
        case CallStarted() | CallEnded():
            name, unseen = "call", Call()
        case _:
            return {}
    is_over = isinstance(transition, LoggedOut | BreakEnded | CallEnded)
    return {name: None if is_over else getattr(after, name) or unseen}
