"""Each variant shows what it says, on a floor of one agent whose life is written out here."""

import json
from typing import Any

import pytest
from attrs import fields

from deepcall_async.simulator import INVENTED, VARIANTS, Fact, Floor, Variant

# A day of one agent: hired at 100, in at 1000, a call with wrap-up, a break, a call without, out at 1600.
LIFE = [
    Fact(at=100.2, agent="7", kind="agent_added", value="Asha 100%"),
    Fact(at=1000.9, agent="7", kind="logged_in", channel="web", began=1000.9),
    Fact(at=1000.9, agent="7", kind="became_available"),
    Fact(at=1010.5, agent="7", kind="updated", field="sip_status", value="online"),
    Fact(at=1010.5, agent="7", kind="updated", field="microphone_permitted", value=True),
    Fact(at=1100.0, agent="7", kind="ring_started", began=1100.0),
    Fact(at=1110.0, agent="7", kind="ring_ended", began=1100.0, answered=True),
    Fact(at=1110.0, agent="7", kind="call_started", began=1110.0),
    Fact(at=1175.0, agent="7", kind="call_ended", began=1110.0, talk_time=65),
    Fact(at=1175.0, agent="7", kind="wrap_up_started", began=1175.0),
    Fact(at=1200.0, agent="7", kind="wrap_up_ended", began=1175.0),
    Fact(at=1200.0, agent="7", kind="became_available"),
    Fact(at=1300.0, agent="7", kind="break_started", began=1300.0, reason="Tea"),
    Fact(at=1400.0, agent="7", kind="break_ended", began=1300.0, reason="Tea"),
    Fact(at=1400.0, agent="7", kind="became_available"),
    Fact(at=1500.0, agent="7", kind="call_started", began=1500.0),
    Fact(at=1511.0, agent="7", kind="call_ended", began=1500.0, talk_time=11),
    Fact(at=1511.0, agent="7", kind="became_available"),
    Fact(at=1600.0, agent="7", kind="logged_out", channel="web", began=1000.9),
]
ABSENT = object()


def row_at(at: float, **options: Any) -> dict[str, Any]:
    floor = Floor(facts=LIFE, start=1001.0, variant=Variant(**options))
    row: dict[str, Any] = json.loads(floor.reply(at))["message"]["pr"][0]
    return row


def test_the_likeliest_row_on_a_call() -> None:
    assert json.dumps(row_at(1115.7, counters_absent_at_zero=False)) == json.dumps(
        {
            "nm": "Asha 100%",
            "I": "7",
            "IsOcc": 1,
            "l": {"type": "Web", "duration": ["0", "01", "55"]},
            "ml": "No",
            "liC": {
                "callId": "1110.7",
                "cType": "IBD",
                "cNumber": "910000001110",
                "duration": ["0", "00", "05"],
            },
            "tt": 0,
            "tC": 0,
            "ataT": ["0", "00", "00"],
            "avT": ["0", "01", "55"],
            "avD": 1000,
            "mic_perm": 1,
            "sip_status": "online",
        }
    )


def test_a_logged_out_agent_has_the_very_keys_of_the_sample() -> None:
    keys = ["nm", "I", "IsOcc", "l", "ml", "avT", "avD", "mic_perm", "sip_status"]
    floor = Floor(facts=LIFE[:1], start=1000.0)
    assert list(json.loads(floor.reply(1000.0))["message"]["pr"][0]) == keys


@pytest.mark.parametrize(
    ("moves_at", "counters"),
    [
        ("call_start", {1109: None, 1110: (1, 0), 1175: (1, 65), 1500: (2, 65), 1511: (2, 76)}),
        ("call_end", {1110: None, 1174: None, 1175: (1, 65), 1500: (1, 65), 1511: (2, 76)}),
        ("wrap_up_end", {1110: None, 1175: None, 1199: None, 1200: (1, 65), 1511: (2, 76)}),
    ],
)
def test_counters_move_when_the_variant_says(
    moves_at: str, counters: dict[float, tuple[int, int] | None]
) -> None:
    for at, expected in counters.items():
        row = row_at(at, counters_move_at=moves_at)
        assert (row["tC"], row["tt"]) == expected if expected else "tC" not in row, at


def test_counters_at_zero_are_absent_or_sent() -> None:
    assert {"tt", "tC", "ataT"}.isdisjoint(row_at(1001))
    sent = row_at(1001, counters_absent_at_zero=False)
    assert (sent["tt"], sent["tC"], sent["ataT"]) == (0, 0, ["0", "00", "00"])


def test_the_average_is_talk_time_by_calls() -> None:
    assert row_at(1511)["ataT"] == ["0", "00", "38"]


@pytest.mark.parametrize(
    ("shape", "call", "rest"),
    [
        ("triple", ["0", "01", "04"], ["0", "01", "30"]),
        ("seconds", 64, 90),
        ("hms", "00:01:04", "00:01:30"),
        ("no_origin", ABSENT, ABSENT),
    ],
)
def test_calls_and_breaks_tell_their_duration_in_the_variants_shape(
    shape: str, call: object, rest: object
) -> None:
    assert row_at(1174, call_shape=shape)["liC"].get("duration", ABSENT) == call
    assert row_at(1390, break_shape=shape)["br"].get("duration", ABSENT) == rest


