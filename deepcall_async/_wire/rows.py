"""The only file that knows the compact keys: of the rows in `pr`, and of the totals beside them.

cattrs structures each element of `pr` into a `Row`, still in the wire's terms (elapsed seconds),
and back. What cannot be read is quarantined with its path; unknown keys are kept.

What is only likely or unknown about the server stands in the *assumptions* below, so that a
better fact has one place to go.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from attrs import asdict, define
from cattrs import ClassValidationError, Converter
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override

from deepcall_async._model import FloorTotals, Quarantined, ReplyError, is_shallow

from . import scalars as forms
from .unread import Unread

# --- assumptions ---------------------------------------------------------------------------
NONE_WORDS = ("", "no")  # "there is none", beside null, [], {}, false and 0
REASON_KEYS = ("type", "reason", "name", "breakName")  # where a break may say its reason

# --- what a reply may cost ------------------------------------------------------------------
MOST_ROWS = 100_000  # an agent costs some kB, a row of a few bytes may claim to be one
FEW = 3  # unreadable rows that are no sign of a backend gone wrong, however small the floor


@define
class Presence:
    """A login, call or break as a row shows it: seconds since it began (None: not said), and the rest."""

    elapsed: int | None
    details: Any


@define(kw_only=True)
class Row:
    """One element of `pr`, its fields in the order of the wire's keys. None: not sent (a login: "No")."""

    name: str | None = None
    id: str
    is_occupied: bool | None = None
    login: Presence | None = None
    mobile_login: Presence | None = None
    call: Presence | None = None
    on_break: Presence | None = None
    talk_time: float | None = None
    calls: int | None = None
    average_talk_time: int | None = None
    available_for: int | None = None
    available_since: int | None = None
    microphone_permitted: bool | None = None
    sip_status: str | None = None

    @property
    def clock(self) -> int | None:
        """The server's time as this row tells it, in epoch seconds."""
        if self.available_for is None or self.available_since is None:
            return None
        return self.available_since + self.available_for

    @property
    def ticks(self) -> bool:
        """Whether that clock is known to tick: an elapsed time of 0 may be one that stands still."""
        return bool(self.available_for)


# --- logins, calls and breaks, both ways ------------------------------------------------------


def _is_none(value: Any) -> bool:
    return not value or (isinstance(value, str) and value.strip().lower() in NONE_WORDS)


def _login(value: Any, _: Any = None) -> Presence | None:
    """`l`, `ml`: "No" or {"type": ..., "duration": [h, m, s]}; any other word is taken as the type."""
    if _is_none(value):
        return None
    if isinstance(value, str):
        return Presence(None, _of_type(forms.text(value)))
    if not isinstance(value, dict):
        forms.reject(value, '"No" or an object')
    key = "type"
    try:
        kind = forms.text(value.get(key))
        key = "duration"
        elapsed = forms.elapsed(value.get(key))
    except forms.Unreadable as error:
        raise forms.Unreadable(str(error), key) from None
    if value.keys() == _PLAIN_LOGIN:
        return Presence(elapsed, _of_type(kind))
    return Presence(elapsed, {**_rest(value), "type": kind})


_PLAIN_LOGIN = {"type", "duration"}


@lru_cache(maxsize=64)
def _of_type(kind: str | None) -> dict[str, Any]:
    """The details of a login of this type and nothing else: one object for the many who have it."""
    return {"type": kind}


def _activity(value: Any, _: Any = None) -> Presence | None:
    """`liC`, `br`: their shape was never seen, so every value but a "none" says that there is one."""
    if _is_none(value):
        return None
    elapsed = forms.any_elapsed(value.get("duration")) if isinstance(value, dict) else None
    if elapsed is None:
        return Presence(None, _kept(value))
    return Presence(elapsed, _rest(value))


def _rest(value: dict[str, Any]) -> dict[str, Any]:
    """An episode's object without what ticks in it."""
    return {forms.once(key): _kept(part, key) for key, part in value.items() if key != "duration"}


def _kept(value: Any, key: str = "") -> Any:
    """A value that is kept as sent, unless it is a nesting bomb."""
    if not is_shallow(value):
        forms.reject(value, "less nesting", key=key)
    return value


def _presence_to_wire(presence: Presence | None) -> Any:
    if presence is None:
        return "No"
    if presence.elapsed is None:
        return presence.details
    return {**presence.details, "duration": forms.to_elapsed(presence.elapsed)}


def _elapsed_to_wire(seconds: int | None) -> list[str] | None:
    return None if seconds is None else forms.to_elapsed(seconds)


def _flag_to_wire(value: bool | None) -> int | None:
    return None if value is None else int(value)


# --- the table of keys: field, key, form, and the way back ------------------------------------

