"""What `watch` knows, and what one picture of it shows: pure, time is passed in."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from attrs import define, field, frozen

from deepcall_async import Agent, AgentState, LiveUpdate, Snapshot, Transition

from .words import age, time_of_day, trouble

FEED_LENGTH = 200  # more transitions than any screen has lines
MISSED_POLLS = 2  # after so many, ages stand still and the picture says that it is old


@frozen
class Frame:
    """One picture.

    title: which floor. snapshot: the latest good one. now: the server's time, ticking between polls
    and standing still when the picture is old. begun: when the states of agents began of whom no row
    says so, but whose change was seen. feed: the last transitions, the newest first.
    banner: lines that say that the picture is old, and why; empty when it is not.
    """

    title: str
    snapshot: Snapshot
    now: datetime
    begun: Mapping[str, datetime] = field(factory=dict)
    feed: Sequence[Transition] = ()
    banner: tuple[str, ...] = ()


@define
class Board:
    """Takes updates in, gives frames out.

    interval: seconds between polls. rate: how fast the server's time runs (a simulated one may be warped).
    `now` is a clock of seconds, the same one for `take` and `frame`.
    """

    title: str
    interval: float
    rate: float = 1.0
    _update: LiveUpdate | None = None
    _good_at: float = 0.0
    _begun: dict[str, datetime] = field(factory=dict)
    _feed: deque[Transition] = field(factory=lambda: deque(maxlen=FEED_LENGTH))

    def take(self, update: LiveUpdate, now: float) -> None:
        """Note what an update says."""
        self._feed.extendleft(update.transitions)
        if not update.is_stale:
            self._note_beginnings(update)
            self._good_at = now
        self._update = update

    def frame(self, now: float) -> Frame | None:
        """The picture at this moment; None before the first update."""
        if self._update is None:
            return None
        snapshot, age_of_data = self._update.snapshot, now - self._good_at
        ticking = min(age_of_data, MISSED_POLLS * self.interval) * self.rate
        return Frame(
            title=self.title,
            snapshot=snapshot,
            now=snapshot.server_time + timedelta(seconds=max(0.0, ticking)),
            begun=self._begun,
            feed=tuple(self._feed),
            banner=self._banner(self._update, age_of_data),
        )

    def _note_beginnings(self, update: LiveUpdate) -> None:
        """Some states have no beginning in the row: the poll that first showed one is near it."""
        before = self._update.snapshot.agents if self._update is not None else {}
        for agent in update.snapshot.agents.values():
            known = before.get(agent.id)
            if known is not None and known.state is not agent.state:
                self._begun[agent.id] = update.snapshot.server_time
        for gone in self._begun.keys() - update.snapshot.agents.keys():
            del self._begun[gone]

    def _banner(self, update: LiveUpdate, age_of_data: float) -> tuple[str, ...]:
        why = trouble(update)
        if why is None and age_of_data > MISSED_POLLS * self.interval:
            why = "the next answer is overdue"
        if why is None:
            return ()
        lasting = age(timedelta(seconds=age_of_data))
        return (f"STALE for {lasting}: the floor as of {time_of_day(update.snapshot.server_time)}", why)


STATE_ORDER = (
    AgentState.ON_CALL,
    AgentState.OCCUPIED,
    AgentState.ON_BREAK,
    AgentState.AVAILABLE,
    AgentState.LOGGED_OUT,
)
_RANK = {state: rank for rank, state in enumerate(STATE_ORDER)}


def in_state(agent: Agent, frame: Frame) -> tuple[timedelta | None, bool]:
    """How long the agent has been in its state (None: nobody knows), and whether that is exact."""
    since, exact = agent.state_since, True
    if since is None:
        since, exact = frame.begun.get(agent.id), False
    return (None if since is None else max(timedelta(0), frame.now - since)), exact


def in_order(frame: Frame) -> list[Agent]:
    """The agents by state, the longest in it first, those of unknown age last; ties by id."""

    def key(agent: Agent) -> tuple[int, timedelta, int, str]:
        lasted, _ = in_state(agent, frame)
        return (
            _RANK[agent.state],
            timedelta(0) if lasted is None else -lasted,
            len(agent.id),
            agent.id,
        )

    return sorted(frame.snapshot.agents.values(), key=key)
