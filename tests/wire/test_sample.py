"""The vendor's sample, byte for byte: what a human reads off it is what it decodes to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from deepcall_async import Agent, AgentState, ClockSource, FloorTotals, Login
from deepcall_async._wire.decoder import decode_snapshot
from deepcall_async._wire.encoder import encode_snapshot

SAMPLE = (Path(__file__).parents[1] / "data" / "agent_live_sample.json").read_bytes()
SNAPSHOT = decode_snapshot(SAMPLE)


def utc(*parts: int) -> datetime:
    """Year, month, day, hour, minute, second."""
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc, arg-type]  # six parts are no time zone


def agent(
    agent_id: str, name: str, available_since: datetime, logged_in_since: datetime | None = None
) -> Agent:
    """An agent as all ten of the sample are: not occupied, no microphone, phone offline, no counters."""
    return Agent(
        id=agent_id,
        name=name,
        login=Login("Web", logged_in_since, {"type": "Web"}) if logged_in_since else None,
        available_since=available_since,
        is_occupied=False,
        microphone_permitted=False,
        sip_status="offline",
    )


# Read off by hand: `avD` as a date, and the Date header less `l.duration`.
AGENTS = [
    agent("468", "AAKANSHA", utc(2024, 6, 26, 9, 43, 13), utc(2024, 6, 26, 9, 43, 13)),
    agent("6", "Bhawna", utc(2024, 7, 5, 13, 2, 1), utc(2024, 7, 5, 13, 1, 3)),
    agent("3", "bhawesh", utc(2024, 7, 15, 10, 13, 59)),
    agent("7", "Manoj Kumar111", utc(2024, 10, 8, 5, 30, 39)),
    agent("5", "Brijendra", utc(2024, 10, 18, 9, 32, 21), utc(2024, 10, 18, 9, 32, 21)),
    agent("2", "bhawesh", utc(2024, 10, 25, 5, 58, 9)),
    agent("8", "manoj", utc(2024, 10, 25, 7, 0, 46)),
    agent("9", "Sumit", utc(2024, 10, 25, 7, 19, 19)),
    agent("4", "vijay developer", utc(2024, 11, 6, 5, 55, 22), utc(2024, 11, 4, 9, 53, 0)),
    agent("10", "Manoj Kumar111", utc(2024, 11, 16, 11, 9, 43)),
]


def test_the_sample_holds_ten_agents_in_the_order_of_the_wire() -> None:
    assert list(SNAPSHOT.agents) == ["468", "6", "3", "7", "5", "2", "8", "9", "4", "10"]


@pytest.mark.parametrize("expected", AGENTS, ids=lambda expected: expected.id)
def test_each_agent_decodes_to_the_values_a_human_reads_off_its_row(expected: Agent) -> None:
    assert SNAPSHOT.agents[expected.id] == expected


def test_the_sample_is_read_whole() -> None:
    assert SNAPSHOT.quarantined == ()
    assert SNAPSHOT.unknown_keys == {}
    assert SNAPSHOT.extra == {}


def test_the_totals_are_those_of_the_sample() -> None:
    assert SNAPSHOT.totals == FloorTotals(
        logged_in=4, on_call=0, on_break=0, after_call_work=0, ringing=0, sip=0, microphones=0
    )


def test_the_server_time_is_that_of_the_date_header_and_comes_from_the_rows_alone() -> None:
    assert SNAPSHOT.server_time == utc(2024, 11, 16, 12, 19, 25)
    assert SNAPSHOT.clock_source is ClockSource.ROWS
    assert SNAPSHOT.clock_spread == timedelta(0)
    assert SNAPSHOT.received_at is None


def test_the_server_counts_as_many_logged_in_agents_as_there_are_rows_with_a_login() -> None:
    assert [agent.id for agent in SNAPSHOT.logged_in] == ["468", "6", "5", "4"]
    assert SNAPSHOT.totals.logged_in == len(SNAPSHOT.logged_in)


def test_a_state_of_the_sample_is_logged_out_or_available() -> None:
    states = {agent.id: agent.state for agent in SNAPSHOT.agents.values()}
    available = {key for key, state in states.items() if state is AgentState.AVAILABLE}
    assert available == {"468", "6", "5", "4"}
    assert set(states.values()) == {AgentState.AVAILABLE, AgentState.LOGGED_OUT}


def test_encoding_the_decoded_sample_gives_its_1598_bytes_back() -> None:
    assert len(SAMPLE) == 1598
    assert encode_snapshot(SNAPSHOT) == SAMPLE
