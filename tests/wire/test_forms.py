"""The forms of single values: what is taken, what it becomes, and what is refused with which words."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, strategies as st

from deepcall_async._model.checks import is_shallow
from deepcall_async._wire import scalars as forms
from deepcall_async._wire.scalars import Unreadable

Form = Callable[..., Any]

JSON_NUMBER_FORMS = [(7, 7), ("7", 7), (" 7 ", 7), ("007", 7), (7.0, 7), ("7.0", 7), ("7e0", 7), (0, 0)]
NO_NUMBERS: list[Any] = [
    True,
    False,
    -1,
    "-1",
    "x",
    "0x7",
    "7 8",
    "1_0",
    "NaN",
    "Infinity",
    "1e400",
    [],
    [7],
    {},
    {"a": 1},
]

EMPTY: list[Any] = [[], {}]
NO_TEXTS: list[Any] = [True, False, [], {}, ["a"], {"a": 1}]

TAKEN: list[tuple[Form, Any, Any]] = [
    *((forms.number, value, taken) for value, taken in JSON_NUMBER_FORMS),
    *((forms.integer, value, taken) for value, taken in JSON_NUMBER_FORMS),
    *((forms.seconds, value, taken) for value, taken in JSON_NUMBER_FORMS),
    (forms.number, 7.25, 7.25),
    (forms.number, "7.25", 7.25),
    (forms.number, -0.0, 0),
    (forms.number, 2**53, 2**53),
    *((form, none, None) for form in (forms.number, forms.integer, forms.seconds) for none in (None, "")),
    (forms.seconds, 3_600_000_000, 3_600_000_000),
    (forms.text, "Asha", "Asha"),
    (forms.text, "", ""),
    (forms.text, "आशा 😀", "आशा 😀"),
    (forms.text, 7, "7"),
    (forms.text, 7.5, "7.5"),
    (forms.text, None, None),
    (forms.text, "a\ud800b", "a\ufffdb"),
    (forms.text, "a\x00\x1b[31m", "a\x00\x1b[31m"),
    (forms.identity, "468", "468"),
    (forms.identity, 468, "468"),
    (forms.identity, " 05\n", "05"),
    (forms.identity, "a-b", "a-b"),
    *((forms.flag, value, True) for value in (1, "1", True, 1.0)),
    *((forms.flag, value, False) for value in (0, "0", False, "00")),
    *((forms.flag, value, None) for value in (None, "")),
    (forms.epoch_seconds, 1731759565, 1731759565),
    (forms.epoch_seconds, "1731759565", 1731759565),
    *((forms.epoch_seconds, value, None) for value in (None, "", 0, "0")),
    (forms.elapsed, ["3434", "36", "12"], 12_364_572),
    (forms.elapsed, [3434, 36, 12], 12_364_572),
    (forms.elapsed, ["0", "00", "00"], 0),
    (forms.elapsed, ["0", "60", "60"], 3660),
    (forms.elapsed, [1_000_000, 0, 0], 3_600_000_000),
    (forms.elapsed, ["999999", "59", "59"], 3_599_999_999),
    (forms.elapsed, ["1", 2.0, "03"], 3723),
    *((forms.elapsed, value, None) for value in (None, "", *EMPTY[:1])),
]

REFUSED: list[tuple[Form, Any, str]] = [
    *((forms.number, value, "a number >= 0") for value in (*NO_NUMBERS, 2**53 + 2, 10**400)),
    *((forms.integer, value, "a number >= 0") for value in (*NO_NUMBERS, 10**400)),
    *((forms.integer, value, "a whole number >= 0") for value in (7.5, "7.5")),
    *((forms.seconds, value, "a number >= 0") for value in NO_NUMBERS),
    *((forms.seconds, value, "seconds") for value in (3_600_000_001, 9e14, 2**53)),
    *((forms.text, value, "a string") for value in NO_TEXTS),
    *((forms.identity, value, "an agent id") for value in (None, "", "  ", 7.0, 7.5)),
    *((forms.identity, value, "a string") for value in NO_TEXTS),
    *((forms.flag, value, "0 or 1") for value in (2, "2", 100)),
    *((forms.flag, value, "a number >= 0") for value in (-1, "No", "yes", "true", *EMPTY)),
    *((forms.epoch_seconds, value, "epoch seconds") for value in (32_503_680_001, 1731759565000)),
    *((forms.epoch_seconds, value, "a number >= 0") for value in (-1, "2024-11-16", True, *EMPTY)),
    *(
        (forms.elapsed, value, "[hours, minutes, seconds]")
        for value in (
            *("No", "0:0:5", 5, 5.5, True, {}, {"h": 1}, {"1": 0, "02": 0, "03": 0}, "1:2", "102"),
            *([1], [1, 2], [1, 2, 3, 4], [[1, 2, 3]]),
            *([None, 0, 0], [0, None, 0], [0, 0, None], ["", "", ""]),
            *([0, 61, 0], [0, 0, 61], [1_000_000, 0, 1], [10**15, 0, 0]),
        )
    ),
    *(
        (forms.elapsed, value, "number >= 0")
        for value in ([-1, 0, 0], [0, 0, -1], [0, 0, 1.5], ["0", "00", "1.5"], ["a", "b", "c"], [0, 0, [1]])
    ),
]


def named(case: Any) -> str | None:
    return case.__name__ if callable(case) else None


@pytest.mark.parametrize(("form", "value", "taken"), TAKEN, ids=named)
def test_a_value_is_taken_in_each_form_it_may_come_in(form: Form, value: Any, taken: Any) -> None:
    result = form(value)
    assert result == taken
    assert type(result) is type(taken)


@pytest.mark.parametrize(("form", "value", "wanted"), REFUSED, ids=named)
def test_nonsense_is_refused_and_the_words_say_what_was_wanted_and_what_came(
    form: Form, value: Any, wanted: str
) -> None:
    with pytest.raises(Unreadable) as refused:
        form(value)
    assert wanted in str(refused.value)
    assert ", got " in str(refused.value)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (["0", "01", "05"], 65),
        ([0, 1, 5], 65),
        ("0:01:05", 65),
        ("00:01:05", 65),
        ("100:00:00", 360_000),
        (65, 65),
        ("65", 65),
        (65.9, 65),
        (0, 0),
        (None, None),
        ("", None),
        ([], None),
    ],
)
def test_an_elapsed_time_whose_form_nobody_has_seen_is_read_as_triple_as_seconds_or_as_a_clock(
    value: Any, seconds: int | None
) -> None:
    assert forms.any_elapsed(value) == seconds


@pytest.mark.parametrize(
    "value",
    [
        *("soon", "1:2", "1:2:3:4", "a:b:c", "0:99:00", "-1:00:00", "2024-11-16 12:00:00"),
        *(-1, -1.5, True, False, 10**15, 2**53, 10**400, 1e300),
        *([1, 2], [1, 2, 3, 4], [0, 99, 0], ["a", "b", "c"], [-1, 0, 0]),
        *({}, {"h": 1}, [[]], [{}]),
    ],
)
def test_an_elapsed_time_that_cannot_be_read_is_not_known_rather_than_wrong(value: Any) -> None:
    assert forms.any_elapsed(value) is None


@pytest.mark.parametrize(
    ("seconds", "triple"),
    [
        (0, ["0", "00", "00"]),
        (5, ["0", "00", "05"]),
        (65, ["0", "01", "05"]),
        (3599, ["0", "59", "59"]),
        (3600, ["1", "00", "00"]),
        (12_364_572, ["3434", "36", "12"]),
    ],
)
def test_seconds_are_written_as_the_wire_does_hours_bare_and_the_rest_of_two_digits(
    seconds: int, triple: list[str]
) -> None:
    assert forms.to_elapsed(seconds) == triple


@given(st.integers(0, forms.MAX_HOURS * 3600))
def test_what_is_written_as_elapsed_is_read_again(seconds: int) -> None:
    assert forms.elapsed(forms.to_elapsed(seconds)) == seconds
    assert forms.any_elapsed(":".join(forms.to_elapsed(seconds))) == seconds


def test_a_long_value_is_cut_in_the_message() -> None:
    with pytest.raises(Unreadable) as refused:
        forms.number("x" * 1_000_000)
    assert len(str(refused.value)) < 120


def test_a_message_is_plain_text_whatever_the_value_holds() -> None:
    with pytest.raises(Unreadable) as refused:
        forms.number("\ud800\x1b[31m\n\u202e")
    assert str(refused.value).isascii()
    assert str(refused.value).isprintable()


@pytest.mark.parametrize("depth", [100, 900, 5_000, 100_000])
def test_a_value_nested_deeply_is_refused_like_any_other(depth: int) -> None:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    with pytest.raises(Unreadable, match="expected a number >= 0, got"):
        forms.number(value)


def test_nesting_is_measured_without_going_to_the_bottom() -> None:
    value: Any = json.loads("[" * 20 + "]" * 20)
    assert is_shallow(value)
    assert not is_shallow([{"a": [value] * 5}] * 5, levels=10)
    for _ in range(100_000):
        value = {"a": value}
    assert not is_shallow(value)


FORMS: list[Form] = [forms.text, forms.identity, forms.number, forms.integer, forms.seconds, forms.flag]
TIMES: list[Form] = [forms.epoch_seconds, forms.elapsed, forms.any_elapsed]
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(ANYTHING)
def test_a_form_takes_any_json_value_or_refuses_it_as_unreadable(value: Any) -> None:
    for form in FORMS:
        with suppress(Unreadable):
            form(value)
    for form in TIMES:
        with suppress(Unreadable):
            assert 0 <= (form(value) or 0) <= forms.MAX_EPOCH
