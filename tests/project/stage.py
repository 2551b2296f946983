"""Where the examples of the pages are played: unchanged, against a simulator, in virtual time.

An example is code as the reader would write it: a module, or a piece of one with `await` at the top.
It finds its credentials in the environment, as the reader's would. Its loop also runs the simulator,
and the loop's time is virtual, so that an hour of polling takes a moment. An example that streams
for ever is stopped after `PLAYED` seconds of that time, as a reader would stop it with Ctrl-C.
"""

from __future__ import annotations

import ast
import asyncio
import inspect
import socket
from collections.abc import Coroutine
from typing import Any, TypeVar

import looptime
import pytest
from attrs import define

from deepcall_async.simulator import Pace, Simulator

PLAYED = 120.0  # seconds
T = TypeVar("T")


@define
class Stage:
    """One page's stage: its blocks share a namespace, as if typed one after the other.

    requests: how many the simulator has had.
    """

    monkeypatch: pytest.MonkeyPatch
    namespace: dict[str, Any]
    requests: int = 0

    def play(self, code: str, filename: str, first_line: int = 1) -> None:
        """Run a block or a whole module."""
        padding = "\n" * (first_line - 1)  # so that tracebacks name the page's own lines
        compiled = compile(padding + code, filename, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        if compiled.co_flags & inspect.CO_COROUTINE:
            self.run(eval(compiled, self.namespace))  # noqa: S307  # our own pages
        else:
            exec(compiled, self.namespace)  # noqa: S102  # our own pages

    def run(self, example: Coroutine[Any, Any, T], **_: Any) -> T | None:
        """What stands in for `asyncio.run`."""
        with asyncio.Runner(loop_factory=looptime.new_event_loop) as runner:
            return runner.run(self._perform(example))

    async def _perform(self, example: Coroutine[Any, Any, T]) -> T | None:
        async with Simulator(agents=30, seed=1, pace=Pace.busy()) as server:
            self.monkeypatch.setenv("DEEPCALL_BASE_URL", server.url)
            self.monkeypatch.setenv("DEEPCALL_USER_ID", server.user_id)
            self.monkeypatch.setenv("DEEPCALL_TOKEN", server.token)
            try:
                async with asyncio.timeout(PLAYED) as curtain:
                    return await example
            except TimeoutError:
                if not curtain.expired():
                    raise
                return None
            finally:
                self.requests += server.request_count


def set_up(monkeypatch: pytest.MonkeyPatch) -> Stage:
    """An empty stage. Whoever looks a host name up gets an error: no example may leave this machine."""
    stage = Stage(monkeypatch, {"__name__": "__main__"})
    monkeypatch.delenv("DEEPCALL_SSID", raising=False)  # the reader has one kind of credentials, not both
    monkeypatch.setattr(asyncio, "run", stage.run)
    monkeypatch.setattr(socket, "getaddrinfo", _no_network)
    return stage


def _no_network(host: Any, *_: Any, **__: Any) -> Any:
    raise OSError(f"an example wants to connect to {host}")
