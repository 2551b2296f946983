"""Checks of what is given, and bounds on what comes from outside."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Any

from .errors import ConfigurationError

MAX_DEPTH = 32  # deeper nesting would end in a RecursionError somewhere: in repr, ==, or JSON


def seconds(name: str, value: object, *, least: float = 0.0) -> float:
    """A duration given as seconds or `timedelta`, checked; `ConfigurationError` names it otherwise."""
    if isinstance(value, timedelta):
        value = value.total_seconds()
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ConfigurationError(f"{name} must be seconds or a timedelta, got {type(value).__name__}")
    if not least <= value < math.inf:  # NaN fails this too
        raise ConfigurationError(f"{name} must be at least {least:g} s and finite, got {value!r}")
    return float(value)


def check_type(name: str, value: object, *kinds: type) -> None:
    """Raise a `ConfigurationError` that names the value if it is of no such kind. A bool is no int here."""
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        wanted = " or ".join("None" if kind is type(None) else kind.__name__ for kind in kinds)
        raise ConfigurationError(f"{name} must be {wanted}, got {type(value).__name__}")


def shown(value: Any) -> str:
    """A value of any form as plain text, cut to a readable length."""
    try:
        text = ascii(value)
    except RecursionError:
        return f"a {type(value).__name__} nested too deeply"
    return text if len(text) <= 60 else text[:57] + "..."


def is_shallow(value: Any, levels: int = MAX_DEPTH) -> bool:
    """Whether a JSON value is nested no deeper than so many levels."""
    if not isinstance(value, dict | list):
        return True
    parts = value.values() if isinstance(value, dict) else value
    return levels > 0 and all(is_shallow(part, levels - 1) for part in parts)