def test_calls_and_breaks_can_be_a_mere_word() -> None:
    assert row_at(1174, call_shape="word")["liC"] == "Yes"
    assert row_at(1390, break_shape="word")["br"] == "Tea"


def test_a_break_tells_its_reason() -> None:
    assert row_at(1390)["br"] == {"type": "Tea", "duration": ["0", "01", "30"]}


@pytest.mark.parametrize(
    ("shape", "none"),
    [
        ("absent", ABSENT),
        ("null", None),
        ("no", "No"),
        ("empty_string", ""),
        ("empty_list", []),
        ("empty_object", {}),
    ],
)
def test_no_call_and_no_break_look_as_the_variant_says(shape: str, none: object) -> None:
    row = row_at(1250, none_shape=shape)
    assert row.get("liC", ABSENT) == none
    assert row.get("br", ABSENT) == none


@pytest.mark.parametrize("at", [1105, 1150, 1180, 1350], ids=["ringing", "call", "wrap-up", "break"])
def test_availability_is_kept_or_left_out_while_busy(at: int) -> None:
    since = 1200 if at > 1200 else 1000
    assert row_at(at)["avD"] == since
    assert {"avT", "avD"}.isdisjoint(row_at(at, busy_availability="absent"))
    assert row_at(1250, busy_availability="absent")["avD"] == 1200


def test_a_logout_moves_availability_only_where_the_variant_says() -> None:
    assert row_at(1700)["avD"] == 1511
    assert row_at(1700, availability_moves_at_logout=True)["avD"] == 1600


def test_occupied_means_ring_call_and_wrap_up_or_the_call_only() -> None:
    moments = (1050, 1105, 1150, 1180, 1350, 1700)  # idle, ringing, call, wrap-up, break, logged out
    assert [row_at(at)["IsOcc"] for at in moments] == [0, 1, 1, 1, 0, 0]
    assert [row_at(at, occupied_while="call")["IsOcc"] for at in moments] == [0, 0, 1, 0, 0, 0]


def test_numbers_can_come_as_strings() -> None:
    row = row_at(1200, numbers_as_strings=True)
    numbers = [row[key] for key in ("IsOcc", "tt", "tC", "avD", "mic_perm")]
    assert numbers == ["0", "65", "1", "1200", "1"]


def test_jitter_moves_every_elapsed_reading_but_avt_by_a_second_at_most() -> None:
    readings = set()
    for second in range(1111, 1170):
        row = row_at(second, jitter=True, call_shape="seconds")
        assert row["avT"] == ["0", f"{(second - 1000) // 60:02}", f"{(second - 1000) % 60:02}"]
        _, minutes, seconds = map(int, row["l"]["duration"])
        readings.add((minutes * 60 + seconds - (second - 1000), row["liC"]["duration"] - (second - 1110)))
    assert {login for login, _ in readings} == {call for _, call in readings} == {-1, 0, 1}
    assert any(login != call for login, call in readings)


def test_jitter_never_tells_of_less_than_nothing() -> None:
    for tick in range(30):
        at = 1110 + tick / 100
        assert row_at(at, jitter=True, call_shape="seconds")["liC"]["duration"] in (0, 1)


def test_in_a_torn_second_the_later_rows_are_one_second_on() -> None:
    floor = Floor(20, variant=Variant(torn_second=True))
    cuts = set()
    for second in range(40):
        rows = json.loads(floor.reply(floor.start + second))["message"]["pr"]
        clocks = []
        for row in rows:
            hours, minutes, seconds = map(int, row["avT"])
            clocks.append(row["avD"] + hours * 3600 + minutes * 60 + seconds - int(floor.time))
        assert clocks == sorted(clocks)
        assert set(clocks) <= {0, 1}
        cuts.add(sum(clocks))
    assert len(cuts) > 5


def test_a_variant_refuses_words_it_does_not_know() -> None:
    with pytest.raises(ValueError, match="call_shape"):
        Variant(call_shape="round")  # type: ignore[arg-type]


COMBINED = {  # tried in combinations only
    *("talk_time_moves_at", "talk_time_lag", "totals_lag", "unidentified", "elapsed_by"),
    "availability_jitter",
}


def test_the_named_variants_differ_and_try_every_option_that_is_not_tried_in_combinations_only() -> None:
    assert len(set(VARIANTS.values())) == len(VARIANTS)
    likely = VARIANTS["likely"]
    assert likely == Variant()
    for option in [option for option in fields(Variant) if option.name not in COMBINED]:
        assert any(getattr(each, option.name) != getattr(likely, option.name) for each in VARIANTS.values())


def test_what_is_invented_is_named_with_a_word_that_fits_a_header() -> None:
    assert {"liC", "br", "avD", "filter"} <= INVENTED.keys()
    assert all(name.isascii() and ";" not in name for name in INVENTED)
