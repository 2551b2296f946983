"""What a reply costs: the first one and a quiet one, beside a bare JSON parse of the same bytes.

    python -m benchmarks.decode                     # a minute
    python -m benchmarks.decode --json decode.json

"first" is bytes to baseline in a new `LiveFloor`; "steady" is the next reply of a floor under way,
bytes to transitions, with 1 % of the agents really changing. All contenders take turns on the same
replies in one run, with the garbage collector as Python ships it; figures are medians. Ratios hold
from machine to machine far better than times do, so it is they that are to be quoted.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

from attrs import asdict, frozen

from benchmarks.payload import payload
from deepcall_async import LiveFloor

Contender = Callable[[bytes], Any]

SIZES = (10, 1_000, 10_000)
AGENT_POLLS = 200_000  # rows to read per size and contender
PACKAGES = ["deepcall-async", "attrs", "cattrs"]
PARSERS: dict[str, Contender] = {"json.loads": json.loads}
try:
    import orjson
except ImportError:  # the ratios are to `json` alone then
    pass
else:
    PARSERS["orjson.loads"] = orjson.loads
    PACKAGES.append("orjson")


@frozen(kw_only=True)
class Result:
    """One line of the table. seconds: the median of a reply. to_json, to_orjson: as a multiple of theirs."""

    agents: int
    bytes: int
    name: str
    seconds: float
    to_json: float
    to_orjson: float | None


def contenders(first_reply: bytes) -> dict[str, Contender]:
    """Who takes part, by name; the floor under way has seen the first reply."""
    under_way = LiveFloor()
    under_way.receive(first_reply)
    return {**PARSERS, "first": lambda body: LiveFloor().receive(body), "steady": under_way.receive}


def measure(agents: int, rounds: int, changed: float) -> list[Result]:
    """Let all read the same replies in turns."""
    bodies = payload(agents, rounds + 1, changed)
    taking_part = contenders(bodies[0])
    times: dict[str, list[float]] = {name: [] for name in taking_part}
    for body in bodies[1:]:
        for name, read in taking_part.items():
            started = time.perf_counter()
            read(body)
            times[name].append(time.perf_counter() - started)
    medians = {name: median(taken) for name, taken in times.items()}
    size = round(median(len(body) for body in bodies))
    return [_result(agents, size, name, medians) for name in medians]


def _result(agents: int, size: int, name: str, medians: dict[str, float]) -> Result:
    fast = medians.get("orjson.loads")
    return Result(
        agents=agents,
        bytes=size,
        name=name,
        seconds=medians[name],
        to_json=medians[name] / medians["json.loads"],
        to_orjson=medians[name] / fast if fast else None,
    )


def machine() -> dict[str, Any]:
    """Where this was measured."""
    return {
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "machine": platform.machine(),
        "system": platform.system(),
        "cores": os.cpu_count(),
        "packages": {name: version(name) for name in PACKAGES},
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--agents", nargs="*", type=int, default=SIZES, metavar="N")
    parser.add_argument("--rounds", type=int, help="replies per size; default: as many as make sense")
    parser.add_argument("--changed", type=float, default=0.01, help="share of agents that really change")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    options = parser.parse_args(arguments)
    told = machine()
    print(", ".join(f"{name} {number}" for name, number in told["packages"].items()))
    print(f"{told['implementation']} {told['python']}, {told['machine']}, {told['cores']} cores\n")
    print("agents     bytes  what             median   an agent   x json  x orjson")
    results: list[Result] = []
    for agents in options.agents:
        rounds = options.rounds or min(2_000, max(20, AGENT_POLLS // agents))
        for result in measure(agents, rounds, options.changed):
            results.append(result)
            print(line(result))
    if options.json:
        document = {"machine": told, "changed": options.changed, "results": [asdict(r) for r in results]}
        options.json.write_text(json.dumps(document, indent=1) + "\n")


def line(result: Result) -> str:
    """One line of the table for people."""
    to_orjson = "" if result.to_orjson is None else f"{result.to_orjson:10.2f}"
    return (
        f"{result.agents:6}{result.bytes:10}  {result.name:13}{result.seconds * 1e3:7.3f} ms"
        f"{result.seconds / result.agents * 1e6:8.2f} us{result.to_json:9.2f}{to_orjson}"
    )


if __name__ == "__main__":
    main()
