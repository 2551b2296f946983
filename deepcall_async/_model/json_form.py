"""The JSON form of every public value: transitions, agents, snapshots, and the state in a checkpoint.

Instants are ISO 8601 in UTC ("2024-11-16T12:19:25Z"), durations are seconds, enums their values.
What the wire sent as JSON (details, extra keys) stays as it is.

What is read may come from a file that is damaged, or from anybody. So a value is taken only in the very
form in which it is written, and within bounds: nothing that is read can make later arithmetic fail, or be
written as something that is no JSON.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from cattrs import Converter
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override

from .accounts import Account
from .checks import MAX_DEPTH
from .snapshot import Agent, Snapshot
from .transitions import TRANSITION_TYPES, Transition

LONGEST = 1e10  # seconds: longer than the wire can say, and safe to add to any instant that is read
LONGEST_SUM = timedelta.max.total_seconds() // 2  # of what a floor talks; no instant is calculated from it
MAX_COUNT = 2**96  # the largest number the wire can say, at every poll of a life
MAX_BITS = 14_000  # Python writes no integer of more than 4,300 digits

_T = TypeVar("_T")
_TYPE_OF_KIND: dict[str, type[Transition]] = {kind.kind: kind for kind in TRANSITION_TYPES}


def _instant_to_json(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _instant_from_json(text: Any, _: Any) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(f"{text!r} names no time zone")
    if not 1000 < at.year < 9000:  # nothing the wire can say, and too near the ends to calculate with
        raise ValueError(f"{text!r} is no time of a call centre")
    return at.astimezone(UTC)


def _duration_to_json(duration: timedelta) -> float:
    seconds = duration.total_seconds()
    return int(seconds) if seconds.is_integer() else seconds


def _bounded(number: Any, most: float) -> Any:
    """A number within bounds, which it may have outgrown a little since it was read; far beyond is damage."""
    if not abs(number) <= 2 * most:  # as NaN is not
        raise ValueError("a number beyond all reason")
    return max(-most, min(most, number))


def _duration_from_json(most: float) -> Callable[[Any, Any], timedelta]:
    """Reads durations of so many seconds at most, forward or back."""

    def read(seconds: Any, _: Any) -> timedelta:
        if type(seconds) not in (int, float):
            raise TypeError("a duration is a number of seconds")
        return timedelta(seconds=_bounded(seconds, most))

    return read


def _count_from_json(count: Any, _: Any) -> int:
    if type(count) is not int:
        raise TypeError("a count is a whole number")
    return int(_bounded(count, MAX_COUNT))


def _flag_from_json(flag: Any, _: Any) -> bool:
    if type(flag) is not bool:
        raise TypeError("a flag is true or false")
    return flag


def _text_from_json(text: Any, _: Any) -> str:
    if type(text) is not str:
        raise TypeError("a text is a string")
    if not text.isascii():
        text.encode()  # raises where a half of a character stands alone, which nobody could print
    return text


def _json_from_json(value: Any, _: Any = None, levels: int = MAX_DEPTH + 2) -> Any:
    """A copy of what the wire sent, if it is JSON and no nesting bomb."""
    if levels == 0:
        raise ValueError("JSON nested too deeply")
    if isinstance(value, Mapping):
        return {_key(key): _json_from_json(part, levels=levels - 1) for key, part in value.items()}
    if isinstance(value, list):
        return [_json_from_json(part, levels=levels - 1) for part in value]
    if value is None or type(value) in (bool, str) or _is_number(value):
        return value
    raise ValueError("this is no JSON")


def _key(key: Any) -> str:
    if type(key) is not str:
        raise ValueError("a key is a string")
    return key


def _is_number(value: Any) -> bool:
    """A number that can be written: finite, and no longer than Python puts into text."""
    if type(value) is int:
        return value.bit_length() <= MAX_BITS
    return type(value) is float and math.isfinite(value)


def _make_converter(longest: float) -> Converter:
    """A converter that reads durations up to so many seconds."""
    made = Converter()
    made.register_unstructure_hook(datetime, _instant_to_json)
    made.register_structure_hook(datetime, _instant_from_json)
    made.register_unstructure_hook(timedelta, _duration_to_json)
    made.register_structure_hook(timedelta, _duration_from_json(longest))
    made.register_structure_hook(int, _count_from_json)
    made.register_structure_hook(bool, _flag_from_json)
    made.register_structure_hook(str, _text_from_json)
    made.register_structure_hook_func(lambda kind: kind is Any, _json_from_json)
    return made


_converter = _make_converter(LONGEST)
_sums = _make_converter(LONGEST_SUM)
_converter.register_structure_hook(Account, _sums.structure)

_LEFT_OUT: dict[type[Any], dict[str, Any]] = {}


def leave_out(kind: type[Any], *names: str) -> None:
    """Have a class written, and read, without these fields, which follow from the others."""
    _LEFT_OUT[kind] = {name: override(omit=True) for name in names}


def _is_shortened(kind: Any) -> bool:
    return isinstance(kind, type) and kind in _LEFT_OUT


_converter.register_unstructure_hook_factory(
    _is_shortened, lambda kind: make_dict_unstructure_fn(kind, _converter, **_LEFT_OUT[kind])
)
_converter.register_structure_hook_factory(
    _is_shortened, lambda kind: make_dict_structure_fn(kind, _converter, **_LEFT_OUT[kind])
)


def to_json(value: Any) -> Any:
    """Any attrs value of this package as JSON."""
    return _converter.unstructure(value)


def from_json(value: Any, kind: type[_T]) -> _T:
    """The value of a class that `to_json` wrote. Raises whatever cattrs raises on anything else."""
    return _converter.structure(value, kind)


def agent_to_json(agent: Agent) -> dict[str, Any]:
    """An agent as a JSON object, with its derived `state` first."""
    return {"state": agent.state.value, **to_json(agent)}


def snapshot_to_json(snapshot: Snapshot) -> dict[str, Any]:
    """A snapshot as a JSON object; `agents` is a list in wire order, `unread_rows` is left out."""
    fields: dict[str, Any] = to_json(snapshot)
    del fields["unread_rows"]  # a key of it may be None
    fields["agents"] = [agent_to_json(agent) for agent in snapshot.agents.values()]
    fields["unknown_keys"] = dict(snapshot.unknown_keys)
    return fields


def transition_to_json(transition: Transition) -> dict[str, Any]:
    """A transition as a JSON object, its `kind` first."""
    return {"kind": transition.kind, **to_json(transition)}


def transition_from_json(value: dict[str, Any]) -> Transition:
    """The transition that `transition_to_json` wrote. Raises ValueError when it did not."""
    try:
        kind = _TYPE_OF_KIND[value["kind"]]
        return from_json({key: part for key, part in value.items() if key != "kind"}, kind)
    except Exception as error:
        raise ValueError(f"not a transition in JSON form: {error}") from error
