"""Rows and totals: every key there is, in every form it may come in, and what is quarantined."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from deepcall_async import (
    Agent,
    AgentState,
    Break,
    Call,
    ClockSource,
    FloorTotals,
    Login,
    Quarantined,
    ReplyError,
    Snapshot,
)
from deepcall_async._wire.decoder import decode_snapshot
from deepcall_async._wire.encoder import encode_snapshot
from deepcall_async._wire.rows import MOST_ROWS
from deepcall_async._wire.unread import MOST_LISTED

from .replies import CLOCK, NOW, ago, as_bytes, decode, decode_one, envelope, login, message, reply, row
from .wrong import DURATIONS, TYPES, WRONG

BUSY = {
    "nm": "Asha",
    "I": "7",
    "IsOcc": 1,
    "l": {"type": "Web", "duration": ["1", "00", "00"]},
    "ml": {"type": "App", "duration": ["0", "30", "00"]},
    "liC": {"callId": "c1", "duration": ["0", "00", "20"]},
    "br": {"type": "Lunch", "duration": ["0", "02", "00"]},
    "tt": 125.5,
    "tC": 3,
    "ataT": ["0", "00", "41"],
    "avT": ["0", "10", "00"],
    "avD": CLOCK - 600,
    "mic_perm": 1,
    "sip_status": "online",
}
BUSY_AGENT = Agent(
    id="7",
    name="Asha",
    login=Login("Web", ago(hours=1), {"type": "Web"}),
    mobile_login=Login("App", ago(minutes=30), {"type": "App"}),
    available_since=ago(minutes=10),
    call=Call(ago(seconds=20), {"callId": "c1"}),
    on_break=Break("Lunch", ago(minutes=2), {"type": "Lunch"}),
    is_occupied=True,
    calls=3,
    talk_time=timedelta(seconds=125.5),
    average_talk_time=timedelta(seconds=41),
    microphone_permitted=True,
    sip_status="online",
)
TOTALS = {"oCA": 1, "oBA": 2, "lA": 3, "Dia": 4, "Ring": 5, "sip": 6, "mic": 7}
LIST, OBJECT = ["x"], {"x": 1}
EACH_WRONG = [(key, value) for key, values in WRONG.items() for value in values]


def test_every_documented_and_every_observed_key_has_its_place_in_the_model() -> None:
    snapshot = decode(BUSY, **TOTALS)
    assert snapshot.agents == {"7": BUSY_AGENT}
    assert snapshot.totals == FloorTotals(
        on_call=1, on_break=2, logged_in=3, after_call_work=4, ringing=5, sip=6, microphones=7
    )
    assert snapshot.unknown_keys == snapshot.extra == {}
    assert snapshot.quarantined == ()


def test_a_row_with_every_key_survives_the_way_there_and_back_byte_for_byte() -> None:
    body = json.dumps(envelope(message=message(BUSY, **TOTALS)), separators=(",", ":")).encode()
    assert encode_snapshot(decode_snapshot(body)) == body


def test_numbers_as_strings_are_the_same_values() -> None:
    as_text = {
        **BUSY,
        "IsOcc": "1",
        "tt": "125.5",
        "tC": "3",
        "avD": str(CLOCK - 600),
        "mic_perm": "1",
    }
    assert decode(as_text, **{key: str(count) for key, count in TOTALS.items()}) == decode(BUSY, **TOTALS)


def test_strings_as_numbers_are_the_same_values() -> None:
    as_numbers = {
        **BUSY,
        "I": 7,
        "l": {"type": "Web", "duration": [1, 0, 0]},
        "ml": {"type": "App", "duration": [0, 30, 0]},
        "liC": {"callId": "c1", "duration": [0, 0, 20]},
        "br": {"type": "Lunch", "duration": [0, 2, 0]},
        "ataT": [0, 0, 41],
        "avT": [0, 10, 0],
    }
    assert decode(as_numbers) == decode(BUSY)
    assert decode_one(nm=5, sip_status=1).name == "5"
    assert decode_one(nm=5, sip_status=1).sip_status == "1"


@pytest.mark.parametrize("sent", [None, ...], ids=["null", "left out"])
def test_a_key_that_is_null_or_left_out_is_not_sent_and_never_zero(sent: Any) -> None:
    keys = [key for key in WRONG if key != "I"]
    agent = decode_one(**dict.fromkeys(keys, sent))
    assert agent == Agent(id="1")
    assert agent.state is AgentState.LOGGED_OUT


@pytest.mark.parametrize("sent", [None, ...], ids=["null", "left out"])
def test_a_total_that_is_null_or_left_out_is_not_sent_and_never_zero(sent: Any) -> None:
    assert decode(row(), **dict.fromkeys(TOTALS, sent)).totals == FloorTotals()


def test_zero_and_an_empty_counter_are_not_the_same() -> None:
    assert decode_one(tC=0, tt=0, ataT=["0", "00", "00"]).calls == 0
    assert decode_one(tC=0, tt=0).talk_time == timedelta(0)
    assert decode_one(tC="", tt="", ataT=[]).calls is None
    assert decode_one(tC="", tt="", ataT=[]).average_talk_time is None


@pytest.mark.parametrize(("key", "value"), EACH_WRONG, ids=repr)
def test_a_value_of_the_wrong_type_quarantines_its_row_and_no_other(key: str, value: Any) -> None:
    bad = row("2", **{key: value})
    snapshot = decode(row("1"), bad, row("3"))
    assert list(snapshot.agents) == ["1", "3"]
    assert snapshot.agents["1"] == decode(row("1")).agents["1"]
    (part,) = snapshot.quarantined
    assert part.path == f"message.pr[1].{key}"
    assert part.reason.startswith("expected ")
    assert ", got " in part.reason
    assert part.row == 1
    assert part.raw == bad
    assert part.agent_id == (None if key == "I" else "2")


@pytest.mark.parametrize("key", ["l", "ml"])
@pytest.mark.parametrize("duration", DURATIONS, ids=repr)
def test_a_login_whose_duration_cannot_be_read_is_quarantined_at_its_duration(
    key: str, duration: Any
) -> None:
    (part,) = decode(row("1"), row("2", **{key: {"type": "Web", "duration": duration}})).quarantined
    assert part.path == f"message.pr[1].{key}.duration"
    assert part.agent_id == "2"


@pytest.mark.parametrize("key", ["l", "ml"])
@pytest.mark.parametrize("kind", TYPES, ids=repr)
def test_a_login_whose_type_cannot_be_read_is_quarantined_at_its_type(key: str, kind: Any) -> None:
    (part,) = decode(row("1"), row("2", **{key: {"type": kind, "duration": ["0", "00", "01"]}})).quarantined
    assert part.path == f"message.pr[1].{key}.type"
    assert "expected a string" in part.reason


@pytest.mark.parametrize("bad", [None, 5, 7.5, True, "No", [], ["nm"], ["I", "nm"]], ids=repr)
def test_a_row_that_is_no_object_is_quarantined_without_an_id(bad: Any) -> None:
    snapshot = decode(bad, row("1"))
    assert list(snapshot.agents) == ["1"]
    (part,) = snapshot.quarantined
    assert part == Quarantined(path="message.pr[0]", reason=part.reason, row=0, agent_id=None, raw=bad)
    assert part.reason == f"expected an object, got {bad!r}"


def test_a_row_without_an_id_is_quarantined_at_the_id() -> None:
    (part,) = decode(row(...), row("1")).quarantined
    assert (part.path, part.reason, part.agent_id) == ("message.pr[0].I", "missing", None)


def test_a_second_row_of_one_agent_is_quarantined_and_the_first_one_stands() -> None:
    snapshot = decode(row("1", nm="first"), row(1, nm="second", zz=1))
    assert snapshot.agents["1"].name == "first"
    assert snapshot.unknown_keys == {}
    (part,) = snapshot.quarantined
    assert (part.path, part.reason, part.row, part.agent_id) == (
        "message.pr[1].I",
        "second row of this agent",
        1,
        "1",
    )


def test_each_bad_row_is_quarantined_for_itself() -> None:
    snapshot = decode(row("1", tC=-1), row("2"), None, row("4", avT="x"))
    assert list(snapshot.agents) == ["2"]
    assert [part.path for part in snapshot.quarantined] == [
        "message.pr[0].tC",
        "message.pr[2]",
        "message.pr[3].avT",
    ]


def test_of_very_many_bad_parts_the_first_are_listed_and_all_are_counted() -> None:
    good = [row(number) for number in range(250)]
    spoilt = [row(f"x{number}", tC=-1) for number in range(150)]
    others = [row("0"), row("x0", avT=5), None, 5, row(None), row([]), {}]
    beside = {f"k{number}": DEEP for number in range(30)}
    snapshot = decode(*good, *spoilt, *others, oCA="x", **beside)
    assert len(snapshot.quarantined) == MOST_LISTED
    assert [part.row for part in snapshot.quarantined] == list(range(250, 250 + MOST_LISTED))
    assert snapshot.quarantined_count == 150 + len(others) + 1 + len(beside)
    ids = [f"x{number}" for number in range(150)]
    assert dict(snapshot.unread_rows) == dict.fromkeys(ids, 1) | {"x0": 2, "0": 1} | {None: 5}


def test_a_snapshot_made_by_hand_counts_what_it_lists() -> None:
    parts = decode(row("1", tC=-1), None, row("2"), lA="x").quarantined
    made = Snapshot(
        agents={}, totals=FloorTotals(), server_time=NOW, clock_source=ClockSource.DATE, quarantined=parts
    )
    assert (made.quarantined_count, made.unread_rows) == (3, {"1": 1, None: 1})


@pytest.mark.parametrize(("bad", "good"), [(3, 0), (4, 4), (3, 2), (50, 50)])
def test_a_few_bad_rows_or_as_many_as_good_ones_are_quarantined(bad: int, good: int) -> None:
    rows = [*[row(number) for number in range(good)], *[row(f"x{number}", tC=-1) for number in range(bad)]]
    snapshot = decode_snapshot(reply(*rows), date=NOW)
    assert (len(snapshot.agents), snapshot.quarantined_count) == (good, bad)


@pytest.mark.parametrize(("bad", "good"), [(4, 0), (4, 3), (51, 50), (MOST_ROWS, 0)])
@pytest.mark.parametrize("fault", [{"tC": -1}, {"I": []}])
def test_a_reply_most_of_whose_rows_cannot_be_read_is_no_floor(
    bad: int, good: int, fault: dict[str, Any]
) -> None:
    rows = [*[row(number) for number in range(good)], *[row(f"x{number}", **fault) for number in range(bad)]]
    with pytest.raises(ReplyError, match=rf"most of the {bad + good} rows cannot be read.*pr\[{good}\]"):
        decode_snapshot(reply(*rows), date=NOW)


def test_rows_that_are_all_of_one_agent_are_no_floor() -> None:
    with pytest.raises(ReplyError, match="second row of this agent"):
        decode(*[row("1")] * 9)


def test_more_rows_than_any_floor_has_are_refused() -> None:
    body = reply(row("1")).replace(b'"pr": [', b'"pr": [' + b"{}," * MOST_ROWS)
    with pytest.raises(ReplyError, match=f"{MOST_ROWS + 1} rows, and no floor has more than {MOST_ROWS}"):
        decode_snapshot(body)


@pytest.mark.parametrize("key", TOTALS)
@pytest.mark.parametrize("value", [-1, 1.5, "x", True, [], {}, LIST, OBJECT], ids=repr)
def test_a_total_of_the_wrong_type_is_quarantined_and_the_rest_stands(key: str, value: Any) -> None:
    snapshot = decode(row(), **{**TOTALS, key: value})
    good = decode(row(), **{**TOTALS, key: ...})
    assert snapshot.agents == good.agents
    assert snapshot.totals == good.totals
    (part,) = snapshot.quarantined
    assert (part.path, part.row, part.agent_id, part.raw) == (f"message.{key}", None, None, value)
    assert part.reason.startswith("expected ")


def test_unknown_keys_are_kept_with_their_agent_counted_and_encoded_back() -> None:
    snapshot = decode(
        row("1", team={"id": 9}, skill=None), row("2", team=[1]), row("3"), shift="late", queue={"a": [1]}
    )
    assert snapshot.agents["1"].extra == {"team": {"id": 9}, "skill": None}
    assert snapshot.agents["3"].extra == {}
    assert snapshot.unknown_keys == {"team": 2, "skill": 1}
    assert snapshot.extra == {"shift": "late", "queue": {"a": [1]}}
    assert decode_snapshot(encode_snapshot(snapshot)) == snapshot


def test_unknown_keys_stay_in_the_order_of_the_wire() -> None:
    many = {f"k{number}": number for number in range(30, 0, -1)}
    snapshot = decode(row(**many), **many)
    assert list(snapshot.extra) == list(many)
    assert list(snapshot.agents["1"].extra) == list(many)
    assert list(snapshot.unknown_keys) == list(many)
    spoilt = decode(row(), **dict.fromkeys(many, DEEP)).quarantined
    assert [part.path for part in spoilt] == [f"message.{key}" for key in many]


def test_the_keys_beside_the_message_are_of_no_account() -> None:
    assert decode_snapshot(as_bytes({"x": 1, **envelope(), "took": 5})) == decode(row())


def test_the_last_of_two_equal_keys_counts() -> None:
    body = reply(row(), row("2")).replace(b'"I": "1"', b'"I": "8", "I": "9"')
    assert list(decode_snapshot(body).agents) == ["9", "2"]


@pytest.mark.parametrize(
    ("sent", "name"),
    [
        ("\x00\x1b[31m\n\u202e", "\x00\x1b[31m\n\u202e"),
        ("a\ud800b", "a\ufffdb"),
        ("\ud83d\ude00", "\U0001f600"),
        ("आशा", "आशा"),
        ("", ""),
    ],
    ids=["control characters", "lone surrogate", "pair of surrogates", "Hindi", "empty"],
)
def test_a_name_is_kept_as_sent_but_can_always_be_encoded(sent: str, name: str) -> None:
    assert decode_one(nm=sent).name == name
    name.encode()


def test_a_login_type_and_a_break_reason_can_always_be_encoded() -> None:
    for sent in ("a\ud800b", {"type": "a\ud800b"}):
        agent = decode_one(l=sent, br=sent)
        assert agent.login
        assert agent.on_break
        assert agent.login.type == agent.on_break.reason == "a\ufffdb"


def test_a_number_beyond_a_float_spoils_only_its_own_field() -> None:
    body = reply(row("1", tt="@"), row("2", zz="@"), row("3")).replace(b'"@"', b"1e400")
    snapshot = decode_snapshot(body)
    assert [part.path for part in snapshot.quarantined] == ["message.pr[0].tt"]
    assert snapshot.agents["2"].extra == {"zz": "1e400"}
    assert decode_snapshot(encode_snapshot(snapshot)).agents == snapshot.agents


DEEP = json.loads("[" * 60 + "]" * 60)


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"zz": DEEP}, "zz"),
        ({"liC": {"a": DEEP}}, "liC"),
        ({"liC": DEEP}, "liC"),
        ({"br": {"duration": ["0", "00", "01"], "a": DEEP}}, "br.a"),
        ({"l": {"type": "Web", "a": DEEP}}, "l.a"),
        ({"l": {"type": DEEP}}, "l.type"),
        ({"nm": DEEP}, "nm"),
        ({"avT": DEEP}, "avT"),
    ],
    ids=str,
)
def test_what_is_nested_too_deeply_to_be_kept_is_quarantined_and_not_kept(
    changes: dict[str, Any], path: str
) -> None:
    snapshot = decode(row("1"), row("2", **changes))
    assert list(snapshot.agents) == ["1"]
    (part,) = snapshot.quarantined
    assert (part.path, part.agent_id, part.raw) == (f"message.pr[1].{path}", "2", None)


def test_what_is_nested_too_deeply_beside_the_rows_is_quarantined_and_not_kept() -> None:
    snapshot = decode(row(), DEEP, shift=DEEP, lA=DEEP, ok=[1])
    assert list(snapshot.agents) == ["1"]
    assert snapshot.extra == {"ok": [1]}
    assert {(part.path, part.raw) for part in snapshot.quarantined} == {
        ("message.pr[1]", None),
        ("message.shift", None),
        ("message.lA", None),
    }


def test_the_order_of_the_rows_is_the_order_of_the_wire() -> None:
    assert list(decode(*(row(number) for number in (3, 1, 2))).agents) == ["3", "1", "2"]


def test_a_reply_is_read_whatever_the_order_of_its_keys() -> None:
    def turned(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: turned(value[key]) for key in reversed(value)}
        return (
            [turned(part) for part in value]
            if isinstance(value, list) and value and isinstance(value[0], dict)
            else value
        )

    plain = envelope(message=message(BUSY, row("1", l=login()), **TOTALS))
    assert decode_snapshot(as_bytes(turned(plain))) == decode_snapshot(as_bytes(plain))


def test_the_server_time_of_a_row_is_its_origins_zero() -> None:
    assert decode_one(l=login("0", "00", "00")).login == Login("Web", NOW, {"type": "Web"})
