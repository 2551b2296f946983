"""How long a stream leaves a server alone that asks for it, in virtual time."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo
from email.utils import format_datetime
from typing import Self

import pytest

from deepcall_async import RetryPolicy
from deepcall_async._client import transport
from deepcall_async._model.instants import instant
from tests.fake_server import START, http, serving

from .fault import BEFORE, LATER

pytestmark = [pytest.mark.wire, pytest.mark.looptime]

INTERVAL = 5.0
NOW = instant(START)


def later(**span: float) -> str:
    return format_datetime(NOW + timedelta(**span), usegmt=True)


# What Retry-After says, and after how many seconds the next request comes: at a tick, a minute later at most.
PAUSES: dict[str, float] = {
    "12": 15,
    "0": 5,
    "5": 5,
    "3600": 60,
    "9" * 400: 60,
    "-5": 5,
    "1.5": 5,
    "soon": 5,
    later(seconds=12): 15,
    later(days=3650): 60,
    later(days=-3650): 5,
    "Fri, 31 Dec 9999 23:59:59 GMT": 60,
    "Fri, 31 Dec 9999 23:59:59 -2300": 60,
    "Sat, 99 Nov 2024 12:19:25 GMT": 5,
}


class Stopped(datetime):
    """This machine's clock agrees with the server's."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Self:
        return cls.fromtimestamp(START, tz)


@pytest.fixture(autouse=True)
def _clocks_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "datetime", Stopped)


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("text", PAUSES)
async def test_a_server_that_asks_to_be_left_alone_is_for_a_minute_at_most(text: str, status: int) -> None:
    busy = http("", status, retry_after=text, date=format_datetime(NOW, usegmt=True))
    policy = RetryPolicy(attempts=1)
    async with (
        serving(BEFORE, BEFORE, busy, LATER) as server,
        server.session(retry=policy) as session,
        session.poll_live(INTERVAL) as stream,
    ):
        updates = [await anext(stream) for _ in range(3)]
        paused = server.requests[3].at - server.requests[2].at
    assert paused == pytest.approx(PAUSES[text], abs=0.5)
    assert updates[1].outage is not None
    assert [transition.kind for transition in updates[2].transitions] == ["logged_in"]
