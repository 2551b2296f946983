"""The books of a run, for people."""

from __future__ import annotations

from deepcall_async import Ledger, Phase

from .words import age

PHASE_WORDS = {
    Phase.CALL_START: "as it begins",
    Phase.CALL_END: "as it ends",
    Phase.WRAP_UP_END: "after its wrap-up",
}


def summary(ledger: Ledger) -> list[str]:
    """What the server's counters grew by, and what was told of it, in a few lines."""
    total = ledger.total
    parts = {
        "seen": total.seen,
        "hidden between polls": total.hidden,
        "from before": total.prior,
        "undecided": total.open,
        "unexplained": total.residual,
    }
    return [
        f"books: calls counted {total.grown}: " + ", ".join(f"{what} {n}" for what, n in parts.items()),
        f"books: talk time counted {age(total.talk_grown)}, told {age(total.talk_told)}",
        f"books: the server counts a call {_counted_at(ledger.counted_at)}",
        f"books: answers held {ledger.held}, steps of the server's clock {ledger.clock_steps}",
    ]


def _counted_at(phases: tuple[Phase, ...]) -> str:
    words = " or ".join(PHASE_WORDS[phase] for phase in phases)
    return words if len(phases) == 1 else f"{words}: not known yet"
