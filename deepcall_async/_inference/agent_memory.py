"""What is remembered of an agent between two polls.

Nearly every agent is *at rest*: its books are balanced and closed, every origin is known, it waits for
nothing. Then its memory follows from the `Agent` and a few numbers, which are kept as a `Rest`: a plain
tuple, through which Python's garbage collector need not walk, however many agents a service watches.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from operator import attrgetter
from typing import Any

from attrs import fields, frozen

from deepcall_async._model import ZERO, Account, Agent, epoch

from .call_books import NO_CLAIMS, NOTHING_YET, Tally, first_sight
from .episodes import FACETS
from .server_behaviour import Learned

NO_ANCHORS: Mapping[str, str] = {}  # one for all: nearly every episode has an origin


@frozen
class Sent:
    """What a field said when it was sent last, and the server's time then."""

    value: Any
    at: datetime


NOTHING_UNSENT: Mapping[str, Sent] = {}  # one for all


@frozen(kw_only=True)
class Memory:
    """What is remembered of one agent.

    agent: its last known state, origins pinned. available_since: the last `avD` sent.
    awaits_available: it was busy, and `avD` has not moved since. anchors: see `Evidence`.
    last_call: when the last call transition was told for. unread_since: the last poll that showed
    its row, when later ones could not be read. gone_since: the last that did before it logged out of view.
    unsent: fields that the last row left out, with what earlier ones said.
    """

    agent: Agent
    tally: Tally
    available_since: datetime | None
    awaits_available: bool
    anchors: Mapping[str, str] = NO_ANCHORS
    last_call: datetime
    unread_since: datetime | None = None
    gone_since: datetime | None = None
    unsent: Mapping[str, Sent] = NOTHING_UNSENT

    @property
    def is_away(self) -> bool:
        """Whether no row of the agent could be read in the last reply."""
        return self.unread_since is not None or self.gone_since is not None

    @property
    def is_restless(self) -> bool:
        """Whether the agent may need a look without any news: its row is unreadable, or its books are open.

        Whoever logged out of view needs none: only a row can bring news of them.
        """
        return self.unread_since is not None or (self.gone_since is None and self.tally.is_open)


def remember(agent: Agent, now: datetime, learned: Learned) -> Memory:
    """The memory of an agent at first sight."""
    undated, is_wrapping_up = _undated(agent), _may_wrap_up(agent, learned)
    return Memory(
        agent=agent,
        tally=first_sight(agent, now, may_wrap_up=is_wrapping_up),
        available_since=agent.available_since,
        awaits_available=is_busy(agent) or is_wrapping_up,
        anchors={name: f"b{epoch(now)}" for name in undated} if undated else NO_ANCHORS,
        last_call=now,
    )


def _may_wrap_up(agent: Agent, learned: Learned) -> bool:
    """Whether a call may be over, and not counted yet: its agent is occupied, or not said to be available."""
    if agent.call is not None:
        return False
    is_here = agent.is_logged_in and agent.on_break is None
    return bool(agent.is_occupied) or (learned.shows_available and is_here and agent.available_since is None)


def _undated(agent: Agent) -> list[str]:
    """The facets on which an episode runs whose origin is not told."""
    return [facet.name for facet in FACETS if (seen := facet.of(agent)) is not None and seen.since is None]


def is_busy(agent: Agent) -> bool:
    return agent.call is not None or bool(agent.is_occupied)


# --- at rest ----------------------------------------------------------------------------------------

Rest = tuple[Any, ...]  # last_call, the tally's `watched`, and the numbers of its account
_NAMES = tuple(part.name for part in fields(Account))
_numbers = attrgetter(*_NAMES)
_NOTHING_YET = _numbers(NOTHING_YET)


def first_rest(now: datetime) -> Rest:
    """What is kept of those who are at rest at first sight: one for all."""
    return now, now, *_NOTHING_YET


def rests_at_first_sight(agent: Agent, learned: Learned) -> bool:
    """Whether `to_rest` would find it at rest."""
    return not (_may_wrap_up(agent, learned) or _undated(agent))


def to_rest(memory: Memory) -> Rest | None:
    """What is kept of an agent at rest; None when it is not."""
    agent, tally = memory.agent, memory.tally
    if memory.is_away or memory.anchors or memory.unsent or memory.available_since != agent.available_since:
        return None
    if memory.awaits_available != is_busy(agent) or not _is_closed(tally):
        return None
    if (tally.calls, tally.talk) != (agent.calls, agent.talk_time):
        return None
    return memory.last_call, tally.watched, *_numbers(tally.account)


def _is_closed(tally: Tally) -> bool:
    """Whether its books begin anew with what the counters show."""
    if tally.base != (tally.calls or 0) or tally.base_talk != (tally.talk or ZERO):
        return False
    under_way = (
        tally.begun,
        tally.ended,
        tally.late,
        tally.prior,
        tally.lost,
        tally.owed,
        tally.waited,
        tally.claims,
    )
    return not (any(under_way) or tally.is_open or tally.vanished or tally.since)


def from_rest(agent: Agent, rest: Rest) -> Memory:
    """The memory of an agent at rest."""
    last_call, watched, *_ = rest
    tally = Tally(
        calls=agent.calls,
        talk=agent.talk_time,
        watched=watched,
        base=agent.calls or 0,
        base_talk=agent.talk_time or ZERO,
        claims=NO_CLAIMS,
        account=account_at_rest(rest),
    )
    return Memory(
        agent=agent,
        tally=tally,
        available_since=agent.available_since,
        awaits_available=is_busy(agent),
        last_call=last_call,
    )


def account_at_rest(rest: Rest) -> Account:
    """The account of an agent at rest."""
    numbers = rest[2:]
    return NOTHING_YET if numbers == _NOTHING_YET else Account(**dict(zip(_NAMES, numbers, strict=True)))
