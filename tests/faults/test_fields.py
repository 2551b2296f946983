"""Every field with every wrong value, one poll after the other, while the floor stands still."""

from __future__ import annotations

from typing import Any

import pytest

from deepcall_async import LiveUpdate
from tests.fake_server import ONCE, serving
from tests.wire.wrong import DURATIONS, TYPES, WRONG

from .fault import BEFORE, LATER, ROWS, rows, spoilt

pytestmark = [pytest.mark.wire, pytest.mark.looptime]

Case = tuple[str, Any]
CASES: dict[str, list[Case]] = {key: [(key, value) for value in values] for key, values in WRONG.items()}
for side in ("l", "ml"):
    CASES[f"{side}.duration"] = [(side, {"type": "Web", "duration": value}) for value in DURATIONS]
    CASES[f"{side}.type"] = [(side, {"type": value, "duration": ["0", "16", "49"]}) for value in TYPES]

# Where no sample shows the form of a duration, one that cannot be read says nothing: the call is on.
UNSEEN: list[Any] = [*DURATIONS[:1], *DURATIONS[2:], -5, 10**15, True, None, {}, "1:2", "0:99:00", "a:b:c"]


async def _watch(*answers: bytes) -> tuple[list[LiveUpdate], LiveUpdate]:
    """The updates of these answers after a good one, and that of the next good one."""
    async with (
        serving(BEFORE, BEFORE, *answers, LATER) as server,
        server.session(retry=ONCE) as session,
        session.poll_live(0.1) as stream,
    ):
        stream._ticker.interval = 0.005  # faster than is allowed, for the tests' sake
        assert (await anext(stream)).is_baseline
        return [await anext(stream) for _ in answers], await anext(stream)


def told(update: LiveUpdate) -> list[tuple[str, str]]:
    return [(transition.kind, transition.agent.id) for transition in update.transitions]


@pytest.mark.parametrize("path", CASES)
async def test_a_field_of_a_wrong_type_costs_its_row_one_poll_and_nobody_is_taken_for_gone(
    path: str,
) -> None:
    cases = CASES[path]
    spoilt_updates, after = await _watch(*(spoilt(**{key: value}) for key, value in cases))
    for case, update in zip(cases, spoilt_updates, strict=True):
        assert [part.path for part in update.snapshot.quarantined] == [f"message.pr[4].{path}"], case
        assert (told(update), update.held, update.outage) == ([], (), None), case
        assert update.snapshot.agents["5"].is_logged_in, case
    assert told(after) == [("logged_in", "2")]
    assert not after.snapshot.quarantined


@pytest.mark.parametrize(("key", "agent"), [("liC", 2), ("br", 3)])
async def test_a_call_or_break_whose_duration_makes_no_sense_goes_on(key: str, agent: int) -> None:
    def with_duration(value: Any) -> bytes:
        return rows(*ROWS[:agent], {**ROWS[agent], key: {"type": "x", "duration": value}}, *ROWS[agent + 1 :])

    odd, after = await _watch(*map(with_duration, UNSEEN))
    for value, update in zip(UNSEEN, odd, strict=True):
        assert (told(update), update.held, update.snapshot.quarantined) == ([], (), ()), value
    assert told(after) == [("logged_in", "2")]


async def test_a_login_of_a_hundred_years_is_the_login_that_was_there() -> None:
    """An origin cannot move into the past: an earlier reading is a correction."""
    ages = [["1000000", "00", "00"], [999_999, 59, 59]]
    odd, after = await _watch(*(spoilt(l={"type": "Web", "duration": age}) for age in ages))
    assert [told(update) for update in odd] == [[], []]
    assert told(after) == [("logged_in", "2")]
