"""When to poll: a fixed rate, on the event loop's clock."""

from __future__ import annotations

import asyncio
import math

MIN_INTERVAL = 0.1  # seconds between ticks: faster would only load the server, whose clock has whole seconds


class Ticker:
    """A fixed rate: tick n is due at start + n * interval, however long the work between takes.

    Ticks that pass while work runs are skipped, so nothing ever bursts. A tick that nobody asked
    for in time (a busy consumer, a suspended machine) is due once, at once.
    """

    def __init__(self, interval: float) -> None:
        self.interval = interval
        self._start: float | None = None
        self._tick = 0

    async def wait(self) -> float:
        """Wait until the next tick is due; the first one is at once. Returns when the one after it is."""
        now = asyncio.get_running_loop().time()
        if self._start is None:
            self._start = now
        else:
            delay = self._start + self._tick * self.interval - now
            if delay > 0:
                await asyncio.sleep(delay)
                now = asyncio.get_running_loop().time()
            self._tick = max(self._tick, math.floor((now - self._start) / self.interval))
        return self._start + (self._tick + 1) * self.interval

    def advance(self, now: float) -> None:
        """The work of this tick ended at loop time `now`: the next tick is the first one after that."""
        if self._start is not None:
            self._tick = max(self._tick, math.floor((now - self._start) / self.interval)) + 1

    def postpone(self, until: float) -> None:
        """No tick before loop time `until`."""
        if self._start is not None:
            self._tick = max(self._tick, math.ceil((until - self._start) / self.interval))
