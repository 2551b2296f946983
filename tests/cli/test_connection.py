"""How the time of --for is kept."""

from __future__ import annotations

import asyncio

import pytest

from deepcall_async import RequestTimeout
from deepcall_async.cli._connection import answer_within, time_limit

pytestmark = pytest.mark.looptime


async def test_a_time_limit_ends_its_block_without_an_error() -> None:
    async with time_limit(asyncio.get_running_loop().time() + 60):
        await asyncio.sleep(3600)
    assert asyncio.get_running_loop().time() == pytest.approx(60)


async def test_without_a_limit_a_block_takes_its_time() -> None:
    async with time_limit(None), answer_within(None):
        await asyncio.sleep(3600)


async def test_an_answer_that_is_late_is_a_request_that_timed_out() -> None:
    with pytest.raises(RequestTimeout, match="--for"):
        async with answer_within(asyncio.get_running_loop().time() + 60):
            await asyncio.sleep(3600)


async def test_a_timeout_of_the_work_itself_is_not_mistaken_for_the_limit() -> None:
    until = asyncio.get_running_loop().time() + 60
    for block in (time_limit(until), answer_within(until)):
        with pytest.raises(RequestTimeout, match="30 s"):
            async with block:
                raise RequestTimeout("no answer in 30 s")
