"""The command line `deepcall`: `watch`, `events`, `live` and `simulate`.

Exit codes:

    0    done: `--for` or the recording is over, or the reader of the output went away
    1    the output, a recording or a checkpoint cannot be written
    2    wrong usage
    3    configuration: a setting or a file is missing or wrong
    4    credentials refused, or the right to view agents is missing
    5    network: no answer, or one that cannot be read
    6    the API refused the request
    130  ended by Ctrl-C
    143  ended by SIGTERM

A command is a module here whose `run(args)` gives the work to do: a coroutine, or a function if it
waits for nothing. It is imported only when it is asked for, so that `--help` and wrong usage answer at once.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from deepcall_async import _lazy

from ._arguments import parse

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code. arguments: default `sys.argv[1:]`."""
    if sys.stdout is None:  # closed by whoever started the process
        _lazy.load("._output", __package__).tell("stdout is closed: send it to a file or to /dev/null")
        return 1
    args = parse(arguments)
    try:
        running = _lazy.load("._running", __package__)
        command = _lazy.load(f"._{args.command}", __package__)
    except KeyboardInterrupt:
        return 130
    code: int = running.execute(command.run(args), verbose=args.verbose)
    return code
