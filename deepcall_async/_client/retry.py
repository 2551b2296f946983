"""Time: when to poll, when to try again, and how to stop at once. All on the event loop's clock."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

from attrs import Attribute, field, frozen

from deepcall_async import _lazy
from deepcall_async._model import ConfigurationError, DeepcallError, seconds

if TYPE_CHECKING:
    from tenacity import RetryCallState

_T = TypeVar("_T")


def _to_float(value: float | timedelta) -> float:
    return value.total_seconds() if isinstance(value, timedelta) else value


def _is_count(_: object, attribute: Attribute[int], value: int) -> None:
    if type(value) is not int or value < 1:
        raise ConfigurationError(f"{attribute.name} must be a whole number >= 1, got {value!r}")


def _is_duration(_: object, attribute: Attribute[float], value: float) -> None:
    seconds(attribute.name, value)


@frozen(kw_only=True)
class RetryPolicy:
    """How often and how long one poll, or one `live()`, is tried. Durations: seconds or `timedelta`.

    Only failures with `error.is_transient` are tried again. All bounds hold at once.

    attempts: requests at most, >= 1; 1 means never try again.
    first_wait: the least wait before the second attempt. Each further wait is twice as long, and
        up to `first_wait` of chance is added, so that clients which failed together do not return together.
    max_wait: the longest of these waits.
    max_total: after the first attempt, none runs on past this long after the first began. While
        polling, none runs on past the next tick either.
    max_retry_after: the longest `Retry-After` that is obeyed. One that does not fit into the bounds
        above ends the attempts; a stream then skips ticks until it is over.
    """

    attempts: int = field(default=3, validator=_is_count)
    first_wait: float = field(default=0.5, converter=_to_float, validator=_is_duration)
    max_wait: float = field(default=5.0, converter=_to_float, validator=_is_duration)
    max_total: float = field(default=20.0, converter=_to_float, validator=_is_duration)
    max_retry_after: float = field(default=60.0, converter=_to_float, validator=_is_duration)

    def pause(self, error: BaseException | None) -> float | None:
        """Seconds the server asked to be left alone for, capped; None when it did not ask."""
        asked = error.retry_after if isinstance(error, DeepcallError) else None
        return None if asked is None else min(asked, self.max_retry_after)


Attempt = Callable[[float], Awaitable[_T]]
Report = Callable[[int, BaseException | None], None]


def _untold(_number: int, _error: BaseException | None) -> None:
    """Whoever does not ask is not told."""


async def retrying(
    attempt: Attempt[_T], policy: RetryPolicy, *, until: float = math.inf, report: Report = _untold
) -> _T:
    """What `attempt` returns, tried as the policy says; else the last attempt's error.

    attempt: given the loop time by which it must end, infinite where only its own timeout counts.
    until: loop time by which all retries must have ended.
    report: told the number and the error of each attempt that is followed by another.

    The first try runs bare: a success pays nothing for the retries it does not need.
    """
    clock = asyncio.get_running_loop().time
    deadline = min(until, clock() + policy.max_total)
    try:
        return await attempt(math.inf)
    except DeepcallError as error:
        if not _is_transient(error) or policy.attempts == 1:
            raise
        failure = error
    return await _try_again(attempt, policy, deadline, failure, report)


async def _try_again(
    attempt: Attempt[_T], policy: RetryPolicy, deadline: float, failure: DeepcallError, report: Report
) -> _T:
    """Hand the failure to tenacity as the outcome of the first of the same number of attempts."""
    tenacity = _lazy.load("tenacity")  # as most programs start, and many end, without a failure
    failures = [failure]
    clock = asyncio.get_running_loop().time
    back_off = tenacity.wait_exponential_jitter(
        multiplier=policy.first_wait, max=policy.max_wait, jitter=policy.first_wait
    )

    async def attempts() -> _T:
        if failures:
            raise failures.pop()
        return await attempt(deadline)

    def wait(state: RetryCallState) -> float:
        asked = policy.pause(_error_of(state))
        if asked is not None and state.attempt_number == 1:
            return asked
        return max(asked or 0.0, float(back_off(state)))  # not "at once" twice, whatever the server asks

    def is_enough(state: RetryCallState) -> bool:
        return state.attempt_number >= policy.attempts or clock() + state.upcoming_sleep >= deadline

    controller = tenacity.AsyncRetrying(
        sleep=asyncio.sleep,
        retry=tenacity.retry_if_exception(_is_transient),
        wait=wait,
        stop=is_enough,
        before_sleep=lambda state: report(state.attempt_number, _error_of(state)),
        reraise=True,
    )
    outcome: _T = await controller(attempts)
    return outcome


def _is_transient(error: BaseException) -> bool:
    return isinstance(error, DeepcallError) and error.is_transient


def _error_of(state: RetryCallState) -> BaseException | None:
    return None if state.outcome is None else state.outcome.exception()
