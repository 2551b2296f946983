"""Durations, retries, ticks and stopping, all in virtual time."""

from __future__ import annotations

import asyncio
import gc
import itertools
import math
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
import tenacity

from deepcall_async._client.retry import RetryPolicy, retrying
from deepcall_async._client.stop_scope import Stoppable
from deepcall_async._client.ticker import Ticker
from deepcall_async._model.checks import seconds
from deepcall_async._model.errors import (
    ConfigurationError,
    DeepcallError,
    ReplyError,
    RequestTimeout,
    TransportError,
    UnexpectedStatus,
    api_error,
)

virtual = pytest.mark.looptime


def now() -> float:
    return asyncio.get_running_loop().time()


# --- durations -----------------------------------------------------------------------------


@pytest.mark.parametrize(("given", "wanted"), [(5, 5.0), (0.5, 0.5), (timedelta(minutes=1), 60.0)])
def test_a_duration_is_seconds_or_a_timedelta(given: object, wanted: float) -> None:
    assert seconds("interval", given) == wanted


@pytest.mark.parametrize("bad", [0.0999, 0, -1, math.nan, math.inf, -math.inf, timedelta(seconds=-1)])
def test_a_duration_out_of_range_is_refused_by_name_and_bound(bad: object) -> None:
    with pytest.raises(ConfigurationError, match=r"interval must be at least 0\.1 s and finite, got"):
        seconds("interval", bad, least=0.1)


@pytest.mark.parametrize("bad", [True, "5", None, [5], 5j])
def test_a_duration_of_another_type_is_refused(bad: object) -> None:
    with pytest.raises(ConfigurationError, match="interval must be seconds or a timedelta, got"):
        seconds("interval", bad)


# --- the policy ----------------------------------------------------------------------------


def test_a_policy_takes_timedeltas_and_holds_seconds() -> None:
    policy = RetryPolicy(first_wait=timedelta(milliseconds=250), max_total=timedelta(minutes=1))
    assert (policy.first_wait, policy.max_total) == (0.25, 60.0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"attempts": 0},
        {"attempts": True},
        {"attempts": 1.5},
        {"first_wait": -1},
        {"max_wait": math.nan},
        {"max_total": math.inf},
        {"max_retry_after": "60"},
    ],
)
def test_a_policy_refuses_nonsense_by_name(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match=next(iter(wrong))):
        RetryPolicy(**wrong)


# --- retries -------------------------------------------------------------------------------


class Attempts:
    """Fails with the given errors in turn, then succeeds; each attempt takes so many seconds."""

    def __init__(self, *errors: BaseException, takes: float = 0.0) -> None:
        self.errors = [*errors]
        self.takes = takes
        self.at: list[float] = []
        self.ends: list[float] = []

    async def __call__(self, end: float) -> str:
        self.at.append(now())
        self.ends.append(end)
        await asyncio.sleep(min(self.takes, end - now()))
        if self.errors:
            raise self.errors.pop(0)
        return "done"


def busy(retry_after: float | None = None) -> UnexpectedStatus:
    return UnexpectedStatus("HTTP 503", 503, retry_after=retry_after)


