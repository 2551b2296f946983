"""The rival: an honest poll-and-compare client, as most bots have one.

It compares what two polls show, stamps the poll's time on what differs, and its clock is perfect.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple


class Told(NamedTuple):
    """One change as the naive client tells it."""

    kind: str
    agent: str
    at: float


SIDES = {
    "l": ("logged_in web", "logged_out web"),
    "ml": ("logged_in mobile", "logged_out mobile"),
    "liC": ("call_started", "call_ended"),
    "br": ("break_started", "break_ended"),
}


class NaiveClient:
    """Keeps the last reply's rows by agent id."""

    def __init__(self) -> None:
        self._rows: dict[str, dict[str, Any]] | None = None

    def receive(self, body: bytes, now: float) -> list[Told]:
        """What differs from the last reply."""
        rows = {row["I"]: row for row in json.loads(body)["message"]["pr"]}
        before, self._rows = self._rows, rows
        if before is None:
            return []
        told = [Told("agent_added", agent, now) for agent in rows.keys() - before.keys()]
        told += [Told("agent_removed", agent, now) for agent in before.keys() - rows.keys()]
        for agent in rows.keys() & before.keys():
            for key, (began, ended) in SIDES.items():
                was, is_ = (
                    shown.get(key) not in (None, "No", "", [], {}) for shown in (before[agent], rows[agent])
                )
                if was != is_:
                    told.append(Told(began if is_ else ended, agent, now))
        return told
