"""The only file that knows the wire: its compact keys and its envelope.

    {"message": {"pr": [row, ...], "oCA": 0, ..., "mic": 0}, "status": "success", "code": 200}

A reply becomes a `Snapshot` in three steps. The envelope is judged: `message` is an object
on success and a string on error, so `status` decides first. cattrs structures each element
of `pr` into a `Row`, still in the wire's terms (elapsed seconds). The row's own clock turns
elapsed times into origins. The way back is the same in reverse, and the vendor's sample
survives it byte for byte.

What is only likely or unknown about the server stands in the *assumptions* below, so that
a better fact has one place to go.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from attrs import asdict, define
from cattrs import ClassValidationError, Converter
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override

from . import _forms as forms
from ._clock import ClockReading, believed, epoch, instant, read_clock
from ._errors import AgentErrorCode, ReplyError, api_error, describe_code
from ._model import Agent, Break, Call, FloorTotals, Login, Quarantined, Snapshot

# --- assumptions ---------------------------------------------------------------------------
NONE_WORDS = ("", "no")  # "there is none", beside null, [], {}, false and 0
REASON_KEYS = ("type", "reason", "name", "breakName")  # where a break may say its reason
SUCCESS_CODE = 200
EMPTY_CODES = (AgentErrorCode.NO_DATA_FOUND,)  # "errors" that only say: no agents


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


# --- logins, calls and breaks, both ways ------------------------------------------------------


def _is_none(value: Any) -> bool:
    return not value or (isinstance(value, str) and value.strip().lower() in NONE_WORDS)


def _login(value: Any, _: Any = None) -> Presence | None:
    """`l`, `ml`: "No" or {"type": ..., "duration": [h, m, s]}; any other word is taken as the type."""
    if _is_none(value):
        return None
    if isinstance(value, str):
        return Presence(None, {"type": forms.text(value)})
    if not isinstance(value, dict):
        forms.reject(value, '"No" or an object')
    key = "type"
    try:
        kind = forms.text(value.get(key))
        key = "duration"
        elapsed = forms.elapsed(value.get(key))
    except forms.Unreadable as error:
        raise forms.Unreadable(str(error), key) from None
    return Presence(elapsed, {**_rest(value), "type": kind})


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
    return {key: _kept(part, key) for key, part in value.items() if key != "duration"}


def _kept(value: Any, key: str = "") -> Any:
    """A value that is kept as sent, unless it is a nesting bomb."""
    if not forms.is_shallow(value):
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
    "sip_status": ("sip_status", forms.text, None),
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
_structure_row = make_dict_structure_fn(Row, _converter, **_structuring)
_unstructure_row = make_dict_unstructure_fn(Row, _converter, _cattrs_omit_if_default=True, **_unstructuring)


def row_to_wire(row: Row) -> dict[str, Any]:
    """A row as the server sends it, its keys in the server's order."""
    sent = _unstructure_row(row)
    return {key: sent[key] for key in _KEY_OF.values() if key in sent}


# --- reply -> snapshot ------------------------------------------------------------------------


def decode_snapshot(
    body: bytes,
    *,
    date: datetime | None = None,
    received_at: datetime | None = None,
    http_status: int | None = None,
) -> Snapshot:
    """Read one reply of Agent/live.

    body: the reply, decompressed. date: its Date header, the clock where no row carries one.
    received_at: this machine's clock, the last resort for the same.

    Raises `ApiError` when the server says no, `ReplyError` when the reply cannot be read.
    """
    message = _judge(_parse(body), http_status)
    quarantined: list[Quarantined] = []
    extras: dict[str, dict[str, Any]] = {}
    rows = _structure_rows(_rows_of(message), quarantined, extras)
    totals = _structure_totals(message, quarantined)
    extra = _unknown(message, quarantined)
    clock = read_clock([row.clock for row in rows.values() if row.clock is not None], date, received_at)
    if clock is None:
        raise ReplyError("no row carries avD and avT, so the server's time is unknown: pass the Date header")
    return Snapshot(
        agents={row.id: _agent(row, clock, extras.get(row.id, {})) for row in rows.values()},
        totals=totals,
        server_time=instant(clock.time),
        clock_source=clock.source,
        clock_spread=timedelta(seconds=clock.spread),
        received_at=received_at,
        quarantined=tuple(quarantined),
        unknown_keys=Counter(key for extra in extras.values() for key in extra),
        extra=extra,
    )


def read_error(body: bytes, http_status: int) -> None:
    """Raise the `ApiError` that a reply with a bad HTTP status carries; return if it carries none."""
    try:
        _raise_api_error(_parse(body), http_status)
    except ReplyError:
        return


