"""What a reply costs, from its bytes to the update: beside a bare JSON parse, and beside a plain decode.

    python -m benchmarks.decode                                   # some minutes
    python -m benchmarks.decode --agents 100 1000 10000 50000     # some more
    python -m benchmarks.decode --json decode.json

The scenarios: what is in the replies, and what the server makes of them.

    first       a new floor's first reply, and "second" its second
    second
    steady      1 % of the agents really change from one reply to the next
    churn 20 %  a fifth of them does; "churn 100 %": all
    order       steady, with the rows in another order in each reply
    jitter      steady, with each field that ticks off by up to a second, differently each time
    tick        steady, and the server's second ticks over while it writes the reply
    keys        steady, and the keys of each object stand in another order than in the vendor's sample
    pretty      steady, with the JSON indented
    hour        nothing changes, and every elapsed time of the floor reaches a full hour at once

"ours" is `LiveFloor.receive`; "plain" is the same library without short cuts: every reply is decoded
whole, then compared. All take turns on the same replies in one run, each in a process of its own with
the garbage collector as Python ships it; figures are medians of CPU time. Ratios hold from machine to
machine far better than times do, so it is they that are to be quoted.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from statistics import fmean, median
from typing import Any

from attrs import asdict, frozen

from benchmarks.machine import finish, machine, options, told
from benchmarks.payload import (
    AT_THE_HOUR,
    CYCLE,
    hourly,
    jittered,
    payload,
    pretty,
    rekeyed,
    replies,
    reshuffled,
    ticking,
)
from benchmarks.turns import Maker, Turns, block_of, in_turns, json_alone, medians, orjson_alone, ours, plain

SIZES = (10, 100, 1_000, 10_000)
AGENT_REPLIES = 60_000  # rows to read per size, scenario and contender
FEWEST, MOST = 8, 500  # replies, whatever the size
WARM_UP = 6  # replies before a floor is under way: by then every short cut has been tried
EARLY_REPLIES = 20_000  # rows of one number to read, per size
EARLY = 20  # replies of a new floor that are looked at one by one
STRAIGHT = 100  # agents; below, the cost per reply hides the cost per agent

MAKERS: dict[str, Maker] = {
    "orjson.loads": orjson_alone,
    "json.loads": json_alone,
    "plain": plain,
    "ours": ours,
}

Bodies = Iterator[bytes]
SCENARIOS: dict[str, Callable[[int, int], Bodies]] = {
    "steady": replies,
    "churn 20 %": lambda agents, polls: replies(agents, polls, 0.2),
    "churn 100 %": lambda agents, polls: replies(agents, polls, 1.0),
    "order": lambda agents, polls: reshuffled(replies(agents, polls)),
    "jitter": lambda agents, polls: jittered(replies(agents, polls)),
    "tick": lambda agents, polls: ticking(replies(agents, polls)),
    "keys": lambda agents, polls: rekeyed(replies(agents, polls)),
    "pretty": lambda agents, polls: pretty(replies(agents, polls)),
}
BEGINNING, HOUR = ("first", "second"), "hour"
NAMES = (*BEGINNING, *SCENARIOS, HOUR)


@frozen(kw_only=True)
class Result:
    """One contender's line. seconds: the median of a reply. to_orjson, to_plain: as a multiple of theirs.

    bytes: of a reply. to_orjson is None where orjson is not installed.
    """

    agents: int
    bytes: int
    scenario: str
    name: str
    seconds: float
    to_orjson: float | None
    to_plain: float


@frozen(kw_only=True)
class Early:
    """One of a floor's first replies, the first being number 1. to_plain: as a multiple of a plain decode."""

    agents: int
    number: int
    seconds: float
    to_plain: float


# --- measuring ------------------------------------------------------------------------------------


def measure(turns: Turns, scenario: str, agents: int, rounds: int) -> list[Result]:
    """Let all read the same replies in turns."""
    if scenario in BEGINNING:
        return _beginning(turns, scenario, agents, rounds)
    if scenario == HOUR:
        bodies = hourly(agents, rounds * CYCLE)
        counted = slice(AT_THE_HOUR, None, CYCLE)
    else:
        bodies = SCENARIOS[scenario](agents, WARM_UP + rounds)
        counted = slice(WARM_UP, None)
    sizes: list[int] = []
    turns.renew()
    times = turns.take(_sized(bodies, sizes), block_of(agents))
    return _results(scenario, agents, sizes, {name: taken[counted] for name, taken in times.items()})


def _beginning(turns: Turns, scenario: str, agents: int, rounds: int) -> list[Result]:
    """The first or the second reply, of as many new floors."""
    bodies = payload(agents, 2)
    number = BEGINNING.index(scenario)
    times: dict[str, list[float]] = {name: [] for name in turns.names}
    for _ in range(rounds):
        turns.renew()
        for name, taken in turns.take(bodies[: number + 1], 2).items():
            times[name].append(taken[number])
    return _results(scenario, agents, [len(bodies[number])], times)


def _sized(bodies: Bodies, sizes: list[int]) -> Bodies:
    for body in bodies:
        sizes.append(len(body))
        yield body


