"""What can happen on a floor: a closed union of frozen classes, for `match`.

Every transition says who (`agent`, `previous`), when (`at`, certainly within
[`earliest`, `latest`]) and how it is known (`basis`). Its `id` is computed from the fact,
not from the poll that showed it, so two pollers, a restart and a replay agree on it
wherever the wire tells the fact's origin.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import Enum
from hashlib import sha256
from typing import ClassVar

from attrs import frozen

from .snapshot import Agent, AgentState


class Basis(Enum):
    """How a transition is known, from the strongest to the weakest."""

    OBSERVED = "observed"  # the polls saw the agent before and after it
    INFERRED = "inferred"  # no poll saw it, but origins and counters prove it
    COUNTED = "counted"  # only a number is known: so many, somewhere in the span


class Channel(Enum):
    """Where an agent logs in. Wire: `l` is web, `ml` is mobile."""

    WEB = "web"
    MOBILE = "mobile"


@frozen(kw_only=True)
class _Transition:
    """What every transition has.

    id: the same for the same fact, at most 255 printable ASCII characters.
    at: the best estimate; where only bounds are known, `latest`: by then it had happened.
    earliest, latest: the bounds, `earliest <= at <= latest`, on the server's clock; as the server
        rounds to seconds, the truth lies within one second of them.
    agent: as the poll that told it showed it; for a removal, as it was last known. All transitions of one
        update share it: who hung up and is on the next call by then has an `agent` that is on a call.
    previous: the agent at the poll before; None when it was not on the floor.
    state_after: the state that the transition itself led to; None for a removal.
    """

    kind: ClassVar[str]

    id: str
    at: datetime
    earliest: datetime
    latest: datetime
    basis: Basis
    agent: Agent
    previous: Agent | None
    state_after: AgentState | None = None


@frozen(kw_only=True)
class AgentAdded(_Transition):
    """An agent came into view, in the state `agent` shows."""

    kind = "agent_added"


@frozen(kw_only=True)
class AgentRemoved(_Transition):
    """An agent left the view: its row is gone. What it was doing is not known to have ended."""

    kind = "agent_removed"


@frozen(kw_only=True)
class LoggedIn(_Transition):
    """A login began on `channel`."""

    kind = "logged_in"
    channel: Channel


@frozen(kw_only=True)
class LoggedOut(_Transition):
    """A login ended. duration: of the login, at its best estimate; None when its origin is unknown."""

    kind = "logged_out"
    channel: Channel
    duration: timedelta | None


@frozen(kw_only=True)
class BreakStarted(_Transition):
    """A break began. reason: the server's word, None when not sent."""

    kind = "break_started"
    reason: str | None


@frozen(kw_only=True)
class BreakEnded(_Transition):
    """A break ended. duration: at its best estimate; None when its origin is unknown."""

    kind = "break_ended"
    reason: str | None
    duration: timedelta | None


@frozen(kw_only=True)
class CallStarted(_Transition):
    """A call began."""

    kind = "call_started"


@frozen(kw_only=True)
class CallEnded(_Transition):
    """A call ended.

    duration: its talk time where the counters give it, else the best estimate; None when unknown.
    """

    kind = "call_ended"
    duration: timedelta | None


@frozen(kw_only=True)
class UnseenActivity(_Transition):
    """Something happened between the polls that cannot be told apart further.

    calls: that many calls began and ended; None: a break or an unanswered ring, nobody can tell.
    talk_time: of those calls together; None when not known.
    """

    kind = "unseen_activity"
    calls: int | None
    talk_time: timedelta | None


@frozen(kw_only=True)
class AgentUpdated(_Transition):
    """One field that is no episode changed: `field` names it, `previous` and `agent` hold its values."""

    kind = "agent_updated"
    field: str


@frozen(kw_only=True)
class CountersReset(_Transition):
    """The agent's call counters fell: the server began a new period."""

    kind = "counters_reset"


Transition = (
    AgentAdded
    | AgentRemoved
    | LoggedIn
    | LoggedOut
    | BreakStarted
    | BreakEnded
    | CallStarted
    | CallEnded
    | UnseenActivity
    | AgentUpdated
    | CountersReset
)

TRANSITION_TYPES: tuple[type[Transition], ...] = Transition.__args__


def in_order(transitions: Iterable[Transition]) -> tuple[Transition, ...]:
    """Sorted by time, then agent id; one agent's at the same instant stay in causal order."""
    return tuple(sorted(transitions, key=lambda transition: (transition.at, transition.agent.id)))


def fact_id(scope: str, agent_id: str, kind: str, anchor: str) -> str:
    """The id of a fact: whose, which agent's, what, and what tells it from others of its kind.

    Of these only the first may hold a colon, so that two accounts and their agents never make one id.
    """
    whose = f"{_plain(scope)}:" if scope else ""
    who = _digest(agent_id) if ":" in agent_id else _plain(agent_id)
    return f"{whose}{who}:{kind}:{anchor}"


def _plain(name: str) -> str:
    """A name as it is; a digest of one too long or too strange to stand in an id."""
    return name if len(name) <= 80 and name.isascii() and name.isprintable() else _digest(name)


def _digest(name: str) -> str:
    return sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:32]
