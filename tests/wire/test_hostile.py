"""Input nobody would send on purpose: only our own errors get out, and never late."""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, strategies as st

from deepcall_async import ApiError, ReplyError, Snapshot
from deepcall_async._wire.decoder import decode_snapshot
from deepcall_async._wire.envelope import read_error

from .laws import check_round_trip
from .replies import CLOCK, NOW, as_bytes, envelope, login, message, reply, row

SAMPLE = (Path(__file__).parents[1] / "data" / "agent_live_sample.json").read_bytes()
FULL = envelope(
    message=message(
        row("1", l=login(), liC={"id": "c", "duration": [0, 0, 9]}, tt=5.5, tC=2, ataT=[0, 0, 2], zz=[{}]),
        row("2", ml=login(), br={"type": "Tea", "duration": "0:00:09"}),
        row("3", l="Web", br="Lunch", liC=True),
        shift="late",
    )
)  # fmt: skip
BYTES = as_bytes(FULL)

NUMBERS = (
    st.integers()
    | st.integers(CLOCK - 10**6, CLOCK + 10**6)
    | st.sampled_from([0, 1, -1, 60, 61, 2**31, 2**53, 2**63, 10**20, 10**400, -(10**400), CLOCK * 1000])
    | st.floats(allow_nan=False, allow_infinity=False)
)
WORDS = (
    st.text(max_size=8)
    | st.sampled_from(["No", "no", "", " ", "0", "1", "-1", "1e400", "nan", "1_0", "0:01:00", "success"])
    | st.sampled_from(["\ud800", "\udfff", "\x00", "\x1b[2J", "\u202e", "٣", "x" * 1000])
)  # fmt: skip
LEAVES = st.none() | st.booleans() | NUMBERS | NUMBERS.map(str) | WORDS
KEYS = st.text(max_size=4) | st.sampled_from(["I", "nm", "l", "type", "duration", "pr", "lA", "code", "avD"])
ANYTHING = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=10,
)


def survive(body: bytes) -> Snapshot | None:
    """Decode: a snapshot, or one of our errors and then None; anything else is a failure."""
    with suppress(ApiError):
        read_error(body, 500)
    with suppress(ReplyError, ApiError):
        return decode_snapshot(body, date=NOW)
    return None


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a JSON value."""
    yield path
    if isinstance(value, dict | list):
        for key, part in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(part, (*path, key))


def placed(value: Any, path: tuple[Any, ...]) -> Any:
    """The full reply with a value in another's place."""
    if not path:
        return value
    changed = parent = copy.deepcopy(FULL)
    for key in path[:-1]:
        parent = parent[key]
    parent[path[-1]] = value
    return changed


PLACES = st.sampled_from(list(places(FULL)))


def test_the_reply_that_is_spoilt_here_is_a_good_one() -> None:
    snapshot = decode_snapshot(BYTES)
    assert len(snapshot.agents) == 3
    assert not snapshot.quarantined
    check_round_trip(snapshot)


def test_the_sample_cut_short_at_any_byte_is_a_reply_error() -> None:
    for length in range(len(SAMPLE)):
        with pytest.raises(ReplyError, match="not JSON"):
            decode_snapshot(SAMPLE[:length], date=NOW)


def test_the_sample_without_any_one_byte_is_read_or_is_one_of_our_errors() -> None:
    for index in range(len(SAMPLE)):
        snapshot = survive(SAMPLE[:index] + SAMPLE[index + 1 :])
        if snapshot is not None:
            check_round_trip(snapshot)


@given(path=PLACES, value=ANYTHING)
@example(path=("message", "pr", 0, "tt"), value=9e14)
@example(path=("message", "pr", 0, "liC", "duration"), value=10**15)
@example(path=("message", "pr", 0, "l", "type"), value=[])
@example(path=("message", "pr", 0, "avD"), value=CLOCK + 10**6)
def test_any_json_value_in_any_place_is_read_or_is_one_of_our_errors(
    path: tuple[Any, ...], value: Any
) -> None:
    snapshot = survive(as_bytes(placed(value, path)))
    if snapshot is not None:
        check_round_trip(snapshot)


@given(key=KEYS, path=PLACES, value=ANYTHING)
def test_any_key_more_in_any_object_is_read_or_is_one_of_our_errors(
    key: str, path: tuple[Any, ...], value: Any
) -> None:
    changed = placed(value, (*path, key)) if isinstance(get(path), dict) else placed(value, path)
    snapshot = survive(as_bytes(changed))
    if snapshot is not None:
        check_round_trip(snapshot)


def get(path: tuple[Any, ...]) -> Any:
    value: Any = FULL
    for key in path:
        value = value[key]
    return value


