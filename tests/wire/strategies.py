"""Hypothesis strategies for the values of the model."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from deepcall_async import Agent, Break, Call, FloorTotals, Login

INSTANTS = st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  # bounds have none
DURATIONS = st.timedeltas(timedelta(0), timedelta(days=40_000))
COUNTS = st.none() | st.integers(0, 2**53)
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
MAYBE_TEXT = st.none() | st.text(max_size=8)
MAYBE_INSTANT = st.none() | INSTANTS

LOGINS = st.builds(Login, MAYBE_TEXT, MAYBE_INSTANT, JSON)
CALLS = st.builds(Call, MAYBE_INSTANT, JSON)
BREAKS = st.builds(Break, MAYBE_TEXT, MAYBE_INSTANT, JSON)
AGENTS = st.builds(
    Agent,
    id=st.text(min_size=1, max_size=8),
    name=MAYBE_TEXT,
    login=st.none() | LOGINS,
    mobile_login=st.none() | LOGINS,
    available_since=MAYBE_INSTANT,
    call=st.none() | CALLS,
    on_break=st.none() | BREAKS,
    is_occupied=st.none() | st.booleans(),
    calls=COUNTS,
    talk_time=st.none() | DURATIONS,
    average_talk_time=st.none() | DURATIONS,
    microphone_permitted=st.none() | st.booleans(),
    sip_status=MAYBE_TEXT,
    extra=st.dictionaries(st.text(max_size=4), JSON, max_size=3),
)
TOTALS = st.builds(
    FloorTotals,
    logged_in=COUNTS,
    on_call=COUNTS,
    on_break=COUNTS,
    after_call_work=COUNTS,
    ringing=COUNTS,
    sip=COUNTS,
    microphones=COUNTS,
)
