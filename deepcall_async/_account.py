"""When a server counts a call, as far as it has shown; and the accounts of what it counted."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import timedelta
from enum import Enum
from functools import lru_cache
from typing import Any

from attrs import field, fields, frozen

from ._evolve import evolve
from ._model import Agent

ZERO = timedelta(0)
VOTES = 3  # contradictions before a phase is ruled out: one may be a lagging replica


class Phase(Enum):
    """When the server counts a call."""

    CALL_START = "call_start"
    CALL_END = "call_end"
    WRAP_UP_END = "wrap_up_end"


ALL_PHASES = tuple(Phase)


@frozen
class Learned:
    """What the floor has taught about its server.

    votes: contradictions found against each phase. shows_wrap_up: an agent was seen occupied right
    after a call, so that one who is not occupied is not in wrap-up either. shows_busy: a row showed a
    call or an occupied agent, so that rows without either are of agents who are not on a call.
    shows_available: a row told since when its agent is available. talk_comes_apart: a call and its talk time
    are counted at different moments.
    """

    votes: Mapping[Phase, int] = field(factory=dict, hash=False)
    shows_wrap_up: bool = False
    shows_busy: bool = False
    shows_available: bool = False
    talk_comes_apart: bool = False

    @property
    def phases(self) -> tuple[Phase, ...]:
        """The phases still possible; when all were contradicted, those that were least."""
        return _possible(tuple(self.votes.get(phase, 0) for phase in ALL_PHASES))

    def taught_by(self, *agents: Agent) -> Learned:
        """What rows teach; this very value where that is nothing new."""
        shows_busy = self.shows_busy or any(a.call is not None or a.is_occupied for a in agents)
        shows_available = self.shows_available or any(a.available_since is not None for a in agents)
        if shows_busy == self.shows_busy and shows_available == self.shows_available:
            return self
        return evolve(self, shows_busy=shows_busy, shows_available=shows_available)

    def against(self, phases: Collection[Phase]) -> Learned:
        """One more contradiction of each of these phases."""
        return evolve(self, votes={phase: self.votes.get(phase, 0) + (phase in phases) for phase in Phase})


@lru_cache(maxsize=16)
def _possible(votes: tuple[int, ...]) -> tuple[Phase, ...]:
    limit = max(VOTES, 1 + min(votes))
    return tuple(phase for phase, against in zip(ALL_PHASES, votes, strict=True) if against < limit)


@frozen(kw_only=True)
class Account:
    """One agent's books over the run, or a whole floor's, in calls.

    grown: by how much the counter grew, also after resets. seen: of that, calls the polls saw.
    hidden: calls nobody saw, told as inferred or counted. prior: calls that ended before the first
    sight and were counted after it. open: growth the phases do not agree on yet.
    talk_grown, talk_told: the growth of the talk time, and of that what told calls account for.
    """

    grown: int = 0
    seen: int = 0
    hidden: int = 0
    prior: int = 0
    open: int = 0
    talk_grown: timedelta = ZERO
    talk_told: timedelta = ZERO

    @property
    def residual(self) -> int:
        """Growth that nothing explains; negative when the server did not count calls that were seen."""
        return self.grown - self.seen - self.hidden - self.prior - self.open

    def settled(self, seen: int, hidden: int, prior: int, talk: timedelta) -> Account:
        """The account after a window that balances."""
        return evolve(
            self,
            open=0,
            seen=self.seen + seen,
            hidden=self.hidden + hidden,
            prior=self.prior + prior,
            talk_told=add(self.talk_told, talk),
        )

    def __add__(self, other: Account) -> Account:
        return Account(
            **{f.name: add(getattr(self, f.name), getattr(other, f.name)) for f in fields(Account)}
        )


def add(a: Any, b: Any) -> Any:
    """The sum of two counts, or of two durations as far as Python can tell them."""
    try:
        return a + b
    except OverflowError:
        return timedelta.max if b > ZERO else timedelta.min
