"""What may be told of a floor, and what must be, decided from what truly happened and from the bare replies.

It knows neither the simulator nor the package: facts are whatever looks like a `Fact`, replies are JSON,
and what was told comes as `Claim`s. Two principles decide everything:

may     Whatever is told must have happened: once for each time it is told, before the poll that told it.
        No excuse: who cannot know must not say.
must    What two sure replies show the difference of (*visible*), or prove by what their rows really carry
        (*provable*: an origin that moved further than readings err, another reason, another `avD`, a counter
        that grew), must have been told by the end. What no reply shows or proves need not be told.

A reply is *sure* unless a careful client may wait for a second one before it believes it: it was spoilt, the
clock was set, the floor is empty, most of it changed in one gap, or the totals contradict the rows grossly. What
two replies in a row show is sure whatever they look like; an empty floor takes three, over half a minute.
"""

from __future__ import annotations

import json
import math
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import accumulate, pairwise
from typing import Any, Literal, Protocol

from attrs import define, field, frozen

FACETS = {"web": "l", "mobile": "ml", "break": "br", "call": "liC"}
FIELDS = {
    "name": "nm",
    "is_occupied": "IsOcc",
    "microphone_permitted": "mic_perm",
    "sip_status": "sip_status",
}
NOTHING: tuple[Any, ...] = (None, "No", "", [], {})
SLACK = 1.0  # the promise: the truth lies within a second of the bounds
PINNED = 2  # seconds: an origin that moves by no more is the same
MOST = 200  # calls that anybody can tell at once: more are as wrong as so many
TAIL = 8  # replies at the end of a run that need not be acted upon yet
LEARNING = 600.0, 20  # seconds, and replies, in which the server's ways must first be seen
EMPTY_FOR = 30.0  # seconds that a floor must be empty to be believed


class Happening(Protocol):
    """A fact of the true history."""

    at: float
    agent: str
    kind: Any
    channel: Any
    reason: str | None
    field: str | None
    value: Any
    step: int | None


# --- replies ----------------------------------------------------------------------------------------


@frozen
class Glimpse:
    """What one row carries. on: by facet, the origin and the reason of what is on, None where not said."""

    on: Mapping[str, tuple[int | None, str | None]]
    available: int | None
    calls: int
    values: Mapping[str, Any]


@define
class Poll:
    """One reply. at: the true time. clock: what the server's clock showed, in whole seconds.

    is_spoilt: somebody scripted a fault into it. unidentified: rows without an id. counted: the totals of
    logins, calls and breaks less what the rows show, by key.
    """

    at: float
    clock: int
    rows: dict[str, Glimpse]
    is_spoilt: bool = False
    unidentified: int = 0
    off_by: dict[str, int] = field(factory=dict)
    is_sure: bool = True


def read(body: bytes, at: float, clock: int, *, is_spoilt: bool = False) -> Poll:
    """Read a reply, with as little understanding as will do."""
    poll = Poll(at, clock, {}, is_spoilt)
    if is_spoilt:
        return poll
    message = json.loads(body)["message"]
    for row in message["pr"]:
        if row["I"] is None:
            poll.unidentified += 1
        else:
            poll.rows[row["I"]] = _glimpse(row, clock)
    for key, total in (("l", "lA"), ("liC", "oCA"), ("br", "oBA")):
        poll.off_by[key] = int(message[total]) - sum(row.get(key) not in NOTHING for row in message["pr"])
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
    """A login, break, call, ring, wrap-up, or a time in view. end: infinite while it lasts."""

    start: float
    end: float = math.inf
    reason: str | None = None

    def is_on(self, at: float) -> bool:
        """Whether it is on at this instant."""
        return self.start <= at < self.end


@frozen(kw_only=True)
class Server:
    """What the oracle must be told of the server, as no reply says it.

    counts_at: when `tC` counts a call. unsure: seconds that two readings of one origin can differ by.
    hides_zero: counters are left out while they are zero. covers_rows: the totals count the rows.
    """

    counts_at: Literal["call_start", "call_end", "wrap_up_end"] = "call_end"
    unsure: int = 0
    hides_zero: bool = True
    covers_rows: bool = True


