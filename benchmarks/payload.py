"""One generator of replies, for the benchmarks and for the tests that count what a poll costs.

The floor it shows is ordinary: 60 % of the agents are logged in, of whom 30 % are on a call and 10 %
on a break (so at the start, and about so later). Every clock ticks from poll to poll, and a given share
of the agents really changes: a login, a logout, a call or a break that begins or ends.

The *variations* take replies and give them in another form that says the same, or nearly: they can be
put around each other, as in `jittered(reshuffled(replies(100, 20)))`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from random import Random
from typing import Any

from attrs import define

from deepcall_async import FloorTotals
from deepcall_async._wire.encoder import encode_reply
from deepcall_async._wire.rows import Presence, Row, row_to_wire
from deepcall_async._wire.scalars import to_elapsed

START = 1_767_585_600  # epoch seconds: 2026-01-05 04:00:00 UTC
INTERVAL = 5  # seconds between two replies
HOUR = 3600
NAMES = ("Asha", "Bhawna", "Chetan", "Deepak", "Esha", "Farid", "Gita", "Hari")
REASONS = ("Lunch", "Tea", "Training")
SHARES = {"out": 0.40, "available": 0.36, "call": 0.18, "break": 0.06}


@define
class Person:
    """One agent. began: when the present state did. logged_in: since when, if so."""

    id: str
    name: str
    state: str
    began: int
    logged_in: int
    available: int
    calls: int
    talk_time: int
    reason: str

    def turn(self, state: str, now: int) -> None:
        """Really change."""
        if self.state == "call":
            self.calls += 1
            self.talk_time += now - self.began
        if self.state == "out":
            self.logged_in = now
        if state == "available":
            self.available = now
        self.state, self.began = state, now

    def row(self, now: int) -> Row:
        """How the wire shows it."""
        return Row(
            name=self.name,
            id=self.id,
            is_occupied=self.state == "call",
            login=None if self.state == "out" else Presence(now - self.logged_in, {"type": "Web"}),
            call=Presence(now - self.began, {"callId": f"c{self.id}.{self.calls}"})
            if self.state == "call"
            else None,
            on_break=Presence(now - self.began, {"type": self.reason}) if self.state == "break" else None,
            talk_time=self.talk_time,
            calls=self.calls,
            average_talk_time=self.talk_time // max(self.calls, 1),
            available_for=now - self.available,
            available_since=self.available,
            microphone_permitted=self.state != "out",
            sip_status="offline" if self.state == "out" else "online",
        )


def payload(agents: int, polls: int, changed: float = 0.01, seed: int = 0) -> list[bytes]:
    """So many successive replies of a floor of so many agents.

    changed: the share of the agents that really changes from one reply to the next, 0 to 1; where that
        is less than one agent a poll, one changes every few polls.
    The same seed gives the same bytes.
    """
    return list(replies(agents, polls, changed, seed))


def replies(agents: int, polls: int, changed: float = 0.01, seed: int = 0) -> Iterator[bytes]:
    """The same, one by one."""
    random = Random(f"{agents} {seed}")
    times = (START + poll * INTERVAL for poll in range(polls))
    return _told(_people(agents, random), times, changed, random)


CYCLE = 8  # replies to each hour in `hourly`
AT_THE_HOUR = 6  # which of them is the one at the hour


def hourly(agents: int, polls: int, seed: int = 0) -> Iterator[bytes]:
    """Replies of a quiet floor on which every elapsed time reaches a full hour at the same poll.

    Of each `CYCLE` replies, `INTERVAL` apart, number `AT_THE_HOUR` is that poll; after them the next
    hour is taken up again shortly before its end.
    """
    random = Random(f"{agents} {seed}")
    people = _people(agents, random)
    for person in people:
        for name in ("began", "logged_in", "available"):
            setattr(person, name, getattr(person, name) // HOUR * HOUR)
    steps = (divmod(poll, CYCLE) for poll in range(polls))
    times = (START + cycle * HOUR + (step - AT_THE_HOUR) * INTERVAL for cycle, step in steps)
    return _told(people, times, 0.0, random)


def _told(people: list[Person], times: Iterable[int], changed: float, random: Random) -> Iterator[bytes]:
    """The replies at these server times; the share `changed` of the people changes in between."""
    turns = 0
    for poll, now in enumerate(times):
        due = int(poll * changed * len(people) + 1e-9) - turns
        for person in random.sample(people, due):
            others = [state for state in SHARES if state != person.state]
            person.turn(random.choices(others, [SHARES[state] for state in others])[0], now)
        turns += due
        yield encode_reply([row_to_wire(person.row(now)) for person in people], _totals(people))


def _people(agents: int, random: Random) -> list[Person]:
    states = [state for state, share in SHARES.items() for _ in range(round(share * agents))]
    states = (states + ["available"] * agents)[:agents]
    random.shuffle(states)
    return [_person(number, state, random) for number, state in enumerate(states, 1)]


def _person(number: int, state: str, random: Random) -> Person:
    began = START - random.randrange(1, 900)
    logged_in = began - random.randrange(60, 6 * 3600)
    calls = random.randrange(60)
    return Person(
        id=str(number),
        name=f"{random.choice(NAMES)} {number}",
        state=state,
        began=began,
        logged_in=logged_in,
        available=began if state == "available" else random.randrange(logged_in, began),
        calls=calls,
        talk_time=calls * random.randrange(20, 300),
        reason=random.choice(REASONS),
    )


def _totals(people: list[Person]) -> FloorTotals:
    states = [person.state for person in people]
    logged_in = len(states) - states.count("out")
    return FloorTotals(
        logged_in=logged_in,
        on_call=states.count("call"),
        on_break=states.count("break"),
        after_call_work=0,
        ringing=0,
        sip=logged_in,
        microphones=logged_in,
    )


# --- variations ---------------------------------------------------------------------------------------

Json = dict[str, Any]


def reshuffled(bodies: Iterable[bytes], seed: int = 0) -> Iterator[bytes]:
    """The rows of each reply in an order of its own."""
    random = Random(seed)

    def shuffle(rows: list[Json]) -> None:
        random.shuffle(rows)

    return _changed(bodies, shuffle)


def jittered(bodies: Iterable[bytes], seed: int = 0) -> Iterator[bytes]:
    """Each field that ticks a second too early, right, or a second too late, as chance will have it."""
    random = Random(seed)

    def jitter(rows: list[Json]) -> None:
        for row in rows:
            _put_forward(row, lambda: random.randint(-1, 1))

    return _changed(bodies, jitter)


def ticking(bodies: Iterable[bytes], seed: int = 0) -> Iterator[bytes]:
    """The server's second ticks over while it writes: from some row on, all rows are a second later."""
    random = Random(seed)

    def tick(rows: list[Json]) -> None:
        for row in rows[random.randrange(len(rows)) :]:
            _put_forward(row, lambda: 1)

    return _changed(bodies, tick)


