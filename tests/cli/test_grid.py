"""Columns stand still whatever a terminal thinks of the width of letters."""

from __future__ import annotations

import io
import re
from collections.abc import Callable

import pytest
from rich.console import Console

from deepcall_async.cli._grid import Cell, Row

COMMAND = re.compile(r"\x1b\[(\d*)([A-Za-z])|(.)")
NAMES = ["Asha", "गीता Kumar", "山田太郎", "👩‍💻 Zoë", "á" * 30, ""]


def shown(output: str, width_of: Callable[[str], int]) -> list[str]:
    """What a terminal shows on each line, a blank for the second half of a wide letter."""
    lines = []
    for line in output.splitlines():
        cells, column = [" "] * 80, 0
        for number, command, letter in COMMAND.findall(line):
            if command == "G":
                column = int(number or 1) - 1
            elif command == "K":
                cells[column:] = [" "] * (80 - column)
            elif letter and width_of(letter):
                cells[column : column + width_of(letter)] = [letter] + [" "] * (width_of(letter) - 1)
                column += width_of(letter)
        lines.append("".join(cells))
    return lines


@pytest.mark.parametrize(("low", "high"), [(1, 1), (1, 2), (1, 0)])
def test_what_follows_a_name_stays_in_its_column(low: int, high: int) -> None:
    """Of letters beyond Latin, some terminals take a single column, some two, some none."""
    console = Console(file=io.StringIO(), force_terminal=True, color_system=None, width=80)
    state, age = Cell(13, 9, "available"), Cell(23, 5, "1:02", right=True)
    rows = [Row((Cell(0, 12, name), state, age)) for name in NAMES]
    with console.capture() as capture:
        console.print(*rows, sep="", end="")
    lines = shown(capture.get(), lambda letter: low if ord(letter) < 0x300 else high)
    assert len(lines) == len(NAMES)
    assert {line[12:28] for line in lines} == {" available  1:02"}


def test_text_is_cut_with_an_ellipsis_or_filled_with_blanks() -> None:
    assert Cell(0, 5, "Harpreet").fitted() == "Harp…"
    assert Cell(0, 5, "Zoë").fitted() == "Zoë  "
    assert Cell(0, 5, "Zoë", right=True).fitted() == "  Zoë"
    assert Cell(0, 5, "山田太郎").fitted() == "山田…"
    assert Cell(0, 4, "山田太郎").fitted() == "山 …"
    assert Cell(0, 1, "abc").fitted() == "…"
    assert Cell(0, 0, "abc").fitted() == ""
