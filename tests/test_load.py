"""Many streams, long lives and slow consumers: one renewal, nothing forgotten too early or kept too long."""

from __future__ import annotations

import asyncio
import gc
import json
import weakref
from collections.abc import Iterator
from contextlib import AsyncExitStack
from itertools import pairwise
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from benchmarks.fidelity import Setting, _score_ours
from benchmarks.scoring import History
from deepcall_async import Auth, DeepcallSession, LiveFloor, LiveStream, LiveUpdate, SsidAuth, Transition
from deepcall_async.simulator import Pace, Simulator

from .fake_server import GOOD, START, Connection, api_error, floor, row, serving, until
from .project.pages import blocks
from .project.source import ROOT

virtual = pytest.mark.looptime
HOUR, DAY = 3_600, 86_400


def open_descriptors() -> int:
    """0 where the system does not tell."""
    folder = Path("/proc/self/fd")
    return len([*folder.iterdir()]) if folder.exists() else 0


# --- a renewal storm -------------------------------------------------------------------------


class Account:
    """A server that takes one ssid at a time, and a provider who knows the next one after `takes` seconds."""

    def __init__(self) -> None:
        self.valid = "ssid-1"
        self.takes = 0.0
        self.given = 0
        self.refused = 0

    async def provider(self) -> Auth:
        self.given += 1
        await asyncio.sleep(self.takes)
        return SsidAuth(f"ssid-{self.given}")

    async def answer(self, connection: Connection) -> None:
        is_good = connection.request.json["ssid"] == self.valid
        self.refused += not is_good
        connection.writer.write(GOOD if is_good else api_error(1014))


@virtual
async def test_a_thousand_streams_whose_credentials_expire_together_renew_them_once_and_tell_no_outage() -> (
    None
):
    account = Account()
    async with serving(account.answer) as server, server.session(account.provider) as session:
        streams = [session.poll_live(60) for _ in range(1_000)]
        await asyncio.gather(*map(_next, streams))
        for expiry, takes in ((2, 1.0), (3, 0.0)):  # answered after all were refused, and after some
            account.valid, account.takes = f"ssid-{expiry}", takes
            updates = await asyncio.gather(*map(_next, streams))
            assert account.given == expiry
            assert 8 <= account.refused <= 1_000
            assert not any(update.outage for update in updates)
            account.refused = 0
        assert server.accepted <= 8  # connections


async def _next(stream: LiveStream) -> LiveUpdate:
    return await anext(stream)


# --- agents gone for a day -------------------------------------------------------------------

TEAM, SHIFT = 20, 6 * HOUR


def shifts(count: int) -> Iterator[tuple[int, list[bytes]]]:
    """Teams of agents of whom none ever returns, one a shift: each is seen to come, and a call later."""
    for shift in range(count):
        now = START + shift * SHIFT
        polls = []
        for at, calls in ((now, 4), (now + 10, 4), (now + HOUR, 5)):  # a change of shift needs two witnesses
            team = range(100 * (shift + 1), 100 * (shift + 1) + TEAM)
            rows = [_at_work(agent, at, now, tC=calls, tt=60 * calls) for agent in team]
            polls.append(floor(_at_work(1, at, START), *rows).partition(b"\r\n\r\n")[2])
        yield shift, polls


def _at_work(agent: int, now: int, since: int, **counters: int) -> dict[str, Any]:
    return row(agent, logged_in=True, now=now, since=since - 60, **counters)


