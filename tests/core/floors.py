"""Floors made by hand: a test says what each agent's row shows, and polls.

    floor = Floor()
    asha = floor.seat("468")
    floor.poll("12:00:00")
    asha.web = "12:00:05"
    assert floor.tell("12:00:10") == ["468 logged_in web 12:00:05 [12:00:04..12:00:06] observed"]

Instants are written "12:00:05", or "+1 12:00:05" for the day after.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from attrs import define, field

from deepcall_async import (
    AgentUpdated,
    BreakEnded,
    BreakStarted,
    FloorTotals,
    LiveFloor,
    LiveUpdate,
    LoggedIn,
    LoggedOut,
    Transition,
    UnseenActivity,
)
from deepcall_async._model.instants import epoch
from deepcall_async._wire.encoder import encode_reply
from deepcall_async._wire.scalars import to_elapsed

MIDNIGHT = datetime(2026, 1, 5, tzinfo=UTC)
INSTANT = re.compile(r"(?:([+-]\d+) )?(\d\d):(\d\d):(\d\d)")


def at(clock: str) -> datetime:
    """ "12:00:05" as an instant of the day all these tests are about."""
    found = INSTANT.fullmatch(clock)
    assert found, clock
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return MIDNIGHT + timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


def clock(instant: datetime) -> str:
    """The way back."""
    days = (instant - MIDNIGHT).days
    return f"{f'{days:+} ' if days else ''}{instant:%H:%M:%S}"


@define
class Seat:
    """An agent's row. A login, call or break that is an instant is dated; another value is sent as it is."""

    id: str
    name: str | None = "Asha"
    web: Any = None
    mobile: Any = None
    call: Any = None
    on_break: Any = None
    available: str | None = "06:00:00"
    occupied: bool | None = False
    calls: int | None = None
    talk: float | None = None
    sip: str | None = "offline"
    mic: bool | None = False
    reason: str = "Tea"
    more: dict[str, Any] = field(factory=dict)

    def row(self, now: datetime) -> dict[str, Any]:
        """The row at the server's time `now`; what is None is left out."""
        fields = {
            "nm": self.name,
            "I": self.id,
            "IsOcc": self.occupied,
            "l": _episode(self.web, now, type="Web") or "No",
            "ml": _episode(self.mobile, now, type="Mobile") or "No",
            "liC": _episode(self.call, now, callId="c1"),
            "br": _episode(self.on_break, now, type=self.reason),
            "tt": self.talk,
            "tC": self.calls,
            "avT": None if self.available is None else _elapsed(self.available, now),
            "avD": None if self.available is None else epoch(at(self.available)),
            "mic_perm": self.mic,
            "sip_status": self.sip,
        }
        return {key: value for key, value in fields.items() if value is not None} | self.more


def _elapsed(clock: str, now: datetime) -> list[str]:
    return to_elapsed(max(0, epoch(now) - epoch(at(clock))))


def _episode(value: Any, now: datetime, **details: Any) -> Any:
    if not (isinstance(value, str) and INSTANT.fullmatch(value)):
        return value
    return {**details, "duration": _elapsed(value, now)}


class Floor:
    """Some seats, and a `LiveFloor` that watches them."""

    def __init__(self, *seats: Seat, status: str = "all", **options: Any) -> None:
        self.seats = {seat.id: seat for seat in seats}
        self.live = LiveFloor(status, **options)

    def seat(self, agent_id: str = "468", **row: Any) -> Seat:
        """Add an agent."""
        self.seats[agent_id] = Seat(agent_id, **row)
        return self.seats[agent_id]

    def totals(self, **instead: int | None) -> FloorTotals:
        """What the server would count, but for what a test says instead."""
        seats = self.seats.values()
        counts: dict[str, int | None] = {
            "logged_in": sum(seat.web is not None for seat in seats),
            "on_call": sum(seat.call is not None for seat in seats),
            "on_break": sum(seat.on_break is not None for seat in seats),
        }
        return FloorTotals(**counts | instead)

    def reply(self, now: str, **totals: int | None) -> bytes:
        """The server's reply at an instant."""
        rows = [seat.row(at(now)) for seat in self.seats.values()]
        return encode_reply(rows, self.totals(**totals))

    def poll(self, now: str, **totals: int | None) -> LiveUpdate:
        """Poll at an instant."""
        return self.live.receive(self.reply(now, **totals), date=at(now))

    def tell(self, now: str, **totals: int | None) -> list[str]:
        """Poll, and put what is told into words."""
        update = self.poll(now, **totals)
        assert not update.held, update.held
        return [words(transition) for transition in update.transitions]


def words(t: Transition) -> str:
    """A transition as a line: whose, what, when [between what], how it is known, and how long it was."""
    span = f"{clock(t.at)} [{clock(t.earliest)}..{clock(t.latest)}] {t.basis.value}"
    duration = getattr(t, "duration", None)
    length = "" if duration is None else f"after {seconds(duration)}"
    return " ".join(part for part in (t.agent.id, t.kind, _particular(t), span, length) if part)


def _particular(t: Transition) -> str:
    match t:
        case LoggedIn() | LoggedOut():
            return t.channel.value
        case BreakStarted() | BreakEnded():
            return t.reason or ""
        case AgentUpdated():
            return t.field
        case UnseenActivity(calls=int()):
            return f"{t.calls} calls" + ("" if t.talk_time is None else f" of {seconds(t.talk_time)}")
        case _:
            return ""


def seconds(duration: timedelta) -> str:
    """A duration as "65 s"."""
    return f"{duration.total_seconds():g} s"


def teach(floor: Floor, *, counts_at: str = "call_end", calls: int = 3) -> None:
    """Let an agent show when this server counts a call, and that wrap-up is shown as occupied.

    Between 07:00:00 and 08:00:00. Each call is seen on, in wrap-up, and over; a call takes 60 s.
    """
    teacher = floor.seat("0", web="06:00:00", calls=0, talk=0)
    for number in range(calls):
        floor.poll(f"07:{number}0:00")
        teacher.call, teacher.occupied = f"07:{number}1:00", True
        teacher.calls = number + (counts_at == "call_start")
        floor.poll(f"07:{number}1:30")
        teacher.call = None
        if counts_at != "wrap_up_end":
            teacher.calls, teacher.talk = number + 1, 60 * (number + 1)
        floor.poll(f"07:{number}2:30")
        teacher.occupied, teacher.available = False, f"07:{number}3:00"
        teacher.calls, teacher.talk = number + 1, 60 * (number + 1)
        floor.poll(f"07:{number}3:30")
    del floor.seats["0"]
    floor.poll("08:00:00")
