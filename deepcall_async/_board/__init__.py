"""The live floor as words, ages and lines, without a terminal or a browser.

Imports public names only.
"""

from .board import STATE_ORDER, Board, Frame, in_order, in_state
from .ledger_lines import summary
from .notices import Notices
from .words import STATE_WORDS, age, channels, counts, describe, line, plain, stamp, when

__all__ = [
    "STATE_ORDER",
    "STATE_WORDS",
    "Board",
    "Frame",
    "Notices",
    "age",
    "channels",
    "counts",
    "describe",
    "in_order",
    "in_state",
    "line",
    "plain",
    "stamp",
    "summary",
    "when",
]
