"""The simulator's own faults, on a busy floor whose true history is known, in virtual time."""

from __future__ import annotations

import math

import pytest

from deepcall_async import (
    DeepcallError,
    DeepcallSession,
    LiveUpdate,
    ReplyError,
    RequestTimeout,
    RetryPolicy,
    ServerBusy,
    TokenAuth,
    TransportError,
    UnexpectedStatus,
)
from deepcall_async.simulator import Fault, Pace, Simulator
from tests.core.truths import untrue

pytestmark = [pytest.mark.wire, pytest.mark.looptime]

TICKS = 24
FAULTY = range(3, TICKS, 6)  # ticks; often enough to lose a tick in the middle of much

FAULTS: dict[str, tuple[Fault, type[DeepcallError] | None]] = {
    "never answered": (Fault(delay=math.inf), RequestTimeout),
    "answered late": (Fault(delay=2.0), None),
    "a few bytes a second": (Fault(drip=20.0), RequestTimeout),
    "cut short": (Fault(truncate=25), TransportError),
    "reset before the headers": (Fault(reset="before_headers"), TransportError),
    "reset after the headers": (Fault(reset="after_headers"), TransportError),
    "hung up after the answer": (Fault(hang_up=True), None),
    "bad gateway": (Fault.gateway(502), UnexpectedStatus),
    "gateway with Retry-After": (Fault.gateway(503, retry_after="4"), UnexpectedStatus),
    "a passing error": (Fault(code=1010), ServerBusy),
    "a passing error with HTTP 500": (Fault(code=1032, status=500), ServerBusy),
    "junk": (Fault(raw=b"junk\r\n\r\n"), TransportError),
    "half a reply": (Fault(body=b'{"message":{"pr":['), ReplyError),
    "an empty floor": (Fault(body=b'{"message":{"pr":[]},"status":"success","code":200}'), None),
    "no content type": (Fault(content_type=""), None),
}


@pytest.mark.parametrize("name", FAULTS)
async def test_across_faults_everything_told_has_happened_and_every_tick_says_how_it_went(name: str) -> None:
    fault, error = FAULTS[name]
    updates: list[LiveUpdate] = []
    async with Simulator(agents=12, seed=7, pace=Pace.busy()) as server:
        script = [fault if tick in FAULTY else None for tick in range(TICKS)]
        server.script(None, *script)  # the first is asked for at opening
        auth = TokenAuth(server.user_id, server.token)
        once = RetryPolicy(attempts=1)
        async with (
            DeepcallSession(auth, base_url=server.url, timeout=3.0, retry=once) as session,
            session.poll_live(5.0) as stream,
        ):
            updates += [await anext(stream) for _ in range(TICKS)]
        history = server.floor.history
    told = [transition for update in updates for transition in update.transitions]
    assert len(told) > 20
    assert untrue(told, history) == []
    for tick, update in enumerate(updates):
        outage = update.outage and type(update.outage.error)
        assert outage == (error if tick in FAULTY else None)
        assert bool(update.held) == (tick in FAULTY and name == "an empty floor")
