"""Short files and short functions; whatever is longer has its reason here."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from .source import PACKAGE, modules

FILE, FUNCTION = 330, 40  # lines
LONGER_FILES: dict[str, tuple[int, str]] = {}
LONGER_FUNCTIONS: dict[str, tuple[int, str]] = {}


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """Each function's name and its number of lines."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, (node.end_lineno or node.lineno) - node.lineno + 1


@pytest.mark.parametrize("path", modules().values(), ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_a_file_and_its_functions_can_be_read_in_one_sitting(path: Path) -> None:
    most, _ = LONGER_FILES.get(path.relative_to(PACKAGE).as_posix(), (FILE, ""))
    assert len(path.read_text().splitlines()) <= most
    for name, lines in functions(path):
        assert lines <= LONGER_FUNCTIONS.get(name, (FUNCTION, ""))[0], name


def test_most_functions_are_short() -> None:
    lengths = sorted(lines for path in modules().values() for _, lines in functions(path))
    assert lengths[len(lengths) // 2] <= 10
    assert sum(lines > 30 for lines in lengths) <= len(lengths) // 20


def test_no_exception_outlives_its_reason() -> None:
    for name, (most, _) in LONGER_FILES.items():
        assert FILE < len((PACKAGE / name).read_text().splitlines()) <= most
