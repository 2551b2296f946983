"""The corpus in the tree: one input a line, as the JSON string of its Latin-1 text, so that a diff shows it.

An input is one reply, or several that come one after the other with `SEPARATOR` between them.
No JSON text holds the separator, so a reply never falls apart by chance.

libFuzzer wants a folder with a file for each input; `unpack` makes one, `pack` takes one back.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

CORPUS = Path(__file__).with_name("corpus.jsonl")
SEPARATOR = b"\n---\n"
MOST = 6  # replies of one input: more find nothing new, but take longer


def replies(data: bytes) -> list[bytes]:
    """The replies of an input, in order."""
    return data.split(SEPARATOR, MOST - 1)


def read(corpus: Path = CORPUS) -> list[bytes]:
    """The inputs, shortest first."""
    return [json.loads(line).encode("latin-1") for line in corpus.read_text(encoding="ascii").splitlines()]


def write(inputs: Iterable[bytes], corpus: Path = CORPUS) -> None:
    """Replace the corpus."""
    ordered = sorted(set(inputs), key=lambda data: (len(data), data))
    lines = [json.dumps(data.decode("latin-1")) + "\n" for data in ordered]
    corpus.write_text("".join(lines), encoding="ascii")


def unpack(folder: Path, corpus: Path = CORPUS) -> None:
    """Write each input to a file of its own."""
    for number, data in enumerate(read(corpus)):
        (folder / f"{number:05}").write_bytes(data)


def pack(folder: Path, corpus: Path = CORPUS) -> None:
    """Replace the corpus by the files of a folder."""
    write((path.read_bytes() for path in folder.iterdir()), corpus)