_Hook = Callable[..., Any]
_KEYS: dict[str, tuple[str, _Hook, _Hook | None]] = {
    "name": ("nm", forms.text, None),
    "id": ("I", forms.identity, None),
    "is_occupied": ("IsOcc", forms.flag, _flag_to_wire),
    "login": ("l", _login, _presence_to_wire),
    "mobile_login": ("ml", _login, _presence_to_wire),
    "call": ("liC", _activity, _presence_to_wire),
    "on_break": ("br", _activity, _presence_to_wire),
    "talk_time": ("tt", forms.seconds, None),
    "calls": ("tC", forms.integer, None),
    "average_talk_time": ("ataT", forms.elapsed, _elapsed_to_wire),
    "available_for": ("avT", forms.elapsed, _elapsed_to_wire),
    "available_since": ("avD", forms.epoch_seconds, None),
    "microphone_permitted": ("mic_perm", forms.flag, _flag_to_wire),
    "sip_status": ("sip_status", forms.word, None),
}
_TOTALS = {
    "on_call": "oCA",
    "on_break": "oBA",
    "logged_in": "lA",
    "after_call_work": "Dia",
    "ringing": "Ring",
    "sip": "sip",
    "microphones": "mic",
}
_KEY_OF = {field: key for field, (key, _, _) in _KEYS.items()}
_ROW_KEYS = frozenset(_KEY_OF.values())
_MESSAGE_KEYS = frozenset(_TOTALS.values()) | {"pr"}
_ALWAYS_SENT = ("login", "mobile_login")  # as "No" rather than left out

_converter = Converter()
_structuring: dict[str, Any] = {
    name: override(rename=key, struct_hook=form) for name, (key, form, _) in _KEYS.items()
}
_unstructuring: dict[str, Any] = {
    name: override(rename=key, unstruct_hook=back, omit_if_default=name not in _ALWAYS_SENT)
    for name, (key, _, back) in _KEYS.items()
}
UNREADABLE = (ClassValidationError, TypeError, AttributeError, forms.Unreadable)  # what a row may raise
_structure_row = make_dict_structure_fn(Row, _converter, **_structuring)
_unstructure_row = make_dict_unstructure_fn(Row, _converter, _cattrs_omit_if_default=True, **_unstructuring)


def row_to_wire(row: Row) -> dict[str, Any]:
    """A row as the server sends it, its keys in the server's order."""
    sent = _unstructure_row(row)
    return {key: sent[key] for key in _KEY_OF.values() if key in sent}


def _list_of_rows(message: Mapping[str, Any]) -> list[Any]:
    rows = message.get("pr", ...)
    if rows is None or rows == {}:
        return []
    if not isinstance(rows, list):
        raise ReplyError("expected a list" + (", got nothing" if rows is ... else ""), path="message.pr")
    if len(rows) > MOST_ROWS:
        raise ReplyError(f"{len(rows)} rows, and no floor has more than {MOST_ROWS}", path="message.pr")
    return rows


NO_EXTRA: Mapping[str, Any] = {}  # one for all


def read_row(raw: Any) -> tuple[Row, Mapping[str, Any]]:
    """One element of `pr`, and its unknown keys. Raises one of `UNREADABLE`."""
    row = _structure_row(raw, Row)
    return row, NO_EXTRA if raw.keys() <= _ROW_KEYS else _extra(raw)


def _extra(raw: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _kept(raw[key], key) for key in raw if key not in _ROW_KEYS}


def read_rows(
    message: Mapping[str, Any], unread: Unread, extras: dict[str, Mapping[str, Any]]
) -> dict[str, Row]:
    """Rows by agent id; what cannot be read goes to `unread`, unknown keys to `extras`."""
    rows: dict[str, Row] = {}
    listed = _list_of_rows(message)
    for index, raw in enumerate(listed):
        try:
            row, extra = read_row(raw)
            if rows.setdefault(row.id, row) is not row:
                raise forms.Unreadable("second row of this agent", "I")
        except UNREADABLE as error:
            unread.add_row(raw, index, error, _KEY_OF)
            if unread.count > FEW and 2 * unread.count > len(listed):
                raise _mostly_unread(unread.parts[0], len(listed)) from None
            continue
        if extra:
            extras[row.id] = extra
    return rows


def _mostly_unread(first: Quarantined, rows: int) -> ReplyError:
    told = f"most of the {rows} rows cannot be read, the first of them at {first.path}: {first.reason}"
    return ReplyError(told, path="message.pr")


def read_totals(message: Mapping[str, Any], unread: Unread) -> FloorTotals:
    totals: dict[str, int | None] = {}
    for field, key in _TOTALS.items():
        try:
            totals[field] = forms.integer(message.get(key))
        except forms.Unreadable as error:
            unread.add(key, message, error)
    return FloorTotals(**totals)


def read_extra(message: Mapping[str, Any], unread: Unread) -> dict[str, Any]:
    """What stands beside the rows and the totals."""
    extra: dict[str, Any] = {}
    for key in [key for key in message if key not in _MESSAGE_KEYS]:
        try:
            extra[key] = _kept(message[key])
        except forms.Unreadable as error:
            unread.add(key, message, error)
    return extra


def totals_to_wire(totals: FloorTotals) -> dict[str, int]:
    """The totals by key, in the server's order; None is left out."""
    counts = asdict(totals)
    return {key: counts[field] for field, key in _TOTALS.items() if counts[field] is not None}
