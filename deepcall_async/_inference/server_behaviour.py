"""What is learned of how this server counts, and what it shows."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import lru_cache

from attrs import field, frozen

from deepcall_async._model import ALL_PHASES, Agent, Phase, evolve

VOTES = 3  # contradictions before a phase is ruled out: one may be a lagging replica


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
