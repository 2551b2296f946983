"""When a run saves where it stands."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from deepcall_async import ConfigurationError, LiveFloor, LiveUpdate, load_checkpoint
from deepcall_async.cli._arguments import CHECKPOINT_EVERY
from deepcall_async.cli._checkpoints import Checkpoints, checkpoints
from deepcall_async.simulator import Floor


class Clock:
    """Seconds that pass when told to."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def live_updates() -> Iterator[LiveUpdate]:
    """A calm floor, polled every second."""
    floor, live = Floor(5, seed=1), LiveFloor()
    for second in range(300):
        yield live.receive(floor.reply(floor.start + second))


def quiet_then_news() -> tuple[LiveUpdate, list[LiveUpdate], LiveUpdate]:
    """A baseline, some quiet updates, and the first one after them with news."""
    baseline, *others = live_updates()
    at = next(n for n, update in enumerate(others) if update.transitions and n > 2)
    assert not any(update.transitions for update in others[:at])
    return baseline, others[:at], others[at]


def saved(path: Path) -> object:
    """The sequence number of the update whose checkpoint is in the file."""
    checkpoint = load_checkpoint(path)
    return checkpoint and checkpoint["sequence"]


def files_beside(path: Path) -> list[str]:
    return [file.name for file in path.parent.iterdir()]


def go(kept: Checkpoints, *updates: LiveUpdate) -> None:
    """Deliver what these tell."""
    for update in updates:
        with kept.delivery(update, told(update)):
            pass


def told(update: LiveUpdate) -> list[str]:
    return [transition.id for transition in update.transitions]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "checkpoint"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def kept(path: Path, clock: Clock) -> Checkpoints:
    return Checkpoints(path, clock=clock)


def test_news_is_saved_before_it_is_printed_and_struck_out_after(kept: Checkpoints, path: Path) -> None:
    baseline, quiet, news = quiet_then_news()
    go(kept, baseline, *quiet)
    assert saved(path) == 0
    with kept.delivery(news, told(news)):
        assert saved(path) == news.sequence
        assert list(Checkpoints(path, load_checkpoint(path)).undelivered()) == told(news)
    assert saved(path) == news.sequence
    assert list(Checkpoints(path, load_checkpoint(path)).undelivered()) == []


def test_what_a_print_that_failed_left_over_is_printed_by_the_next_run_once(path: Path) -> None:
    baseline, quiet, news = quiet_then_news()
    with suppress(BrokenPipeError), checkpoints(path) as kept:
        go(kept, baseline, *quiet)
        with kept.delivery(news, told(news)):
            raise BrokenPipeError
    for left in (told(news), []):
        with checkpoints(path) as kept:
            assert list(kept.undelivered()) == left
            assert saved(path) == news.sequence
            assert kept.resume_from == news.checkpoint


def test_a_quiet_floor_is_saved_now_and_then(kept: Checkpoints, path: Path, clock: Clock) -> None:
    baseline, quiet, _ = quiet_then_news()
    go(kept, baseline)
    for number, update in enumerate(quiet[:3], 1):
        clock.now = number * CHECKPOINT_EVERY / 2
        go(kept, update)
    assert saved(path) == quiet[1].sequence


def test_in_the_end_the_last_delivered_update_is_saved(path: Path) -> None:
    baseline, quiet, _ = quiet_then_news()
    with checkpoints(path) as kept:
        go(kept, baseline, quiet[0])
        assert saved(path) == 0
    assert saved(path) == quiet[0].sequence


def test_a_run_without_a_file_keeps_none_and_one_without_an_update_leaves_the_file_alone(path: Path) -> None:
    with checkpoints(None) as kept:
        assert list(kept.undelivered()) == []
        go(kept, next(live_updates()))
    path.write_text('{"deepcall_checkpoint": 1}')
    with checkpoints(path) as kept:
        assert kept.resume_from == {"deepcall_checkpoint": 1}
    assert path.read_text() == '{"deepcall_checkpoint": 1}'
    assert files_beside(path) == [path.name]


def test_what_a_fresh_start_would_overwrite_is_set_aside(
    path: Path, kept: Checkpoints, capsys: pytest.CaptureFixture[str]
) -> None:
    path.write_text("my novel")
    baseline, quiet, news = quiet_then_news()
    go(kept, baseline, *quiet, news)
    assert saved(path) == news.sequence
    assert path.with_name("checkpoint.old").read_text() == "my novel"
    assert capsys.readouterr().err == f"deepcall: what was in {path} is now in {path}.old\n"


def test_a_run_that_goes_on_sets_nothing_aside(path: Path) -> None:
    baseline, quiet, _ = quiet_then_news()
    with checkpoints(path) as kept:
        go(kept, baseline)
    with checkpoints(path) as kept:
        go(kept, quiet[0])
    assert files_beside(path) == [path.name]


@pytest.mark.parametrize("name", ["there/checkpoint", ".", "x" * 300])
def test_a_place_that_can_hold_no_checkpoint_is_refused_before_anything_is_asked(
    name: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigurationError, match="checkpoint"), checkpoints(tmp_path / name):
        pass


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may read everything")
def test_a_checkpoint_that_may_not_be_read_is_a_matter_of_configuration(path: Path) -> None:
    path.touch(mode=0)
    with pytest.raises(ConfigurationError, match="Permission denied"), checkpoints(path):
        pass


def test_a_checkpoint_that_cannot_be_written_is_named(path: Path, kept: Checkpoints) -> None:
    baseline, _, news = quiet_then_news()
    go(kept, baseline)
    path.unlink()
    path.parent.rmdir()
    with pytest.raises(FileNotFoundError) as raised:
        go(kept, news)
    assert raised.value.filename == str(path)
