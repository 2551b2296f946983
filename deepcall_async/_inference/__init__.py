"""Snapshots to transitions: what happened between two polls, and what cannot be known.

Imports `_model` only.
"""

from .absence import contradiction
from .agent_memory import Memory
from .call_books import Tally
from .clock_step import clock_step, stepped, with_what_lies_ahead, without_starts
from .delta import Look, View, look
from .differ import diff
from .floor_state import FloorState, first_state, recalled
from .plausibility import ABSURD, CLOCKLESS, LOGINS, Suspicion, agrees, oddities, suspicion, suspicions

__all__ = [
    "ABSURD",
    "CLOCKLESS",
    "LOGINS",
    "FloorState",
    "Look",
    "Memory",
    "Suspicion",
    "Tally",
    "View",
    "agrees",
    "clock_step",
    "contradiction",
    "diff",
    "first_state",
    "look",
    "oddities",
    "recalled",
    "stepped",
    "suspicion",
    "suspicions",
    "with_what_lies_ahead",
    "without_starts",
]
