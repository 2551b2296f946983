"""What truly happened on a floor, and what its bare replies show of it: what the oracle judges by.

It knows neither the simulator nor the package. Facts are whatever looks like a `Happening`; replies are JSON,
read with as little understanding as will do.
"""

from __future__ import annotations

import json
import math
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, Protocol

from attrs import define, field, frozen

FACETS = {"web": "l", "mobile": "ml", "break": "br", "call": "liC"}
FIELDS = {
    "name": "nm",
    "is_occupied": "IsOcc",
    "microphone_permitted": "mic_perm",
    "sip_status": "sip_status",
}
LOGINS = ("web", "mobile")
NOTHING: tuple[Any, ...] = (None, "No", "", [], {})
PINNED = 2  # seconds: an origin that moves by no more is the same
EMPTY_FOR = 30.0  # seconds, and replies, that a floor must be empty to be believed
EMPTY_REPLIES = 3


class Happening(Protocol):
    """A fact of the true history."""

    @property
    def at(self) -> float: ...
    @property
    def agent(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def channel(self) -> str | None: ...
    @property
    def reason(self) -> str | None: ...
    @property
    def field(self) -> str | None: ...
    @property
    def value(self) -> str | bool | None: ...
    @property
    def step(self) -> int | None: ...


@frozen(kw_only=True)
class Server:
    """What must be said of the server, as no reply says it.

    counts_at: when `tC` counts a call. unsure: seconds that a reading of an origin can be off by.
    hides_zero: counters are left out while they are zero. covers_rows: the totals count the rows.
    """

    counts_at: Literal["call_start", "call_end", "wrap_up_end"] = "call_end"
    unsure: int = 0
    hides_zero: bool = True
    covers_rows: bool = True


# --- replies ----------------------------------------------------------------------------------------


@frozen
class Glimpse:
    """What one row carries. on: by facet, the origin and the reason of what is on, None where not said."""

    on: Mapping[str, tuple[int | None, str | None]]
    available: int | None
    calls: int
    values: Mapping[str, str]


@define
class Poll:
    """One reply. at: the true time. rows: by agent id.

    is_void: it says nothing, as somebody spoilt it, or as nobody would believe it yet.
    is_sure: nobody would want it confirmed. doubt: why somebody would, as far as another reply helps.
    unidentified: rows without an id. off_by: how far the totals are from the rows, at most.
    """

    at: float
    rows: dict[str, Glimpse] = field(factory=dict)
    is_void: bool = False
    is_sure: bool = True
    doubt: str = ""
    unidentified: int = 0
    off_by: int = 0


def read(body: bytes, at: float, clock: float) -> Poll:
    """Read a reply that nobody spoilt. at: the true time. clock: what the server's clock showed."""
    poll, message = Poll(at), json.loads(body)["message"]
    for row in message["pr"]:
        if row["I"] is None:
            poll.unidentified += 1
        else:
            poll.rows[row["I"]] = _glimpse(row, math.floor(clock))
    totals = {"l": "lA", "liC": "oCA", "br": "oBA"}
    shown = {key: sum(row.get(key) not in NOTHING for row in message["pr"]) for key in totals}
    poll.off_by = max(abs(int(message[total]) - shown[key]) for key, total in totals.items())
    return poll


def _glimpse(row: Mapping[str, Any], clock: int) -> Glimpse:
    available = None if row.get("avD") is None else int(row["avD"])
    own = clock if available is None else available + _seconds(row["avT"])
    now = own if abs(own - clock) <= PINNED else clock
    on = {
        facet: (_origin(row[key], now), _word(row[key]))
        for facet, key in FACETS.items()
        if row.get(key) not in NOTHING
    }
    values = {name: str(row[key]) for name, key in FIELDS.items() if key in row}
    return Glimpse(on, available, int(row.get("tC") or 0), values)


def _origin(shown: Any, now: int) -> int | None:
    is_said = isinstance(shown, dict) and "duration" in shown
    return now - _seconds(shown["duration"]) if is_said else None


def _word(shown: Any) -> str | None:
    word = shown.get("type") if isinstance(shown, dict) else shown
    return word if isinstance(word, str) else None


def _seconds(elapsed: Any) -> int:
    if isinstance(elapsed, int):
        return elapsed
    parts = elapsed.split(":") if isinstance(elapsed, str) else elapsed
    return sum(int(part) * unit for part, unit in zip(parts, (3600, 60, 1), strict=True))


# --- the truth --------------------------------------------------------------------------------------


@define
class Episode:
    """A login, break, call, ring or wrap-up; a time on the floor or in a group. end: infinite if it lasts."""

    start: float
    end: float = math.inf
    reason: str | None = None

    def is_on(self, at: float) -> bool:
        """Whether it is on at this instant."""
        return self.start <= at < self.end


class Agent:
    """One agent's true history. counted: by call, when the counter takes it up."""

    def __init__(self, agent: str, facts: Iterable[Happening], server: Server) -> None:
        self.id = agent
        self.episodes: dict[str, list[Episode]] = defaultdict(list)
        self.resets: list[float] = []
        self.updates: list[tuple[str, float]] = []
        self.moments: list[float] = []  # of any fact at all
        for fact in facts:
            self._enter(fact)
        self.calls = self.episodes["call"]
        wrap_ups = {episode.start: episode.end for episode in self.episodes["wrap_up"]}
        self.counted = [_counted(call, wrap_ups, server) for call in self.calls]

    def _enter(self, fact: Happening) -> None:
        self.moments.append(fact.at)
        name, _, stage = fact.kind.rpartition("_")
        name = {"agent": "floor", "group": f"group {fact.value}"}.get(name, fact.channel or name)
        match stage:
            case "started" | "in" | "added" | "joined":
                self.episodes[name].append(Episode(fact.at, reason=fact.reason))
            case "ended" | "out" | "removed" | "left":
                self._end(self.episodes[name], fact.at)
            case "updated":
                self.updates.append((str(fact.field), fact.at))
            case "reset":
                self.resets.append(fact.at)

    @staticmethod
    def _end(episodes: list[Episode], at: float) -> None:
        if not episodes or episodes[-1].end < math.inf:
            episodes.append(Episode(-math.inf))
        episodes[-1].end = at

    def at(self, facet: str, at: float) -> int | None:
        """Which of a facet's episodes is on."""
        own = self.episodes[facet]
        place = bisect_right(own, at, key=lambda episode: episode.start) - 1
        return place if place >= 0 and own[place].is_on(at) else None

    def is_free(self, at: float) -> bool:
        """Whether nothing is on that a counter may still have to take up."""
        return all(self.at(side, at) is None for side in ("ring", "call", "wrap_up"))

    def is_reset(self, since: float, until: float, server: Server) -> bool:
        """Whether the counter began anew in between; or earlier, and nothing has shown it by `until`.

        A counter that is left out while it is zero hides its reset until it is seen to be smaller.
        """
        resets = [at for at in self.resets if at <= until]
        earlier, last = [0.0, 0.0, *resets][-2:]
        if not last or not server.hides_zero or last > since:
            return last > since
        before, after = (sum(a < at <= b for at in self.counted) for a, b in ((earlier, last), (last, until)))
        return after >= before and not any(last < at <= since for at in self.counted)


def _counted(call: Episode, wrap_ups: Mapping[float, float], server: Server) -> float:
    if server.counts_at == "call_start":
        return call.start
    return wrap_ups.get(call.end, call.end) if server.counts_at == "wrap_up_end" else call.end


# --- what can be relied on --------------------------------------------------------------------------


@define
class Run:
    """Replies in a row that show the same. first, last: the first and the last of them.

    doubts: the runs right before it that need not be believed, but may be.
    """

    state: Any
    first: int
    last: int
    is_sure: bool
    doubts: list[Run] = field(factory=list)


def runs(shown: Iterable[tuple[int, Any]], polls: Sequence[Poll]) -> list[Run]:
    """The runs that can be relied on: with a sure reply, or of two that are doubtful for the same reason.

    Each doubt needs a witness of its own.
    """
    every: list[Run] = []
    for place, state in shown:
        if every and every[-1].state == state:
            is_witness = polls[place].is_sure or polls[place].doubt == polls[every[-1].last].doubt
            every[-1].last, every[-1].is_sure = place, every[-1].is_sure or is_witness
        else:
            every.append(Run(state, place, place, polls[place].is_sure))
    sure: list[Run] = []
    doubts: list[Run] = []
    for run in every:
        if not run.is_sure:
            doubts.append(run)
            continue
        if sure and sure[-1].state == run.state:
            sure[-1].last = run.last
        else:
            run.doubts = doubts
            sure.append(run)
        doubts = []
    return sure


def mark_sure(
    polls: Sequence[Poll], agents: Mapping[str, Agent], steps: Sequence[float], server: Server
) -> None:
    """Say which replies a careful client may want confirmed, and which empty floors it need not believe."""
    good = [poll for poll in polls if not poll.is_void]
    empty: list[float] = []  # since when the floor is, reply by reply
    before = believed = Poll(-math.inf)
    for number, poll in enumerate(good):
        is_settled = server.covers_rows or (number >= EMPTY_REPLIES and poll.at - good[0].at > 2 * EMPTY_FOR)
        poll.doubt = _doubt(before, poll, agents, steps, server) or ("" if is_settled else "begins")
        since_believed = _doubt(believed, poll, agents, steps, server)
        if not poll.doubt and since_believed != before.doubt:  # else it is what confirms the one before
            poll.doubt = since_believed
        poll.is_sure = not poll.doubt
        empty = [] if poll.rows or poll.unidentified else [*empty, poll.at]
        if empty:
            poll.is_sure = len(empty) >= EMPTY_REPLIES and poll.at - empty[0] >= EMPTY_FOR
            poll.is_void = not poll.is_sure
        if poll.is_void:
            continue
        if poll.doubt in ("", before.doubt):
            believed = poll
        before = poll


def _doubt(
    before: Poll, poll: Poll, agents: Mapping[str, Agent], steps: Sequence[float], server: Server
) -> str:
    """What there is to doubt: the clock was set, the totals contradict the rows grossly, most changed."""
    known = [a for a in before.rows if any(agents[a].at(c, before.at) is not None for c in LOGINS)]
    turned = [a for a in known if a not in poll.rows or _relogged(agents[a], before.at, poll.at)]
    if any(before.at < step <= poll.at for step in steps):
        return "clock"
    if server.covers_rows and poll.off_by > max(1, len(poll.rows) // 10):
        return "totals"
    return "change" if len(turned) >= max(2, len(known) / 2) else ""


def _relogged(agent: Agent, since: float, until: float) -> bool:
    return any(agent.at(channel, since) != agent.at(channel, until) for channel in LOGINS)
