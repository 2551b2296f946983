"""Whether two readings are of one origin."""

from __future__ import annotations

from datetime import datetime

from attrs import frozen

from deepcall_async._model import PIN_TOLERANCE, ROUNDING, STRAY


@frozen
class Between:
    """The time between the last poll that showed an agent and this one.

    polled, now: the server's time at either. available: the new `avD` where it lies between them.
    is_behind: the server's clock was set back, and shows less than what it has stored. Then it sends an
    elapsed time of 0 for whatever lies ahead of it.
    """

    polled: datetime
    now: datetime
    available: datetime | None = None
    is_behind: bool = False

    def says_nothing(self, origin: datetime) -> bool:
        """Whether an origin may have been read from an elapsed time that does not tick."""
        return self.is_behind and origin >= self.now - ROUNDING

    def stands_still(self, pinned: datetime, seen: datetime) -> bool:
        """Whether an elapsed time was nothing at both polls, so that there is no origin in it."""
        was_nothing = abs(pinned - self.polled) <= ROUNDING
        return was_nothing and seen >= self.now - ROUNDING and self.now - self.polled > PIN_TOLERANCE


def is_same_origin(pinned: datetime, seen: datetime, between: Between) -> bool:
    """Whether a reading is the pinned origin again.

    A later reading is another episode, unless it may have strayed, or says nothing: a true origin is still
    there at the next poll. An agent who became available in between, and before the new origin, leaves no
    doubt. An origin cannot move into the past: an earlier reading is a correction of the server's, unless
    the pinned one lies ahead of a clock that was set back. Nor did it move, whatever it says, to before the
    last poll, which showed the pinned one: then the clock was set.
    """
    if abs(seen - pinned) <= PIN_TOLERANCE or between.stands_still(pinned, seen):
        return True
    if pinned > between.now:
        return between.says_nothing(seen)
    if seen < pinned or seen < between.polled - STRAY:
        return True
    if between.available is not None and pinned < between.available <= seen + PIN_TOLERANCE:
        return False
    return seen <= pinned + STRAY or between.says_nothing(seen)
