"""One generator of replies, for the benchmarks and for the tests that count what a poll costs.

The floor it shows is ordinary: 60 % of the agents are logged in, of whom 30 % are on a call and 10 %
on a break (so at the start, and about so later). Every clock ticks from poll to poll, and a given share
of the agents really changes: a login, a logout, a call or a break that begins or ends.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from attrs import define

from deepcall_async import FloorTotals
from deepcall_async._rows import Presence, Row, row_to_wire
from deepcall_async._wire import encode_reply

START = 1_767_585_600  # epoch seconds: 2026-01-05 04:00:00 UTC
INTERVAL = 5  # seconds between two replies
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
    people = _people(agents, random)
    turns = 0
    for poll in range(polls):
        now = START + poll * INTERVAL
        due = int(poll * changed * agents + 1e-9) - turns
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
