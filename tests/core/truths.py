"""Simulated floors with a true history, polled; and what the stream told, weighed against that history."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from random import Random
from typing import Any, Literal

from attrs import field, frozen

from deepcall_async import (
    AgentRemoved,
    LiveFloor,
    LiveUpdate,
    LoggedIn,
    LoggedOut,
    Transition,
    UnseenActivity,
)
from deepcall_async._inference.episodes import FACETS
from deepcall_async.simulator import VARIANTS, Fact, Floor as SimulatedFloor, Pace

Status = Literal["all", "login"]
PATTERNS = ("every second", "every 5 s", "every 15 s", "every minute", "hurried", "slow", "irregular")


@frozen
class Reply:
    """What the server answered at an instant."""

    now: float
    body: bytes

    @property
    def date(self) -> datetime:
        """The Date header."""
        return datetime.fromtimestamp(math.floor(self.now), UTC)

    @property
    def rows(self) -> dict[str, dict[str, Any]]:
        """The raw rows by agent id."""
        return {row["I"]: row for row in json.loads(self.body)["message"]["pr"]}


@frozen(kw_only=True)
class Run:
    """A busy simulated floor, polled in a pattern of gaps between 0.3 s and 90 s."""

    variant: str
    seed: int
    pattern: str = "irregular"
    agents: int = 4
    polls: int = 120
    status: Status = "all"
    floor: SimulatedFloor = field(init=False, repr=False, eq=False)
    replies: tuple[Reply, ...] = field(init=False, repr=False, eq=False)

    @floor.default
    def _build(self) -> SimulatedFloor:
        return SimulatedFloor(self.agents, seed=self.seed, variant=VARIANTS[self.variant], pace=Pace.busy())

    @replies.default
    def _poll(self) -> tuple[Reply, ...]:
        return tuple(Reply(now, self.floor.reply(now, status=self.status)) for now in self._instants())

    def _instants(self) -> Iterator[float]:
        random, now = Random(f"{self.seed} {self.pattern}"), self.floor.start
        for _ in range(self.polls):
            now += _gap(self.pattern, random)
            yield now

    def live(self, **options: Any) -> LiveFloor:
        """A `LiveFloor` that has seen nothing of it yet."""
        return LiveFloor(self.status, scope="sim", **options)

    def updates(self) -> list[LiveUpdate]:
        """What the stream yields."""
        return watch(self.live(), self.replies)


def _gap(pattern: str, random: Random) -> float:
    match pattern:
        case "hurried":
            return random.uniform(0.3, 2)
        case "slow":
            return random.uniform(10, 90)
        case "irregular":
            return random.choice([0.3, 0.7, 1, 2, 5, 15, 30, 90])
        case _:
            return {"every second": 1, "every 5 s": 5, "every 15 s": 15, "every minute": 60}[pattern]


def watch(live: LiveFloor, replies: Iterable[Reply]) -> list[LiveUpdate]:
    """Feed replies to a floor."""
    return [live.receive(reply.body, date=reply.date) for reply in replies]


def told(updates: Iterable[LiveUpdate]) -> list[Transition]:
    """Everything told, in order."""
    return [transition for update in updates for transition in update.transitions]


# --- against the truth ----------------------------------------------------------------------------

EPISODES = ("logged_in", "logged_out", "break_started", "break_ended", "call_started", "call_ended")
OTHERS = ("agent_added", "agent_removed", "counters_reset")
Key = tuple[str, str]


def untrue(transitions: Iterable[Transition], history: Sequence[Fact]) -> list[Transition]:
    """The transitions for which no fact can stand: each for one only, and within a second of its bounds."""
    truths = _truths(history)
    claims: dict[Key, list[Transition]] = defaultdict(list)
    for transition in transitions:
        for key in _keys(transition):
            claims[key].append(transition)
    left = [claim for key, own in claims.items() for claim in _unmatched(own, truths[key])]
    vague = [t for t in transitions if not list(_keys(t)) and not _has_cause(t, history)]
    return left + vague


def _truths(history: Sequence[Fact]) -> dict[Key, list[int]]:
    truths: dict[Key, list[int]] = defaultdict(list)
    for fact in history:
        kind = f"{fact.kind} {fact.channel}" if fact.channel else fact.kind
        truths[fact.agent, kind].append(math.floor(fact.at))
    return truths


def _keys(t: Transition) -> Iterator[Key]:
    """The facts a transition claims."""
    if isinstance(t, UnseenActivity):
        for _ in range(t.calls or 0):
            yield t.agent.id, "call_started"
            yield t.agent.id, "call_ended"
    elif isinstance(t, LoggedIn | LoggedOut):
        yield t.agent.id, f"{t.kind} {t.channel.value}"
    elif t.kind in (*EPISODES, *OTHERS):
        yield t.agent.id, t.kind


def bounds(t: Transition) -> tuple[float, float]:
    """Between what the truth must lie."""
    return t.earliest.timestamp() - 1, t.latest.timestamp() + 1


def _unmatched(claims: list[Transition], truths: list[int]) -> list[Transition]:
    """Give each truth, in order, to the claim that can wait least: no other way finds more pairs."""
    waiting = sorted(claims, key=lambda t: t.latest)
    for truth in sorted(truths):
        fitting = (t for t in waiting if bounds(t)[0] <= truth <= bounds(t)[1])
        if (first := next(fitting, None)) is not None:
            waiting.remove(first)
    return waiting


def _has_cause(t: Transition, history: Sequence[Fact]) -> bool:
    """Whether anything happened that may have caused an update, or an activity that nobody can name."""
    earliest, latest = bounds(t)
    near = [f for f in history if f.agent == t.agent.id and earliest <= math.floor(f.at) <= latest]
    if isinstance(t, UnseenActivity):
        return any(f.kind in ("break_ended", "ring_ended", "logged_in", "logged_out") for f in near)
    name = getattr(t, "field", None)
    if name == "is_occupied":
        return bool(near)
    return any(f.kind == "updated" and f.field == name for f in near)


# --- in order ---------------------------------------------------------------------------------------


def side(t: Transition) -> str | None:
    """The facet on which a transition begins or ends an episode."""
    if isinstance(t, LoggedIn | LoggedOut):
        return t.channel.value
    return t.kind.partition("_")[0] if t.kind in EPISODES else None


def begins(t: Transition) -> bool:
    return t.kind.endswith(("_in", "_started"))


def disorders(updates: Iterable[LiveUpdate]) -> list[Transition]:
    """Transitions that begin what is on, end what is not, or go back in time, per agent and facet."""
    wrong: list[Transition] = []
    is_on: dict[tuple[str, str], bool] = {}
    last: dict[tuple[str, str], datetime] = {}
    known: set[str] = set()
    for update in updates:
        if update.clock_step is not None:
            last.clear()
        agents = update.snapshot.agents
        begun = {(t.agent.id, side(t)) for t in update.transitions if begins(t)}
        known -= {t.agent.id for t in update.transitions if isinstance(t, AgentRemoved)}
        for agent in (agents[key] for key in agents.keys() - known):  # first sight, or in view again
            is_on |= {
                (agent.id, facet.name): facet.of(agent) is not None and (agent.id, facet.name) not in begun
                for facet in FACETS
            }
        known |= set(agents)
        for t in update.transitions:
            if (name := side(t)) is not None:
                key = t.agent.id, name
                if is_on.get(key, False) == begins(t) or t.at < last.get(key, t.at):
                    wrong.append(t)
                is_on[key], last[key] = begins(t), t.at
    return wrong
