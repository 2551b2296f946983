"""Runs a command to its end, and turns every expected end into an exit code and a plain message."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

from deepcall_async import (
    ApiError,
    AuthenticationError,
    ConfigurationError,
    DeepcallError,
    PermissionDenied,
    ReplyError,
    TransportError,
)

from ._output import give_up, prepare, tell

Work = Coroutine[Any, Any, None] | Callable[[], None]

OK, NO_OUTPUT, INTERRUPTED, TERMINATED = 0, 1, 130, 143
EXIT_CODES: tuple[tuple[type[DeepcallError], int], ...] = (  # the first that fits
    (ConfigurationError, 3),
    (AuthenticationError, 4),
    (PermissionDenied, 4),
    (TransportError, 5),
    (ReplyError, 5),
    (ApiError, 6),
)


def execute(work: Work, *, verbose: bool = False) -> int:
    """Run a command's work and return the exit code. Errors nobody expects are raised."""
    prepare(verbose=verbose)
    try:
        code = _run(work)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except DeepcallError as error:
        tell(str(error))
        return exit_code(error)
    except OSError as error:
        give_up()
        if isinstance(error, BrokenPipeError) and error.filename is None:
            return OK
        tell(f"cannot write {error.filename or 'the output'}: {error.strerror or error}")
        return NO_OUTPUT
    return code


def exit_code(error: DeepcallError) -> int:
    """The exit code that tells this kind of error."""
    return next((code for kind, code in EXIT_CODES if isinstance(error, kind)), 6)


def _run(work: Work) -> int:
    if callable(work):  # it waits for nothing that a loop could wait for, and signals end it as usual
        work()
        return OK
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:  # a caller's loop is left alone
        return runner.run(_until_terminated(work))


async def _until_terminated(work: Coroutine[Any, Any, None]) -> int:
    """Run to the end; SIGTERM cancels, as Ctrl-C does under `asyncio.run`."""
    task, loop = asyncio.current_task(), asyncio.get_running_loop()
    signals: list[int] = []

    def terminate() -> None:
        signals.append(signal.SIGTERM)
        if task is not None:
            task.cancel()

    with suppress(NotImplementedError, RuntimeError):  # Windows, or not the main thread
        loop.add_signal_handler(signal.SIGTERM, terminate)
    try:
        await work
    except asyncio.CancelledError:
        if not signals:
            raise
        return TERMINATED
    return OK