def _results(scenario: str, agents: int, sizes: list[int], times: dict[str, list[float]]) -> list[Result]:
    taken = medians(times)
    fast = taken.get("orjson.loads")
    return [
        Result(
            agents=agents,
            bytes=round(median(sizes)),
            scenario=scenario,
            name=name,
            seconds=seconds,
            to_orjson=seconds / fast if fast else None,
            to_plain=seconds / taken["plain"],
        )
        for name, seconds in taken.items()
    ]


def measure_early(turns: Turns, agents: int, floors: int) -> list[Early]:
    """The first replies of so many new floors, one by one: no short cut may cost much before it pays."""
    bodies = payload(agents, EARLY)
    times: dict[str, list[list[float]]] = {name: [] for name in turns.names}
    for _ in range(floors):
        turns.renew()
        for name, taken in turns.take(bodies, block_of(agents)).items():
            times[name].append(taken)
    mine, whole = ([median(taken) for taken in zip(*times[name], strict=True)] for name in ("ours", "plain"))
    return [
        Early(agents=agents, number=number, seconds=seconds, to_plain=seconds / other)
        for number, (seconds, other) in enumerate(zip(mine, whole, strict=True), 1)
    ]


def exponents(results: Sequence[Result]) -> dict[str, float]:
    """How the cost of a steady reply grows with its bytes: the least-squares slope of their logarithms.

    By contender; 1 is proportional. Empty for fewer than two sizes of `STRAIGHT` agents and more.
    """
    steady = [result for result in results if result.scenario == "steady" and result.agents >= STRAIGHT]
    names = dict.fromkeys(result.name for result in steady)
    lines = {
        name: [(math.log(r.bytes), math.log(r.seconds)) for r in steady if r.name == name] for name in names
    }
    return {name: _slope(points) for name, points in lines.items() if len(points) > 1}


def _slope(points: Sequence[tuple[float, float]]) -> float:
    x, y = (fmean(values) for values in zip(*points, strict=True))
    return sum((a - x) * (b - y) for a, b in points) / sum((a - x) ** 2 for a, _ in points)


# --- telling --------------------------------------------------------------------------------------


def run(
    *,
    quick: bool = False,
    agents: Sequence[int] = (),
    scenarios: Sequence[str] = NAMES,
    rounds: int | None = None,
    tell: Callable[[str], None] = print,
) -> dict[str, Any]:
    """Measure, tell a table line by line, and return the figures."""
    sizes = agents or (SIZES[:2] if quick else SIZES)
    results: list[Result] = []
    early: list[Early] = []
    tell("agents     bytes  scenario      orjson     plain      ours  ours/orjson  ours/plain")
    with in_turns(MAKERS) as turns:
        for size in sizes:
            enough = rounds or max(FEWEST, min(10 if quick else MOST, AGENT_REPLIES // size))
            for scenario in scenarios:
                found = measure(
                    turns, scenario, size, max(3, enough // CYCLE) if scenario == HOUR else enough
                )
                tell(_line(found))
                results += found
            early += measure_early(turns, size, 3 if quick else max(5, min(25, EARLY_REPLIES // size)))
            tell(_worst([one for one in early if one.agents == size]))
    slopes = exponents(results)
    for name, slope in slopes.items():
        tell(f"cost of a steady reply grows as bytes ^ {slope:.2f}  {name}")
    return {
        "results": [asdict(result) for result in results],
        "early": [asdict(one) for one in early],
        "exponents": slopes,
    }


def _line(results: Sequence[Result]) -> str:
    """The table's line of one scenario."""
    by_name = {result.name: result for result in results}
    mine = by_name["ours"]
    times = "".join(
        f"{by_name[name].seconds * 1e3:7.3f} ms" if name in by_name else " " * 10
        for name in ("orjson.loads", "plain", "ours")
    )
    to_orjson = "" if mine.to_orjson is None else f"{mine.to_orjson:.2f}"
    return f"{mine.agents:6}{mine.bytes:10}  {mine.scenario:11}{times}{to_orjson:>13}{mine.to_plain:12.2f}"


def _worst(early: Sequence[Early]) -> str:
    worst = max(early, key=lambda one: one.to_plain)
    return (
        f"{worst.agents:6}  of the first {EARLY} replies, number {worst.number} cost the most beside a plain "
        f"decode: {worst.to_plain:.2f}"
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = options(__doc__)
    parser.add_argument("--agents", nargs="*", type=int, default=(), metavar="N", help=f"default: {SIZES}")
    parser.add_argument("--scenarios", nargs="*", choices=NAMES, default=NAMES, metavar="NAME")
    parser.add_argument("--rounds", type=int, help="replies per scenario; default: as many as make sense")
    chosen = parser.parse_args(arguments)
    where = machine()
    print(told(where), end="\n\n")
    figures = run(quick=chosen.quick, agents=chosen.agents, scenarios=chosen.scenarios, rounds=chosen.rounds)
    finish(chosen.json, where, decode=figures)


if __name__ == "__main__":
    main()
