"""The values a snapshot is made of: frozen, slotted, and standing still while time passes.

The wire shows *elapsed* times, which tick on every poll. Here they are *origins*: the
instant something began. Two snapshots in which nothing happened hold equal agents.

Conventions. Instants are aware UTC `datetime`s on the server's clock, whole seconds.
Durations are `timedelta`s. None always means "not sent", never zero. Mappings are to
be read, not written.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from attrs import Factory, field, frozen


class _AsSent:
    """Compares JSON as the wire tells it apart: 0, 0.0 and false are equal in Python, but not the same."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        if type(other) is not _AsSent:
            return NotImplemented
        ours, theirs = self.value, other.value
        return ours is theirs or (bool(ours == theirs) and repr(ours) == repr(theirs))

    __hash__ = None  # type: ignore[assignment]  # JSON has none


class AgentState(Enum):
    """What an agent is doing, as far as a row can tell. `Agent.state` says which wins."""

    ON_CALL = "on_call"
    LOGGED_OUT = "logged_out"
    ON_BREAK = "on_break"
    OCCUPIED = "occupied"
    AVAILABLE = "available"


class ClockSource(Enum):
    """Where a snapshot's server time was read."""

    ROWS = "rows"  # the most common avD + avT of the rows
    DATE = "date"  # the reply's Date header: no row carried a clock
    LOCAL = "local"  # this machine's clock: the last resort


@frozen
class Login:
    """A login on one channel, web or mobile.

    type: the server's word for it ("Web"), None when not sent. Wire: `l.type`, documented by sample.
    since: when it began, known to ±1 s; None when the row does not say. Wire: `l.duration`, observed.
    details: the wire object without its ticking `duration`. Wire: observed.
    """

    type: str | None = None
    since: datetime | None = None
    details: Any = field(default=None, eq=_AsSent, hash=False)


@frozen
class Call:
    """A live call.

    since: when it began, known to ±1 s; None when the row does not say. Wire: assumed (`liC.duration`).
    details: the wire value without its ticking `duration`. Wire: `liC`, documented as object.
    """

    since: datetime | None = None
    details: Any = field(default=None, eq=_AsSent, hash=False)


@frozen
class Break:
    """A break (aux, not ready).

    reason: the server's word for it, None when not sent. Wire: assumed (`br.type` and its kin).
    since: when it began, known to ±1 s; None when the row does not say. Wire: assumed (`br.duration`).
    details: the wire value without its ticking `duration`. Wire: `br`, documented as object.
    """

    reason: str | None = None
    since: datetime | None = None
    details: Any = field(default=None, eq=_AsSent, hash=False)


@frozen(kw_only=True)
class Agent:
    """One agent of the floor. The key is `id`: names repeat.

    id: digits as a string. Wire: `I`, documented.
    name: display name, not unique. Wire: `nm`, documented.
    login, mobile_login: None when logged out of that channel. Wire: `l`, `ml`, observed.
        A login is no proof of presence: logins months old occur beside an offline phone.
    available_since: when the agent last became available. Wire: `avD`, observed, exact to the second;
        its meaning is likely (end of login, call, break or wrap-up), not documented.
    call, on_break: None when there is none. Wire: `liC`, `br`, documented, shapes unknown.
    is_occupied: on a call, ringing or in wrap-up, likely. Wire: `IsOcc`, observed as 0 only.
    calls: calls handled, >= 0, in a period the server does not state. Wire: `tC`, documented.
    talk_time, average_talk_time: of those calls. Wire: `tt` (seconds), `ataT`, documented.
    microphone_permitted: as the agent's browser reports it. Wire: `mic_perm`, observed as 0 only.
    sip_status: such as "offline" or "online". Wire: `sip_status`, observed as "offline" only.
    extra: keys of the row this version does not know, as sent.
    """

    id: str
    name: str | None = None
    login: Login | None = None
    mobile_login: Login | None = None
    available_since: datetime | None = None
    call: Call | None = None
    on_break: Break | None = None
    is_occupied: bool | None = None
    calls: int | None = None
    talk_time: timedelta | None = None
    average_talk_time: timedelta | None = None
    microphone_permitted: bool | None = None
    sip_status: str | None = None
    extra: Mapping[str, Any] = field(factory=dict, eq=_AsSent, hash=False)

    @property
    def is_logged_in(self) -> bool:
        """Logged in on at least one channel."""
        return self.login is not None or self.mobile_login is not None

    @property
    def state(self) -> AgentState:
        """The first that applies: on a call, logged out, on break, occupied, available."""
        if self.call is not None:
            return AgentState.ON_CALL
        if not self.is_logged_in:
            return AgentState.LOGGED_OUT
        if self.on_break is not None:
            return AgentState.ON_BREAK
        return AgentState.OCCUPIED if self.is_occupied else AgentState.AVAILABLE

    @property
    def state_since(self) -> datetime | None:
        """When `state` began; None when the row does not say (logged out, occupied, no origin)."""
        if self.call is not None:
            return self.call.since
        if self.state is AgentState.ON_BREAK and self.on_break is not None:
            return self.on_break.since
        return self.available_since if self.state is AgentState.AVAILABLE else None


