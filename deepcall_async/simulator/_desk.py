"""What the server knows about one agent, and the row it shows of it.

The server thinks in whole seconds: an instant is kept rounded down, and an elapsed time is the
server's second minus that. Between two facts a row differs from itself only in its elapsed
readings, so a row is drawn once as a template, and a reply only fills in the digits.

Observed in the vendor's sample: the keys of an idle row, their order and types, `l`, `ml` as "No",
and that `avD` + `avT` is the server's time. Documented: that `liC` and `br` are objects, `tt`
seconds, `tC` a number, `ataT` hours, minutes and seconds. The rest is invented: see `INVENTED`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any

from deepcall_async._wire import Presence, Row, row_to_wire, scalars as forms

from ._fact import ENDS, STARTS, Fact, Kind, WebOrMobile
from ._variant import NoneShape, Shape, TalkTimeMovesAt, Variant


class Doing(Enum):
    """What an agent is doing; always exactly one of these."""

    LOGGED_OUT = "logged_out"
    AVAILABLE = "available"
    RINGING = "ringing"
    ON_CALL = "on_call"
    WRAP_UP = "wrap_up"
    ON_BREAK = "on_break"


_DOING_AFTER: Mapping[Kind, Doing] = {
    "became_available": Doing.AVAILABLE,
    "ring_started": Doing.RINGING,
    "call_started": Doing.ON_CALL,
    "wrap_up_started": Doing.WRAP_UP,
    "break_started": Doing.ON_BREAK,
}
_TAKEN_UP_BY: Mapping[TalkTimeMovesAt, tuple[Kind, ...]] = {
    "call_end": ("call_ended",),
    # a call without wrap-up is followed, at its end, by one of the others
    "wrap_up_end": ("wrap_up_ended", "call_started", "became_available"),
}
_BUSY = (Doing.RINGING, Doing.ON_CALL, Doing.WRAP_UP)
_NONE: Mapping[NoneShape, Presence | None] = {
    "absent": None,
    "null": Presence(None, None),
    "no": Presence(None, "No"),
    "empty_string": Presence(None, ""),
    "empty_list": Presence(None, []),
    "empty_object": Presence(None, {}),
}
_BLANK = "\N{NULL}"  # where a template is filled in

_WITHIN_THE_HOUR = [f'"{minute:02}","{second:02}"' for minute in range(60) for second in range(60)]

_Form = Callable[[int], str]
_Tick = tuple[int, _Form, bool]  # origin, how it is written, whether it may stray
Drawn = tuple[str, list[_Tick]]


def _is_nameless(agent: str) -> bool:
    """Whether an agent is one of those whose rows never have an id, where there are such."""
    return sum(map(ord, agent)) % 7 == 3  # 4, 13, 22, ...


def _triple(seconds: int) -> str:
    hours, rest = divmod(seconds, 3600)
    return f'["{hours}",{_WITHIN_THE_HOUR[rest]}]'


def _hms(seconds: int) -> str:
    hours, minutes, second = forms.to_elapsed(seconds)
    return f'"{hours:0>2}:{minutes}:{second}"'


_FORM_OF: Mapping[Shape, _Form] = {"triple": _triple, "seconds": str, "hms": _hms}


class Desk:
    """The server's record of one agent, kept up to date by `apply`.

    clock: by how many seconds the server's clock is ahead of the floor's time. Instants are kept as the
    clock showed them.
    """

    def __init__(self, added: Fact, variant: Variant, groups: tuple[str, ...], clock: int = 0) -> None:
        self.id = added.agent
        self.name = str(added.value)
        self.groups = groups
        self.doing = Doing.LOGGED_OUT
        self.logins: dict[WebOrMobile, int] = {}
        self._clock = clock
        self.available_since = self._second(added)
        self.sip_status = "offline"
        self.microphone_permitted = False
        self.calls = 0
        self.talk_time = 0
        self._episode = added  # the call or break that is on, or was last
        self._episode_since = self.available_since
        self._is_engaged = False  # something is on that outlasts a logout
        self._uncounted = 0  # calls that ended and do not count yet
        self._untimed: list[int] = []  # talk times of calls that ended, not taken up yet
        self._late: list[tuple[float, int]] = []  # talk times taken up, and when they will show
        self._variant = variant
        self._drawn: Drawn | None = None

    def apply(self, fact: Fact) -> None:
        """Take note of what happened."""
        self._drawn = None
        self.doing = _DOING_AFTER.get(fact.kind, self.doing)
        self._count(fact)
        if fact.kind in (*STARTS, *ENDS):
            self._is_engaged = fact.kind in STARTS
        match fact:
            case Fact(kind="logged_in", channel=("web" | "mobile") as channel):
                self.logins[channel] = self._second(fact)
            case Fact(kind="logged_out", channel=("web" | "mobile") as channel):
                self._log_out(channel, fact)
            case Fact(kind="became_available"):
                self.available_since = self._second(fact)
            case Fact(kind="call_started" | "break_started"):
                self._episode, self._episode_since = fact, self._second(fact)
            case Fact(kind="group_left" | "group_joined"):
                self._regroup(fact)
            case Fact(kind="updated", field=str(name)):
                setattr(self, name, fact.value)

    def _regroup(self, fact: Fact) -> None:
        others = tuple(group for group in self.groups if group != fact.value)
        self.groups = others if fact.kind == "group_left" else (*others, str(fact.value))

    def set_clock(self, step: int) -> None:
        """The server's clock is set by so many seconds; what is counted goes on from where it is."""
        self._clock += step
        if self._variant.elapsed_by == "counting":
            self.logins = {channel: since + step for channel, since in self.logins.items()}
            self._episode_since += step
        self._drawn = None

    def _second(self, fact: Fact) -> int:
        """What the server's clock showed, in whole seconds."""
        return math.floor(fact.at) + self._clock

    def _log_out(self, channel: WebOrMobile, fact: Fact) -> None:
        del self.logins[channel]
        if not self.logins and not self._is_engaged:
            self.doing = Doing.LOGGED_OUT
            if self._variant.availability_moves_at_logout:
                self.available_since = self._second(fact)

    def _count(self, fact: Fact) -> None:
        moves_at = self._variant.counters_move_at
        if fact.kind == "call_started" and moves_at == "call_start":
            self.calls += 1
        if fact.kind == "call_ended":
            self._uncounted += moves_at != "call_start"
            self._untimed.append(fact.talk_time or 0)
        if moves_at != "call_start" and fact.kind in _TAKEN_UP_BY[moves_at]:
            self.calls += self._uncounted
            self._uncounted = 0
        is_late = "wrap_up_end" in (moves_at, self._variant.talk_time_moves_at)
        if fact.kind in _TAKEN_UP_BY["wrap_up_end" if is_late else "call_end"]:
            due = fact.at + self._variant.talk_time_lag
            self._late += [(due, talk) for talk in self._untimed]
            self._untimed.clear()
            self.settle(fact.at)

    def settle(self, at: float) -> None:
        """Show the talk times that are due at this instant."""
        while self._late and self._late[0][0] <= at:
            self.talk_time += self._late.pop(0)[1]
            self._drawn = None

    def reset_counters(self) -> bool:
        """Begin a new period; whether there was anything to forget."""
        had_any = bool(self.calls or self.talk_time)
        self.calls = self.talk_time = 0
        self._late.clear()
        self._drawn = None
        return had_any

    # --- the row --------------------------------------------------------------------------------

    @property
    def drawn(self) -> Drawn:
        """The row as JSON with blanks (and `%` doubled), and what ticks in the blanks."""
        if self._drawn is None:
            self._drawn = self._draw()
        return self._drawn

    def row(self, now: int, stray: Callable[[], int]) -> str:
        """The row at the server's second `now`, as JSON. stray: seconds a reading is off by."""
        template, ticks = self.drawn
        return template % tuple(
            [form(max(0, now - origin + (stray() if strays else 0))) for origin, form, strays in ticks]
        )

    def _draw(self) -> Drawn:
        ticks: list[_Tick] = []  # in the order of the wire's keys, as the blanks are
        counted = bool(self.calls or self.talk_time or not self._variant.counters_absent_at_zero)
        row = Row(
            name=self.name,
            id=self.id,
            is_occupied=self.doing in (_BUSY if self._occupied_in_all() else (Doing.ON_CALL,)),
            login=self._login("web", ticks),
            mobile_login=self._login("mobile", ticks),
            call=self._call(ticks),
            on_break=self._break(ticks),
            talk_time=self.talk_time if counted else None,
            calls=self.calls if counted else None,
            average_talk_time=self.talk_time // max(1, self.calls) if counted else None,
            microphone_permitted=self.microphone_permitted,
            sip_status=self.sip_status,
        )
        if self._shows_availability():
            row.available_since, row.available_for = self.available_since, 0
            ticks.append((self.available_since, _triple, self._variant.availability_jitter))
        return self._template(row_to_wire(row)), ticks

    def _template(self, wire: dict[str, Any]) -> str:
        if "avT" in wire:
            wire["avT"] = _BLANK
        if self._variant.numbers_as_strings:
            wire = {key: str(value) if isinstance(value, int) else value for key, value in wire.items()}
        if self._variant.unidentified == "some_agents" and _is_nameless(self.id):
            wire["I"] = None
        text = json.dumps(wire, separators=(",", ":"), ensure_ascii=False)
        return text.replace("%", "%%").replace(json.dumps(_BLANK), "%s")

    def _occupied_in_all(self) -> bool:
        return self._variant.occupied_while == "ringing_call_wrap_up"

    def _shows_availability(self) -> bool:
        is_busy = self.doing in (*_BUSY, Doing.ON_BREAK)
        return self._variant.busy_availability == "kept" or not is_busy

    def _login(self, channel: WebOrMobile, ticks: list[_Tick]) -> Presence | None:
        if channel not in self.logins:
            return None
        ticks.append((self.logins[channel], _triple, self._variant.jitter))
        return Presence(None, {"type": channel.capitalize(), "duration": _BLANK})

    def _call(self, ticks: list[_Tick]) -> Presence | None:
        if self.doing is not Doing.ON_CALL:
            return _NONE[self._variant.none_shape]
        second = math.floor(self._episode.at)
        details = {
            "callId": f"{second}.{self.id}",
            "cType": "IBD",
            "cNumber": f"910000{second % 1_000_000:06}",
        }
        return self._activity(self._variant.call_shape, "Yes", details, ticks)

    def _break(self, ticks: list[_Tick]) -> Presence | None:
        if self.doing is not Doing.ON_BREAK:
            return _NONE[self._variant.none_shape]
        reason = self._episode.reason or "Break"
        return self._activity(self._variant.break_shape, reason, {"type": reason}, ticks)

    def _activity(self, shape: Shape, word: str, details: dict[str, Any], ticks: list[_Tick]) -> Presence:
        if shape == "word":
            return Presence(None, word)
        if shape == "no_origin":
            return Presence(None, details)
        ticks.append((self._episode_since, _FORM_OF[shape], self._variant.jitter))
        return Presence(None, {**details, "duration": _BLANK})
