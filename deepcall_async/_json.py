"""The JSON form of every public value: transitions, agents, snapshots, and the state in a checkpoint.

Instants are ISO 8601 in UTC ("2024-11-16T12:19:25Z"), durations are seconds, enums their values.
What the wire sent as JSON (details, extra keys) stays as it is.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from cattrs import Converter
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override

from ._model import Agent, Snapshot
from ._transitions import TRANSITION_TYPES, Transition

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


_converter = Converter()
_converter.register_unstructure_hook(datetime, _instant_to_json)
_converter.register_structure_hook(datetime, _instant_from_json)
_converter.register_unstructure_hook(timedelta, _duration_to_json)
_converter.register_structure_hook(timedelta, lambda seconds, _: timedelta(seconds=seconds))


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
