"""What holds for every row of every table: the consumer sees what it says, and only the truth is told."""

from __future__ import annotations

import json
import tracemalloc
from typing import Any

import pytest
from attrs import frozen

from deepcall_async import LiveFloor, LiveUpdate, LoggedIn, RequestTimeout, UnexpectedStatus
from deepcall_async._model.instants import instant
from tests.fake_server import ONCE, START, serving

from .fault import BEFORE, LAST, LATER, Fault, body
from .tables import TABLES

pytestmark = [pytest.mark.wire, pytest.mark.looptime]

MEMORY = 12_000_000  # bytes that a fault may cost where a reply may have a million
CASES = {
    f"{name} {form}".strip(): (fault, form)
    for table in TABLES.values()
    for name, fault in table.items()
    for form in fault.answers
}
FAILING = [name for name, (fault, _) in CASES.items() if fault.error]


@frozen
class Seen:
    """The updates of the fault's tick and of the two after it, and the memory the first took."""

    during: LiveUpdate
    after: LiveUpdate
    last: LiveUpdate
    memory: int


def options(fault: Fault) -> dict[str, Any]:
    """Of the session: a timeout that is soon over where it is what the fault runs into, and else never."""
    return {"timeout": 0.15 if fault.error is RequestTimeout else 30, "max_reply_bytes": 1_000_000}


async def _watch(fault: Fault, form: str) -> Seen:
    async with (
        serving(BEFORE, BEFORE, fault.answers[form], LATER, LAST) as server,
        server.session(retry=ONCE, **options(fault)) as session,
        session.poll_live(0.1) as stream,
    ):
        stream._ticker.interval = 0.02  # faster than is allowed, for the tests' sake
        assert (await anext(stream)).is_baseline
        tracemalloc.start()
        try:
            during = await anext(stream)
            memory = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        return Seen(during, await anext(stream), await anext(stream), memory)


def told(*updates: LiveUpdate) -> list[tuple[type, str]]:
    """Who did what, but for what an odd name alone makes of it."""
    every = [t for update in updates for t in update.transitions if t.kind != "agent_updated"]
    return [(type(t), t.agent.id) for t in every]


NEWS = [(LoggedIn, "2")]


@pytest.mark.parametrize("name", CASES)
async def test_a_fault_is_seen_as_the_table_says_and_only_the_truth_is_told_then_and_later(name: str) -> None:
    fault, form = CASES[name]
    seen = await _watch(fault, form)
    check_seen(seen.during, fault, form)
    assert tuple(t.kind for t in seen.during.transitions) == fault.told
    assert bool(seen.after.held) == fault.is_next_held
    assert told(seen.after) == ([] if fault.is_next_held else NEWS)
    assert told(seen.after, seen.last) == NEWS
    (news,) = [t for t in (*seen.after.transitions, *seen.last.transitions) if isinstance(t, LoggedIn)]
    assert fault.is_next_held or news.earliest <= news.at == instant(START + 30) <= news.latest
    assert seen.last.snapshot.agents.keys() == set("12345")
    assert (seen.after.gap and seen.after.gap.failures) == (1 if seen.during.outage else None)
    assert not seen.last.is_stale
    assert (seen.last.gap, seen.last.snapshot.quarantined) == (None, ())
    assert seen.memory < MEMORY
    check_resumed(seen)


def check_resumed(seen: Seen) -> None:
    """A stream that is resumed from the checkpoint of the fault's tick tells the same, by the same ids."""
    saved = json.loads(json.dumps(seen.during.checkpoint))
    floor = LiveFloor("all", scope=saved["scope"], view=saved["view"], resume_from=saved)
    for answer, update in ((LATER, seen.after), (LAST, seen.last)):
        again = floor.receive(body(answer))
        assert again.held == update.held
        assert [t.id for t in again.transitions] == [t.id for t in update.transitions]


def check_seen(update: LiveUpdate, fault: Fault, form: str) -> None:
    """What the consumer sees in the tick of the fault."""
    assert update.held == fault.held
    assert (update.outage is not None) == (fault.error is not None)
    if update.outage is not None:
        assert type(update.outage.error) is fault.error
        assert fault.word.format(form) in str(update.outage.error)
        assert update.outage.failures == 1
    assert tuple(part.path for part in update.snapshot.quarantined) == fault.quarantined
    assert update.snapshot.agents.keys() == set("12345")


@pytest.mark.parametrize("name", FAILING)
async def test_a_fault_that_may_pass_is_not_seen_where_it_is_tried_again_and_no_other_is_tried_again(
    name: str,
) -> None:
    fault, form = CASES[name]
    async with (
        serving(BEFORE, fault.answers[form], LATER) as server,
        server.session(**options(fault)) as session,
    ):
        if is_lasting(fault, form):
            with pytest.raises(UnexpectedStatus):
                await session.live()
        else:
            assert (await session.live()).agents["2"].is_logged_in
        assert len(server.requests) == (2 if is_lasting(fault, form) else 3)


def is_lasting(fault: Fault, form: str) -> bool:
    """Whether it is a status that says: do not ask again."""
    status = fault.word.format(form).removeprefix("HTTP ")
    return fault.error is UnexpectedStatus and status[0] not in "59" and status not in ("408", "425", "429")
