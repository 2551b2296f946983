"""The books of a run, for people."""

from __future__ import annotations

from datetime import timedelta

import pytest

from deepcall_async import Account, Ledger, Phase
from deepcall_async._board.ledger_lines import summary

TOTAL = Account(
    grown=20,
    seen=11,
    hidden=5,
    prior=1,
    open=4,
    talk_grown=timedelta(minutes=19),
    talk_told=timedelta(minutes=17),
)


def test_the_books_say_what_was_counted_and_what_explains_it() -> None:
    ledger = Ledger(total=TOTAL, agents={}, counted_at=(Phase.CALL_END,), held=3, clock_steps=2)
    assert summary(ledger) == [
        "books: calls counted 20: seen 11, hidden between polls 5, from before 1, undecided 4, "
        "unexplained -1",
        "books: talk time counted 19:00, told 17:00",
        "books: the server counts a call as it ends",
        "books: answers held 3, steps of the server's clock 2",
    ]


@pytest.mark.parametrize(
    ("phases", "words"),
    [
        ((Phase.WRAP_UP_END,), "after its wrap-up"),
        ((Phase.CALL_START, Phase.CALL_END), "as it begins or as it ends: not known yet"),
        (tuple(Phase), "as it begins or as it ends or after its wrap-up: not known yet"),
    ],
)
def test_when_the_server_counts_is_told_as_far_as_it_is_known(phases: tuple[Phase, ...], words: str) -> None:
    ledger = Ledger(total=TOTAL, agents={}, counted_at=phases, held=0, clock_steps=0)
    assert summary(ledger)[2] == f"books: the server counts a call {words}"
