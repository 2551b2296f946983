"""The tables of docs/performance.md and docs/load.md, made of the figures that lie beside them.

    python -m benchmarks.pages              # writes them into the pages

Each stands in its page between `<!-- table: NAME -->` and the next blank line.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from benchmarks import costs

TABLE = r"\A(\|.*\n)*"
DOCS = Path(__file__).parents[1] / "docs"
Document = dict[str, Any]


def grid(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """A Markdown table; all columns but the first are numbers."""
    rule = ["---", *["---:"] * (len(head) - 1)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, rule, *lines))


# --- performance.md -------------------------------------------------------------------------------


def decoding(document: Document) -> str:
    """Each scenario at each size: as a multiple of the plain path, and of `orjson.loads`."""
    ours = [result for result in document["decode"]["results"] if result["name"] == "ours"]
    sizes = list(dict.fromkeys(result["agents"] for result in ours))
    cells = {(result["scenario"], result["agents"]): result for result in ours}
    lines = [
        [scenario, *(_both(cells.get((scenario, size))) for size in sizes)]
        for scenario in dict.fromkeys(result["scenario"] for result in ours)
    ]
    return grid(["scenario", *(f"{size:,} agents" for size in sizes)], lines)


def _both(result: Document | None) -> str:
    return "" if result is None else f"{result['to_plain']:.2f} / {result['to_orjson'] or 0:.2f}"


def polling(document: Document) -> str:
    """A whole poll beside a bare exchange."""
    lines = [
        [f"{one['name']}, {one['scheme']}", f"{one['seconds'] * 1e6:.0f} µs", f"{one['to_bare']:.2f}"]
        for one in document["poll"]["results"]
    ]
    return grid(["", "CPU of a poll", "to bare"], lines)


def keeping(document: Document) -> str:
    """What a floor keeps of each agent."""
    lines = [
        [f"{one['agents']:,}", f"{one['polls']:,}", f"{one['per_agent']:,.0f}"]
        for one in document["memory"]["results"]
        if one["name"] == "ours"
    ]
    return grid(["agents", "after so many replies", "bytes an agent"], lines)


def stretching(document: Document) -> str:
    """How long a large floor holds the event loop: the median, and the longest."""
    held: dict[tuple[int, str], dict[str, str]] = {}
    for one in document["stretch"]["results"]:
        held.setdefault((one["agents"], one["poll"]), {})[one["mode"]] = _stretch(one)
    lines = [
        [f"{agents:,}", poll, cells["in place"], cells["ours"]] for (agents, poll), cells in held.items()
    ]
    return grid(["agents", "poll", "in place", "ours"], lines)


def saving(document: Document) -> str:
    """How long a save holds the event loop, beside what the machine does; how long it takes; its bytes."""
    cells = {(one["agents"], one["save"], one["mode"]): one for one in document["checkpoint"]["results"]}
    lines = [
        [
            f"{agents:,}",
            save,
            *(_stretch(cells[agents, save, mode]) for mode in ("idle", "in place", "ours")),
            f"{one['took'] * 1e3:.0f} ms",
            f"{one['size']:,}",
        ]
        for (agents, save, mode), one in cells.items()
        if mode == "ours"
    ]
    return grid(["agents", "save", "idle", "in place", "ours", "ours took", "bytes"], lines)


def _stretch(one: Document) -> str:
    return f"{one['held'] * 1e3:.0f}, {one['longest'] * 1e3:.0f} ms"


def starting(document: Document) -> str:
    """What it takes to start."""
    lines = [
        [f"`{one['name']}`", f"{one['seconds'] * 1e3:.0f} ms", f"{one['to_aiohttp']:.2f}"]
        for one in document["startup"]["results"]
    ]
    return grid(["", "time", "to `import aiohttp`"], lines)


# --- load.md ------------------------------------------------------------------------------------------


def soaking(document: Document) -> str:
    """What a run of so many polls left."""
    head = ["run", "polls", "days", "failed", "held", "transitions", "residual"]
    head += ["bytes an agent at 10 %, 50 %, 100 %", "descriptors, tasks left"]
    return grid(head, [_soaked(result) for result in document["results"]])


def _soaked(result: Document) -> list[str]:
    counts = result["counts"]
    memory = ", ".join(f"{point['memory_per_agent']:,.0f}" for point in result["checkpoints"])
    return [
        f"`{result['setting']['run']}`",
        f"{counts['polls']:,}",
        f"{result['days']:.0f}",
        f"{counts['failed']:,}",
        f"{counts['held']:,}",
        f"{counts['transitions']:,}",
        f"{result['residual']}",
        memory,
        f"{result['descriptors_left']}, {result['tasks_left']}",
    ]


def fleet(document: Document) -> str:
    """So many sessions in one process, beside as many bare loops."""
    head = ["", "sessions", "seconds", "polls", "missed", "CPU of a poll", "of a core"]
    head += ["loop lag p50, p99", "latency p50, p99", "kB a session"]
    return grid(head, [_fleet_line(result) for result in document["results"]])


def knee(document: Document) -> str:
    """The most sessions that a core held, of each contender."""
    most = document["knee"]
    held = [
        one for one in document["results"] if one["setting"]["sessions"] == most[one["setting"]["contender"]]
    ]
    return fleet({"results": held})


def _fleet_line(result: Document) -> list[str]:
    return [
        result["setting"]["contender"],
        f"{result['setting']['sessions']:,}",
        f"{result['setting']['seconds']:.0f}",
        f"{result['polls']:,}",
        f"{result['missed']:,}",
        f"{result['cpu_per_poll'] * 1e6:.0f} µs",
        f"{result['core']:.0%}",
        _ms(result["lag"]),
        _ms(result["latency"]),
        f"{result['memory_per_session'] / 1000:.0f}",
    ]


AGES = {"total": "all", "waiting": "waiting for the tick", "server": "the server", "ours": "ours"}


def aging(document: Document) -> str:
    """How old news is, and what made it so."""
    lines = [
        [name, *(f"{seconds * 1e3:.1f} ms" for seconds in document["result"][part].values())]
        for part, name in AGES.items()
    ]
    return grid(["", *document["result"]["total"]], lines)


def _ms(quantiles: dict[str, float]) -> str:
    return f"{quantiles['p50'] * 1e3:.1f}, {quantiles['p99'] * 1e3:.1f} ms"


# --- the pages ----------------------------------------------------------------------------------------

TABLES: dict[str, tuple[str, str, Callable[[Document], str]]] = {
    "rivals": ("performance.md", "costs.json", costs.table),
    "decoding": ("performance.md", "costs.json", decoding),
    "polling": ("performance.md", "costs.json", polling),
    "keeping": ("performance.md", "costs.json", keeping),
    "stretching": ("performance.md", "costs.json", stretching),
    "saving": ("performance.md", "checkpoint.json", saving),
    "starting": ("performance.md", "costs.json", starting),
    "soaking": ("load.md", "soak.json", soaking),
    "fleet": ("load.md", "fleet.json", fleet),
    "fleet of small floors": ("load.md", "fleet20.json", fleet),
    "knee": ("load.md", "knee.json", knee),
    "aging": ("load.md", "latency.json", aging),
}


def filled(page: str) -> str:
    """A page's text with its tables as the figures have them now."""
    text = (DOCS / page).read_text()
    for name, (where, figures, table) in TABLES.items():
        if where == page:
            made = table(json.loads((DOCS / figures).read_text()))
            before, mark, after = text.partition(f"<!-- table: {name} -->\n\n")
            text = f"{before}{mark}{made}\n\n{re.sub(TABLE, '', after, count=1).lstrip()}"
    return text


def main() -> None:
    """Write all of them, and the picture."""
    for page in dict.fromkeys(page for page, _, _ in TABLES.values()):
        (DOCS / page).write_text(filled(page))
    drawn = costs.plot(json.loads((DOCS / "costs.json").read_text()))
    (DOCS / "costs.svg").write_text(str(drawn))


if __name__ == "__main__":
    main()
