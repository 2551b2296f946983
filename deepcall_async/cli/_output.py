"""Lines out: stdout for what was asked for, stderr for what a person should know besides."""

from __future__ import annotations

import io
import logging
import os
import select
import stat
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from deepcall_async._board import plain


def say(line: str) -> None:
    """One line on stdout, at once: whoever reads a pipe wants it now."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def tell(message: str) -> None:
    """One line on stderr, if that is open. It may hold words of the server's."""
    if sys.stderr is None:
        return
    sys.stderr.write(f"deepcall: {plain(message, 1000)}\n")
    sys.stderr.flush()


def check_reader() -> None:
    """Raise `BrokenPipeError` when the reader of stdout is gone.

    Writing would tell, but on a quiet floor there may be nothing to write for hours.
    """
    if not hasattr(select, "poll"):  # Windows
        return
    poll = select.poll()
    with suppress(OSError):  # no real file, as under a test
        poll.register(sys.stdout.fileno(), 0)
    if any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll(0)):
        raise BrokenPipeError


def settle() -> None:
    """Force stdout to the disk, if it goes there: a checkpoint must not be ahead of it after a power cut."""
    with suppress(io.UnsupportedOperation):  # no real file, as under a test
        descriptor = sys.stdout.fileno()
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.fsync(descriptor)


@contextmanager
def naming(path: str | Path) -> Iterator[None]:
    """Let an OSError say which file it is about."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error


@contextmanager
def warnings_told(kind: type[Warning]) -> Iterator[None]:
    """Warnings of this kind are for whoever runs the command: one line each, without the code behind it."""
    with warnings.catch_warnings():
        others = warnings.showwarning

        def show(message: Warning | str, category: type[Warning], *where: Any, **how: Any) -> None:
            if issubclass(category, kind):
                tell(str(message))
            else:
                others(message, category, *where, **how)

        warnings.simplefilter("always", kind)
        warnings.showwarning = show
        yield


def prepare(*, verbose: bool) -> None:
    """Names may hold letters the output's encoding lacks: show those escaped rather than fail."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    ours = logging.getLogger("deepcall_async")
    if verbose:
        logging.basicConfig(format="%(asctime)s %(name)s %(levelname)s %(message)s")
        ours.setLevel(logging.DEBUG)
    else:
        ours.addHandler(logging.NullHandler())  # what it warns of is told by the commands themselves


def give_up() -> None:
    """Nobody takes stdout any more: what is still buffered must not fail at the interpreter's exit."""
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
