"""What could not be read of a reply: quarantined, with its path and the reason."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cattrs import ClassValidationError

from deepcall_async._model import Quarantined, is_shallow, shown

from . import scalars as forms

MOST_LISTED = 100  # parts that could not be read: each costs some kB, and nobody looks at more


class Unread:
    """What could not be read of a reply: the first parts as they are, the rest in numbers.

    parts: the first `MOST_LISTED`. count: how many there were. rows: see `Snapshot.unread_rows`.
    """

    def __init__(self) -> None:
        self.parts: list[Quarantined] = []
        self.count = 0
        self.rows: dict[str | None, int] = {}

    def add_row(self, raw: Any, index: int, error: Exception, keys: Mapping[str, str]) -> None:
        """A row. keys: the wire's, by the fields of a row."""
        agent_id = _id_of(raw)
        self.rows[agent_id] = self.rows.get(agent_id, 0) + 1
        if self._is_to_be_listed():
            self.parts.append(_quarantine(raw, index, agent_id, _first_fault(error, keys)))

    def add(self, key: str, message: Mapping[str, Any], error: forms.Unreadable) -> None:
        """What stands beside the rows."""
        if self._is_to_be_listed():
            raw = message[key] if is_shallow(message[key]) else None
            self.parts.append(Quarantined(path=f"message.{key}", reason=str(error), raw=raw))

    def _is_to_be_listed(self) -> bool:
        self.count += 1
        return self.count <= MOST_LISTED


def _id_of(raw: Any) -> str | None:
    """Whose row it is; None when that cannot be read."""
    try:
        return forms.identity(raw.get("I"))
    except (AttributeError, forms.Unreadable):
        return None


def _quarantine(raw: Any, index: int, agent_id: str | None, fault: tuple[str, str]) -> Quarantined:
    path = f"message.pr[{index}]"
    kept = raw if is_shallow(raw) else None
    if not isinstance(raw, dict):
        reason = f"expected an object, got {shown(raw)}"
        return Quarantined(path=path, reason=reason, row=index, raw=kept)
    key, reason = fault
    return Quarantined(path=f"{path}.{key}", reason=reason, row=index, agent_id=agent_id, raw=kept)


def _first_fault(error: Exception, keys: Mapping[str, str]) -> tuple[str, str]:
    """The wire's key and the reason of the first fault in a row."""
    if isinstance(error, forms.Unreadable):
        return error.key, str(error)
    faults = error.group_exceptions()[0] if isinstance(error, ClassValidationError) else []
    for fault, note in faults:
        key = keys[note.name]
        if isinstance(fault, forms.Unreadable):
            return f"{key}.{fault.key}" if fault.key else key, str(fault)
        return key, "missing" if isinstance(fault, KeyError) else str(fault)
    return "?", str(error)
