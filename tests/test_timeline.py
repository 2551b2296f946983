"""The manual's worked timeline is what the code computes."""

from __future__ import annotations

from pathlib import Path

from benchmarks.timeline import picture, polls, table
from deepcall_async import UnseenActivity
from deepcall_async._inference.rules import RULES

DOCS = Path(__file__).parents[1] / "docs"


def test_the_table_of_the_manual_is_computed() -> None:
    assert table() in (DOCS / "promise.md").read_text()


def test_the_picture_of_the_manual_is_computed() -> None:
    assert str(picture()) == (DOCS / "timeline.svg").read_text()


def test_the_rules_of_the_manual_are_those_of_the_code() -> None:
    manual = (DOCS / "promise.md").read_text()
    for rule in RULES:
        assert f"| {rule.seen} | {rule.said} | {rule.time} | {rule.basis} |" in manual


def test_the_hidden_activities_of_the_timeline_are_told_as_such() -> None:
    told = [t for _, transitions in polls() for t in transitions if isinstance(t, UnseenActivity)]
    assert [t.calls for t in told] == [None, 2]