@frozen(kw_only=True)
class Claim:
    """One thing told: `key` is its kind, with the channel of a login or the field of an update.

    poll: the index of the reply that told it. id: of the transition. calls: of unseen activity.
    at, earliest, latest: on the server's clock.
    """

    agent: str
    key: str
    poll: int
    id: str
    at: float
    earliest: float
    latest: float
    calls: int | None = None


@define
class Truth:
    """One thing that happened. why: "visible" or "provable" if it must be told, "" if it need not be.

    clocks: what the server's clock showed then, in whole seconds; several where it was set between two polls.
    """

    agent: str
    key: str
    at: float
    why: str = ""
    clocks: Sequence[float] = ()
    claim: Claim | None = None


@define
class Verdict:
    """What was wrong with what was told. false: did not happen. outside: not within its bounds.

    missing: must have been told and was not. disordered: does not alternate, or runs backwards.
    repeated: ids of two things. musts, found: what must have been told, and what of it was, by class.
    """

    told: int = 0
    false: list[Claim] = field(factory=list)
    outside: list[tuple[Claim, Truth]] = field(factory=list)
    paired: int = 0
    missing: list[Truth] = field(factory=list)
    disordered: list[Claim] = field(factory=list)
    repeated: list[str] = field(factory=list)
    musts: Counter[str] = field(factory=Counter)
    found: Counter[str] = field(factory=Counter)
    residual: dict[str, int] = field(factory=dict)

    @property
    def precision(self) -> float:
        """The share of what was told that happened."""
        return 1 - len(self.false) / self.told if self.told else 1.0

    @property
    def bounded(self) -> float:
        """The share of what was told and happened whose truth lies within a second of the bounds."""
        return 1 - len(self.outside) / self.paired if self.paired else 1.0

    def recall(self, why: str) -> float:
        """The share of what must be told of a class that was."""
        return self.found[why] / self.musts[why] if self.musts[why] else 1.0


class Agent:
    """One agent's true history."""

    def __init__(self, agent: str, facts: Iterable[Happening], server: Server) -> None:
        self.id = agent
        self.episodes: dict[str, list[Episode]] = defaultdict(list)
        self.resets: list[float] = []
        self.updates: list[tuple[str, float]] = []
        self.moments: list[float] = []  # of any fact at all
        for fact in facts:
            self._enter(fact)
        wrap_ups = {episode.start: episode.end for episode in self.episodes["wrap_up"]}
        self.calls = self.episodes["call"]
        self.counted = [_counted(call, wrap_ups, server) for call in self.calls]

    def _enter(self, fact: Happening) -> None:
        self.moments.append(fact.at)
        name, _, stage = fact.kind.rpartition("_")
        name = {"agent": "floor", "group": f"group {fact.value}"}.get(name, fact.channel or name)
        match stage:
            case "started" | "in" | "added" | "joined":
                self.episodes[name].append(Episode(fact.at, reason=fact.reason))
            case "ended" | "out" | "removed" | "left":
                own = self.episodes[name]
                if not own or own[-1].end < math.inf:
                    own.append(Episode(-math.inf))
                own[-1].end = fact.at
            case "updated":
                self.updates.append((str(fact.field), fact.at))
            case "reset":
                self.resets.append(fact.at)

    def at(self, facet: str, at: float) -> int | None:
        """Which of a facet's episodes is on."""
        own = self.episodes[facet]
        place = bisect_right(own, at, key=lambda episode: episode.start) - 1
        return place if place >= 0 and own[place].is_on(at) else None

    def is_free(self, at: float) -> bool:
        """Whether nothing is on that a counter may still have to take up."""
        return all(self.at(side, at) is None for side in ("ring", "call", "wrap_up"))


def _counted(call: Episode, wrap_ups: Mapping[float, float], server: Server) -> float:
    if server.counts_at == "call_start":
        return call.start
    return wrap_ups.get(call.end, call.end) if server.counts_at == "wrap_up_end" else call.end


# --- runs: what the replies show of one thing ---------------------------------------------------------

