"""What a stream writes to the log: each trouble as it begins, as its cause changes, and as it is over.

So an outage of an hour is two lines. Times are the server's.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Hashable
from datetime import datetime

from deepcall_async._floor import LiveUpdate
from deepcall_async._model import DeepcallError

from .log import AccountLog


class Journal:
    """Watches the updates of one stream."""

    def __init__(self, log: AccountLog) -> None:
        self._outage = _Trouble(log, "polls fail", "polls succeed again, after %d that failed in %s")
        self._held = _Trouble(
            log, "replies are not believed", "replies are believed again, after %d that were not in %s"
        )
        self._unread = _Trouble(
            log, "parts of replies cannot be read", "replies can be read whole again, after %d in %s"
        )

    def note(self, update: LiveUpdate) -> None:
        """Write what an operator should know of an update: of most, nothing."""
        now = update.snapshot.server_time
        if update.outage is not None:
            error = update.outage.error
            self._outage.goes_on(now, _kind(error), str(error), error=error, failures=update.outage.failures)
            return
        self._outage.is_over(now)
        if update.held:
            self._held.goes_on(now, update.held, ", ".join(update.held), held=update.held)
            return
        self._held.is_over(now)
        if parts := update.snapshot.quarantined:
            first = f"{len(parts)}, the first {parts[0].path}: {parts[0].reason}"
            self._unread.goes_on(now, "whatever it is", first, quarantined=len(parts))
        else:
            self._unread.is_over(now)


class _Trouble:
    """One kind of trouble, and how often it was seen since it began.

    begins, ends: what to say. The latter is given how many ticks and how long.
    """

    def __init__(self, log: AccountLog, begins: str, ends: str) -> None:
        self._log, self._begins, self._ends = log, begins, ends
        self._since: datetime | None = None
        self._cause: Hashable = None
        self._count = 0

    def goes_on(self, now: datetime, cause: Hashable, told: str, **extra: object) -> None:
        """It was seen again, at the server's time of the last good reply."""
        self._count += 1
        self._since = self._since or now
        if cause != self._cause:
            self._cause = cause
            self._log(
                logging.WARNING, f"{self._begins} since %s UTC: %s", f"{self._since:%H:%M:%S}", told, **extra
            )

    def is_over(self, now: datetime) -> None:
        """It was not seen in a good reply."""
        if self._since is not None:
            self._log(logging.INFO, self._ends, self._count, now - self._since)
            self._since, self._cause, self._count = None, None, 0


def _kind(error: DeepcallError) -> Hashable:
    """What makes two failures one cause: numbers in a text, as a time that was left, do not."""
    code = getattr(error, "code", None) or getattr(error, "status", None)
    return type(error), code or re.sub(r"\d+", "", str(error))