def rekeyed(bodies: Iterable[bytes], seed: int = 0) -> Iterator[bytes]:
    """The keys of every object in another order, the same in all replies: another server's."""
    random = Random(seed)
    ranks: dict[str, float] = {}

    def sort(pairs: list[tuple[str, Any]]) -> Json:
        return dict(sorted(pairs, key=lambda pair: ranks.setdefault(pair[0], random.random())))

    return (_dumped(json.loads(body, object_pairs_hook=sort)) for body in bodies)


def pretty(bodies: Iterable[bytes]) -> Iterator[bytes]:
    """Indented for human eyes."""
    return (json.dumps(json.loads(body), indent=2, ensure_ascii=False).encode() for body in bodies)


def _changed(bodies: Iterable[bytes], change: Callable[[list[Json]], None]) -> Iterator[bytes]:
    for body in bodies:
        reply = json.loads(body)
        change(reply["message"]["pr"])
        yield _dumped(reply)


def _dumped(reply: Json) -> bytes:
    return json.dumps(reply, separators=(",", ":"), ensure_ascii=False).encode()


def _put_forward(row: Json, seconds: Callable[[], int]) -> None:
    """Move each elapsed time of a row that ticks by so many seconds of its own, but not below 0."""
    clocks = [(row, "avT"), *((part, "duration") for part in row.values() if isinstance(part, dict))]
    for place, key in clocks:
        hours, minutes, rest = map(int, place[key])
        place[key] = to_elapsed(max(0, hours * HOUR + minutes * 60 + rest + seconds()))
