"""The picture and the table of what a reply costs: ours and the rivals, against the number of agents.

python -m benchmarks --json costs.json       # or `python -m benchmarks.rivals --json costs.json`
python -m benchmarks.costs costs.json        # writes costs.svg, prints the table
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from benchmarks.rivals import OURS, PARSE, PLAIN
from benchmarks.svg import Picture

COLOURS = {
    PARSE: "#8c959f",
    OURS: "#0969da",
    PLAIN: "#54aeff",
    "json + dict diff": "#1a7f37",
    "orjson + cattrs": "#bf8700",
    "pydantic": "#cf222e",
    "msgspec": "#8250df",
    "deepdiff": "#bc4c00",
}
LEFT, TOP, WIDTH, HEIGHT, MARGIN = 70, 70, 470, 380, 190
APART = 16  # pixels between two labels at least

Points = list[tuple[float, float]]


def series(document: dict[str, Any]) -> dict[str, Points]:
    """(agents, milliseconds) by contender; sizes at which one was left out are missing."""
    found: dict[str, Points] = {}
    for result in document["rivals"]["results"]:
        if result["seconds"] is not None:
            found.setdefault(result["name"], []).append((result["agents"], result["seconds"] * 1e3))
    return found


def table(document: dict[str, Any]) -> str:
    """One line a contender, one column a size: as multiples of `orjson.loads` alone, or of ours."""
    results = document["rivals"]["results"]
    sizes = list(dict.fromkeys(result["agents"] for result in results))
    unit = "to_ours" if any(result["why"] for result in results if result["name"] == PARSE) else "to_orjson"
    cells = {(result["name"], result["agents"]): result for result in results}
    lines = [
        f"| | {' | '.join(f'{size:,} agents' for size in sizes)} |",
        f"| --- |{' ---: |' * len(sizes)}",
    ]
    for name in dict.fromkeys(result["name"] for result in results):
        told = (_cell(cells.get((name, size)), unit) for size in sizes)
        lines.append(f"| {name} | {' | '.join(told)} |")
    return "\n".join(lines)


def _cell(result: dict[str, Any] | None, unit: str) -> str:
    if result is None or result["seconds"] is None:
        return result["why"] if result else ""
    return f"{result[unit]:.2f}"


# --- the plot -----------------------------------------------------------------------------------------


def plot(document: dict[str, Any]) -> Picture:
    """Both axes logarithmic, so that what is proportional is a straight line, and a ratio a distance."""
    curves = series(document)
    sizes = sorted({agents for points in curves.values() for agents, _ in points})
    costs = [cost for points in curves.values() for _, cost in points]
    decades = range(math.floor(math.log10(min(costs))), math.ceil(math.log10(max(costs))) + 1)
    drawn = Picture(LEFT + WIDTH + MARGIN, TOP + HEIGHT + 60)
    across = _scale(sizes[0], sizes[-1], LEFT, LEFT + WIDTH)
    up = _scale(10 ** decades[0], 10 ** decades[-1], TOP + HEIGHT, TOP)
    drawn.text(LEFT, 24, "CPU time from a reply's bytes to what changed", "title")
    drawn.text(LEFT, 44, _place(document["machine"]), "small")
    for decade in decades:
        drawn.line(LEFT, up(10**decade), LEFT + WIDTH, up(10**decade), "faint")
        drawn.text(LEFT - 8, up(10**decade) + 4, _duration(10.0**decade), "small right")
    for size in sizes:
        drawn.text(across(size), TOP + HEIGHT + 20, f"{size:,}", "small middle")
    drawn.text(LEFT + WIDTH / 2, TOP + HEIGHT + 42, "agents", "small middle")
    ends: dict[str, tuple[float, float]] = {}
    for name, points in sorted(curves.items(), key=lambda curve: curve[0] == OURS):  # on top of the others
        placed = [(across(agents), up(cost)) for agents, cost in points]
        drawn.curve(placed, COLOURS.get(name, "#57606a"))
        ends[name] = placed[-1]
    for name, (x, y) in _apart(ends).items():
        drawn.text(x + 12, y + 4, name, colour=COLOURS.get(name))
    return drawn


def _duration(milliseconds: float) -> str:
    return f"{milliseconds / 1e3:g} s" if milliseconds >= 1e3 else f"{milliseconds:g} ms"


def _place(where: dict[str, Any]) -> str:
    return f"medians, {where['implementation']} {where['python']} on {where['system']} {where['machine']}"


def _scale(low: float, high: float, start: float, end: float) -> Any:
    """Where on a logarithmic axis from `start` to `end` a value stands."""
    span = math.log(high / low) or 1.0
    return lambda value: start + (end - start) * math.log(value / low) / span


def _apart(ends: dict[str, tuple[float, float]]) -> dict[str, tuple[float, float]]:
    """The labels' places: beside the end of each curve, and moved up or down until none touches another."""
    places = dict(ends)
    for column in {x for x, _ in ends.values()}:
        names = sorted((name for name in ends if ends[name][0] == column), key=lambda name: ends[name][1])
        for name, y in zip(names, _spread([ends[name][1] for name in names]), strict=True):
            places[name] = (column, y)
    return places


def _spread(heights: Iterable[float]) -> list[float]:
    """The nearest heights in the same order that lie `APART`: touching ones share what it takes."""
    groups: list[list[float]] = []
    for height in heights:
        groups.append([height])
        while len(groups) > 1 and _first(groups[-1]) < _first(groups[-2]) + len(groups[-2]) * APART:
            groups[-2:] = [groups[-2] + groups[-1]]
    return [_first(group) + place * APART for group in groups for place in range(len(group))]


def _first(group: list[float]) -> float:
    """Where the first of a group of touching labels stands, the group being centred on its heights."""
    return sum(group) / len(group) - (len(group) - 1) * APART / 2


if __name__ == "__main__":
    source = Path(sys.argv[1])
    figures = json.loads(source.read_text())
    source.with_suffix(".svg").write_text(str(plot(figures)))
    print(table(figures))
