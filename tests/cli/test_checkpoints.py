"""When a run saves where it stands. How it does is tested with `CheckpointFile`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deepcall_async import ConfigurationError, LiveFloor, LiveUpdate, load_checkpoint
from deepcall_async.cli import _checkpoints
from deepcall_async.cli._checkpoints import Checkpoints, checkpoints
from deepcall_async.simulator import Floor


def live_updates() -> Iterator[LiveUpdate]:
    """A calm floor, polled every second."""
    floor, live = Floor(5, seed=1), LiveFloor()
    for second in range(300):
        yield live.receive(floor.reply(floor.start + second))


def told(update: LiveUpdate) -> list[str]:
    return [transition.id for transition in update.transitions]


def first_news() -> tuple[LiveUpdate, LiveUpdate, LiveUpdate]:
    """A baseline, a quiet update, and the first one with news."""
    baseline, quiet, *others = live_updates()
    assert not told(quiet)
    return baseline, quiet, next(update for update in others if told(update))


BASELINE, QUIET, NEWS = first_news()


async def go(kept: Checkpoints, *updates: LiveUpdate) -> None:
    """Deliver what these tell."""
    for update in updates:
        async with kept.delivery(update, told(update)):
            pass


def saved(path: Path) -> Any:
    """The sequence number of the update whose checkpoint is in the file."""
    checkpoint = load_checkpoint(path)
    return checkpoint and checkpoint["sequence"]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "checkpoint"


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """The times when what was printed was forced to the disk."""
    times: list[bool] = []
    monkeypatch.setattr(_checkpoints, "settle", lambda: times.append(True))
    return times


async def test_news_is_saved_before_it_is_printed_and_struck_out_once_it_is_on_the_disk(
    path: Path, settled: list[bool]
) -> None:
    async with checkpoints(path) as kept:
        await go(kept, BASELINE, QUIET)
        assert (saved(path), settled) == (0, [])
        async with kept.delivery(NEWS, told(NEWS)):
            assert saved(path) == NEWS.sequence
            assert not settled
        assert settled == [True]
    async with checkpoints(path) as kept, kept.undelivered() as left:
        assert left == []


async def print_and_fail(path: Path) -> None:
    async with checkpoints(path) as kept:
        await go(kept, BASELINE, QUIET)
        async with kept.delivery(NEWS, told(NEWS)):
            raise BrokenPipeError


async def test_what_a_print_that_failed_left_over_is_printed_by_the_next_run_once(
    path: Path, settled: list[bool]
) -> None:
    with pytest.raises(BrokenPipeError):
        await print_and_fail(path)
    assert not settled
    for left in (told(NEWS), []):
        async with checkpoints(path) as kept:
            async with kept.undelivered() as found:
                assert found == left
                assert len(settled) == (left == [])
            assert kept.resume_from == NEWS.checkpoint


async def test_in_the_end_the_last_delivered_update_is_saved(path: Path) -> None:
    async with checkpoints(path) as kept:
        await go(kept, BASELINE, QUIET)
        assert saved(path) == 0
    assert saved(path) == QUIET.sequence


async def test_a_run_without_a_file_keeps_none() -> None:
    async with checkpoints(None) as kept:
        assert kept.resume_from is None
        async with kept.undelivered() as left:
            assert not left
        await go(kept, BASELINE, NEWS)


@pytest.mark.parametrize("name", ["there/checkpoint", ".", "x" * 300])
async def test_a_place_that_can_hold_no_checkpoint_is_refused_before_anything_is_asked(
    name: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigurationError, match="checkpoint"):
        async with checkpoints(tmp_path / name):
            pass
