"""Lines of cells that stand in their columns on every terminal.

How wide a letter is, is a matter of opinion: terminals, fonts and rich disagree about Indic
vowel signs, emoji and new letters. So padding alone would push what follows a name about. Each
cell is therefore moved to its column, after the line was wiped from the last one's end on; a
name that turns out wider than expected loses its end, and nothing else moves.

A file gets no such commands: rich writes controls to terminals only.
"""

from __future__ import annotations

from attrs import frozen
from rich.cells import cell_len, set_cell_size
from rich.console import Console, ConsoleOptions, RenderResult
from rich.control import Control
from rich.segment import ControlType, Segment


@frozen
class Cell:
    """Text from column `start` on, cut or filled to `width` columns."""

    start: int
    width: int
    text: str
    style: str = ""
    right: bool = False

    def fitted(self) -> str:
        """The text as wide as the cell."""
        length = cell_len(self.text)
        if length > self.width:
            return set_cell_size(self.text, self.width - 1) + "…" if self.width > 1 else "…"[: self.width]
        padding = " " * (self.width - length)
        return padding + self.text if self.right else self.text + padding


@frozen
class Row:
    """One line of the screen: cells from left to right."""

    cells: tuple[Cell, ...] = ()

    def __rich_console__(self, console: Console, _: ConsoleOptions) -> RenderResult:
        """The cells, each at its column."""
        at = 0
        for cell in self.cells:
            yield Control((ControlType.CURSOR_MOVE_TO_COLUMN, at), (ControlType.ERASE_IN_LINE, 0))
            yield Segment(" " * (cell.start - at))
            yield Control((ControlType.CURSOR_MOVE_TO_COLUMN, cell.start))
            yield Segment(cell.fitted(), console.get_style(cell.style))
            at = cell.start + cell.width
        yield Segment.line()