async def test_a_success_never_reaches_tenacity(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError

    monkeypatch.setattr(tenacity, "AsyncRetrying", never)
    assert await retrying(Attempts(), RetryPolicy()) == "done"


@virtual
async def test_a_passing_failure_is_tried_again_after_growing_waits_with_jitter() -> None:
    attempts = Attempts(busy(), busy(), busy(), busy())
    policy = RetryPolicy(attempts=5, first_wait=1, max_wait=4, max_total=100)
    assert await retrying(attempts, policy) == "done"
    waits = [later - sooner for sooner, later in itertools.pairwise(attempts.at)]
    assert 1 < waits[0] <= 2 < waits[1] <= 3
    assert waits[2:] == pytest.approx([4, 4])


@virtual
async def test_the_last_attempts_own_error_comes_out() -> None:
    last = TransportError("third")
    attempts = Attempts(busy(), busy(), last, busy())
    with pytest.raises(TransportError) as caught:
        await retrying(attempts, RetryPolicy())
    assert caught.value is last
    assert len(attempts.at) == 3


@virtual
async def test_a_policy_of_one_attempt_never_tries_again() -> None:
    attempts = Attempts(busy())
    with pytest.raises(UnexpectedStatus):
        await retrying(attempts, RetryPolicy(attempts=1))
    assert attempts.at == [0]


@virtual
@pytest.mark.parametrize(
    ("error", "is_tried_again"),
    [
        (TransportError(""), True),
        (RequestTimeout(""), True),
        (ReplyError(""), True),
        (busy(), True),
        (UnexpectedStatus("", 429), True),
        (UnexpectedStatus("", 404), False),
        (UnexpectedStatus("", 302), False),
        (ConfigurationError(""), False),
        (ValueError(""), False),
        (TimeoutError(), False),
        (asyncio.CancelledError(), False),
        *((api_error(code, ""), True) for code in (1009, 1010, 1032, 1501)),
        *((api_error(code, ""), False) for code in (1000, 1006, 1014, 1015, 1020, 1039, 1502, 77, None)),
    ],
)
async def test_only_named_passing_failures_are_tried_again(
    error: BaseException, *, is_tried_again: bool
) -> None:
    attempts = Attempts(error)
    try:
        await retrying(attempts, RetryPolicy())
    except BaseException as caught:
        assert caught is error  # noqa: PT017
    assert len(attempts.at) == 1 + is_tried_again


@virtual
async def test_a_second_failure_that_does_not_pass_ends_the_attempts() -> None:
    attempts = Attempts(busy(), api_error(1015, ""), busy())
    with pytest.raises(DeepcallError, match="1015"):
        await retrying(attempts, RetryPolicy())
    assert len(attempts.at) == 2


@virtual
async def test_no_retry_starts_after_the_total_time() -> None:
    attempts = Attempts(busy(), busy(), takes=3)
    with pytest.raises(UnexpectedStatus):
        await retrying(attempts, RetryPolicy(max_total=3.4))
    assert attempts.at == [0]


@virtual
async def test_a_retry_may_take_what_is_left_of_the_total_time() -> None:
    attempts = Attempts(busy(), takes=3)
    await retrying(attempts, RetryPolicy(first_wait=1, max_wait=1, max_total=6))
    assert attempts.ends == [math.inf, 6]
    assert now() == 6


@virtual
async def test_retries_end_at_the_next_tick() -> None:
    attempts = Attempts(*(busy() for _ in range(50)), takes=0.01)
    policy = RetryPolicy(attempts=50, first_wait=0.1, max_wait=0.1)
    with pytest.raises(UnexpectedStatus):
        await retrying(attempts, policy, until=now() + 1)
    assert 5 < len(attempts.at) < 12
    assert now() <= 1


@virtual
async def test_retry_after_is_obeyed_to_the_second() -> None:
    attempts = Attempts(busy(retry_after=7))
    await retrying(attempts, RetryPolicy())
    assert attempts.at == [0, 7]


@virtual
async def test_retry_after_is_capped() -> None:
    attempts = Attempts(busy(retry_after=3600))
    await retrying(attempts, RetryPolicy(max_retry_after=9))
    assert attempts.at == [0, 9]


@virtual
async def test_a_retry_after_beyond_the_total_time_ends_the_attempts_at_once() -> None:
    attempts = Attempts(busy(retry_after=30))
    with pytest.raises(UnexpectedStatus):
        await retrying(attempts, RetryPolicy())
    assert now() == 0


@virtual
async def test_a_failure_that_allows_an_instant_retry_gets_one_and_then_backs_off() -> None:
    attempts = Attempts(busy(retry_after=0), busy(retry_after=0))
    await retrying(attempts, RetryPolicy(first_wait=1))
    assert attempts.at[1] == 0
    assert attempts.at[2] >= 2


@virtual
async def test_cancelling_a_back_off_ends_it_at_once() -> None:
    task = asyncio.create_task(retrying(Attempts(busy()), RetryPolicy(first_wait=5)))
    await asyncio.sleep(1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert now() == 1


@virtual
async def test_concurrent_calls_do_not_share_their_attempts() -> None:
    many = [Attempts(busy(), busy()) for _ in range(20)]
    assert await asyncio.gather(*(retrying(one, RetryPolicy()) for one in many)) == ["done"] * 20
    assert all(len(one.at) == 3 for one in many)


# --- ticks ---------------------------------------------------------------------------------


async def run(ticker: Ticker, work: Callable[[], Awaitable[object]], times: int) -> list[float]:
    """When each of so many ticks came."""
    at = []
    for _ in range(times):
        await ticker.wait()
        at.append(now())
        await work()
        ticker.advance(now())
    return at


@virtual
async def test_a_thousand_polls_of_a_third_of_the_interval_do_not_drift() -> None:
    at = await run(Ticker(1.0), lambda: asyncio.sleep(0.3), 1000)
    assert at == pytest.approx(list(range(1000)))


@virtual
@pytest.mark.parametrize("interval", [0.1, 0.3, 1 / 3, 7.7])
async def test_instant_polls_come_once_a_tick_whatever_the_rounding(interval: float) -> None:
    at = await run(Ticker(interval), lambda: asyncio.sleep(0), 500)
    assert at == pytest.approx([tick * interval for tick in range(500)], abs=1e-3)


@virtual
async def test_a_poll_longer_than_the_interval_skips_ticks() -> None:
    assert await run(Ticker(1.0), lambda: asyncio.sleep(1.3), 4) == pytest.approx([0, 2, 4, 6])


@virtual
async def test_polls_of_random_length_stay_on_the_grid() -> None:
    chance = random.Random(7)
    at = await run(Ticker(1.0), lambda: asyncio.sleep(chance.expovariate(1)), 300)
    assert all(time == pytest.approx(round(time), abs=1e-5) for time in at)
    assert all(later - sooner > 0.9 for sooner, later in itertools.pairwise(at))


@virtual
async def test_after_a_suspend_of_ninety_seconds_there_is_one_poll_and_then_the_grid() -> None:
    ticker = Ticker(1.0)
    await run(ticker, lambda: asyncio.sleep(0), 3)
    await asyncio.sleep(90.4)  # nobody asks: a busy consumer and a suspended machine look the same
    assert await run(ticker, lambda: asyncio.sleep(0), 4) == pytest.approx([92.4, 93, 94, 95])


@virtual
async def test_a_tick_tells_when_the_next_one_is_due() -> None:
    ticker = Ticker(2.0)
    assert await ticker.wait() == 2
    ticker.advance(now())
    assert await ticker.wait() == 4
    ticker.advance(now() + 5)
    assert await ticker.wait() == 10


@virtual
async def test_a_postponed_tick_stays_on_the_grid() -> None:
    ticker = Ticker(1.0)
    await run(ticker, lambda: asyncio.sleep(0), 1)
    ticker.postpone(now() + 7.5)
    ticker.postpone(now() + 2)
    assert await run(ticker, lambda: asyncio.sleep(0), 2) == [8, 9]


@virtual
async def test_a_ticker_that_never_ran_can_be_told_anything() -> None:
    ticker = Ticker(1.0)
    ticker.postpone(100)
    ticker.advance(100)
    assert await run(ticker, lambda: asyncio.sleep(0), 1) == [0]


# --- stopping ------------------------------------------------------------------------------


class Over(Exception):
    pass


@virtual
async def test_stopped_work_ends_at_once_in_every_task_with_its_error() -> None:
    scope = Stoppable(Over)
    tasks = [asyncio.create_task(scope.run(asyncio.sleep, 60)) for _ in range(3)]
    await asyncio.sleep(1)
    await scope.stop()
    assert all(task.done() and isinstance(task.exception(), Over) for task in tasks)
    assert now() == 1


@virtual
async def test_stopping_waits_for_the_works_own_cleaning_up() -> None:
    async def work() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(2)

    scope = Stoppable(Over)
    task = asyncio.create_task(scope.run(work))
    await asyncio.sleep(1)
    await asyncio.gather(scope.stop(), scope.stop())
    assert now() == 3
    with pytest.raises(Over):
        await task


async def test_stopped_work_does_not_start_again() -> None:
    scope = Stoppable(Over)
    await scope.stop()
    with pytest.raises(Over):
        await scope.run(asyncio.sleep, 0)
    await scope.stop()


async def test_work_that_is_not_stopped_gives_its_own_result_or_error() -> None:
    async def fail() -> None:
        raise RequestTimeout("its own")

    scope = Stoppable(Over)
    assert await scope.run(asyncio.sleep, 0, "slept") == "slept"
    with pytest.raises(RequestTimeout, match="its own"):
        await scope.run(fail)


async def test_cancelling_the_task_is_not_mistaken_for_stopping() -> None:
    scope = Stoppable(Over)
    task = asyncio.create_task(scope.run(asyncio.sleep, 60))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await scope.stop()


async def test_work_both_cancelled_and_stopped_is_cancelled() -> None:
    scope = Stoppable(Over)
    task = asyncio.create_task(scope.run(asyncio.sleep, 60))
    await asyncio.sleep(0)
    task.cancel()
    await scope.stop()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_cancelled_work_leaves_nothing_to_the_garbage_collector() -> None:
    scope = Stoppable(Over)
    gc.collect()
    gc.disable()
    try:
        with suppress(TimeoutError):
            async with asyncio.timeout(0.001):
                await scope.run(asyncio.sleep, 60)
        await asyncio.sleep(0)  # the loop holds what woke this task for this turn
        left = gc.collect()
    finally:
        gc.enable()
    assert left == 0


async def test_scopes_nest_and_the_outer_one_rules() -> None:
    inner, outer = Stoppable(KeyError), Stoppable(Over)
    task = asyncio.create_task(outer.run(inner.run, asyncio.sleep, 60))
    await asyncio.sleep(0)
    await asyncio.gather(inner.stop(), outer.stop())
    with pytest.raises(Over):
        await task


@virtual
async def test_a_wider_scope_that_is_stopped_waits_for_the_work_within_and_gives_it_its_error() -> None:
    async def work() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(2)

    outer = Stoppable(Over)
    inner = Stoppable(KeyError, within=outer)
    task = asyncio.create_task(inner.run(work))
    await asyncio.sleep(1)
    await outer.stop()
    assert now() == 3
    for again in (task, inner.run(work)):
        with pytest.raises(Over):
            await again
    await inner.stop()
    with pytest.raises(KeyError):
        await inner.run(work)


@pytest.mark.parametrize("inner_first", [True, False])
async def test_work_stopped_by_its_own_scope_and_by_the_wider_one_ends_as_its_own_says(
    *, inner_first: bool
) -> None:
    outer = Stoppable(KeyError)
    inner = Stoppable(Over, within=outer)
    task = asyncio.create_task(inner.run(asyncio.sleep, 60))
    await asyncio.sleep(0)
    scopes = (inner, outer) if inner_first else (outer, inner)
    await asyncio.gather(*(scope.stop() for scope in scopes))
    with pytest.raises(Over):
        await task
    assert not task.cancelling()


async def test_stopping_a_scope_leaves_the_wider_one_and_its_other_work_alone() -> None:
    outer = Stoppable(KeyError)
    inner = Stoppable(Over, within=outer)
    other = asyncio.create_task(outer.run(asyncio.sleep, 0.01, "slept"))
    task = asyncio.create_task(inner.run(asyncio.sleep, 60))
    await asyncio.sleep(0)
    await inner.stop()
    with pytest.raises(Over):
        await task
    assert await other == "slept"
