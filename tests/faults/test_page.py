"""The page of the faults has a row for each of them, and no other."""

from __future__ import annotations

import pytest

from . import page
from .tables import TABLES


def test_the_tables_of_the_page_are_those_of_the_tests() -> None:
    assert page.page() == page.PAGE.read_text()


@pytest.mark.parametrize("name", [name for table in TABLES.values() for name in table])
def test_a_fault_has_one_name_and_one_row(name: str) -> None:
    assert sum(name in table for table in TABLES.values()) == 1
    rows = [line for line in page.made().splitlines() if line.startswith((f"| {name} |", f"| {name}: "))]
    assert len(rows) == 1
