"""The pages show the figures that lie beside them."""

from __future__ import annotations

import json

import pytest

from benchmarks import costs
from benchmarks.pages import DOCS, TABLES, filled


@pytest.mark.parametrize("page", sorted({page for page, _, _ in TABLES.values()}))
def test_the_tables_of_a_page_are_made_of_the_figures_beside_it(page: str) -> None:
    text = (DOCS / page).read_text()
    assert filled(page) == text
    names = [name for name, (where, _, _) in TABLES.items() if where == page]
    assert all(f"<!-- table: {name} -->\n\n| " in text for name in names)


def test_the_picture_of_the_costs_is_made_of_their_figures() -> None:
    figures = json.loads((DOCS / "costs.json").read_text())
    assert str(costs.plot(figures)) == (DOCS / "costs.svg").read_text()
