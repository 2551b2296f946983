"""The page with the score shows what the score printed."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks.report import plot, table

DOCS = Path(__file__).parents[1] / "docs"
FIGURES = json.loads((DOCS / "fidelity.json").read_text())


def test_the_table_and_the_plot_are_made_of_the_figures_beside_them() -> None:
    assert table(FIGURES) in (DOCS / "fidelity.md").read_text()
    assert str(plot(FIGURES)) == (DOCS / "fidelity.svg").read_text()
