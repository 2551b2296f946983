"""What an operator should hear of besides the transitions: once when it begins, once when it is over."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from attrs import define

from deepcall_async import Gap, LiveUpdate, Snapshot

from .words import age, plain, stamp, trouble


@define
class Notices:
    """Remembers what has been said, so that an outage of an hour is two lines."""

    _is_begun: bool = False
    _in_outage: bool = False
    _unreadable: frozenset[tuple[str | None, str]] = frozenset()
    _are_more: bool = False

    def of(self, update: LiveUpdate) -> Iterator[str]:
        """The lines this update is worth."""
        if update.gap is not None:
            yield _over(update.gap, "no poll was made" if self._is_begun else "a restart")
        self._is_begun = True
        if update.clock_step is not None:
            yield _set(update.clock_step, update.snapshot.server_time)
        if update.held or (update.outage is not None and not self._in_outage):
            yield f"{stamp(update.snapshot.server_time)}: {trouble(update)}"
        self._in_outage = update.outage is not None
        if not update.is_stale:
            yield from self._quarantined(update.snapshot)

    def _quarantined(self, snapshot: Snapshot) -> Iterator[str]:
        parts = snapshot.quarantined
        for part in parts:
            if (part.agent_id, part.reason) not in self._unreadable:
                yield f"cannot read {part.path}: {part.reason}; its last known value stands"
        more = snapshot.quarantined_count - len(parts)
        if more > 0 and not self._are_more:
            yield f"cannot read {more} more"
        self._are_more = more > 0
        self._unreadable = frozenset((part.agent_id, part.reason) for part in parts)


def _set(step: timedelta, now: datetime) -> str:
    way = "back" if step < timedelta(0) else "ahead"
    return (
        f"{stamp(now)}: the server's clock was set {way} by about {age(abs(step))}; times are now told by it"
    )


def _over(gap: Gap, otherwise: str) -> str:
    why = (
        otherwise if gap.error is None else f"{gap.failures} failed polls, the last: {plain(gap.error, 300)}"
    )
    lasted = age(gap.until - gap.since)
    return f"not watched for {lasted}, from {stamp(gap.since)} to {stamp(gap.until)}: {why}"
