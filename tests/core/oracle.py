"""What may be told of a floor, and what must be, decided from what truly happened and from the bare replies.

may     Whatever is told must have happened: once for each time it is told, before the reply that told it.
        No excuse: who cannot know must not say.
must    What two sure replies show the difference of (*visible*), or prove by what their rows really carry
        (*provable*: an origin that moved further than readings err, another `avD`, a counter that grew),
        must have been told by the end. What no reply shows or proves need not be told.

A reply is sure unless a careful client may wait for another before it believes it: the clock was set, the
floor is empty, most of it changed in one gap, or the totals contradict the rows grossly. What two replies in
a row show is sure if they are doubtful for the same reason; an empty floor takes three, over half a minute.
A careful client may believe a doubtful reply as well: what only those show that do not need not be told.

It shares nothing with the package's inference, nor with the simulator: see `witness.py`.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import accumulate, pairwise
from typing import Any

from attrs import define, field, frozen

from .witness import (
    FACETS,
    FIELDS,
    LOGINS,
    PINNED,
    Agent,
    Glimpse,
    Happening,
    Poll,
    Run,
    Server,
    mark_sure,
    runs,
)

SURENESS = ("", "provable", "visible")  # why something must be told, the weakest first
AWAY = "away"  # a state: the row is surely not there
SLACK = 1.0  # the promise: the truth lies within a second of the bounds
TAIL = 8  # replies at the end of a run that need not be acted upon yet
LESSONS = 3  # contradictions after which it is clear when this server counts; one may be a slip
LEARNING = 600.0  # seconds that it may take to learn anything at all
MOST = 5000  # calls that anybody can tell at once: more are as wrong as so many


@frozen(kw_only=True)
class Claim:
    """One thing told: `key` is its kind, with the channel of a login or the field of an update.

    poll: the index of the reply that told it. id: of the transition. at, earliest, latest: on the server's
    clock. calls: of unseen activity. duration: of what ended, in seconds. reason: of a break.
    """

    agent: str
    key: str
    poll: int
    id: str
    at: float
    earliest: float
    latest: float
    calls: int | None = None
    duration: float | None = None
    reason: str | None = None

    @property
    def number(self) -> int:
        """How many calls it tells of."""
        return min(self.calls or 0, MOST)


@define
class Truth:
    """One thing that happened. why: "visible" or "provable" if it must be told, "" if it need not be.

    clocks: what the server's clock showed then, in whole seconds; several where it was set nearby.
    slack: seconds by which a claim's bounds may miss it: more than the promise's where the clock was set
        nearby, as no reply says by how much. duration, reason: of an episode.
    """

    agent: str
    key: str
    at: float
    why: str = ""
    duration: float | None = None
    reason: str | None = None
    clocks: Sequence[float] = ()
    slack: float = SLACK
    claim: Claim | None = None


@define
class Verdict:
    """What was wrong with what was told. told: how many things were.

    false: did not happen. outside: not within its bounds. misjudged: lasted otherwise than was told.
    missing: must have been told and was not. disordered: does not alternate, or runs backwards.
    repeated: ids of two things. residual: by agent, calls that its books do not explain, and could.
    musts, found: what must have been told, and what of it was, by class. paired: what was told and happened.
    """

    told: int = 0
    paired: int = 0
    false: list[Claim] = field(factory=list)
    outside: list[tuple[Claim, Truth]] = field(factory=list)
    misjudged: list[Claim] = field(factory=list)
    missing: list[Truth] = field(factory=list)
    disordered: list[Claim] = field(factory=list)
    repeated: list[str] = field(factory=list)
    residual: dict[str, int] = field(factory=dict)
    musts: Counter[str] = field(factory=Counter)
    found: Counter[str] = field(factory=Counter)

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


def key(facet: str, stage: str) -> str:
    """What the start or the end of an episode is told as."""
    if facet in LOGINS:
        return f"{'logged_in' if stage == 'start' else 'logged_out'} {facet}"
    return f"{facet}_{'started' if stage == 'start' else 'ended'}"


FACET_OF = {key(facet, stage): facet for facet in FACETS for stage in ("start", "end")}
UNNAMED = ("unseen_activity", "updated is_occupied")  # needs a cause, but is no fact of its own


@define
class Case:
    """One agent before the oracle: its history, and its rows by reply, None where it is surely away.

    rows: the replies that have one. maybe_gone: those without, where it is gone, but for all anybody knows
    may have a row without an id. proofs: by facet, episode and stage, why it must be told.
    """

    agent: Agent
    shown: list[tuple[int, Glimpse | None]]
    maybe_gone: list[int]
    rows: list[int] = field(init=False)
    proofs: dict[tuple[str, int, str], str] = field(init=False, factory=dict)

    def __attrs_post_init__(self) -> None:
        self.rows = [place for place, glimpse in self.shown if glimpse is not None]

    def prove(self, facet: str, episode: Any, stage: str, why: str) -> None:
        """Note why it must be told, unless there is no such episode or it need not be."""
        if episode is not None and why:
            self.proofs.setdefault((facet, episode, stage), why)


@define
class Oracle:
    """One floor: its true history, its replies, and what was asked for. `judge` judges what was told."""

    facts: Iterable[Happening]
    polls: Sequence[Poll]
    server: Server = field(factory=Server)
    status: str = "all"
    group: str | None = None
    agents: dict[str, Agent] = field(init=False, factory=dict)
    truths: list[Truth] = field(init=False, factory=list)
    _steps: list[tuple[float, int]] = field(init=False, factory=list)
    _times: list[float] = field(init=False, factory=list)
    _fewest: list[float] = field(init=False, factory=list)
    _farthest: float = field(init=False, default=0.0)
    _learned: float = field(init=False, default=0.0)
    _causes: dict[tuple[str, str], list[float]] = field(init=False, factory=dict)

    def __attrs_post_init__(self) -> None:
        own: dict[str, list[Happening]] = defaultdict(list)
        for fact in self.facts:
            own[fact.agent].append(fact)
        self._steps = [(f.at, f.step or 0) for facts in own.values() for f in facts if f.kind == "clock_set"]
        self.agents = {agent: Agent(agent, facts, self.server) for agent, facts in own.items()}
        mark_sure(self.polls, self.agents, [at for at, _ in self._steps], self.server)
        self._times = [poll.at for poll in self.polls]
        unidentified = (math.inf if poll.is_void else float(poll.unidentified) for poll in self.polls)
        self._fewest = list(accumulate(unidentified, lambda a, b: min(a, b)))  # noqa: PLW0108  # typed
        good = [place for place, poll in enumerate(self.polls) if not poll.is_void]
        for place, following in pairwise(good):
            self._fewest[place] = min(self._fewest[place], self.polls[following].unidentified)
        self._farthest = self._farthest_off()
        lessons = sorted(at for agent in self.agents.values() for at in self._lessons(agent))
        self._learned = max(self._times[0] + LEARNING, *[*lessons, *[math.inf] * LESSONS][:LESSONS])
        for agent in self.agents.values():
            self.truths += self._truths_of(self._case(agent))
        for truth in self.truths:
            truth.clocks, slack = self._clocks(truth.at)
            truth.slack += slack

    def _farthest_off(self) -> float:
        """How far from its true time a truth may be claimed at most, within all slack."""
        ahead = list(accumulate((step for _, step in self._steps), initial=0))
        longest = max((b - a for a, b in pairwise(self._times)), default=0.0) if self._steps else 0.0
        return 2 * SLACK + max(ahead) - min(ahead) + max(map(abs, ahead)) + 4 * longest

    def _shown(self, agent: Agent) -> Iterator[tuple[int, Glimpse | None]]:
        """The agent's rows, and where it is surely away: where no more rows than ever have no id.

        Nor fewer at the next reply: who is new there may have been in one of these rows.
        """
        for place, poll in enumerate(self.polls):
            if poll.is_void:
                continue
            if agent.id in poll.rows:
                yield place, poll.rows[agent.id]
            elif poll.unidentified <= self._fewest[place]:
                yield place, None

    @property
    def _counts_early(self) -> bool:
        return self.server.counts_at == "call_start"

    @property
    def _end(self) -> float:
        return self._times[-TAIL]

    def _truths_of(self, case: Case) -> Iterator[Truth]:
        for facet in FACETS:
            self._prove_episodes(case, facet)
        self._prove_calls(case)
        for facet in FACETS:
            for number, episode in enumerate(case.agent.episodes[facet]):
                for stage, at in (("start", episode.start), ("end", episode.end)):
                    yield Truth(
                        case.agent.id,
                        key(facet, stage),
                        at,
                        case.proofs.get((facet, number, stage), ""),
                        episode.end - episode.start,
                        episode.reason,
                    )
        yield from self._views(case)
        yield from self._resets(case)
        for name in FIELDS:
            yield from self._updates(case, name)

    # --- what must be told: episodes ------------------------------------------------------------------

    def _prove_episodes(self, case: Case, facet: str) -> None:
        """Which starts and ends of a facet two replies show, or prove."""
        states = [(place, self._state(case.agent, facet, place, glimpse)) for place, glimpse in case.shown]
        known = [(place, state) for place, state in states if state != "unknown"]
        if self._forgets:
            known = sorted([*known, *((place, AWAY) for place in case.maybe_gone)], key=lambda each: each[0])
        for old, new in self._neighbours(known):
            # Who believes a doubtful reply compares with that one.
            ends = [self._why(case.agent, facet, old, run) for run in (*new.doubts, new)]
            starts = [self._why(case.agent, facet, run, new) for run in (old, *new.doubts)]
            case.prove(facet, old.state, "end", min(ends, key=SURENESS.index))
            if self._is_news(case, old, new):
                case.prove(facet, new.state, "start", min(starts, key=SURENESS.index))

    def _is_news(self, case: Case, old: Run, new: Run) -> bool:
        """Whether who has a row was surely away before, if there was none.

        Rows without an id that come and go may be those of two agents, of whom one is new.
        """
        without_id = [poll.unidentified for poll in self.polls[old.last : new.first + 1] if not poll.is_void]
        was_there = case.agent.id in self.polls[old.last].rows
        return was_there or not without_id[0] or len(set(without_id)) == 1

    def _neighbours(self, states: Sequence[tuple[int, Any]]) -> Iterator[tuple[Run, Run]]:
        """Runs that follow each other, the row being there throughout."""
        away = [place for place, state in states if state == AWAY]
        for old, new in pairwise(runs(states, self.polls)):
            if bisect_left(away, old.last) == bisect_right(away, new.first):
                yield old, new

    def _state(self, agent: Agent, facet: str, place: int, glimpse: Glimpse | None) -> Any:
        """The episode a reply shows, None: none. Who is not among all that are logged in is logged out."""
        if glimpse is not None:
            return agent.at(facet, self._times[place])
        if self._forgets:
            return AWAY
        return None if facet in LOGINS else "unknown"

    def _why(self, agent: Agent, facet: str, old: Run, new: Run) -> str:
        """Why the end of one state and the start of another must be told; "visible" if they are the same."""
        if None in (old.state, new.state) or old.state == new.state:
            return "visible"
        return self._moved(agent, facet, old, new)

    def _moved(self, agent: Agent, facet: str, old: Run, new: Run) -> str:
        """What proves that one episode followed another between two replies."""
        before, after = (self.polls[place].rows[agent.id] for place in (old.last, new.first))
        (origin, word), (moved, another) = before.on[facet], after.on[facet]
        origin, moved = self._told_by(old.last, origin), self._told_by(new.first, moved)
        if facet == "break" and word and another and word != another:
            return "visible"
        if any(self._times[old.last] < at <= self._times[new.first] for at, _ in self._steps):
            return ""
        if origin is not None and moved is not None:
            return "provable" if moved - origin > PINNED + 2 * self.server.unsure else ""
        if facet in LOGINS:
            return ""
        own = agent.episodes[facet]
        is_new = after.available is not None and after.available != before.available
        is_between = (
            is_new and math.floor(own[old.state].end) <= (after.available or 0) <= own[new.state].start
        )
        return "provable" if is_between else ""

    def _told_by(self, place: int, origin: int | None) -> int | None:
        """An origin that a reply tells; None where it is read from an elapsed time that may not tick.

        It does not while the clock, which was set back, has not caught up with what was stored before.
        """
        clocks = list(accumulate((step for at, step in self._steps if at <= self._times[place]), initial=0))
        set_at = [*(at for at, _ in self._steps), math.inf]
        showed = max(min(self._times[place], at) + ahead for at, ahead in zip(set_at, clocks, strict=False))
        now = self._times[place] + clocks[-1]
        is_behind = now <= showed - SLACK
        return None if is_behind and origin is not None and origin >= math.floor(now) - PINNED else origin

    # --- what must be told: hidden calls ----------------------------------------------------------

    def _prove_calls(self, case: Case) -> None:
        """Which calls that no sure reply shows the counter proves."""
        states = [(place, case.agent.at("call", self._times[place])) for place in case.rows]
        sure = {run.state for run in runs(states, self.polls)}
        shown = {state for _, state in states if state is not None}
        for number in range(len(case.agent.calls)):
            window = self._window(case, number)
            if number in sure or window is None or self._is_owed(case, number, shown):
                continue
            if not self._is_lost(case, window, shown):
                case.prove("call", number, "start", "provable")
                case.prove("call", number, "end", "provable")

    def _window(self, case: Case, number: int) -> tuple[float, float, float] | None:
        """The last reply that saw the agent free before a call, the first that counts it, the next free."""
        agent, times = case.agent, self._times
        over = max(agent.counted[number], agent.calls[number].end)
        sure = [times[p] for p in case.rows if self.polls[p].is_sure]
        before = (at for at in reversed(sure) if at < agent.calls[number].start)
        since = next((at for at in before if agent.is_free(at)), None)
        after = [at for at in sure if at >= over]
        free = next((at for at in after if agent.is_free(at)), math.inf)
        return None if since is None or free > self._end else (since, after[0], free)

    def _is_lost(self, case: Case, window: tuple[float, float, float], shown: Iterable[int]) -> bool:
        """Whether the counter proves nothing: it began anew, was out of view, or may mean another call."""
        since, until, free = window
        agent = case.agent
        if agent.is_reset(since, free, self.server):
            return True
        gone = [place for place, glimpse in case.shown if glimpse is None]
        gone += case.maybe_gone if self._forgets else []
        if any(since <= self._times[place] <= free for place in gone):
            return True
        is_near = any(agent.calls[n].start <= free and agent.counted[n] > since for n in shown)
        return is_near and until < self._learned

    def _is_owed(self, case: Case, number: int, shown: Iterable[int]) -> bool:
        """Whether the counter may mean a call shown before it began anew, whose count no reply shows."""
        counted = case.agent.counted
        reset = max((at for at in case.agent.resets if at <= counted[number]), default=-math.inf)
        sure = [self._times[place] for place in case.rows if self.polls[place].is_sure]
        is_first = not any(reset < at < counted[number] for at in counted)
        lost = (n for n in shown if counted[n] <= reset and not any(counted[n] <= at < reset for at in sure))
        return is_first and next(lost, None) is not None

    def _lessons(self, agent: Agent) -> Iterator[float]:
        """When two replies contradicted that the server counts calls at their start, or at any later time.

        A free agent who is on a call in the next reply, with no call more on the counter; or, where calls
        are counted at their start, one on a call who is free in the next, likewise.
        """
        rows = [poll for poll in self.polls if agent.id in poll.rows and poll.is_sure]
        for before, after in pairwise(rows):
            was_on, is_on = ("call" in poll.rows[agent.id].on for poll in (before, after))
            is_taught = (was_on, is_on) == ((True, False) if self._counts_early else (False, True))
            is_free = agent.is_free(after.at if self._counts_early else before.at)
            if is_taught and is_free and before.rows[agent.id].calls == after.rows[agent.id].calls:
                yield after.at

    # --- what must be told: the rest --------------------------------------------------------------

    def _views(self, case: Case) -> Iterator[Truth]:
        """Coming into view and leaving it; it must be told as such where the request asks for all."""
        in_view = [(place, glimpse is not None) for place, glimpse in case.shown]
        musts = list(pairwise(runs(in_view, self.polls))) if self.status == "all" else []
        changes = list(self._changes_of_view(case.agent))
        for (at, is_in), (following, _) in pairwise([*changes, (math.inf, False)]):
            spans = [
                (self._times[old.last], self._times[new.first])
                for old, new in musts
                if new.state == is_in and (not is_in or self._is_news(case, old, new))
            ]
            must = any(a < at <= b < following for a, b in spans)
            name = "agent_added" if is_in else "agent_removed"
            yield Truth(case.agent.id, name, at, "visible" if must else "")

    def _changes_of_view(self, agent: Agent) -> Iterator[tuple[float, bool]]:
        parts = ["floor", *([f"group {self.group}"] if self.group else [])]
        episodes = (episode for part in (*parts, *LOGINS) for episode in agent.episodes[part])
        moments = {at for episode in episodes for at in (episode.start, episode.end) if math.isfinite(at)}
        was_in = False
        for at in sorted(moments):
            is_in = self._is_in_view(agent, at)
            if is_in != was_in:
                yield at, is_in
            was_in = is_in

    def _case(self, agent: Agent) -> Case:
        shown = list(self._shown(agent))
        others = sorted({*range(len(self.polls))} - {place for place, _ in shown})
        out_of_view = (p for p in others if not self._is_in_view(agent, self.polls[p].at))
        return Case(agent, shown, [place for place in out_of_view if not self.polls[place].is_void])

    def _is_in_view(self, agent: Agent, at: float) -> bool:
        parts = ["floor", *([f"group {self.group}"] if self.group else [])]
        is_in = all(self._is_part(agent, part, at) for part in parts)
        return is_in and (self.status == "all" or any(agent.at(c, at) is not None for c in LOGINS))

    def _is_part(self, agent: Agent, part: str, at: float) -> bool:
        """Whether the agent is on the floor, or in the group; who never changes it is in it if ever seen."""
        if agent.episodes.get(part):
            return agent.at(part, at) is not None
        return any(agent.id in poll.rows for poll in self.polls)

    @property
    def _forgets(self) -> bool:
        """Whether who has no row has left the view, and is new when there is one again."""
        return self.status == "all" or self.group is not None

    def _resets(self, case: Case) -> Iterator[Truth]:
        rows = [(p, row.calls) for p, row in case.shown if row is not None]
        sure = [(p, calls) for p, calls in rows if self.polls[p].is_sure]
        falls = []
        for (a, old), (b, new) in pairwise(sure):
            if self._forgets and not all(
                case.agent.id in poll.rows for poll in self.polls[a:b] if not poll.is_void
            ):
                continue
            fallen = (p for p, calls in rows if a < p <= b and calls <= new)
            if 0 < new < old:
                falls.append((a, b, next(fallen)))
        yield from self._last_of(case, "counters_reset", case.agent.resets, falls)

    def _updates(self, case: Case, name: str) -> Iterator[Truth]:
        """Updates of a field. Between two replies that show different values, the last must be told."""
        values = sorted(
            [(p, AWAY if row is None else row.values[name]) for p, row in case.shown]
            + [(p, AWAY) for p in case.maybe_gone]
        )
        seen = []
        for old, new in self._neighbours(values):
            alike = (run for run in (*new.doubts, new) if run.state == new.state)
            seen.append((old.last, new.first, next(alike).first))
        if name == "is_occupied":
            for last, until, _ in seen:  # when in between, `avD` or the origin of a call may tell
                since = next((p for p in range(last, -1, -1) if self.polls[p].is_sure), last)
                slack = self._times[until] - self._times[since]
                yield Truth(case.agent.id, f"updated {name}", self._times[until], "visible", slack=slack)
        own = [at for field_name, at in case.agent.updates if field_name == name]
        yield from self._last_of(case, f"updated {name}", own, seen)

    def _last_of(
        self, case: Case, key: str, moments: Sequence[float], seen: Sequence[tuple[int, int, int]]
    ) -> Iterator[Truth]:
        """Changes, of which the last between two replies must be told.

        seen: the two, and the first, maybe a doubtful one, that shows what the later does: who believes it
        need not tell what came after.
        """
        spans = [[self._times[place] for place in places] for places in seen]
        for at, following in pairwise([*moments, math.inf]):
            must = any(a < at <= min(b, shown) and b < following for a, b, shown in spans)
            yield Truth(case.agent.id, key, at, "visible" if must else "")

    # --- the judgement ----------------------------------------------------------------------------

    def judge(self, claims: Sequence[Claim], residuals: Mapping[str, int] | None = None) -> Verdict:
        """Hold what was told against the truth. residuals: by agent, the calls its books do not explain."""
        verdict = Verdict(told=sum(max(1, 2 * claim.number) for claim in claims))
        told: dict[tuple[str, str], list[Claim]] = defaultdict(list)
        for claim in claims:
            keys = ("call_started", "call_ended") * claim.number or (claim.key,)
            for each in keys:
                told[claim.agent, each].append(claim)
        truths: dict[tuple[str, str], list[Truth]] = defaultdict(list)
        for truth in self.truths:
            truths[truth.agent, truth.key].append(truth)
        for name in told.keys() | truths.keys():
            self._pair(verdict, sorted(truths[name], key=lambda truth: truth.at), told[name])
        self._count_musts(verdict)
        verdict.disordered = list(self._disorders(claims))
        verdict.repeated = [id_ for id_, times in Counter(claim.id for claim in claims).items() if times > 1]
        verdict.residual = {a: r for a, r in (residuals or {}).items() if abs(r) > self._losses(a)}
        return verdict

    def _pair(self, verdict: Verdict, truths: list[Truth], claims: list[Claim]) -> None:
        """Give each claim a truth of its own, such that as many as possible of what must be told is."""
        margin = max([self._farthest, *(truth.slack for truth in truths)])
        pairs = matched(truths, claims, self._fits, margin)
        for number, place in pairs.items():
            truths[number].claim = claims[place]
            if self._is_misjudged(claims[place], truths):
                verdict.misjudged.append(claims[place])
        left = [claim for place, claim in enumerate(claims) if place not in pairs.values()]
        if left and left[0].key in UNNAMED and not left[0].number:
            verdict.false += [claim for claim in left if not self._has_cause(claim)]
            return
        free = [truth for truth in truths if truth.claim is None]
        strays = matched(free, left, self._is_near, math.inf)
        verdict.outside += [(left[place], free[number]) for number, place in strays.items()]
        for number, place in strays.items():
            free[number].claim = left[place]
        verdict.paired += len(pairs) + len(strays)
        verdict.false += [claim for place, claim in enumerate(left) if place not in strays.values()]

    def _fits(self, truth: Truth, claim: Claim, reach: float = 0.0) -> bool:
        """Whether it had happened when it was told, and lies within the bounds."""
        happened = truth.at - (truth.slack - SLACK) * (truth.key in UNNAMED)
        if happened > self._times[claim.poll] or (claim.reason or truth.reason) != truth.reason:
            return False
        reach = max(reach, truth.slack)
        clocks = [*truth.clocks, *self._later_clocks(truth.at, self._times[claim.poll])]
        return any(claim.earliest - reach <= at <= claim.latest + reach for at in clocks)

    def _is_near(self, truth: Truth, claim: Claim) -> bool:
        return self._fits(truth, claim, 5 + self._times[claim.poll] - self._times[max(0, claim.poll - 3)])

    def _is_misjudged(self, claim: Claim, truths: Iterable[Truth]) -> bool:
        """Whether nothing that it may mean lasted as long as it says."""
        if claim.duration is None:
            return False
        allowed = claim.latest - claim.earliest + 3 + 2 * self.server.unsure
        meant = [truth for truth in truths if self._fits(truth, claim)]
        return not any(self._lasted(truth, claim.duration, allowed) for truth in meant)

    def _lasted(self, truth: Truth, told: float, allowed: float) -> bool:
        """Whether an episode lasted so long; across a step of the clock, nobody knows."""
        lasted = truth.duration or 0.0
        is_set = any(
            truth.at - lasted <= at <= self._times[bisect_left(self._times, truth.at)]
            for at, _ in self._steps
        )
        return is_set or abs(lasted - told) <= allowed

    def _clocks(self, at: float) -> tuple[Sequence[float], float]:
        """What the server's clock showed at an instant, and the slack there."""
        if not (self._steps and math.isfinite(at)):
            return (math.floor(at) if math.isfinite(at) else at,), SLACK
        place = bisect_left(self._times, at)
        since, until = self._times[max(0, place - 2)], self._times[min(len(self._times) - 1, place + 2)]
        ahead, found = 0, list[float]()
        for step_at, step in [*self._steps, (math.inf, 0)]:
            if step_at > since:
                found.append(math.floor(at) + ahead)
            if step_at > until:
                break
            ahead += step
        return found, SLACK if len(found) == 1 else SLACK + until - since

    def _later_clocks(self, at: float, told: float) -> Iterator[float]:
        """What an instant is on the clocks that were set after it, and before it was told."""
        ahead = 0
        for step_at, step in self._steps:
            ahead += step
            if at < step_at <= told:
                yield math.floor(at) + ahead

    def _has_cause(self, claim: Claim) -> bool:
        """Whether something happened that nobody can name, or that may have made the agent busy or free."""
        moments = self._moments(claim)
        first = bisect_left(moments, claim.earliest - self._farthest)
        last = bisect_right(moments, claim.latest + self._farthest)
        for at in moments[first:last]:
            clocks, slack = self._clocks(at)
            if self._fits(Truth(claim.agent, "", at, clocks=clocks, slack=slack), claim):
                return True
        return False

    def _moments(self, claim: Claim) -> list[float]:
        name, agent = (claim.agent, claim.key), self.agents[claim.agent]
        if name not in self._causes and claim.key == "unseen_activity":
            logins = [at for side in LOGINS for e in agent.episodes[side] for at in (e.start, e.end)]
            others = [e.end for side in ("break", "ring") for e in agent.episodes[side]]
            self._causes[name] = sorted(at for at in (*logins, *others) if math.isfinite(at))
        return self._causes.setdefault(name, agent.moments)

    def _count_musts(self, verdict: Verdict) -> None:
        start = next((poll.at for poll in self.polls if poll.is_sure and not poll.is_void), math.inf)
        for truth in self.truths:
            if truth.why and start < truth.at <= self._end:
                verdict.musts[truth.why] += 1
                verdict.found[truth.why] += truth.claim is not None
                if truth.claim is None:
                    verdict.missing.append(truth)

    def _disorders(self, claims: Iterable[Claim]) -> Iterator[Claim]:
        """What does not alternate with what was told before, or runs backwards on one and the same clock."""
        last: dict[tuple[str, str], Claim] = {}
        for claim in claims:
            if claim.key in ("agent_added", "agent_removed"):
                last = {name: before for name, before in last.items() if name[0] != claim.agent}
            if claim.key in FACET_OF:
                name = claim.agent, FACET_OF[claim.key]
                if name in last and self._is_disordered(last[name], claim):
                    yield claim
                last[name] = claim

    def _is_disordered(self, before: Claim, claim: Claim) -> bool:
        since, until = self._times[max(0, before.poll - 3)], self._times[claim.poll]
        is_set = any(since < at <= until for at, _ in self._steps)
        return claim.key == before.key or (claim.at < before.at and not is_set)

    def _losses(self, agent: str) -> int:
        """How many of an agent's calls a counter that began anew may have cost."""
        own = self.agents.get(agent)
        if own is None or not own.resets:
            return 0
        case = self._case(own)
        windows = [self._window(case, number) for number in range(len(own.calls))]
        return sum(w is None or own.is_reset(w[0], w[2], self.server) for w in windows)


def matched(
    truths: Sequence[Truth], claims: Sequence[Claim], fits: Callable[[Truth, Claim], bool], margin: float
) -> dict[int, int]:
    """The most pairs, claim by truth, and of them the most that must be told: augmenting paths, musts first.

    truths: in order of time. margin: seconds beyond its bounds at which a claim may still fit a truth.
    """
    options, owner = _options(truths, claims, fits, margin), dict[int, int]()

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


def _options(
    truths: Sequence[Truth], claims: Sequence[Claim], fits: Callable[[Truth, Claim], bool], margin: float
) -> dict[int, list[int]]:
    """By truth, the claims that may mean it, first those that can wait least."""
    times, options = [truth.at for truth in truths], defaultdict[int, list[int]](list)
    for option in sorted(range(len(claims)), key=lambda option: claims[option].latest):
        claim = claims[option]
        first, last = bisect_left(times, claim.earliest - margin), bisect_right(times, claim.latest + margin)
        for number in range(first, last):
            if fits(truths[number], claim):
                options[number].append(option)
    return options
