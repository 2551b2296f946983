"""When a server counts a call, as far as it has shown; and the accounts of what it counted."""

from __future__ import annotations

from datetime import timedelta
from enum import Enum
from typing import Any

from attrs import fields, frozen

from .evolve import evolve

ZERO = timedelta(0)


class Phase(Enum):
    """When the server counts a call."""

    CALL_START = "call_start"
    CALL_END = "call_end"
    WRAP_UP_END = "wrap_up_end"


ALL_PHASES = tuple(Phase)


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
