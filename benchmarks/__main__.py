"""What everything costs, measured in one run: decoding, rivals, memory, whole polls, stretches, starting.

    pip install -e '.[dev,bench]'
    python -m benchmarks                          # half an hour
    python -m benchmarks --quick                  # a minute, to see that it runs
    python -m benchmarks --json costs.json        # `python -m benchmarks.costs costs.json` draws it

Each of them is also a command of its own: `python -m benchmarks.decode`, and so on.

    python -m benchmarks combinations             # how true the stream is, whatever the server is like
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

from benchmarks import combinations, decode, memory, poll, rivals, startup, stretch
from benchmarks.machine import finish, machine, options, told

RUNS: dict[str, Callable[..., dict[str, Any]]] = {
    "decode": decode.run,
    "rivals": rivals.run,
    "memory": memory.run,
    "poll": poll.run,
    "stretch": stretch.run,
    "startup": startup.run,
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words[:1] == ["combinations"]:
        combinations.main(words[1:])
        return
    chosen = options(__doc__).parse_args(words)
    where = machine()
    print(told(where))
    figures = {}
    for name, run in RUNS.items():
        print(f"\n=== {name}")
        figures[name] = run(quick=chosen.quick)
    finish(chosen.json, where, **figures)


if __name__ == "__main__":
    main()
