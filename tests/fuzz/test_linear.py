"""Time is linear in the input: counted in lines of code that run, so that no other load disturbs it.

What the interpreter's own functions do (parsing, hashing, sorting) is not counted; the decoder hands them
each part of a reply once or twice.
"""

from __future__ import annotations

import gc
import json
import sys
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import Any

import pytest

from deepcall_async import DeepcallError, LiveFloor

from .mutator import SECRET
from .property import DATE, GRANT

NOW = 1_731_759_565
Shape = Callable[[int], list[bytes]]


def reply(rows: list[Any], **more: Any) -> bytes:
    """A success with these rows."""
    return json.dumps({"message": {"pr": rows, **more}, "status": "success", "code": 200}).encode()


def row(agent: Any, age: int = 5, **more: Any) -> dict[str, Any]:
    return {"I": agent, "l": {"type": "Web"}, "avT": ["0", "00", f"{age:02}"], "avD": NOW, **more}


def many(size: int, make: Callable[[int], Any]) -> list[Any]:
    return [make(number) for number in range(size)]


# Replies of which something is `size` times there, or `size` long; several come one after the other.
SHAPES: dict[str, Shape] = {
    "opening brackets": lambda n: [b"[" * n],
    "opening braces": lambda n: [b'{"a":' * n],
    "blanks": lambda n: [b" " * n + b"<"],
    "a long number": lambda n: [b'{"code":' + b"9" * n + b"}"],
    "a long fraction": lambda n: [b'{"code":0.' + b"1" * n + b"}"],
    "a long string of digits": lambda n: [reply([row("1", tC="9" * n)])],
    "a long name": lambda n: [reply([row("1", nm="x" * n)]), reply([row("1", 6, nm="x" * n)])],
    "a long error": lambda n: [json.dumps({"status": "error", "message": "x" * n, "code": 7}).encode()],
    "a long triple": lambda n: [reply([row("1"), row("2", avT=[0] * n)])],
    "rows": lambda n: [reply(many(n, row)), reply(many(n, lambda i: row(i, 6)))],
    "rows that change": lambda n: [reply(many(n, row)), reply(many(n, lambda i: row(i, 6, tC=1, l="No")))],
    "rows in another order": lambda n: [reply(many(n, row)), reply(many(n, lambda i: row(n - i, 6)))],
    "rows that come and go": lambda n: [reply(many(n, row)), *[reply(many(n, lambda i: row(-i, 6)))] * 2],
    "rows that are null": lambda n: [reply([row("1"), *[None] * n])] * 2,
    "rows of one agent": lambda n: [reply(many(n, lambda _: row("1")))] * 2,
    "rows that cannot be read": lambda n: [reply(many(n, lambda i: row(i, tC=-1)))] * 2,
    "rows that can be read no more": lambda n: [reply(many(n, row)), reply(many(n, lambda i: row(i, tC=-1)))],
    "rows that are gone, beside others that cannot be read": lambda n: [
        reply(many(n, row)),
        reply([row("a"), *many(n, lambda i: row(-i - 1, tC=-1))]),
    ],
    "unknown keys": lambda n: [reply([row("1", **{f"k{i}": i for i in range(n)})])] * 2,
    "unknown keys beside the rows": lambda n: [reply([row("1")], **{f"k{i}": [i] for i in range(n)})] * 2,
    "details of a login": lambda n: [reply([row("1", l={f"k{i}": i for i in range(n)})])] * 2,
    "a key again and again": lambda n: [reply([row("@")]).replace(b'"@"', b'"1"' + b',"I":"1"' * n)] * 2,
    "a secret": lambda n: [reply([row("1", zz=[SECRET] * n)])] * 2,
    "a secret in escapes": lambda n: [reply([row("1", zz=[SECRET.replace("/", "%2f")] * n)])] * 2,
    "a secret in a long text": lambda n: [reply([row("1", zz=SECRET.replace("/", "%2f") * n)])] * 2,
    "escapes": lambda n: [reply([row("1", zz='\\"%41x' * n)])] * 2,
    "shallow nesting": lambda n: [reply([row("1", zz=[[[[i]]] for i in range(n)])])] * 2,
}  # fmt: skip


def work(bodies: list[bytes]) -> int:
    """How many lines of code of the package, and of what it calls, run for these replies."""
    lines = 0

    def count(_: FrameType, event: str, __: object) -> Any:
        nonlocal lines
        lines += event == "line"
        return count

    floor = LiveFloor()
    before = sys.gettrace()
    gc.disable()  # others may have it call code of theirs
    sys.settrace(count)
    try:
        for body in bodies:
            with suppress(DeepcallError):
                floor.receive(body, date=DATE, strike=GRANT.strike_from)
    finally:
        sys.settrace(before)
        gc.enable()
    return lines


def growth(shape: Shape, size: int = 250) -> float:
    """By how much the work for four times as much is more than four times the work: 1 if it is linear."""
    work(shape(1))  # what is done once, at the first time, is done
    constant = work(shape(1))
    return (work(shape(4 * size)) - constant) / max(4 * (work(shape(size)) - constant), 1)


@pytest.mark.parametrize("name", SHAPES)
def test_four_times_the_input_is_four_times_the_work(name: str) -> None:
    assert growth(SHAPES[name]) < 1.3
