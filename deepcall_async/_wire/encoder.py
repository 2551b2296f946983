"""Agents as the wire writes them: for the simulator and the tests."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from deepcall_async._model import Agent, Break, Call, FloorTotals, Login, Snapshot, epoch

from . import scalars as forms
from .envelope import SUCCESS_CODE
from .rows import Presence, Row, row_to_wire, totals_to_wire


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


def encode_reply(
    wire_rows: Iterable[Mapping[str, Any]], totals: FloorTotals, extra: Mapping[str, Any] | None = None
) -> bytes:
    """A success as the server writes it: no blanks, keys in its order, totals that are None left out."""
    message = {"pr": list(wire_rows), **totals_to_wire(totals)}
    envelope = {"message": {**message, **(extra or {})}, "status": "success", "code": SUCCESS_CODE}
    return json.dumps(envelope, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")


def encode_snapshot(snapshot: Snapshot) -> bytes:
    """The reply that decodes to this snapshot, in the server's own form."""
    clock = epoch(snapshot.server_time)
    rows = [{**row_to_wire(agent_to_row(agent, clock)), **agent.extra} for agent in snapshot.agents.values()]
    return encode_reply(rows, snapshot.totals, snapshot.extra)