def test_by_login_agents_gone_for_a_day_are_forgotten_in_memory_and_checkpoint_but_not_their_calls() -> None:
    live = LiveFloor("login")
    sizes, first_team = [], []
    for shift, polls in shifts(41):
        for poll in polls:
            update = live.receive(poll)
        if shift == 0:
            first_team = [weakref.ref(agent) for agent in update.snapshot.agents.values() if agent.id != "1"]
        checkpoint = update.checkpoint
        assert len(checkpoint["state"]["memories"]) <= 1 + TEAM * (DAY // SHIFT + 1)
        sizes.append(len(json.dumps(checkpoint)))
    gc.collect()
    assert len(first_team) == TEAM
    assert not any(agent() for agent in first_team)
    assert max(sizes[8:]) <= 1.02 * min(sizes[8:])
    assert update.ledger.total.hidden == 41 * TEAM
    assert update.ledger.total.residual == 0


# --- slow consumers --------------------------------------------------------------------------


@virtual
async def test_a_consumer_that_takes_five_minutes_skips_ticks_and_is_told_whatever_is_proven() -> None:
    """Held against the simulator's true history."""
    slowness, rounds = 300.25, 60
    told: list[Transition] = []
    async with (
        Simulator(agents=60, seed=5, pace=Pace(idle=300.0)) as server,
        DeepcallSession(SsidAuth(server.ssid), base_url=server.url) as session,
    ):
        async for update in session.poll_live(1.0):
            told += update.transitions
            if update.sequence == rounds:
                break
            await asyncio.sleep(slowness)
        polls = [request.at for request in [*server.requests][1:]]
        history = History(server.floor.history, polls, server.floor.variant)
    assert polls == pytest.approx([polls[0] + slowness * number for number in range(rounds + 1)])
    setting = Setting(variant="likely", interval=slowness, seed=5, hours=5, agents=60)
    score = _score_ours(setting, history, told, update)
    assert score.truths["provable"] > 100
    assert score.found["provable"] == score.truths["provable"], score.misses[:3]
    assert score.found["visible"] == score.truths["visible"]
    assert score.found["countable"] == score.truths["countable"]
    assert (score.false, score.residual, score.misordered, score.repeated_ids) == (0, 0, 0, 0)


# --- many sessions ---------------------------------------------------------------------------


@virtual
async def test_two_hundred_sessions_poll_on_the_grid_and_leave_no_task_descriptor_or_connection() -> None:
    before = open_descriptors()
    polled: list[float] = []

    async def watch(session: DeepcallSession) -> None:
        clock = asyncio.get_running_loop().time
        async with session.poll_live(1.0) as stream:
            start = clock()
            async for update in stream:
                polled.append(clock() - start - update.sequence)
                if update.sequence == 5:
                    break

    async with serving(GOOD) as server:
        tasks = asyncio.all_tasks()
        async with AsyncExitStack() as stack, asyncio.TaskGroup() as group:
            for number in range(200):
                session = await stack.enter_async_context(server.session(account=str(number)))
                group.create_task(watch(session))
        assert (server.accepted, len(server.requests)) == (200, 200 * 7)
        assert polled == pytest.approx([0.0] * 200 * 6, abs=0.05)
        await until(lambda: not server.connections)
        await until(lambda: asyncio.all_tasks() == tasks)
    await until(lambda: open_descriptors() <= before)


@virtual
async def test_sessions_that_share_a_pool_of_the_callers_share_its_connections_and_leave_it_open() -> None:
    async with serving(GOOD) as server, aiohttp.ClientSession() as http:
        sessions = [server.session(http_session=http, account=str(number)) for number in range(50)]
        streams = []
        for session in sessions:
            await session.open()
            streams.append(session.poll_live(1.0))
        for stream in streams * 3:
            await anext(stream)
        assert server.accepted == 1
        await asyncio.gather(*(session.aclose() for session in sessions))
        assert not http.closed
        assert len(server.requests) == 50 * 4


# --- the fleet of the page -----------------------------------------------------------------


def fleet_of_the_page() -> dict[str, Any]:
    """The names that the page's supervisor defines."""
    code = next(
        block for block in blocks(ROOT / "docs" / "load.md", "python") if "def supervise" in block.text
    )
    names: dict[str, Any] = {}
    exec(code.text, names)  # noqa: S102  # our own page
    return names


@virtual
async def test_the_trouble_of_one_account_of_a_fleet_is_its_own(caplog: pytest.LogCaptureFixture) -> None:
    refused, started = api_error(1014), asyncio.get_running_loop().time()
    fleet = fleet_of_the_page()
    told: list[tuple[str, LiveUpdate]] = []
    fleet["handle"] = lambda account, update: told.append((account, update))
    async with serving(GOOD, GOOD, *[refused] * 7, GOOD) as ill, serving(GOOD) as well:
        async with asyncio.timeout(300), asyncio.TaskGroup() as group:
            supervise = fleet["supervise"]
            tasks = [
                group.create_task(supervise(account, server.session, start=0))
                for account, server in (("ill", ill), ("well", well))
            ]
            await asyncio.sleep(200)
            for task in tasks:
                task.cancel()
        tried = [request.at - started for request in ill.requests]
    assert len([update for account, update in told if account == "well"]) >= 199
    recovered = next(update for account, update in told if account == "ill" and update.sequence > 0)
    assert recovered.gap is not None
    assert not recovered.is_baseline
    pauses = [later - earlier for earlier, later in pairwise(tried[2:9])]
    assert pauses[-1] > 8 * pauses[0] > 2
    assert sum("account ill: trying again" in record.getMessage() for record in caplog.records) == 7


@virtual
async def test_a_bug_in_what_handles_one_account_ends_no_other(caplog: pytest.LogCaptureFixture) -> None:
    def handle(account: str, update: LiveUpdate) -> None:
        handled.append(account)
        if account == "buggy":
            raise KeyError(update.sequence)

    handled: list[str] = []
    fleet = fleet_of_the_page()
    fleet["handle"] = handle
    async with serving(GOOD) as server, asyncio.timeout(300), asyncio.TaskGroup() as group:
        supervise = fleet["supervise"]
        tasks = [
            group.create_task(supervise(account, server.session, start=0)) for account in ("buggy", "well")
        ]
        await asyncio.sleep(100)
        for task in tasks:
            task.cancel()
    assert handled.count("well") >= 100
    assert 3 < handled.count("buggy") < 12
    assert "KeyError" in caplog.text
