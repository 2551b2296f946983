"""Numbers that a reply may just hold, over and over: nothing overflows, and nothing grows for ever."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from deepcall_async import LiveFloor, LiveUpdate
from tests.wire.replies import reply

LATE, EARLY = 32_503_600_000, 100_000_000  # epoch seconds: the year 2999, and 1973
MOST = 3_600_000_000  # seconds: the longest time that is read


HOURS = (1, 2, 3, 4, 5)  # since the logins
STEPS = [(EARLY, HOURS), (LATE, (10, 900, 20_000, 400_000, 8)), (LATE, HOURS)]


def row(agent: Any, clock: int = EARLY, **more: Any) -> dict[str, Any]:
    """An agent who became available this second."""
    return {"I": str(agent), "avD": clock, "avT": ["0", "00", "00"], **more}


def login(hours: int) -> dict[str, Any]:
    return {"type": "Web", "duration": [hours, 0, 0]}


def test_a_clock_set_by_a_thousand_years_again_and_again_moves_no_origin_out_of_the_calendar() -> None:
    floor = LiveFloor()
    floor.receive(reply(*[row(n, LATE, l=login(n + 1)) for n in range(5)], row("x", LATE, l=login(1))))
    for _ in range(5):
        for clock, hours in STEPS:
            for tick in (0, 1, 2):  # each is held first
                rows = [row(n, clock + tick, l=login(age)) for n, age in enumerate(hours)]
                update = floor.receive(reply(*rows, row("x", tC=-1)))
    saved = json.loads(json.dumps(update.checkpoint))
    again = reply(*rows, row("x", tC=-1))
    assert LiveFloor(resume_from=saved).receive(again).gap is not None


def test_talk_times_of_a_century_each_can_be_added_for_any_number_of_agents() -> None:
    floor = LiveFloor()
    floor.receive(reply(*[row(n, tC=0, tt=0) for n in range(26_000)]))
    update = floor.receive(reply(*[row(n, tC=1, tt=MOST) for n in range(26_000)]))
    assert update.ledger.total.grown == 26_000
    assert update.ledger.total.talk_grown > timedelta(days=10**6)


def test_a_server_that_invents_new_agents_with_every_reply_does_not_fill_the_memory() -> None:
    floor = LiveFloor("login")
    for number in range(30):
        invented = [row(f"{number}.{n}", EARLY + number, l=login(1)) for n in range(1000)]
        update: LiveUpdate = floor.receive(reply(*invented))
    assert len(update.checkpoint["state"]["memories"]) < 25_000
