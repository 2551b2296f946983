"""What a stream makes of each code of the API, in each envelope; and of credentials that run out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from deepcall_async import (
    ApiError,
    Auth,
    AuthenticationError,
    LiveUpdate,
    PermissionDenied,
    SsidAuth,
    TransportError,
)
from deepcall_async._inference.plausibility import EMPTIED
from deepcall_async._model.errors import AgentErrorCode
from tests.fake_server import ONCE, FakeServer, api_error, serving, then_close

from .codes import ENVELOPES, REFUSALS, Refusal, wrapped
from .fault import BEFORE, DATE, LAST, LATER

pytestmark = [pytest.mark.wire, pytest.mark.looptime]

EACH = {code: refusal for refusal in REFUSALS.values() for code in refusal.codes}


@asynccontextmanager
async def _stream(
    *answers: Any, interval: float = 0.02, **options: Any
) -> AsyncIterator[tuple[FakeServer, Any]]:
    """A stream that has seen its baseline, and the server that gives these answers from then on."""
    async with (
        serving(BEFORE, BEFORE, *answers) as server,
        server.session(**options) as session,
        session.poll_live(0.1) as stream,
    ):
        stream._ticker.interval = interval  # faster than is allowed, for the tests' sake
        assert (await anext(stream)).is_baseline
        yield server, stream


def told(update: LiveUpdate) -> list[tuple[str, str]]:
    return [(transition.kind, transition.agent.id) for transition in update.transitions]


def test_every_code_of_the_vendors_table_is_in_ours() -> None:
    assert {*EACH, AgentErrorCode.NO_DATA_FOUND} == set(AgentErrorCode)


@pytest.mark.parametrize("envelope", ENVELOPES)
@pytest.mark.parametrize("code", EACH)
async def test_each_code_in_each_envelope_ends_the_stream_or_is_an_outage(code: int, envelope: str) -> None:
    refusal, answer = EACH[code], ENVELOPES[envelope](code)
    if refusal.ends:
        await _check_end(answer, refusal, code)
    else:
        await _check_outage(answer, refusal, code)


async def _check_end(answer: bytes, refusal: Refusal, code: int) -> None:
    """At once, after one request, with a message that says who must act; and again when asked again."""
    async with _stream(answer, LATER) as (server, stream):
        with pytest.raises(refusal.error, match=refusal.word) as caught:
            await anext(stream)
        assert (type(caught.value), caught.value.code) == (refusal.error, code)
        assert len(server.requests) == 3
        with pytest.raises(refusal.error, match=refusal.word):
            await anext(stream)
        assert len(server.requests) == 3


async def _check_outage(answer: bytes, refusal: Refusal, code: int) -> None:
    async with _stream(answer, LATER, retry=ONCE) as (_, stream):
        update = await anext(stream)
        error = update.outage.error
        assert (type(error), error.code) == (refusal.error, code)
        assert refusal.word in str(error)
        assert told(update) == []
        assert told(await anext(stream)) == [("logged_in", "2")]


async def test_no_data_found_is_an_empty_floor_that_is_not_believed_at_once() -> None:
    async with _stream(wrapped(code=1012, date=DATE), LATER) as (_, stream):
        update = await anext(stream)
        assert (update.held, told(update)) == ((EMPTIED,), [])
        assert told(await anext(stream)) == [("logged_in", "2")]


# --- credentials that end in the middle -----------------------------------------------------------


@pytest.mark.parametrize("status", [200, 401, 403])
async def test_credentials_that_expire_mid_stream_end_it_with_their_error(status: int) -> None:
    async with _stream(api_error(1014, status=status)) as (_, stream):
        with pytest.raises(ApiError, match="1014"):
            await anext(stream)


async def test_a_permission_that_is_withdrawn_says_who_must_act() -> None:
    async with _stream(api_error(1015)) as (_, stream):
        with pytest.raises(PermissionDenied, match="Ask an admin"):
            await anext(stream)


class Provider:
    """Gives ssid-1, ssid-2, ...; from the second on it may fail instead."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.given = 0
        self.failure = failure

    async def __call__(self) -> Auth:
        if self.given and self.failure:
            raise self.failure
        self.given += 1
        return SsidAuth(f"ssid-{self.given}")


async def test_credentials_that_are_renewed_mid_stream_cost_the_consumer_nothing() -> None:
    async with _stream(api_error(1014), LATER, LAST, auth=(provider := Provider())) as (server, stream):
        update = await anext(stream)
        assert (told(update), update.outage, update.gap) == ([("logged_in", "2")], None, None)
        assert told(await anext(stream)) == []
    assert provider.given == 2
    assert [request.json["ssid"][-1] for request in server.requests] == ["1", "1", "1", "2", "2"]


async def test_credentials_refused_after_their_renewal_end_the_stream_at_once() -> None:
    async with _stream(api_error(1014), api_error(1014), LATER, auth=(provider := Provider())) as (
        server,
        stream,
    ):
        with pytest.raises(AuthenticationError, match="renew them if they have expired"):
            await anext(stream)
        assert (provider.given, len(server.requests)) == (2, 4)


async def test_a_renewal_that_may_succeed_later_is_an_outage() -> None:
    provider = Provider(TransportError("the vault is away"))
    async with _stream(api_error(1014), LATER, auth=provider, retry=ONCE) as (_, stream):
        update = await anext(stream)
        assert str(update.outage.error) == "the vault is away"
        assert told(await anext(stream)) == [("logged_in", "2")]


async def test_a_renewal_that_fails_otherwise_ends_the_stream_with_its_reason() -> None:
    async with _stream(api_error(1014), LATER, auth=Provider(LookupError("no successor"))) as (_, stream):
        with pytest.raises(AuthenticationError, match=r"no successor.*renew them if they have expired"):
            await anext(stream)


async def test_a_connection_closed_just_before_a_request_is_replaced_and_never_seen() -> None:
    async with _stream(then_close(), LATER, then_close(), LAST, interval=0.4) as (server, stream):
        update = await anext(stream)
        assert (told(update), update.outage, update.gap) == ([("logged_in", "2")], None, None)
        assert (await anext(stream)).outage is None
        assert server.accepted == 3
