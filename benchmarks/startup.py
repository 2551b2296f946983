"""How soon one can begin: what importing costs, and how fast the command line answers.

    python -m benchmarks.startup

Each figure is of fresh processes, in turns, with compiled files and the disk's cache warm; medians.
Of an import it is the CPU time inside its process, so the interpreter's own start is not in it. "A first
session" is the class and one made of it, which imports the rest: what reads replies. Of a command it
is the time one waits, from its start to its end, the interpreter's start included.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any

from attrs import asdict, frozen

from benchmarks.machine import perform
from benchmarks.turns import medians, rotated

IMPORTS = {
    "import aiohttp": "import aiohttp",
    "import deepcall_async": "import deepcall_async",
    "DeepcallSession": "import deepcall_async; deepcall_async.DeepcallSession",
    "a first session": "import deepcall_async as d; d.DeepcallSession(d.SsidAuth('nobody'))",
}
COMMANDS = {
    "python -c pass": ("-c", "pass"),
    "deepcall --help": ("-m", "deepcall_async", "--help"),
}
TIMED = "import time; begun = time.process_time(); {}; print(time.process_time() - begun)"
MOST = {"DeepcallSession": "1.15 x aiohttp", "deepcall --help": "100 ms"}


@frozen(kw_only=True)
class Result:
    """One line. seconds: the median. to_aiohttp: a multiple of `import aiohttp`. most: what it is held to."""

    name: str
    seconds: float
    to_aiohttp: float
    most: str


def measure(rounds: int) -> list[Result]:
    """Start them in turns."""
    runs: dict[str, Callable[[], float]] = {
        **{name: _importing(code) for name, code in IMPORTS.items()},
        **{name: _answering(arguments) for name, arguments in COMMANDS.items()},
    }
    times: dict[str, list[float]] = {name: [] for name in runs}
    for run_once in runs.values():
        run_once()  # compiles what is not compiled yet
    for order in islice(rotated(runs.items()), rounds):
        for name, run_once in order:
            times[name].append(run_once())
    taken = medians(times)
    return [
        Result(
            name=name,
            seconds=seconds,
            to_aiohttp=seconds / taken["import aiohttp"],
            most=MOST.get(name, ""),
        )
        for name, seconds in taken.items()
    ]


def _importing(code: str) -> Callable[[], float]:
    command = [sys.executable, "-c", TIMED.format(code)]
    return lambda: float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)  # noqa: S603


def _answering(arguments: Sequence[str]) -> Callable[[], float]:
    def run_once() -> float:
        begun = time.perf_counter()
        subprocess.run([sys.executable, *arguments], check=True, capture_output=True)  # noqa: S603
        return time.perf_counter() - begun

    return run_once


def run(*, quick: bool = False, tell: Callable[[str], None] = print) -> dict[str, Any]:
    """Measure, tell a table, and return the figures."""
    results = measure(3 if quick else 25)
    tell("what                       median  x aiohttp  at most")
    for result in results:
        figures = f"{result.seconds * 1e3:8.1f} ms{result.to_aiohttp:11.2f}"
        tell(f"{result.name:22}{figures}  {result.most}".rstrip())
    return {"results": [asdict(result) for result in results]}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    perform("startup", run, __doc__, arguments)


if __name__ == "__main__":
    main()