@given(st.dictionaries(KEYS, ANYTHING, max_size=6))
def test_a_row_of_anything_is_read_or_quarantined_and_spoils_no_other(bad: dict[str, Any]) -> None:
    snapshot = decode_snapshot(reply(row("good"), bad, row("fine")))
    assert {"good", "fine"} <= snapshot.agents.keys()
    assert len(snapshot.agents) + len(snapshot.quarantined) == 3


@given(ANYTHING)
def test_anything_at_all_instead_of_a_reply_is_one_of_our_errors(value: Any) -> None:
    assert survive(as_bytes(value)) is None


@given(st.binary(max_size=64))
def test_any_bytes_at_all_are_one_of_our_errors(body: bytes) -> None:
    assert survive(body) is None


ADDED = st.binary(max_size=6) | st.sampled_from([b'"', b"}", b"[", b"-", b"1e999"])
EDITS = st.lists(
    st.tuples(st.integers(0, len(BYTES)), st.integers(0, 9), ADDED),
    min_size=1,
    max_size=4,
)


@given(EDITS)
def test_a_reply_damaged_in_a_few_bytes_is_read_or_is_one_of_our_errors(
    edits: list[tuple[int, int, bytes]],
) -> None:
    body = BYTES
    for at, removed, added in edits:
        body = body[:at] + added + body[at + removed :]
    snapshot = survive(body)
    if snapshot is not None:
        check_round_trip(snapshot)


@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_nesting_of_any_depth_in_any_field_spoils_its_row_or_its_reply_only(opening: str) -> None:
    closing = "]" if opening == "[" else "}"
    for depth in (1, 30, 40, 200, 900, 940, 960, 970, 980, 985, 990, 995, 1000, 5_000, 50_000):
        bomb = opening * depth + ("1" if opening != "[" else "") + closing * depth
        for key in ("I", "nm", "l", "liC", "br", "avT", "tt", "IsOcc", "zz"):
            survive(reply(row("1"), row("2", **{key: "@"})).replace(b'"@"', bomb.encode()))
        for place in ("message", "status", "code"):
            survive(as_bytes(envelope(**{place: "@"})).replace(b'"@"', bomb.encode()))
        survive(reply(row("1"), "@").replace(b'"@"', bomb.encode()))
        survive(reply(row("1"), lA="@").replace(b'"@"', bomb.encode()))


def seconds_to_read(body: bytes) -> float:
    """Of this thread's work alone, so that it does not matter what else the machine does."""

    def once() -> float:
        started = time.thread_time()
        survive(body)
        return time.thread_time() - started

    return min(once() for _ in range(3))


# Replies of which something is there `n` times as often, or is `n` times as long.
BIG: dict[str, Callable[[int], bytes]] = {
    "many rows": lambda n: reply(*[row(number) for number in range(300 * n)]),
    "many rows of one agent": lambda n: reply(*[row("1") for _ in range(300 * n)]),
    "many bad rows": lambda n: reply(*[row(number, tC=-1) for number in range(300 * n)]),
    "many nulls": lambda n: reply(*[None] * 5_000 * n),
    "a long name": lambda n: reply(row(nm="x" * 100_000 * n)),
    "a long number": lambda n: reply(row(tC="9" * 100_000 * n)),
    "long durations": lambda n: reply(row(avT=["9" * 100_000 * n] * 3)),
    "a triple of many": lambda n: reply(row(avT=[0] * 30_000 * n)),
    "many unknown keys": lambda n: reply(row(**{f"k{number}": number for number in range(5_000 * n)})),
    "many details": lambda n: reply(row(l={f"k{number}": number for number in range(5_000 * n)})),
    "many totals": lambda n: reply(row(), **{f"k{number}": number for number in range(5_000 * n)}),
    "long words": lambda n: as_bytes(envelope(message="x" * 100_000 * n)),
    "many blanks": lambda n: b" " * 100_000 * n + b"<",
    "a long fraction": lambda n: b'{"code": 0.' + b"1" * 100_000 * n + b"}",
}


@pytest.mark.parametrize("make", BIG.values(), ids=BIG)
def test_a_reply_ten_times_as_big_takes_ten_times_as_long(make: Callable[[int], bytes]) -> None:
    ratio = seconds_to_read(make(10)) / seconds_to_read(make(1))
    assert ratio < 60  # 10 where time is linear, 100 where it is quadratic


def test_a_reply_error_holds_no_more_of_the_reply_than_a_person_can_read() -> None:
    for body in (b"x" * 10_000, as_bytes(envelope(message=["x" * 10_000])), reply(pr="x" * 10_000)):
        with pytest.raises(ReplyError) as raised:
            decode_snapshot(body)
        assert len(str(raised.value)) < 250


def test_a_decoded_snapshot_is_json_whatever_was_kept_of_the_reply() -> None:
    snapshot = decode_snapshot(BYTES.replace(b'"late"', b"1e999"))
    json.dumps(dict(snapshot.extra), allow_nan=False)
