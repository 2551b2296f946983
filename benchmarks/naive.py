"""The rival: an honest poll-and-compare client, as most bots have one.

It compares what two polls show, stamps the poll's time on what differs, and its clock is perfect.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

loads: Any = json.loads
try:
    import orjson
except ImportError:
    pass  # it only takes longer
else:
    loads = orjson.loads


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


NOTHING: tuple[Any, ...] = (None, "No", "", [], {})


class NaiveClient:
    """Keeps, by agent id, which sides were on in the last reply."""

    def __init__(self) -> None:
        self._seen: dict[str, list[bool]] | None = None

    def receive(self, body: bytes, now: float) -> list[Told]:
        """What differs from the last reply."""
        rows = loads(body)["message"]["pr"]
        seen = {row["I"]: [row.get(side) not in NOTHING for side in SIDES] for row in rows}
        before, self._seen = self._seen, seen
        if before is None:
            return []
        told = [Told("agent_added", agent, now) for agent in seen.keys() - before.keys()]
        told += [Told("agent_removed", agent, now) for agent in before.keys() - seen.keys()]
        for agent in [agent for agent, sides in seen.items() if sides != before.get(agent, sides)]:
            for kinds, was, is_ in zip(SIDES.values(), before[agent], seen[agent], strict=True):
                if was != is_:
                    told.append(Told(kinds[not is_], agent, now))
        return told
