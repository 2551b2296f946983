"""Lines out: stdout for what was asked for, stderr for what a person should know besides."""

from __future__ import annotations

import io
import logging
import os
import select
import sys
from contextlib import suppress

from ._text import plain


def say(line: str) -> None:
    """One line on stdout, at once: whoever reads a pipe wants it now."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def tell(message: str) -> None:
    """One line on stderr. It may hold words of the server's."""
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
