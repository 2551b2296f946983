"""From reply bytes to a `Snapshot`, and back: the vendor's sample survives the round trip byte for byte.

    {"message": {"pr": [row, ...], "oCA": 0, ..., "mic": 0}, "status": "success", "code": 200}

`envelope` judges whether it is a success, `rows` reads the keys. Here each row's own clock
turns its elapsed times into origins: the only arithmetic between the wire and the model.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from attrs import frozen

from deepcall_async._model import Agent, Break, Call, FloorTotals, Login, ReplyError, Snapshot, epoch, instant

from . import scalars as forms
from .clock import ClockReading, believed, read_clock
from .envelope import read_message
from .rows import NO_EXTRA, REASON_KEYS, Presence, Row, read_extra, read_rows, read_totals
from .unread import Unread

Strike = Callable[[bytes], bytes]


def as_it_is(body: bytes) -> bytes:
    """The strike that takes nothing out of a reply."""
    return body


@frozen
class Beside:
    """What a reply says beside its rows, and what could not be read of all of it."""

    totals: FloorTotals
    extra: Mapping[str, Any]
    unread: Unread


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
    message = read_message(body, http_status)
    unread, extras = Unread(), dict[str, Mapping[str, Any]]()
    rows = read_rows(message, unread, extras)
    clock = read_clock(_row_clocks(rows.values(), date), date, received_at)
    if clock is None:
        raise ReplyError("no row carries avD and avT, so the server's time is unknown: pass the Date header")
    agents = {row.id: to_agent(row, clock.time, extras.get(row.id, NO_EXTRA)) for row in rows.values()}
    return to_snapshot(agents, read_beside(message, unread), clock, received_at)


def _row_clocks(rows: Iterable[Row], date: datetime | None) -> Counter[int]:
    """What the rows say of the server's time, counted.

    An elapsed time of 0 may be one that does not tick: a server whose clock was set back sends it until that
    has caught up. So these count only where there is nothing else; one alone not against the Date header.
    """
    told = [(row.clock, row.ticks) for row in rows if row.clock is not None]
    ticking = Counter(clock for clock, ticks in told if ticks)
    still = Counter(clock for clock, ticks in told if not ticks)
    if ticking or date is None or len(still) == 1 < still.total():
        return ticking or still
    return Counter({clock: n for clock, n in still.items() if believed(clock, epoch(date)) == clock})


def read_beside(message: Mapping[str, Any], unread: Unread) -> Beside:
    """Read what stands beside `pr`. unread: what could not be read of the rows, to which it adds its own."""
    return Beside(read_totals(message, unread), read_extra(message, unread), unread)


def to_snapshot(
    agents: Mapping[str, Agent],
    beside: Beside,
    clock: ClockReading,
    received_at: datetime | None,
) -> Snapshot:
    """The snapshot of a reply whose parts are read."""
    return Snapshot(
        agents=agents,
        totals=beside.totals,
        server_time=instant(clock.time),
        clock_source=clock.source,
        clock_spread=timedelta(seconds=clock.spread),
        received_at=received_at,
        quarantined=tuple(beside.unread.parts),
        quarantined_count=beside.unread.count,
        unread_rows=beside.unread.rows,
        extra=beside.extra,
    )


def to_agent(row: Row, floor_clock: int, extra: Mapping[str, Any]) -> Agent:
    """The agent a row shows; the floor's clock stands in where the row's own is missing or absurd."""
    clock = believed(row.clock, floor_clock)
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
