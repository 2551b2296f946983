"""The forms single wire values come in, and nothing about which key holds which.

Numbers arrive as strings and strings as numbers elsewhere in this product, so both are
coerced here on purpose; anything else is an `Unreadable`, which says what was expected.
Each function has the signature of a cattrs hook: (value, type) -> value.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any, NoReturn

from deepcall_async._model import shown

# Beyond these a number is nonsense, not a big call centre.
MAX_EPOCH = 32_503_680_000  # the year 3000; milliseconds since 1970 are beyond it
MAX_HOURS = 1_000_000
MAX_NUMBER = 2**53

_SECONDS = {f"{number:02}": number for number in range(60)}
_MINUTES = {text: number * 60 for text, number in _SECONDS.items()}
_HOURS = {str(number): number * 3600 for number in range(10_000)}


class Unreadable(ValueError):
    """A value of the wrong form; `key` is the place inside the value, where that matters."""

    def __init__(self, message: str, key: str = "") -> None:
        super().__init__(message)
        self.key = key


def reject(value: Any, wanted: str, *, key: str = "") -> NoReturn:
    """Raise `Unreadable`, showing the value."""
    raise Unreadable(f"expected {wanted}, got {shown(value)}", key)


def text(value: Any, _: Any = None) -> str | None:
    """A string; a number is taken as its text, a lone surrogate replaced."""
    if value is None or (type(value) is str and value.isascii()):  # nearly always
        return value
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        reject(value, "a string")
    string = str(value)
    if string.isascii():
        return string
    return string.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def word(value: Any, _: Any = None) -> str | None:
    """A string of which there are few, kept once."""
    string = text(value)
    return None if string is None else once(string)


@lru_cache(maxsize=512)
def once(string: str) -> str:
    """The same string: one object for all who say it."""
    return string


def identity(value: Any, _: Any = None) -> str:
    """An agent id: a string or a whole number, as a string without blanks around it."""
    string = None if isinstance(value, float) else text(value)
    if string is None or not string.strip():
        reject(value, "an agent id")
    return string.strip()


def number(value: Any, _: Any = None) -> float | None:
    """A number >= 0, an int where it is whole."""
    if value is None or value == "":
        return None
    is_python = isinstance(value, bool) or (isinstance(value, str) and "_" in value)  # True, "1_000"
    try:
        result = math.nan if is_python else float(value)
    except (TypeError, ValueError, OverflowError):
        result = math.nan
    if not 0 <= result <= MAX_NUMBER:
        reject(value, "a number >= 0")
    return int(result) if result.is_integer() else result


def integer(value: Any, _: Any = None) -> int | None:
    """A whole number >= 0."""
    if type(value) is int and 0 <= value <= MAX_NUMBER:  # nearly always
        return value
    result = number(value)
    if isinstance(result, float):
        reject(value, "a whole number >= 0")
    return result


def seconds(value: Any, _: Any = None) -> float | None:
    """A duration in seconds >= 0."""
    result = number(value)
    if result is not None and result > MAX_HOURS * 3600:
        reject(value, "seconds")
    return result


def flag(value: Any, _: Any = None) -> bool | None:
    """0 or 1, true or false."""
    result = value if isinstance(value, bool) else integer(value)
    if result is not None and result not in (0, 1):
        reject(value, "0 or 1")
    return None if result is None else bool(result)


def epoch_seconds(value: Any, _: Any = None) -> int | None:
    """Seconds since 1970, UTC; 0 and null mean never."""
    result = integer(value)
    if result is not None and result > MAX_EPOCH:
        reject(value, "epoch seconds")
    return result or None


def elapsed(value: Any, _: Any = None) -> int | None:
    """[hours, minutes, seconds] as seconds: hours unbounded, the others 0 to 60; [] and null mean none."""
    try:  # as the server writes it, nearly always
        hours, minutes, seconds = value[:]  # a list; three keys of an object are no triple
        return _HOURS[hours] + _MINUTES[minutes] + _SECONDS[seconds]
    except (KeyError, TypeError, ValueError):
        return _any_triple(value)


def _any_triple(value: Any) -> int | None:
    if value is None or value in ([], ""):
        return None
    if not isinstance(value, list) or len(value) != 3:
        reject(value, "[hours, minutes, seconds]")
    hour, minute, second = (integer(part) for part in value)
    if hour is None or minute is None or second is None:
        reject(value, "[hours, minutes, seconds]")
    total = hour * 3600 + minute * 60 + second
    if minute > 60 or second > 60 or total > MAX_HOURS * 3600:
        reject(value, "[hours, minutes, seconds]")
    return total


def any_elapsed(value: Any) -> int | None:
    """An elapsed time as [h, m, s], seconds or "HH:MM:SS", where no sample shows its form; else None."""
    try:
        if isinstance(value, str) and value.count(":") == 2:
            return elapsed(value.split(":"))
        total = elapsed(value) if isinstance(value, list) else seconds(value)
    except Unreadable:
        return None
    return None if total is None else int(total)


def to_elapsed(total: int) -> list[str]:
    """Seconds as the wire writes them: hours bare, minutes and seconds of two digits."""
    minutes, second = divmod(total, 60)
    hours, minute = divmod(minutes, 60)
    return [str(hours), f"{minute:02}", f"{second:02}"]