AWAY = "away"  # a state: the row is surely not there


@define
class Run:
    """Replies in a row that show the same. first, last: the first and the last of them."""

    state: Any
    first: int
    last: int
    is_sure: bool


def runs(shown: Iterable[tuple[int, Any]], polls: Sequence[Poll]) -> list[Run]:
    """The runs that can be relied on."""
    every: list[Run] = []
    for place, state in shown:
        if every and every[-1].state == state:
            every[-1].last, every[-1].is_sure = place, True
        else:
            every.append(Run(state, place, place, polls[place].is_sure))
    sure: list[Run] = []
    for run in every:
        if run.is_sure and sure and sure[-1].state == run.state:
            sure[-1].last = run.last
        elif run.is_sure:
            sure.append(run)
    return sure


def mark_sure(
    polls: Sequence[Poll], agents: Mapping[str, Agent], steps: Sequence[float], server: Server
) -> None:
    """Say which replies a careful client may want confirmed."""
    good = [poll for poll in polls if not poll.is_spoilt]
    empty_since: list[float] = []
    settled = False
    for number, (before, poll) in enumerate(zip([None, *good], good, strict=False)):
        empty_since = [] if poll.rows or poll.unidentified else [*empty_since, poll.at]
        settled = settled or server.covers_rows or (number >= 3 and poll.at - good[0].at > 2 * EMPTY_FOR)
        poll.is_sure = settled and (before is None or not _is_odd(before, poll, agents, steps, server))
        if empty_since:
            poll.is_sure = len(empty_since) >= 3 and poll.at - empty_since[0] >= EMPTY_FOR
            poll.is_spoilt = not poll.is_sure


def _is_odd(
    before: Poll, poll: Poll, agents: Mapping[str, Agent], steps: Sequence[float], server: Server
) -> bool:
    gone = len(before.rows.keys() - poll.rows.keys())
    changed = sum(_relogged(agents[agent], before, poll) for agent in before.rows if agent in poll.rows)
    contradictions = max(map(abs, poll.off_by.values())) if server.covers_rows else 0
    most = max(2, len(before.rows) / 2)
    return (
        any(before.at < step <= poll.at for step in steps)
        or gone >= most
        or gone + changed >= most
        or contradictions > max(2, 0.2 * len(poll.rows))
    )


def _relogged(agent: Agent, before: Poll, poll: Poll) -> bool:
    return any(agent.at(facet, before.at) != agent.at(facet, poll.at) for facet in ("web", "mobile"))


# --- what must be told --------------------------------------------------------------------------------


