"""`evolve` for the values of this package, at a quarter of the cost of the one in attrs.

The states of the differ are values, of which each poll changes a few fields. They are slotted, and none
has a converter or a validator, so copying the slots is all there is to it.
"""

from __future__ import annotations

from functools import cache
from typing import Any, TypeVar, cast

from attrs import fields

_T = TypeVar("_T")


def evolve(value: _T, **changes: Any) -> _T:
    """The same value but for these fields."""
    kind: Any = type(value)
    new = object.__new__(kind)
    for name, read, write in _slots(kind):
        write(new, changes.pop(name) if name in changes else read(value))
    if changes:
        raise TypeError(f"{kind.__name__} has no field {next(iter(changes))!r}")
    return cast("_T", new)


@cache
def _slots(kind: Any) -> list[tuple[str, Any, Any]]:
    slots = [(part.alias, getattr(kind, part.name)) for part in fields(kind)]
    return [(alias, slot.__get__, slot.__set__) for alias, slot in slots]
