"""A seeded floor: many lives, one true history, and the reply the server would give at any moment."""

from __future__ import annotations

import heapq
import json
import math
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from operator import attrgetter
from random import Random
from typing import Literal

from deepcall_async._model import FloorTotals
from deepcall_async._wire import encode_reply

from ._desk import Desk, Doing
from ._fact import EVERYBODY, Fact, groups_of
from ._life import Life
from ._mishap import crashes
from ._pace import DAY, HOUR, MINUTE, Pace
from ._variant import Variant

DEFAULT_START = 1_767_585_600.0  # Monday, 5 January 2026, 09:30 in India
IST_OFFSET = 19_800  # seconds India is ahead of UTC
NO_ROWS = '"pr":[]'
NOW_AND_THEN = 0.02  # the share of rows without an id, in the variant of this name

Status = Literal["all", "login"]


class Floor:
    """A call floor with a life of its own. The same arguments live the same history, in whatever steps.

    agents: how many seats; an agent who is gone for good is replaced. seed: of every random choice.
    start: the server's time at the beginning, epoch seconds. variant: how rows show what happens.
    pace: how busy it is. facts: a history, in order of time, to be lived again instead of one made up:
    another floor's `history`, or your own; it must begin by adding the agents.

    `set_clock` sets the server's clock; `time` and the instants of facts go on regardless.

    `history` is what has truly happened so far, in order of time. It begins before `start`, with what
    put the agents where they are. The floor only appends to it: clear it whenever memory matters.
    """

    groups: Collection[str] = ("55", "56", "57")

    def __init__(
        self,
        agents: int = 50,
        *,
        seed: int = 0,
        start: float = DEFAULT_START,
        variant: Variant | None = None,
        pace: Pace | None = None,
        facts: Iterable[Fact] | None = None,
    ) -> None:
        self.start = self.time = start
        self.seed = seed
        self.variant: Variant = variant or Variant()
        self.history: list[Fact] = []
        self._pace = pace or Pace()
        self._desks: dict[str, Desk] = {}
        self._clock: list[tuple[float, int]] = []  # since when the server's clock is ahead by how much
        self._late: dict[str, Desk] = {}  # as the totals know them, if these lag
        self._unknown: deque[Fact] = deque()  # what the totals do not know of yet
        self._in_order: list[Desk] | None = None  # sorted as the server does; None: to be sorted anew
        streams = (
            [self._seat(number, agents) for number in range(agents)] if facts is None else [_lives(facts)]
        )
        self._coming = heapq.merge(self._periods(), *streams, key=attrgetter("at"))
        self._next = next(self._coming, None)
        self.advance(start)

    def __repr__(self) -> str:
        return f"<Floor of {len(self._desks)} agents at {self.time:.1f}, {len(self.history)} facts>"

    # --- time ---------------------------------------------------------------------------------

    def advance(self, to: float) -> None:
        """Let everything happen up to and including the instant `to`, epoch seconds.

        Raises ValueError for an instant before the last one: a floor cannot go back.
        """
        if to < self.time:
            raise ValueError(f"the floor is at {self.time} already and cannot go back to {to}")
        while self._next is not None and self._next.at <= to:
            self._happen(self._next)
            self._next = next(self._coming, None)
        self.time = to

    def _seat(self, number: int, seats: int) -> Iterator[Fact]:
        """One agent after another. The first is there from the start, most likely at work."""
        random = Random(f"{self.seed}:seat:{number}")
        hired, on_duty = self.start - random.uniform(5 * HOUR, 90 * DAY), random.random() < 0.7
        begins, agent = self.start, number + 1
        while True:
            life = Life(
                str(agent),
                seed=self.seed,
                pace=self._pace,
                hired=hired,
                begins=begins,
                on_duty=on_duty,
                crashes=crashes(self._pace, self.seed, self.start),
            )
            yield from life.facts()
            hired = begins = life.now + random.uniform(MINUTE, 10 * MINUTE)
            agent, on_duty = agent + seats, False

    def _periods(self) -> Iterator[Fact]:
        """The midnights of India, if counters begin anew then."""
        midnight = (self.start + IST_OFFSET) // DAY * DAY - IST_OFFSET
        while self.variant.counters_reset == "midnight":
            midnight += DAY
            yield Fact(at=midnight, agent=EVERYBODY, kind="counters_reset")

    def set_clock(self, step: int) -> None:
        """Set the server's clock by so many seconds, now and for good; below zero: back."""
        self._happen(Fact(at=self.time, agent=EVERYBODY, kind="clock_set", step=step))

    def clock_at(self, at: float) -> float:
        """What the server's clock shows, or showed, at the floor's instant `at`."""
        return at + next((ahead for since, ahead in reversed(self._clock) if since <= at), 0)

    def _happen(self, fact: Fact) -> None:
        self._in_order = None
        if fact.agent == EVERYBODY:
            self._happen_to_all(fact)
            return
        self.history.append(fact)
        if self.variant.totals_lag:
            self._unknown.append(fact)
        if fact.kind == "agent_added":
            self._desks[fact.agent] = self._new_desk(fact)
        elif fact.kind == "agent_removed":
            del self._desks[fact.agent]
        else:
            self._apply(fact, self._desks[fact.agent])

    def _happen_to_all(self, fact: Fact) -> None:
        if fact.kind == "clock_set":
            self.history.append(fact)
            step = fact.step or 0
            self._clock.append((fact.at, step + (self._clock[-1][1] if self._clock else 0)))
        for desk in self._desks.values():
            if fact.kind == "clock_set":
                desk.set_clock(step)
            else:
                self._reset_counters(desk, fact.at)

    def _new_desk(self, fact: Fact) -> Desk:
        return Desk(fact, self.variant, groups_of(fact.agent), self._clock[-1][1] if self._clock else 0)

    def _apply(self, fact: Fact, desk: Desk) -> None:
        is_new_login = fact.kind == "logged_in" and not desk.logins
        desk.apply(fact)
        if is_new_login and self.variant.counters_reset == "login":
            self._reset_counters(desk, fact.at)

    def _reset_counters(self, desk: Desk, at: float) -> None:
        if desk.reset_counters():
            self.history.append(Fact(at=at, agent=desk.id, kind="counters_reset"))

    # --- the reply ----------------------------------------------------------------------------

    def reply(self, at: float, *, status: Status = "all", group: str | None = None) -> bytes:
        """The body the server answers with at the instant `at`, after letting everything until then happen.

        status: "login" leaves out who is logged out of web and mobile. group: only agents of this group.
        Raises ValueError for an instant in the past or an unknown group.
        """
        self.advance(at)
        if self.variant.talk_time_lag:
            for desk in self._desks.values():
                desk.settle(at)
        desks = self._view(status, group)
        envelope = encode_reply([], _totals(self._counted(desks, status, group))).decode()
        rows = self._rows(desks, at)
        return envelope.replace(NO_ROWS, f"{NO_ROWS[:-1]}{rows}]", 1).encode()

    def _view(self, status: Status, group: str | None) -> list[Desk]:
        if group is not None and group not in self.groups:
            raise ValueError(f"there is no group {group!r}")
        if self._in_order is None:
            self._in_order = sorted(self._desks.values(), key=attrgetter("available_since"))
        if group is None and status == "all":
            return self._in_order
        return [desk for desk in self._in_order if _is_in_view(desk, status, group)]

    def _counted(self, desks: list[Desk], status: Status, group: str | None) -> Collection[Desk]:
        """Whom the totals count, as far as they know."""
        is_of_all = self.variant.totals_cover == "account"
        if not self.variant.totals_lag:
            return self._desks.values() if is_of_all else desks
        while self._unknown and self._unknown[0].at <= self.time - self.variant.totals_lag:
            self._learn(self._unknown.popleft())
        known = self._late.values()
        return [desk for desk in known if is_of_all or _is_in_view(desk, status, group)]

    def _learn(self, fact: Fact) -> None:
        """The totals hear of what happened a while ago."""
        if fact.kind == "agent_added":
            self._late[fact.agent] = self._new_desk(fact)
        elif fact.kind == "agent_removed":
            del self._late[fact.agent]
        else:
            self._late[fact.agent].apply(fact)

    def _rows(self, desks: list[Desk], at: float) -> str:
        now = math.floor(self.clock_at(at))
        is_odd = self.variant.strays or self.variant.unidentified == "now_and_then"
        if not (is_odd or self._clock):
            drawn = [desk.drawn for desk in desks]
            blanks = [form(now - origin) for _, ticks in drawn for origin, form, _ in ticks]
            return ",".join([template for template, _ in drawn]) % tuple(blanks)
        random = Random(f"{self.seed}:{at!r}")  # the same instant strays the same way in every replay
        torn = random.randint(0, len(desks)) if self.variant.torn_second else len(desks)
        stray = _jitter(random)
        rows = [desk.row(now + (place >= torn), stray) for place, desk in enumerate(desks)]
        if self.variant.unidentified == "now_and_then":
            rows = [_nameless(row) if random.random() < NOW_AND_THEN else row for row in rows]
        return ",".join(rows)


def _is_in_view(desk: Desk, status: Status, group: str | None) -> bool:
    return (group is None or group in desk.groups) and (status == "all" or bool(desk.logins))


def _nameless(row: str) -> str:
    return json.dumps({**json.loads(row), "I": None}, separators=(",", ":"), ensure_ascii=False)


def _lives(facts: Iterable[Fact]) -> Iterator[Fact]:
    """The facts of lives; when counters begin anew is the variant's business."""
    return (fact for fact in facts if fact.kind != "counters_reset")


def _jitter(random: Random) -> Callable[[], int]:
    return lambda: int(random.random() * 3) - 1


def _totals(desks: Collection[Desk]) -> FloorTotals:
    doing = [desk.doing for desk in desks]
    return FloorTotals(
        logged_in=sum("web" in desk.logins for desk in desks),
        on_call=doing.count(Doing.ON_CALL),
        on_break=doing.count(Doing.ON_BREAK),
        after_call_work=doing.count(Doing.WRAP_UP),
        ringing=doing.count(Doing.RINGING),
        sip=sum(desk.sip_status != "offline" for desk in desks),
        microphones=sum(desk.microphone_permitted for desk in desks),
    )
