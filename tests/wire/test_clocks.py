"""The server's time of a reply, and which clock the origins of a row are computed from."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from deepcall_async import ClockSource, ReplyError, Snapshot
from deepcall_async._wire.decoder import decode_snapshot
from deepcall_async._wire.encoder import encode_snapshot

from .replies import CLOCK, NOW, ago, decode, login, reply, row

DATE = NOW + timedelta(minutes=7)
LOCAL = NOW + timedelta(hours=5)
IST = timezone(timedelta(hours=5, minutes=30))


def at(agent_id: int, offset: int, **changes: Any) -> dict[str, Any]:
    """A row whose own clock is so many seconds off the floor's; a minute logged in, a minute available."""
    return row(
        agent_id,
        avD=CLOCK + offset - 60,
        avT=["0", "01", "00"],
        **{"l": login("0", "01", "00"), **changes},
    )


def logins(snapshot: Snapshot) -> list[datetime | None]:
    return [agent.login.since if agent.login else None for agent in snapshot.agents.values()]


def clockless(agent_id: str = "1", **changes: Any) -> dict[str, Any]:
    return row(agent_id, **{"avD": ..., "l": login("0", "01", "00"), **changes})


def test_the_most_common_row_clock_is_the_servers_time() -> None:
    snapshot = decode(at(1, 0), at(2, 0), at(3, 1))
    assert (snapshot.server_time, snapshot.clock_source) == (NOW, ClockSource.ROWS)
    assert snapshot.clock_spread == timedelta(seconds=1)


def test_of_equally_common_row_clocks_the_later_one_is_the_servers_time() -> None:
    assert decode(at(1, 0), at(2, 1)).server_time == NOW + timedelta(seconds=1)
    assert decode(at(1, 1), at(2, 0)).server_time == NOW + timedelta(seconds=1)


def test_a_second_that_turns_over_within_a_reply_moves_no_origin() -> None:
    torn = decode(at(1, 0), at(2, 0), at(3, 1))
    assert logins(torn) == [ago(minutes=1), ago(minutes=1), ago(seconds=59)]


@pytest.mark.parametrize("offset", [3, -3, 3600, -86_400, 10**9])
def test_an_absurd_row_clock_is_not_believed_and_the_floors_is_used_for_its_origins(offset: int) -> None:
    snapshot = decode(at(1, 0), at(2, 0), at(3, offset))
    assert snapshot.server_time == NOW
    assert snapshot.clock_spread == timedelta(0)
    assert logins(snapshot)[2] == ago(minutes=1)


@pytest.mark.parametrize(
    "changes", [{"avD": ...}, {"avT": ...}, {"avD": 0}, {"avT": []}, {"avT": None}], ids=str
)
def test_a_row_without_a_clock_uses_the_floors_for_its_origins(changes: dict[str, Any]) -> None:
    snapshot = decode(at(1, 0), row(2, **{"l": login("0", "01", "00"), **changes}))
    assert snapshot.server_time == NOW
    assert logins(snapshot)[1] == ago(minutes=1)


def test_where_no_row_carries_a_clock_the_date_header_is_the_servers_time() -> None:
    snapshot = decode_snapshot(reply(clockless()), date=DATE, received_at=LOCAL)
    assert (snapshot.server_time, snapshot.clock_source) == (DATE, ClockSource.DATE)
    assert logins(snapshot) == [DATE - timedelta(minutes=1)]
    assert snapshot.received_at == LOCAL


def test_without_rows_the_date_header_is_the_servers_time() -> None:
    assert decode_snapshot(reply(), date=DATE).server_time == DATE


def test_our_own_clock_is_the_last_resort_and_the_snapshot_says_so() -> None:
    snapshot = decode_snapshot(reply(clockless()), received_at=LOCAL.replace(microsecond=999_999))
    assert (snapshot.server_time, snapshot.clock_source) == (LOCAL, ClockSource.LOCAL)


def test_without_any_clock_a_reply_cannot_be_read_and_the_error_says_what_to_pass() -> None:
    with pytest.raises(ReplyError, match="pass the Date header"):
        decode_snapshot(reply(clockless()))


def test_the_rows_are_believed_before_the_date_header_and_our_own_clock() -> None:
    snapshot = decode_snapshot(reply(at(1, 0)), date=DATE, received_at=LOCAL)
    assert (snapshot.server_time, snapshot.clock_source) == (NOW, ClockSource.ROWS)


def test_a_quarantined_row_has_no_say_in_the_servers_time() -> None:
    assert decode(at(1, 0), at(2, 9, tC=-1), at(3, 9, tC=-1)).server_time == NOW


def test_every_instant_is_utc_whatever_zone_the_caller_speaks_in() -> None:
    snapshot = decode_snapshot(reply(clockless()), date=DATE.astimezone(IST))
    assert snapshot.server_time == DATE
    assert snapshot.server_time.tzinfo is UTC
    assert all(since is not None and since.tzinfo is UTC for since in logins(snapshot))


@pytest.mark.parametrize("offset", [1, 2, 3, 999])
def test_a_row_that_became_available_after_the_servers_time_keeps_its_origins_there_and_back(
    offset: int,
) -> None:
    ahead = row(3, avD=CLOCK + offset, avT=["9", "00", "00"], l=login("0", "01", "00"))
    snapshot = decode(at(1, 0), at(2, 0), ahead)
    assert decode_snapshot(encode_snapshot(snapshot)).agents == snapshot.agents


@pytest.mark.parametrize(
    "changes",
    [
        {"avD": 32_503_680_000, "avT": ["1000000", "00", "00"], "l": login("0", "00", "00")},
        {"avD": 1, "avT": ["0", "00", "00"], "l": login("1000000", "00", "00")},
        {"avD": 1, "avT": ["0", "00", "00"], "liC": {"duration": 3_600_000_000}},
    ],
    ids=["the far future", "a login before time began", "a call before time began"],
)
def test_the_farthest_instants_that_are_read_can_be_told(changes: dict[str, Any]) -> None:
    snapshot = decode(row(**changes))
    assert list(snapshot.agents) == ["1"]
    assert decode_snapshot(encode_snapshot(snapshot)).agents == snapshot.agents


@pytest.mark.parametrize(
    "date",
    [
        datetime(9999, 12, 31, 23, 59, 59, tzinfo=timezone(timedelta(hours=-23))),
        datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC),
        datetime(100, 1, 1, tzinfo=UTC),
        datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=23))),
    ],
    ids=str,
)
def test_a_date_that_can_be_no_server_s_time_is_passed_over(date: datetime) -> None:
    body = reply(clockless(l=login(1_000_000, 0, 0)))
    assert decode_snapshot(body, date=date, received_at=LOCAL).server_time == LOCAL
    with pytest.raises(ReplyError, match="pass the Date header"):
        decode_snapshot(body, date=date)
