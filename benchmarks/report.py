"""The page of the docs that shows the score: a table over all variants, and a plot.

python -m benchmarks.fidelity --json docs/fidelity.json
python -m benchmarks.report docs/fidelity.json       # writes docs/fidelity.svg, prints the table
"""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import Any

from benchmarks.svg import Picture

OURS, NAIVE = "#0969da", "#cf222e"


def table(document: dict[str, Any]) -> str:
    """One line an interval and client, over all variants."""
    lines = [
        "| interval | client | visible told | provable told | precision | within bounds | counted exactly"
        " | error p50 / p95 / max | order, ids, residual |",
        "| ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for total in document["totals"]:
        lines += [_line(total["interval"], client, total[client]) for client in ("ours", "naive")]
    return "\n".join(lines)


def _line(interval: float, client: str, score: dict[str, Any]) -> str:
    counted = "{} of {}".format(*score["counted"]) if client == "ours" else ""
    faults = (
        f"{score['misordered']}, {score['repeated_ids']}, {score['residual']}" if client == "ours" else ""
    )
    error = " / ".join(f"{seconds:.1f}" for seconds in score["error"])
    return (
        f"| {interval:g} s | {client} | {_share(score, 'visible')} | {_share(score, 'provable')}"
        f" | {score['precision']:.5f} | {score['in_bounds']:.5f} | {counted} | {error} s | {faults} |"
    )


def _share(score: dict[str, Any], visibility: str) -> str:
    truths = score["truths"].get(visibility, 0)
    return f"{score['found'].get(visibility, 0) / truths:.5f}" if truths else "-"


# --- the plot -----------------------------------------------------------------------------------------

WIDTH, HEIGHT, TOP = 380, 260, 60


def plot(document: dict[str, Any]) -> Picture:
    """Left: the share of all that happened which was told, or at least counted. Right: the error in time."""
    drawn = Picture(2 * WIDTH + 120, HEIGHT + 120)
    totals = document["totals"]
    intervals = [total["interval"] for total in totals]
    shares = {client: [_told(total[client]) for total in totals] for client in ("ours", "naive")}
    errors = {client: [total[client]["error"][1] for total in totals] for client in ("ours", "naive")}
    _panel(drawn, 50, "share of what happened that was told", intervals, shares, 1.0, "{:.0%}")
    _panel(
        drawn,
        WIDTH + 110,
        "error in time, 95th percentile",
        intervals,
        errors,
        max(errors["naive"]),
        "{:.0f} s",
    )
    return drawn


def _told(score: dict[str, Any]) -> float:
    return float(sum(score["found"].values()) / sum(score["truths"].values()))


def _panel(
    drawn: Picture,
    left: float,
    title: str,
    intervals: list[float],
    series: dict[str, list[float]],
    top: float,
    form: str,
) -> None:
    width = WIDTH - 60
    places = [
        left + width * math.log(i / intervals[0]) / math.log(intervals[-1] / intervals[0]) for i in intervals
    ]
    drawn.text(left, 28, title, "title")
    for mark in (0.0, 0.25, 0.5, 0.75, 1.0):
        y = TOP + HEIGHT * (1 - mark)
        drawn.line(left, y, left + width, y, "faint")
        drawn.text(left - 8, y + 4, form.format(mark * top), "small right")
    for place, interval in zip(places, intervals, strict=True):
        drawn.text(place, TOP + HEIGHT + 20, f"{interval:g} s", "small middle")
    drawn.text(left + width / 2, TOP + HEIGHT + 42, "polling interval", "small middle")
    for (client, values), colour in zip(series.items(), (OURS, NAIVE), strict=True):
        heights = [TOP + HEIGHT * (1 - value / top) for value in values]
        drawn.curve(zip(places, heights, strict=True), colour)
        drawn.text(places[-1] + 8, heights[-1] + 4, client)


if __name__ == "__main__":
    source = Path(sys.argv[1])
    figures = json.loads(source.read_text())
    source.with_suffix(".svg").write_text(str(plot(figures)))
    print(table(figures))
