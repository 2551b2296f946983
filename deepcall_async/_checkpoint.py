"""Everything a stream needs to go on after a restart, as one JSON value. It holds no secret."""

from __future__ import annotations

from typing import Any

from attrs import field, frozen

from ._evolve import evolve
from ._json import from_json, leave_out, to_json
from ._model import FloorTotals
from ._state import FloorState, recalled
from ._suspicion import Suspicion

FORMAT = 1  # raise it when an older reader would misread the newer form


leave_out(FloorState, "resting", "view", "shown", "restless", "oldest_gone")


class CheckpointWarning(UserWarning):
    """A checkpoint could not be used; the stream begins with a fresh baseline."""


class UnusableCheckpointError(ValueError):
    """Why a checkpoint cannot be used."""


@frozen(kw_only=True)
class Mark:
    """Where a stream stands after an update.

    scope, view, status: whose floor, which part of it, and what an absent row means.
    sequence: of the update. totals: the last good ones. accepted: what was odd about the last good
    reply and is no longer suspect. suspect: what the last replies were held for, None when they were not.
    is_provisional: no reply yet that did not contradict itself. held, clock_steps: how many so far.
    """

    scope: str
    view: str
    status: str
    sequence: int
    totals: FloorTotals
    state: FloorState
    accepted: tuple[str, ...] = field(default=())
    suspect: Suspicion | None = None
    is_provisional: bool = False
    held: int = 0
    clock_steps: int = 0


def write_checkpoint(mark: Mark) -> dict[str, Any]:
    """The checkpoint of a mark: JSON objects, lists, strings, numbers, true, false and null."""
    state = evolve(mark.state, memories=mark.state.everyone)
    return {"deepcall_checkpoint": FORMAT, **to_json(evolve(mark, state=state))}


def read_checkpoint(value: Any, *, scope: str, view: str, status: str) -> Mark:
    """The mark in a checkpoint. Raises `UnusableCheckpointError` with the reason."""
    if not isinstance(value, dict) or not isinstance(form := value.get("deepcall_checkpoint"), int):
        raise UnusableCheckpointError("it is not a checkpoint")
    if form > FORMAT:
        raise UnusableCheckpointError(f"its format {form} is newer than this version's {FORMAT}")
    if value.get("scope") != scope:
        raise UnusableCheckpointError(_of_another_account(value.get("scope"), scope))
    for name, mine in (("view", view), ("status", status)):
        if value.get(name) != mine:
            raise UnusableCheckpointError(f"it was made for {name} {value.get(name)!r}, not {mine!r}")
    try:
        mark = from_json({key: part for key, part in value.items() if key != "deepcall_checkpoint"}, Mark)
        return evolve(mark, state=recalled(mark.state, mark.state.memories))
    except Exception as error:  # cattrs, and whatever a damaged value trips
        raise UnusableCheckpointError(f"it is damaged ({type(error).__name__})") from error


def _of_another_account(theirs: Any, mine: str) -> str:
    return (
        f"it was made for account {theirs!r}, not {mine!r}: for another account, or by an earlier version. "
        f'If it is this account\'s, account="{theirs}" (or --account) goes on with it'
    )