@frozen(kw_only=True)
class FloorTotals:
    """The counts the server sends beside the rows, each >= 0, None when not sent.

    logged_in: agents with a login; in the sample, those whose web login is on. Wire: `lA`, documented.
    on_call, on_break: Wire: `oCA`, `oBA`, documented.
    after_call_work, ringing: Wire: `Dia`, `Ring`, documented; no row shows either as such.
    sip: phones not offline, likely. microphones: permitted ones, likely. Wire: `sip`, `mic`, observed.
    Whether they cover the whole account or only the rows asked for is not documented.
    """

    logged_in: int | None = None
    on_call: int | None = None
    on_break: int | None = None
    after_call_work: int | None = None
    ringing: int | None = None
    sip: int | None = None
    microphones: int | None = None


@frozen(kw_only=True)
class Quarantined:
    """A part of a reply that could not be read: a row, or one of the totals.

    An agent whose row is quarantined keeps its last known state.
    path: where the fault is, with the wire's keys, e.g. ``message.pr[3].avT``. reason: what it is.
    row: the row's place in the reply, from 0; None for a total.
    agent_id: None for a total, or when even the id could not be read.
    raw: the row or total as sent; None when it is nested too deeply to be kept.
    """

    path: str
    reason: str
    row: int | None = None
    agent_id: str | None = None
    raw: Any = field(default=None, eq=_AsSent, hash=False, repr=False)


def _parts(snapshot: Snapshot) -> int:
    return len(snapshot.quarantined)


def _rows_of(snapshot: Snapshot) -> Mapping[str | None, int]:
    return Counter(part.agent_id for part in snapshot.quarantined if part.row is not None)


@frozen(kw_only=True)
class Snapshot:
    """One good answer of the server: the floor at `server_time`.

    agents: by id, in wire order (observed: sorted by `available_since`).
    totals: the server's own counts.
    server_time: the server's clock; `clock_source` says how it was read, `clock_spread` how far
        apart the rows' own clocks were (normally 0 or 1 s).
    received_at: this machine's clock when the answer was complete, None when the caller gave none.
    quarantined: what could not be read; of very many parts the first hundred, rows before others.
    quarantined_count: how many parts there were.
    unread_rows: how many rows of each agent could not be read; None: of those whose id could not either.
    extra: unknown keys beside the rows, as sent; those in rows are on the agents.
    """

    agents: Mapping[str, Agent] = field(hash=False)
    totals: FloorTotals
    server_time: datetime
    clock_source: ClockSource
    clock_spread: timedelta = timedelta(0)
    received_at: datetime | None = None
    quarantined: tuple[Quarantined, ...] = ()
    quarantined_count: int = field(default=Factory(_parts, takes_self=True))
    unread_rows: Mapping[str | None, int] = field(default=Factory(_rows_of, takes_self=True), hash=False)
    extra: Mapping[str, Any] = field(factory=dict, eq=_AsSent, hash=False)

    @property
    def unknown_keys(self) -> Mapping[str, int]:
        """How often each key this version does not know occurs in the rows."""
        return Counter(key for agent in self.agents.values() for key in agent.extra)

    @property
    def logged_in(self) -> tuple[Agent, ...]:
        """The agents that are logged in on any channel, in wire order."""
        return tuple(agent for agent in self.agents.values() if agent.is_logged_in)