def _parse(body: bytes) -> dict[str, Any]:
    try:
        reply = json.loads(body, parse_constant=_no_constant, parse_float=_finite)
    except RecursionError:
        raise ReplyError("the JSON is nested too deeply") from None
    except ValueError as error:
        kind = "HTML" if body.lstrip()[:1] == b"<" else f"{len(body)} bytes"
        raise ReplyError(f"not JSON but {kind}: {error}") from None
    if not isinstance(reply, dict):
        raise ReplyError(f"expected an object, got {type(reply).__name__}")
    return reply


def _no_constant(word: str) -> Any:
    raise ValueError(f"{word} is not JSON")


def _finite(text: str) -> float | str:
    """A number too large for a float stays text, so that it spoils one field and not the whole reply."""
    value = float(text)
    return value if math.isfinite(value) else text


def _judge(reply: dict[str, Any], http_status: int | None) -> dict[str, Any]:
    """The `message` of a success. What the server calls "no data" is an empty success."""
    if _code(reply) in EMPTY_CODES:
        return {"pr": []}
    _raise_api_error(reply, http_status)
    message = reply.get("message")
    if not isinstance(message, dict):
        raise ReplyError(f"expected an object, got {forms.shown(message)}", path="message")
    return message


def _raise_api_error(reply: dict[str, Any], http_status: int | None) -> None:
    """An error says so in `status`, or gives itself away by a code of the vendor's table."""
    status, code = reply.get("status"), _code(reply)
    if describe_code(code) is None and _is_success(status, code):
        return
    if status is None and code is None:
        raise ReplyError("neither status nor code: this is no answer of the API")
    words = next((reply[key] for key in ("message", "msg", "error") if reply.get(key)), "")
    said = words[:200] if isinstance(words, str) else forms.shown(words)
    raise api_error(code, said, http_status=http_status)


def _is_success(status: Any, code: int | None) -> bool:
    """The status decides; where there is none, a code of 200 does."""
    if status is None:
        return code == SUCCESS_CODE
    return isinstance(status, str) and status.lower() == "success"


def _code(reply: dict[str, Any]) -> int | None:
    """`code`, or `errCode` as one module has it; a number, or digits."""
    sent = next((reply[key] for key in ("code", "errCode") if reply.get(key) is not None), None)
    try:
        return forms.integer(sent)
    except forms.Unreadable:
        return None


def _rows_of(message: Mapping[str, Any]) -> list[Any]:
    rows = message.get("pr", ...)
    if rows is None or rows == {}:
        return []
    if not isinstance(rows, list):
        raise ReplyError("expected a list" + (", got nothing" if rows is ... else ""), path="message.pr")
    return rows


def _structure_rows(
    raw_rows: list[Any], quarantined: list[Quarantined], extras: dict[str, dict[str, Any]]
) -> dict[str, Row]:
    """Rows by agent id; what cannot be read goes to `quarantined`, unknown keys to `extras`."""
    rows: dict[str, Row] = {}
    for index, raw in enumerate(raw_rows):
        try:
            row = _structure_row(raw, Row)
            extra = {key: _kept(raw[key], key) for key in raw if key not in _ROW_KEYS}
        except (ClassValidationError, TypeError, AttributeError, forms.Unreadable) as error:
            quarantined.append(_quarantine(raw, index, error))
            continue
        if rows.setdefault(row.id, row) is not row:
            quarantined.append(_quarantine(raw, index, forms.Unreadable("second row of this agent", "I")))
        elif extra:
            extras[row.id] = extra
    return rows


def _quarantine(raw: Any, index: int, error: Exception) -> Quarantined:
    path = f"message.pr[{index}]"
    kept = raw if forms.is_shallow(raw) else None
    if not isinstance(raw, dict):
        reason = f"expected an object, got {forms.shown(raw)}"
        return Quarantined(path=path, reason=reason, row=index, raw=kept)
    try:
        agent_id = forms.identity(raw.get("I"))
    except forms.Unreadable:
        agent_id = None
    key, reason = _first_fault(error)
    return Quarantined(path=f"{path}.{key}", reason=reason, row=index, agent_id=agent_id, raw=kept)


def _first_fault(error: Exception) -> tuple[str, str]:
    """The wire's key and the reason of the first fault in a row."""
    if isinstance(error, forms.Unreadable):
        return error.key, str(error)
    faults = error.group_exceptions()[0] if isinstance(error, ClassValidationError) else []
    for fault, note in faults:
        key = _KEY_OF[note.name]
        if isinstance(fault, forms.Unreadable):
            return f"{key}.{fault.key}" if fault.key else key, str(fault)
        return key, "missing" if isinstance(fault, KeyError) else str(fault)
    return "?", str(error)