@define
class Bench:
    """One floor, its true history and its replies: the oracle itself.

    status, group: what was asked for. `judge` holds what was told against it.
    """

    facts: Sequence[Happening]
    polls: list[Poll]
    server: Server = field(factory=Server)
    status: str = "all"
    group: str | None = None
    agents: dict[str, Agent] = field(init=False, factory=dict)
    truths: list[Truth] = field(init=False, factory=list)
    steps: list[tuple[float, int]] = field(init=False, factory=list)

    def __attrs_post_init__(self) -> None:
        own: dict[str, list[Happening]] = defaultdict(list)
        for fact in self.facts:
            if fact.kind == "clock_set":
                self.steps.append((fact.at, fact.step or 0))
            else:
                own[fact.agent].append(fact)
        self.agents = {agent: Agent(agent, facts, self.server) for agent, facts in own.items()}
        mark_sure(self.polls, self.agents, [at for at, _ in self.steps], self.server)
        self._times = [poll.at for poll in self.polls]
        self._fewest = self._fewest_unidentified()
        self._farthest = 2 + max(
            (abs(ahead) for ahead in accumulate(step for _, step in self.steps)), default=0
        )
        for agent in self.agents.values():
            self.truths += self._truths_of(agent)
        for truth in self.truths:
            truth.clocks = self._clocks(truth.at)

    _times: list[float] = field(init=False, factory=list)
    _farthest: float = field(init=False, default=0.0)
    _causes: dict[tuple[str, str], list[float]] = field(init=False, factory=dict)
    _fewest: list[int] = field(init=False, factory=list)

    def _fewest_unidentified(self) -> list[int]:
        fewest, found = math.inf, []
        for poll in self.polls:
            fewest = fewest if poll.is_spoilt else min(fewest, poll.unidentified)
            found.append(0 if fewest == math.inf else int(fewest))
        return found

    def is_away(self, agent: Agent, place: int) -> bool:
        """Whether a reply proves that there is no row of this agent."""
        poll = self.polls[place]
        is_missing = agent.id not in poll.rows and not poll.is_spoilt
        return is_missing and poll.unidentified <= self._fewest[place]

    def shown(self, agent: Agent) -> Iterator[tuple[int, Glimpse | None]]:
        """By reply: the agent's row; None where it is surely away. Replies that say neither are left out."""
        for place, poll in enumerate(self.polls):
            if agent.id in poll.rows:
                yield place, poll.rows[agent.id]
            elif self.is_away(agent, place):
                yield place, None

    @property
    def _end(self) -> float:
        return self._times[-TAIL]

    def _truths_of(self, agent: Agent) -> Iterator[Truth]:
        shown = list(self.shown(agent))
        rows = [place for place, glimpse in shown if glimpse is not None]
        why: dict[tuple[str, int, str], str] = {}
        for facet in FACETS:
            self._prove_episodes(agent, facet, shown, why)
        self._prove_calls(agent, shown, rows, why)
        for facet in FACETS:
            for number, episode in enumerate(agent.episodes[facet]):
                for stage, at in (("start", episode.start), ("end", episode.end)):
                    if at < math.inf:
                        yield Truth(agent.id, key(facet, stage), at, why.get((facet, number, stage), ""))
        yield from self._views(agent, shown)
        yield from self._resets(agent, shown)
        yield from (Truth(agent.id, f"updated {name}", at) for name, at in agent.updates)

    def _prove_episodes(
        self,
        agent: Agent,
        facet: str,
        shown: Sequence[tuple[int, Glimpse | None]],
        why: dict[tuple[str, int, str], str],
    ) -> None:
        """Which starts and ends of a facet must be told."""
        is_login = facet in ("web", "mobile")
        is_whole = self.status == "login" and self.group is None
        states: list[tuple[int, Any]] = []
        for place, glimpse in shown:
            if glimpse is not None:
                states.append((place, agent.at(facet, self._times[place])))
            elif not is_whole:
                states.append((place, AWAY))
            elif is_login:
                states.append((place, None))
        for old, new in pairwise(runs(states, self.polls)):
            if AWAY in (old.state, new.state):
                continue
            proof = "visible" if None in (old.state, new.state) else self._moved(agent, facet, old, new)
            if proof and old.state is not None:
                why[facet, old.state, "end"] = proof
            if proof and new.state is not None:
                why[facet, new.state, "start"] = proof

    def _moved(self, agent: Agent, facet: str, old: Run, new: Run) -> str:
        """What proves that one episode followed another between two replies."""
        before, after = (self.polls[place].rows[agent.id] for place in (old.last, new.first))
        (origin, word), (moved, another) = before.on[facet], after.on[facet]
        if facet == "break" and word and another and word != another:
            return "visible"
        if any(self._times[old.last] < at <= self._times[new.first] for at, _ in self.steps):
            return ""
        if origin is not None and moved is not None:
            return "provable" if moved - origin > PINNED + 2 * self.server.unsure else ""
        own = agent.episodes[facet]
        ended, began = own[old.state].end, own[new.state].start
        is_between = after.available is not None and math.floor(ended) <= after.available <= began
        return "provable" if is_between and after.available != before.available else ""

    # --- hidden calls -----------------------------------------------------------------------------

    def _prove_calls(
        self,
        agent: Agent,
        shown: Sequence[tuple[int, Glimpse | None]],
        rows: Sequence[int],
        why: dict[tuple[str, int, str], str],
    ) -> None:
        """Which calls that no sure reply shows are proved by the counter."""
        seen = {run.state for run in runs([(p, agent.at("call", self._times[p])) for p in rows], self.polls)}
        for number in range(len(agent.calls)):
            window = self._window(agent, number, rows)
            if number in seen or window is None or self._is_lost(agent, number, window, shown, seen):
                continue
            why.setdefault(("call", number, "start"), "provable")
            why.setdefault(("call", number, "end"), "provable")

    def _window(self, agent: Agent, number: int, rows: Sequence[int]) -> tuple[float, float, float] | None:
        """The last reply that saw the agent free before a call, the first that counts it, and the next free."""
        call, counted = agent.calls[number], agent.counted[number]
        before = (self._times[p] for p in reversed(rows) if self._times[p] < call.start)
        since = next((at for at in before if agent.is_free(at)), None)
        after = [
            self._times[p] for p in rows if self._times[p] >= max(counted, call.end) and self.polls[p].is_sure
        ]
        free = next((at for at in after if agent.is_free(at)), None)
        return None if since is None or free is None or free > self._end else (since, after[0], free)

    def _is_lost(
        self,
        agent: Agent,
        number: int,
        window: tuple[float, float, float],
        shown: Sequence[tuple[int, Glimpse | None]],
        seen: set[Any],
    ) -> bool:
        """Whether the counter proves nothing: it began anew, was out of view, or may speak of another call."""
        since, until, free = window
        if self._is_reset(agent, since, free):
            return True
        if any(glimpse is None for place, glimpse in shown if since <= self._times[place] <= free):
            return True
        near = (
            n for n in seen if n is not None and agent.calls[n].start <= free and agent.counted[n] > since
        )
        learned = max(self._times[0] + LEARNING[0], self._times[LEARNING[1]])
        return until < learned and any(True for _ in near)

    def _is_reset(self, agent: Agent, since: float, until: float) -> bool:
        """Whether the counter began anew in between; or earlier, and nothing has shown it by `until`."""
        resets = [at for at in agent.resets if at <= until]
        earlier, last = [0.0, 0.0, *resets][-2:]
        if not last or not self.server.hides_zero or last > since:
            return last > since
        counted = agent.counted
        before, after = (sum(a < at <= b for at in counted) for a, b in ((earlier, last), (last, until)))
        return after >= before and not any(last < at <= since for at in counted)

    # --- the rest ---------------------------------------------------------------------------------

    def _views(self, agent: Agent, shown: Sequence[tuple[int, Glimpse | None]]) -> Iterator[Truth]:
        """Coming into view and leaving it, whichever way; told as such where the request asks for all."""
        in_view = [(place, glimpse is not None) for place, glimpse in shown]
        musts = list(pairwise(runs(in_view, self.polls))) if self.status == "all" else []
        for at, is_in in self._changes_of_view(agent):
            place = bisect_left(self._times, at)
            must = any(old.last < place <= new.first and new.state == is_in for old, new in musts)
            yield Truth(agent.id, "agent_added" if is_in else "agent_removed", at, "visible" if must else "")

    def _changes_of_view(self, agent: Agent) -> Iterator[tuple[float, bool]]:
        parts = ["floor", *([f"group {self.group}"] if self.group else [])]
        moments = {
            at for part in (*parts, "web", "mobile") for e in agent.episodes[part] for at in (e.start, e.end)
        }
        was_in = False
        for at in sorted(at for at in moments if math.isfinite(at)):
            is_in = all(self._is_part(agent, part, at) for part in parts) and (
                self.status == "all"
                or any(agent.at(channel, at) is not None for channel in ("web", "mobile"))
            )
            if is_in != was_in:
                yield at, is_in
            was_in = is_in

    def _is_part(self, agent: Agent, part: str, at: float) -> bool:
        if agent.episodes.get(part):
            return agent.at(part, at) is not None
        return any(agent.id in poll.rows for poll in self.polls)

    def _resets(self, agent: Agent, shown: Sequence[tuple[int, Glimpse | None]]) -> Iterator[Truth]:
        rows = [(p, glimpse.calls) for p, glimpse in shown if glimpse is not None and self.polls[p].is_sure]
        falls = [(self._times[a], self._times[b]) for (a, old), (b, new) in pairwise(rows) if 0 < new < old]
        for at, following in pairwise([*agent.resets, math.inf]):
            must = any(a < at <= b < following for a, b in falls)
            yield Truth(agent.id, "counters_reset", at, "visible" if must else "")

    # --- the judgement ----------------------------------------------------------------------------

    def judge(self, claims: Sequence[Claim], residuals: Mapping[str, int] | None = None) -> Verdict:
        """Hold what was told against the truth. residuals: by agent, the calls its books do not explain."""
        verdict = Verdict(told=sum(max(1, 2 * _number(claim)) for claim in claims))
        vague = [c for c in claims if c.key in ("unseen_activity", "updated is_occupied") and not c.calls]
        verdict.false += [claim for claim in vague if not self._has_cause(claim)]
        told: dict[tuple[str, str], list[Claim]] = defaultdict(list)
        for claim in claims:
            if claim.calls:
                told[claim.agent, "call_started"] += [claim] * _number(claim)
                told[claim.agent, "call_ended"] += [claim] * _number(claim)
            elif claim.key not in ("unseen_activity", "updated is_occupied"):
                told[claim.agent, claim.key].append(claim)
        truths: dict[tuple[str, str], list[Truth]] = defaultdict(list)
        for truth in self.truths:
            truths[truth.agent, truth.key].append(truth)
        for name in told.keys() | truths.keys():
            self._pair(verdict, truths[name], told[name])
        self._count_musts(verdict)
        verdict.disordered = self._disorders(claims)
        verdict.repeated = [id_ for id_, times in Counter(claim.id for claim in claims).items() if times > 1]
        verdict.residual = {a: r for a, r in (residuals or {}).items() if abs(r) > self._losses(a)}
        return verdict

    def _pair(self, verdict: Verdict, truths: list[Truth], claims: list[Claim]) -> None:
        """Give each claim a truth of its own, such that as many as possible of what must be told is."""
        truths.sort(key=lambda truth: truth.at)
        pairs = matched(truths, claims, self._fits, self._farthest)
        left = [claim for place, claim in enumerate(claims) if place not in pairs.values()]
        for number, place in pairs.items():
            truths[number].claim = claims[place]
        free = [truth for truth in truths if truth.claim is None]
        strays = matched(free, left, self._is_near, math.inf)
        for number, place in strays.items():
            free[number].claim = left[place]
            verdict.outside.append((left[place], free[number]))
        verdict.paired += len(pairs) + len(strays)
        verdict.false += [claim for place, claim in enumerate(left) if place not in strays.values()]

    def _fits(self, truth: Truth, claim: Claim) -> bool:
        """Whether it had happened when it was told, and lies within the bounds."""
        if truth.at > self._times[claim.poll]:
            return False
        return any(claim.earliest - SLACK <= at <= claim.latest + SLACK for at in truth.clocks)

    def _is_near(self, truth: Truth, claim: Claim) -> bool:
        if truth.at > self._times[claim.poll]:
            return False
        reach = 5 + self._times[claim.poll] - self._times[max(0, claim.poll - 3)]
        return any(claim.earliest - reach <= at <= claim.latest + reach for at in truth.clocks)

    def _clocks(self, at: float) -> Sequence[float]:
        if not self.steps:
            return (math.floor(at),)
        place = bisect_left(self._times, at)
        since, until = self._times[max(0, place - 2)], self._times[min(len(self._times) - 1, place + 2)]
        ahead, found = 0, list[float]()
        for step_at, step in [*self.steps, (math.inf, 0)]:
            if step_at > since:
                found.append(math.floor(at) + ahead)
            if step_at > until:
                break
            ahead += step
        return found

    def _has_cause(self, claim: Claim) -> bool:
        """Whether something happened that nobody can name, or that may have changed whether one is occupied."""
        moments = self._moments(claim)
        first = bisect_left(moments, claim.earliest - self._farthest)
        last = bisect_right(moments, claim.latest + self._farthest)
        near = (Truth(claim.agent, "", at, clocks=self._clocks(at)) for at in moments[first:last])
        return any(self._fits(truth, claim) for truth in near)

    def _moments(self, claim: Claim) -> list[float]:
        name, agent = (claim.agent, claim.key), self.agents[claim.agent]
        if name not in self._causes and claim.key == "unseen_activity":
            logins = [
                at for side in ("web", "mobile") for e in agent.episodes[side] for at in (e.start, e.end)
            ]
            others = [e.end for side in ("break", "ring") for e in agent.episodes[side]]
            self._causes[name] = sorted(at for at in (*logins, *others) if math.isfinite(at))
        return self._causes.setdefault(name, agent.moments)

    def _count_musts(self, verdict: Verdict) -> None:
        start = next((poll.at for poll in self.polls if poll.is_sure and not poll.is_spoilt), math.inf)
        for truth in self.truths:
            if truth.why and start < truth.at <= self._end:
                verdict.musts[truth.why] += 1
                verdict.found[truth.why] += truth.claim is not None
                if truth.claim is None:
                    verdict.missing.append(truth)

    def _disorders(self, claims: Sequence[Claim]) -> list[Claim]:
        """What does not alternate with what was told before it, or runs backwards on one and the same clock."""
        last: dict[tuple[str, str], Claim] = {}
        wrong = []
        for claim in claims:
            if claim.key in ("agent_added", "agent_removed"):
                last = {name: old for name, old in last.items() if name[0] != claim.agent}
            name = claim.agent, facet_of(claim.key)
            if not name[1]:
                continue
            before = last.get(name)
            if before is not None:
                is_set = any(
                    self._times[max(0, before.poll - 3)] < at <= self._times[claim.poll]
                    for at, _ in self.steps
                )
                if claim.key == before.key or (claim.at < before.at and not is_set):
                    wrong.append(claim)
            last[name] = claim
        return wrong

    def _losses(self, agent: str) -> int:
        """How many of an agent's calls a counter that began anew may have cost."""
        if agent not in self.agents:
            return 0
        own = self.agents[agent]
        rows = [place for place, glimpse in self.shown(own) if glimpse is not None]
        windows = [self._window(own, number, rows) for number in range(len(own.calls))] if own.resets else []
        return sum(window is None or self._is_reset(own, window[0], window[2]) for window in windows)


