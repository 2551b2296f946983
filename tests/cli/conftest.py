"""The hand-made floor of the board, and a process that hears Ctrl-C."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from tests.board.conftest import _in_utc, make_agent, make_snapshot, make_transition, make_update

__all__ = ["_in_utc", "make_agent", "make_snapshot", "make_transition", "make_update"]


@pytest.fixture(autouse=True)
def _ctrl_c_is_heard() -> Iterator[None]:
    """A shell has what it runs in the background ignore Ctrl-C, and the commands would inherit that."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
