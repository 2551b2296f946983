"""Time: when to poll, when to try again, and how to stop at once. All on the event loop's clock."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, ParamSpec, TypeVar

import tenacity
from attrs import Attribute, field, frozen
from tenacity import RetryCallState

from ._errors import ConfigurationError, DeepcallError

MIN_INTERVAL = 0.1  # seconds between ticks: faster would only load the server, whose clock has whole seconds

_P = ParamSpec("_P")
_T = TypeVar("_T")


# --- durations -----------------------------------------------------------------------------


def seconds(name: str, value: object, *, least: float = 0.0) -> float:
    """A duration given as seconds or `timedelta`, checked; `ConfigurationError` names it otherwise."""
    if isinstance(value, timedelta):
        value = value.total_seconds()
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ConfigurationError(f"{name} must be seconds or a timedelta, got {type(value).__name__}")
    if not least <= value < math.inf:  # NaN fails this too
        raise ConfigurationError(f"{name} must be at least {least:g} s and finite, got {value!r}")
    return float(value)


def _to_float(value: float | timedelta) -> float:
    return value.total_seconds() if isinstance(value, timedelta) else value


def _is_count(_: object, attribute: Attribute[int], value: int) -> None:
    if type(value) is not int or value < 1:
        raise ConfigurationError(f"{attribute.name} must be a whole number >= 1, got {value!r}")


def _is_duration(_: object, attribute: Attribute[float], value: float) -> None:
    seconds(attribute.name, value)


# --- trying again --------------------------------------------------------------------------


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
        return max(asked or 0.0, back_off(state))  # even the server is not believed to say "at once" twice

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
    return await controller(attempts)


def _is_transient(error: BaseException) -> bool:
    return isinstance(error, DeepcallError) and error.is_transient


def _error_of(state: RetryCallState) -> BaseException | None:
    return None if state.outcome is None else state.outcome.exception()


# --- ticks ---------------------------------------------------------------------------------


class Ticker:
    """A fixed rate: tick n is due at start + n * interval, however long the work between takes.

    Ticks that pass while work runs are skipped, so nothing ever bursts. A tick that nobody asked
    for in time (a busy consumer, a suspended machine) is due once, at once.
    """

    def __init__(self, interval: float) -> None:
        self.interval = interval
        self._start: float | None = None
        self._tick = 0

    async def wait(self) -> float:
        """Wait until the next tick is due; the first one is at once. Returns when the one after it is."""
        now = asyncio.get_running_loop().time()
        if self._start is None:
            self._start = now
        else:
            delay = self._start + self._tick * self.interval - now
            if delay > 0:
                await asyncio.sleep(delay)
                now = asyncio.get_running_loop().time()
            self._tick = max(self._tick, math.floor((now - self._start) / self.interval))
        return self._start + (self._tick + 1) * self.interval

    def advance(self, now: float) -> None:
        """The work of this tick ended at loop time `now`: the next tick is the first one after that."""
        if self._start is not None:
            self._tick = max(self._tick, math.floor((now - self._start) / self.interval)) + 1

    def postpone(self, until: float) -> None:
        """No tick before loop time `until`."""
        if self._start is not None:
            self._tick = max(self._tick, math.ceil((until - self._start) / self.interval))


# --- stopping ------------------------------------------------------------------------------


class _Run:
    """Work under way in a task. cancelling: how many requests to cancel it there were before it began."""

    __slots__ = ("cancelling", "is_stopped", "task")

    def __init__(self, task: asyncio.Task[Any]) -> None:
        self.task = task
        self.cancelling = task.cancelling()
        self.is_stopped: bool = False

    def stop(self) -> None:
        """Cancel the work, once."""
        if not self.is_stopped:
            self.is_stopped = True
            self.task.cancel()

    def is_all_ours(self) -> bool:
        """Whether the task is cancelled by `stop`, and nobody else wants it cancelled."""
        return self.is_stopped and self.task.cancelling() - 1 <= self.cancelling

    def end(self) -> None:
        """Take back the cancellation that was ours."""
        if self.is_stopped:
            self.task.uncancel()


class Stoppable:
    """Work that another task can stop: it then ends at once, with `error()` in its place.

    As `asyncio.timeout` ends work, but on request: so there is no task beside the caller's.
    within: a wider scope, whose stop ends this one's work too. If both were stopped, it is this one's error.
    """

    def __init__(self, error: Callable[[], Exception], *, within: Stoppable | None = None) -> None:
        self._error = error
        self._within = within
        self._runs: set[_Run] = set()
        self._is_idle = asyncio.Event()
        self.is_stopped: bool = False

    async def run(self, work: Callable[_P, Awaitable[_T]], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Await the work, unless it is stopped."""
        self.check()
        run = _Run(_current_task())
        self.enter(run)
        try:
            return await work(*args, **kwargs)
        except asyncio.CancelledError:
            if not run.is_all_ours():
                raise
        finally:
            run.end()
            self.leave(run)
        raise self.reason()

    def check(self) -> None:
        """Raise the error of what was stopped, if anything was."""
        if self.is_stopped:
            raise self._error()
        if self._within is not None:
            self._within.check()

    def reason(self) -> Exception:
        """The error of what was stopped: this scope's, unless only a wider one was."""
        if self.is_stopped or self._within is None:
            return self._error()
        return self._within.reason()

    def enter(self, run: _Run) -> None:
        """Let `stop` know of the work."""
        self._runs.add(run)
        if self._within is not None:
            self._within.enter(run)

    def leave(self, run: _Run) -> None:
        """The work has ended."""
        self._runs.discard(run)
        if self.is_stopped and not self._runs:
            self._is_idle.set()
        if self._within is not None:
            self._within.leave(run)

    async def stop(self) -> None:
        """Stop what runs, and whatever would. Returns when all of it has ended."""
        self.is_stopped = True
        for run in self._runs:
            run.stop()
        while self._runs:
            self._is_idle.clear()
            await self._is_idle.wait()


def _current_task() -> asyncio.Task[Any]:
    task = asyncio.current_task()
    if task is None:
        raise RuntimeError("this must run in a task")
    return task
