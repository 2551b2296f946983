"""What an operator hears of besides the transitions."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from deepcall_async import Gap, LiveUpdate, Outage, Quarantined, Snapshot, TransportError
from deepcall_async._board.notices import Notices

MakeSnapshot = Callable[..., Snapshot]
MakeUpdate = Callable[..., LiveUpdate]
ERROR = TransportError("refused by\x1b host")


def heard(*updates: LiveUpdate) -> list[str]:
    notices = Notices()
    return [line for update in updates for line in notices.of(update)]


def test_an_outage_is_told_when_it_begins_and_when_it_is_over(
    make_snapshot: MakeSnapshot, make_update: MakeUpdate
) -> None:
    snapshot, later = make_snapshot(), make_snapshot(after=20)
    failed = [
        make_update(snapshot=snapshot, outage=Outage(since=snapshot.server_time, failures=n, error=ERROR))
        for n in (1, 2, 3)
    ]
    gap = Gap(since=snapshot.server_time, until=later.server_time, failures=3, error=ERROR)
    over = make_update(snapshot=later, gap=gap)
    assert heard(make_update(snapshot=snapshot), *failed, over) == [
        "2024-11-16 12:19:25+00:00: 1 poll has failed: refused by\ufffd host",
        "not watched for 0:20, from 2024-11-16 12:19:25+00:00 to 2024-11-16 12:19:45+00:00: "
        "3 failed polls, the last: refused by\ufffd host",
    ]


def test_a_restart_is_a_gap_without_an_error(make_snapshot: MakeSnapshot, make_update: MakeUpdate) -> None:
    since = make_snapshot().server_time
    gap = Gap(since=since, until=since + timedelta(minutes=1), failures=0)
    update = make_update(snapshot=make_snapshot(after=60), gap=gap)
    assert heard(update)[0].endswith(": a restart")
    assert heard(make_update(), update)[0].endswith(": no poll was made")


@pytest.mark.parametrize(
    ("step", "told"),
    [(-3600, "back by about 1:00:00"), (75, "ahead by about 1:15"), (-5, "back by about 0:05")],
)
def test_a_clock_that_was_set_is_told_with_the_way_and_the_size(
    step: int, told: str, make_snapshot: MakeSnapshot, make_update: MakeUpdate
) -> None:
    quiet = make_update(snapshot=make_snapshot())
    update = make_update(snapshot=make_snapshot(), clock_step=timedelta(seconds=step))
    assert heard(quiet, update, quiet) == [
        f"2024-11-16 12:19:25+00:00: the server's clock was set {told}; times are now told by it"
    ]


def test_every_answer_that_is_not_believed_is_told(
    make_snapshot: MakeSnapshot, make_update: MakeUpdate
) -> None:
    update = make_update(snapshot=make_snapshot(), held=("no rows", "lA is 4"))
    assert heard(update) == ["2024-11-16 12:19:25+00:00: the answer is not believed yet: no rows; lA is 4"]


def test_an_unreadable_row_is_told_once_and_again_when_it_comes_back(
    make_snapshot: MakeSnapshot, make_update: MakeUpdate
) -> None:
    part = Quarantined(path="message.pr[3].avT", reason="expected a list", row=3, agent_id="7")
    bad = make_update(snapshot=make_snapshot(quarantined=(part,)))
    good = make_update(snapshot=make_snapshot())
    told = "cannot read message.pr[3].avT: expected a list; its last known value stands"
    assert heard(bad, bad, good, bad) == [told, told]


def test_parts_that_are_not_listed_are_told_as_a_number_once(
    make_snapshot: MakeSnapshot, make_update: MakeUpdate
) -> None:
    part = Quarantined(path="message.pr[0]", reason="no object", row=0)
    more = make_update(snapshot=make_snapshot(quarantined=(part,), quarantined_count=8))
    told = ["cannot read message.pr[0]: no object; its last known value stands", "cannot read 7 more"]
    assert heard(more, more, make_update(snapshot=make_snapshot()), more) == told + told
