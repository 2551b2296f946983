"""Replies to try the decoder with: small, valid, and easy to spoil in one place."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from deepcall_async import Agent, Snapshot
from deepcall_async._wire.decoder import decode_snapshot

NOW = datetime(2024, 11, 16, 12, 0, 0, tzinfo=UTC)
CLOCK = 1731758400  # the same in epoch seconds


def ago(**span: float) -> datetime:
    """So long before the server's now."""
    return NOW - timedelta(**span)


def row(agent_id: Any = "1", **changes: Any) -> dict[str, Any]:
    """A logged-out agent, available for five seconds, with changes; a key given as `...` is left out."""
    plain = {
        "nm": f"Agent {agent_id}",
        "I": agent_id,
        "IsOcc": 0,
        "l": "No",
        "ml": "No",
        "avT": ["0", "00", "05"],
        "avD": CLOCK - 5,
        "mic_perm": 0,
        "sip_status": "offline",
    }
    return {key: value for key, value in {**plain, **changes}.items() if value is not ...}


def login(*duration: Any) -> dict[str, Any]:
    """The object a web login is shown as."""
    return {"type": "Web", "duration": [*(duration or ("0", "01", "00"))]}


def message(*rows: Any, **changes: Any) -> dict[str, Any]:
    """The `message` of a success; a key given as `...` is left out."""
    plain = {"pr": [*rows], "oCA": 0, "oBA": 0, "lA": 0, "Dia": 0, "Ring": 0, "sip": 0, "mic": 0}
    return {key: value for key, value in {**plain, **changes}.items() if value is not ...}


def envelope(**changes: Any) -> dict[str, Any]:
    """A success with one agent; a key given as `...` is left out."""
    plain = {"message": message(row()), "status": "success", "code": 200}
    return {key: value for key, value in {**plain, **changes}.items() if value is not ...}


def reply(*rows: Any, **changes: Any) -> bytes:
    """A success with these rows."""
    return as_bytes(envelope(message=message(*rows, **changes)))


def as_bytes(value: Any) -> bytes:
    return json.dumps(value).encode()


def decode(*rows: Any, **changes: Any) -> Snapshot:
    """What a success with these rows and totals decodes to."""
    return decode_snapshot(reply(*rows, **changes))


def decode_one(**changes: Any) -> Agent:
    """The only agent of a reply, its row changed like this. Its row must be readable."""
    snapshot = decode(row("1", **changes), row("2"))
    assert not snapshot.quarantined
    return snapshot.agents["1"]