def key(facet: str, stage: str) -> str:
    """What the start or the end of an episode is told as."""
    if facet in ("web", "mobile"):
        return f"{'logged_in' if stage == 'start' else 'logged_out'} {facet}"
    return f"{facet}_{'started' if stage == 'start' else 'ended'}"


_FACET_OF = {key(facet, stage): facet for facet in FACETS for stage in ("start", "end")}


def _number(claim: Claim) -> int:
    return min(claim.calls or 0, MOST)


def facet_of(claimed: str) -> str:
    """The facet a key is of; "" for none."""
    return _FACET_OF.get(claimed, "")


def matched(
    truths: Sequence[Truth], claims: Sequence[Claim], fits: Callable[[Truth, Claim], bool], margin: float
) -> dict[int, int]:
    """The most pairs, truth by claim, and of them the most that must be told: augmenting paths, musts first.

    truths: in order of time. margin: seconds beyond its bounds at which a claim may still fit a truth.
    """
    times, options, owner = (
        [truth.at for truth in truths],
        defaultdict[int, list[int]](list),
        dict[int, int](),
    )
    for option in sorted(range(len(claims)), key=lambda option: claims[option].latest):
        claim = claims[option]
        first, last = bisect_left(times, claim.earliest - margin), bisect_right(times, claim.latest + margin)
        for number in range(first, last):
            if fits(truths[number], claim):
                options[number].append(option)

    def place(number: int, tried: set[int]) -> bool:
        for option in options[number]:
            if option not in tried:
                tried.add(option)
                if option not in owner or place(owner[option], tried):
                    owner[option] = number
                    return True
        return False

    rank = {"visible": 0, "provable": 1}
    for number in sorted(options, key=lambda n: (rank.get(truths[n].why, 2), truths[n].at)):
        place(number, set())
    return {number: option for option, number in owner.items()}
