"""What a row of the tables says, and the floor on which the faults happen."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from deepcall_async import DeepcallError
from deepcall_async._wire.scalars import to_elapsed
from tests.fake_server import START, Answer, floor, http, row


@frozen(kw_only=True)
class Fault:
    """One kind of fault, in one or several forms, and what the consumer sees of it.

    answers: by name of the form, "" where there is only one.
    error, word: the outage's error, and a word of its message; "{}" in it is the name of the form.
    held: why the reply is not believed. quarantined: the paths of what could not be read.
    told: the kinds of what is told at once; it is true, as the reply says so.
    is_next_held: the next good reply is held once more before it is believed.
    """

    answers: Mapping[str, Answer] = field(repr=False)
    error: type[DeepcallError] | None = None
    word: str = ""
    held: tuple[str, ...] = ()
    quarantined: tuple[str, ...] = ()
    told: tuple[str, ...] = ()
    is_next_held: bool = False


Table = dict[str, Fault]


def fails(error: type[DeepcallError], word: str, answer: Answer | Mapping[Any, Answer]) -> Fault:
    """A fault that fails the tick."""
    return Fault(answers=forms(answer), error=error, word=word)


def harmless(answer: Answer | Mapping[Any, Answer], *told: str, is_next_held: bool = False) -> Fault:
    """An oddity that does no harm: the reply is taken."""
    return Fault(answers=forms(answer), told=told, is_next_held=is_next_held)


def is_held(answer: Answer | Mapping[Any, Answer], *reasons: str) -> Fault:
    """A reply that is not believed."""
    return Fault(answers=forms(answer), held=tuple(sorted(reasons)))


def spoils(answer: Answer | Mapping[Any, Answer], *paths: str) -> Fault:
    """A reply of which a part cannot be read."""
    return Fault(answers=forms(answer), quarantined=paths)


def forms(answer: Answer | Mapping[Any, Answer]) -> dict[str, Answer]:
    """The answers by name."""
    if isinstance(answer, Mapping):
        return {str(name): one for name, one in answer.items()}
    return {"": answer}


# --- the floor ------------------------------------------------------------------------------------


def team(now: int = START, *, has_news: bool = False, ahead: int = 0) -> list[dict[str, Any]]:
    """Five agents: 1 and 5 are available, 2 is logged out, 3 is on a call, 4 on a break.

    has_news: 2 logged in at START + 30. ahead: by how much the server's clock is wrong. Elapsed times
    are right then, so that every instant is wrong by as much.
    """

    def seat(agent: int, since: int, **more: Any) -> dict[str, Any]:
        return row(agent, now=now + ahead, since=since + ahead, **more)

    def began(at: int) -> dict[str, Any]:
        return {"type": "x", "duration": to_elapsed(now - at)}

    return [
        seat(1, START - 3600, logged_in=True),
        seat(2, START + 30 if has_news else START - 900, logged_in=has_news),
        seat(3, START - 2700, logged_in=True, IsOcc=1, liC=began(START - 50), tC=7, tt=411),
        seat(4, START - 1800, logged_in=True, br=began(START - 500)),
        seat(5, START - 999, logged_in=True),
    ]


TOTALS = {"oCA": 1, "oBA": 1}
BEFORE = floor(*team(), **TOTALS)
GOOD = floor(*team(START + 10), **TOTALS)  # nothing has happened since; what is spoilt in the tables
LATER = floor(*team(START + 60, has_news=True), **TOTALS)
LAST = floor(*team(START + 70, has_news=True), **TOTALS)

DATE = "Sat, 16 Nov 2024 12:19:35 GMT"  # START + 10

HEAD, _, BODY = GOOD.partition(b"\r\n\r\n")
MESSAGE: dict[str, Any] = json.loads(BODY)["message"]
ROWS: list[dict[str, Any]] = MESSAGE["pr"]


def body(answer: bytes) -> bytes:
    """What stands behind the headers."""
    return answer.partition(b"\r\n\r\n")[2]


def message(value: Any, *, date: str = "") -> bytes:
    """A success with this `message`, and a Date header."""
    return http(json.dumps({"message": value, "status": "success", "code": 200}), date=date)


def rows(*values: Any, date: str = "") -> bytes:
    """A success with these rows, and a Date header."""
    return message({**MESSAGE, "pr": [*values]}, date=date)


def spoilt(**changes: Any) -> bytes:
    """A success with a change to the row of agent 5, the last one."""
    return rows(*ROWS[:4], {**ROWS[4], **changes})