def _structure_totals(message: Mapping[str, Any], quarantined: list[Quarantined]) -> FloorTotals:
    totals: dict[str, int | None] = {}
    for field, key in _TOTALS.items():
        try:
            totals[field] = forms.integer(_kept(message.get(key)))
        except forms.Unreadable as error:
            quarantined.append(_spoilt(key, message, error))
    return FloorTotals(**totals)


def _unknown(message: Mapping[str, Any], quarantined: list[Quarantined]) -> dict[str, Any]:
    """What stands beside the rows and the totals."""
    extra: dict[str, Any] = {}
    for key in message.keys() - _MESSAGE_KEYS:
        try:
            extra[key] = _kept(message[key])
        except forms.Unreadable as error:
            quarantined.append(_spoilt(key, message, error))
    return extra


def _spoilt(key: str, message: Mapping[str, Any], error: forms.Unreadable) -> Quarantined:
    raw = message[key] if forms.is_shallow(message[key]) else None
    return Quarantined(path=f"message.{key}", reason=str(error), raw=raw)


# --- row <-> agent ----------------------------------------------------------------------------


def _agent(row: Row, floor_clock: ClockReading, extra: dict[str, Any]) -> Agent:
    clock = believed(row.clock, floor_clock.time)
    return Agent(
        id=row.id,
        name=row.name,
        login=_to_login(row.login, clock),
        mobile_login=_to_login(row.mobile_login, clock),
        available_since=None if row.available_since is None else instant(row.available_since),
        call=None if row.call is None else Call(_origin(row.call, clock), row.call.details),
        on_break=_to_break(row.on_break, clock),
        is_occupied=row.is_occupied,
        calls=row.calls,
        talk_time=_to_duration(row.talk_time),
        average_talk_time=_to_duration(row.average_talk_time),
        microphone_permitted=row.microphone_permitted,
        sip_status=row.sip_status,
        extra=extra,
    )


def _origin(presence: Presence, clock: int) -> datetime | None:
    return None if presence.elapsed is None else instant(clock - presence.elapsed)


def _to_login(presence: Presence | None, clock: int) -> Login | None:
    if presence is None:
        return None
    return Login(presence.details.get("type"), _origin(presence, clock), presence.details)


def _to_break(presence: Presence | None, clock: int) -> Break | None:
    if presence is None:
        return None
    details = presence.details
    named = [details.get(key) for key in REASON_KEYS] if isinstance(details, dict) else [details]
    reason = next((word for word in named if isinstance(word, str) and word), None)
    return Break(forms.text(reason), _origin(presence, clock), details)


def _to_duration(seconds: float | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=seconds)


def agent_to_row(agent: Agent, clock: int) -> Row:
    """The row that shows this agent at the given server time (epoch seconds)."""
    since = None if agent.available_since is None else epoch(agent.available_since)
    return Row(
        name=agent.name,
        id=agent.id,
        is_occupied=agent.is_occupied,
        login=_to_presence(agent.login, clock),
        mobile_login=_to_presence(agent.mobile_login, clock),
        call=_to_presence(agent.call, clock),
        on_break=_to_presence(agent.on_break, clock),
        talk_time=_to_seconds(agent.talk_time),
        calls=agent.calls,
        average_talk_time=_to_seconds(agent.average_talk_time),
        available_for=None if since is None or since > clock else clock - since,
        available_since=since,
        microphone_permitted=agent.microphone_permitted,
        sip_status=agent.sip_status,
    )


def _to_presence(episode: Login | Call | Break | None, clock: int) -> Presence | None:
    if episode is None:
        return None
    elapsed = None if episode.since is None else max(0, clock - epoch(episode.since))
    return Presence(elapsed, episode.details if episode.details is not None else {})


def _to_seconds(duration: timedelta | None) -> Any:
    return None if duration is None else forms.number(duration.total_seconds())


# --- snapshot -> reply ------------------------------------------------------------------------


def encode_reply(
    wire_rows: Iterable[Mapping[str, Any]], totals: FloorTotals, extra: Mapping[str, Any] | None = None
) -> bytes:
    """A success as the server writes it: no blanks, keys in its order, totals that are None left out."""
    counts = asdict(totals)
    message = {
        "pr": list(wire_rows),
        **{key: counts[field] for field, key in _TOTALS.items() if counts[field] is not None},
    }
    envelope = {"message": {**message, **(extra or {})}, "status": "success", "code": SUCCESS_CODE}
    return json.dumps(envelope, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")


def encode_snapshot(snapshot: Snapshot) -> bytes:
    """The reply that decodes to this snapshot, in the server's own form."""
    clock = epoch(snapshot.server_time)
    rows = [{**row_to_wire(agent_to_row(agent, clock)), **agent.extra} for agent in snapshot.agents.values()]
    return encode_reply(rows, snapshot.totals, snapshot.extra)
