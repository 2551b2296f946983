"""The tables of docs/faults.md, made of the tables of the tests.

python -m tests.faults.page    # writes them into the page
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.fuzz import corpus

from .codes import ENVELOPES, REFUSALS, Refusal
from .fault import Fault
from .tables import TABLES
from .test_fields import CASES as FIELDS
from .test_pauses import PAUSES

PAGE = Path(__file__).parents[2] / "docs" / "faults.md"
BEGIN, END = "<!-- made by tests.faults.page -->\n", "<!-- as far as here -->\n"


def made() -> str:
    """All that is made, as Markdown."""
    parts = [table(heading, faults(heading)) for heading in TABLES]
    parts.append(table("What the API says no to", refusals()))
    parts.append(table("Being asked to wait", pauses()))
    parts.append(table("Every field", fields()))
    return "\n".join([*parts, "### How many", "", counts()])


Line = tuple[str, ...]


def table(heading: str, lines: Iterator[Line]) -> str:
    """A heading and a table, of which the first line is its head."""
    head, *rest = [" | ".join(cells) for cells in lines]
    rule = "|".join(" --- " for _ in head.split(" | "))
    return (
        "\n".join([f"### {heading}\n", f"| {head} |", f"|{rule}|", *(f"| {line} |" for line in rest)]) + "\n"
    )


def faults(heading: str) -> Iterator[Line]:
    """The lines of a table of faults."""
    yield "fault", "what you see", "at the next good poll"
    for fault, said in TABLES[heading].items():
        yield titled(fault, said), seen(said), next_seen(said)


def titled(name: str, fault: Fault) -> str:
    """The name of a fault, with its forms."""
    forms = [f"`{form}`" if form.isascii() and " " not in form else form for form in fault.answers if form]
    return f"{name}: {', '.join(forms)}" if forms else name


def seen(fault: Fault) -> str:
    """What the consumer sees in the tick of the fault."""
    if fault.error is not None:
        word = f" (“{fault.word.format('…')}”)" if fault.word else ""
        return f"outage, `{fault.error.__name__}`{word}"
    if fault.held:
        return f"held: {'; '.join(fault.held)}"
    if fault.quarantined:
        return f"the rest; quarantined: {', '.join(f'`{path}`' for path in fault.quarantined)}"
    return " ".join(["the reply, as it is", *(f"(`{kind}`)" for kind in fault.told)])


def next_seen(fault: Fault) -> str:
    if fault.is_next_held:
        return "held once; then the news"
    return "`gap`, and the news" if fault.error else "the news"


def refusals() -> Iterator[Line]:
    """The codes of the API."""
    yield "it says no to", "with the codes", "what you see"
    for name, refusal in REFUSALS.items():
        yield name, ranges(refusal.codes), ending(refusal)


def ranges(codes: tuple[int, ...]) -> str:
    """The codes, three or more in a row as a range."""
    runs: list[list[int]] = []
    for code in sorted(codes):
        if runs and runs[-1][-1] == code - 1:
            runs[-1].append(code)
        else:
            runs.append([code])
    return ", ".join(f"{run[0]}-{run[-1]}" if len(run) > 2 else ", ".join(map(str, run)) for run in runs)


def ending(refusal: Refusal) -> str:
    error = f"`{refusal.error.__name__}`"
    return f"{error} is raised: “{refusal.word}”" if refusal.ends else f"outage, {error}"


def pauses() -> Iterator[Line]:
    """How long a server is left alone."""
    yield "`Retry-After` of a 429 or 503, on 16 Nov 2024 at 12:19:25", "next request, with a tick every 5 s"
    for text, pause in PAUSES.items():
        yield f"`{text}`" if len(text) < 60 else f"{len(text)} digits", f"{pause:g} s"


def fields() -> Iterator[Line]:
    """The fields of a row, and the wrong values they are sent with."""
    yield "field", "wrong values, each of which costs its row that poll"
    for path, cases in FIELDS.items():
        yield f"`{path}`", ", ".join(f"`{shown(path, value)}`" for _, value in cases)


def shown(path: str, value: Any) -> str:
    """A wrong value as JSON."""
    key = path.partition(".")[2]
    text = json.dumps(value[key] if key else value)
    return text if len(text) <= 40 else f"a number of {len(text)} digits"


def counts() -> str:
    """How much is tried."""
    kinds = sum(len(table) for table in TABLES.values())
    forms = sum(len(fault.answers) for table in TABLES.values() for fault in table.values())
    codes = sum(len(refusal.codes) for refusal in REFUSALS.values())
    values = sum(map(len, FIELDS.values()))
    return (
        f"{kinds} kinds of fault in {forms} forms, {codes} codes in {len(ENVELOPES)} envelopes each, and "
        f"{values} wrong values of fields, all over real sockets; {len(corpus.read())} inputs in the corpus "
        "of the fuzzer.\n"
    )


def page() -> str:
    """The page with what is made in its place."""
    before, _, rest = PAGE.read_text().partition(BEGIN)
    return f"{before}{BEGIN}\n{made()}\n{END}{rest.partition(END)[2]}"


if __name__ == "__main__":
    PAGE.write_text(page())
