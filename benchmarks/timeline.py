"""The worked timeline of the manual: eight minutes of one agent's life, nine polls, and what is told.

    python -m benchmarks.timeline              # the table of the manual
    python -m benchmarks.timeline FILE.svg     # the picture

The life is written down below; the polls and what is told of them are computed.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.svg import Picture
from deepcall_async import LiveFloor, Transition
from deepcall_async.simulator import Fact, Floor

TEN = datetime(2026, 1, 5, 10, tzinfo=UTC).timestamp()
MINUTES = 8
ASHA = "7"

LIFE = [  # (from, to, what), as minutes:seconds after ten
    ("0:12", "6:20", "login"),
    ("0:45", "1:35", "call"),
    ("1:35", "2:05", "wrap-up"),
    ("3:10", "3:50", "break"),
    ("4:12", "4:32", "call"),
    ("5:05", "5:15", "call"),
    ("5:25", "5:50", "call"),
    ("6:27", "7:40", "login"),
]


def instant(text: str) -> float:
    """Epoch seconds of minutes:seconds after ten."""
    minutes, seconds = text.split(":")
    return TEN + int(minutes) * 60 + int(seconds)


def facts() -> Iterator[Fact]:
    """The life as the simulator lives it."""
    yield Fact(at=TEN - 3600, agent=ASHA, kind="agent_added", value="Asha")
    told = [fact for start, end, what in LIFE for fact in _episode(instant(start), instant(end), what)]
    yield from sorted(told, key=lambda fact: fact.at)


def _episode(start: float, end: float, what: str) -> Iterator[Fact]:
    if what == "login":
        yield Fact(at=start, agent=ASHA, kind="logged_in", channel="web", began=start)
        yield Fact(at=start, agent=ASHA, kind="became_available")
        yield Fact(at=end, agent=ASHA, kind="logged_out", channel="web", began=start)
    elif what == "call":
        yield Fact(at=start, agent=ASHA, kind="call_started", began=start)
        yield Fact(at=end, agent=ASHA, kind="call_ended", began=start, talk_time=int(end - start))
        if not any(instant(begun) == end for begun, _, after in LIFE if after == "wrap-up"):
            yield Fact(at=end, agent=ASHA, kind="became_available")
    elif what == "wrap-up":
        yield Fact(at=start, agent=ASHA, kind="wrap_up_started", began=start)
        yield Fact(at=end, agent=ASHA, kind="wrap_up_ended", began=start)
        yield Fact(at=end, agent=ASHA, kind="became_available")
    else:
        yield Fact(at=start, agent=ASHA, kind="break_started", began=start, reason="Tea")
        yield Fact(at=end, agent=ASHA, kind="break_ended", began=start, reason="Tea")
        yield Fact(at=end, agent=ASHA, kind="became_available")


def polls() -> list[tuple[float, tuple[Transition, ...]]]:
    """The polls, one a minute, and what each of them tells, without the changes of mere flags."""
    floor, live = Floor(facts=facts(), start=TEN), LiveFloor()
    told = []
    for minute in range(MINUTES + 1):
        at = TEN + 60 * minute
        update = live.receive(floor.reply(at))
        told.append((at, tuple(t for t in update.transitions if t.kind != "agent_updated")))
    return told


def describe(t: Transition) -> str:
    """A transition in the table's words."""
    calls = getattr(t, "calls", None)
    talk, duration = getattr(t, "talk_time", None), getattr(t, "duration", None)
    parts = [t.kind, f"calls={calls}" if calls else "", f"talk {talk}" if talk else "", str(duration or "")]
    return " ".join(part for part in parts if part)


def table() -> str:
    """What is told, as the manual shows it."""
    lines = ["| poll | told | at | certainly between | basis |", "| --- | --- | --- | --- | --- |"]
    for at, told in polls():
        poll = f"{datetime.fromtimestamp(at, UTC):%H:%M:%S}"
        for t in told:
            bounds = f"{t.earliest:%H:%M:%S} and {t.latest:%H:%M:%S}"
            lines.append(f"| {poll} | {describe(t)} | {t.at:%H:%M:%S} | {bounds} | {t.basis.value} |")
            poll = ""
    return "\n".join(lines)


# --- the picture --------------------------------------------------------------------------------------

LEFT, SCALE = 90, 1.75  # pixels before ten o'clock, and pixels a second
COLOURS = {"login": "#8c959f", "call": "#2da44e", "wrap-up": "#bf8700", "break": "#8250df"}
BASIS = {"observed": "#0969da", "inferred": "#cf222e", "counted": "#bc4c00"}


def _x(at: float) -> float:
    return LEFT + (at - TEN) * SCALE


def picture() -> Picture:
    """True life above, polls as ticks, what is told below."""
    told = [t for _, transitions in polls() for t in transitions]
    drawn = Picture(int(_x(TEN + 60 * MINUTES)) + 130, 150 + 21 * len(told))
    drawn.text(10, 30, "true life", "title")
    for start, end, what in LIFE:
        row = {"login": 58}.get(what, 36)
        drawn.bar(_x(instant(start)), row, (instant(end) - instant(start)) * SCALE, 12, COLOURS[what])
        drawn.text(_x(instant(start)), row - 4 if row < 50 else row + 25, what, "small")
    drawn.text(10, 104, "polls", "title")
    for at, _ in polls():
        drawn.line(_x(at), 90, _x(at), drawn.height - 20, "faint")
        drawn.text(_x(at), 104, f"{datetime.fromtimestamp(at, UTC):%H:%M}", "middle")
    drawn.text(10, 130, "told", "title")
    for number, t in enumerate(told):
        _draw_told(drawn, 134 + 21 * number, t)
    for number, (basis, colour) in enumerate(BASIS.items()):
        drawn.bar(LEFT + 110 * number, drawn.height - 14, 10, 10, colour)
        drawn.text(LEFT + 16 + 110 * number, drawn.height - 5, basis, "small")
    return drawn


def _draw_told(drawn: Picture, y: float, t: Transition) -> None:
    colour = BASIS[t.basis.value]
    earliest, at, latest = (_x(moment.timestamp()) for moment in (t.earliest, t.at, t.latest))
    drawn.bar(earliest, y + 4, latest - earliest, 6, colour, 0.35)
    drawn.bar(at - 1.5, y, 3, 14, colour)
    drawn.text(latest + 8, y + 11, describe(t), "small")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text(str(picture()))
    else:
        print(table())
