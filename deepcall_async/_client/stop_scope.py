"""How to stop work at once, whoever awaits it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, ParamSpec

from .retry import _T

_P = ParamSpec("_P")


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
