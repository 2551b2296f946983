r"""Recordings: the raw replies of a stream as JSON lines, and their replay through the same floor.

A replay needs no network and no clock, and tells the same transitions to the byte: that is how
to send us a bug. The first line says whose floor it is, each further one is a reply or a failure:

    {"deepcall_recording": 1, "status": "all", "scope": "acme", "view": "", "is_narrowed": false,
     "resume_from": null, "interval": 5.0}
    {"body": "{\"message\": ...", "date": "2024-11-16T12:19:25Z", "received_at": "..."}
    {"failed": "RequestTimeout: no answer within 30 s"}

Replies name agents and callers, but no credentials: those are struck out should a server echo them.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, TextIO

from deepcall_async._floor import LiveFloor, LiveUpdate, Strike, as_it_is
from deepcall_async._model import ConfigurationError, DeepcallError, TransportError, from_json, to_json

FORMAT = 1


class RecordingFloor(LiveFloor):
    """A `LiveFloor` that writes down what it is given before it looks at it.

    record_to: a text file, flushed after every line. redact: strikes secrets out of a text, before it is
    recorded or looked at. Otherwise as `LiveFloor`. What the file raises (a full disk) is raised here.
    """

    def __init__(
        self,
        record_to: TextIO,
        status: str = "all",
        *,
        scope: str = "",
        view: str = "",
        is_narrowed: bool = False,
        resume_from: Mapping[str, Any] | None = None,
        interval: float = math.inf,
        redact: Callable[[str], str] = str,
    ) -> None:
        asked: dict[str, Any] = {
            "scope": scope,
            "view": view,
            "is_narrowed": is_narrowed,
            "resume_from": resume_from,
            "interval": interval,
        }
        super().__init__(status, **asked)
        self._file, self._redact = record_to, redact
        told = {name: value for name, value in asked.items() if value != math.inf}  # which JSON does not know
        self._write({"deepcall_recording": FORMAT, "status": status, **told})

    def receive(
        self,
        body: bytes,
        *,
        date: datetime | None = None,
        received_at: datetime | None = None,
        strike: Strike = as_it_is,
    ) -> LiveUpdate:
        """As `LiveFloor.receive`. The floor sees the very bytes that the recording holds."""
        body = self._redacted(strike(body))
        self._write({**_body_to_json(body), "date": to_json(date), "received_at": to_json(received_at)})
        return super().receive(body, date=date, received_at=received_at)

    def fork(self) -> LiveFloor:
        """Raises TypeError: a recording is written in the order of its replies, one after the other."""
        raise TypeError("a floor that records has no forks")

    def fail(self, error: DeepcallError) -> LiveUpdate:
        """As `LiveFloor.fail`."""
        self._write({"failed": self._redact(f"{type(error).__name__}: {error}")})
        return super().fail(error)

    def _write(self, line: dict[str, Any]) -> None:
        self._file.write(json.dumps(line, default=dict) + "\n")
        self._file.flush()

    def _redacted(self, body: bytes) -> bytes:
        try:
            return self._redact(body.decode()).encode()
        except UnicodeDecodeError:
            return self._redact(body.decode("latin-1")).encode("latin-1")


def replay(lines: Iterable[str]) -> Iterator[LiveUpdate]:
    """The updates of a recording, in order, as its stream gave them.

    lines: an open recording. Raises `ConfigurationError`, with the line's number, for anything else.
    """
    floor: LiveFloor | None = None
    for number, line in enumerate(lines, 1):
        try:
            entry = json.loads(line)
            if floor is None:
                floor = _floor_of(entry)
                continue
            update = _replayed(floor, entry)
        except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
            raise ConfigurationError(f"line {number} is not of a recording: {error}") from error
        if update is not None:
            yield update


def _floor_of(header: dict[str, Any]) -> LiveFloor:
    if header["deepcall_recording"] != FORMAT:
        raise ValueError(f"format {header['deepcall_recording']!r}; this version reads {FORMAT}")
    asked = {name: header[name] for name in ("scope", "view", "resume_from")}
    asked["is_narrowed"] = bool(header.get("is_narrowed"))
    return LiveFloor(header["status"], **asked, interval=float(header.get("interval", math.inf)))


def _replayed(floor: LiveFloor, entry: dict[str, Any]) -> LiveUpdate | None:
    """The update of one line; None for an unreadable reply, or a failure before the first good one."""
    try:
        if "failed" in entry:
            return floor.fail(TransportError(entry["failed"]))
        date, received_at = (_instant(entry[name]) for name in ("date", "received_at"))
        return floor.receive(_body_from_json(entry), date=date, received_at=received_at)
    except DeepcallError:
        return None  # as in the stream, which tried again, or failed in the line that follows


def _instant(text: str | None) -> datetime | None:
    return None if text is None else from_json(text, datetime)


def _body_to_json(body: bytes) -> dict[str, str]:
    try:
        return {"body": body.decode()}
    except UnicodeDecodeError:
        return {"body_base64": base64.b64encode(body).decode()}


def _body_from_json(entry: dict[str, Any]) -> bytes:
    text: str | None = entry.get("body")
    return base64.b64decode(entry["body_base64"], validate=True) if text is None else text.encode()
