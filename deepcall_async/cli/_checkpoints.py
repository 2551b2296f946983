"""Where a run stands, kept in a file, so that the next one goes on from there."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from attrs import define, field

from deepcall_async import ConfigurationError, LiveUpdate, load_checkpoint, save_checkpoint

from ._arguments import CHECKPOINT_EVERY
from ._output import naming, settle, tell

UNDELIVERED = "undelivered"  # beside the checkpoint's own keys, which readers of checkpoints do not mind


@contextmanager
def checkpoints(path: Path | None) -> Iterator[Checkpoints]:
    """The checkpoints of a run; the last one is saved in the end, whatever ended it. None: none are kept."""
    kept = Checkpoints(path, resume_from=None if path is None else _load(path))
    try:
        yield kept
    finally:
        kept.save()


@define
class Checkpoints:
    """Saves how far the updates were delivered, that is printed and flushed.

    What an update tells is saved with its checkpoint before it is printed, and struck out after it. So
    a crash in mid-print has the next run print the very same. Without that, the next run would have to
    find it again in what the floor shows by then, and might know a call by other evidence and so by
    another id. A save is a forced write to the disk: a quiet floor is saved only now and then.

    resume_from: the checkpoint the last run left, None at first.
    """

    path: Path | None
    resume_from: dict[str, Any] | None = None
    _clock: Callable[[], float] = time.monotonic
    _unsaved: LiveUpdate | None = field(init=False, default=None)  # delivered, but not on the disk
    _is_begun: bool = field(init=False, default=False)
    _saved_at: float = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._saved_at = self._clock()

    def undelivered(self) -> Iterator[Any]:
        """What the last run may not have printed: to be printed first."""
        if self.path is None or self.resume_from is None:
            return
        left = self.resume_from.pop(UNDELIVERED, None)
        if isinstance(left, list):
            yield from left
            self._write(self.path, self.resume_from)

    @contextmanager
    def delivery(self, update: LiveUpdate, told: Sequence[Any]) -> Iterator[None]:
        """Around the printing of what an update tells, a sequence of JSON values.

        Raises OSError, naming the file, when it cannot be written.
        """
        if told:
            self._save(update, told)
        yield
        self._unsaved = update
        is_due = self._clock() - self._saved_at >= CHECKPOINT_EVERY
        if told or update.is_baseline or update.gap is not None or is_due:
            self.save()

    def save(self) -> None:
        """Save where the run stands, unless that is on the disk already. Raises as `delivery`."""
        if self._unsaved is not None:
            self._save(self._unsaved, ())

    def _save(self, update: LiveUpdate, told: Sequence[Any]) -> None:
        self._unsaved = None
        if self.path is None:
            return
        if update.is_baseline and not self._is_begun:
            _set_aside(self.path)
        self._write(self.path, {**update.checkpoint, UNDELIVERED: told} if told else update.checkpoint)

    def _write(self, path: Path, checkpoint: dict[str, Any]) -> None:
        settle()
        with naming(path):
            save_checkpoint(path, checkpoint)
        self._saved_at, self._is_begun = self._clock(), True


def _load(path: Path) -> dict[str, Any] | None:
    try:
        if not path.parent.is_dir():
            raise ConfigurationError(f"there is no directory {path.parent} for the checkpoint")
        if path.exists() and not path.is_file():
            raise ConfigurationError(f"{path} is not a file that could hold a checkpoint")
        return load_checkpoint(path)
    except OSError as error:
        raise ConfigurationError(f"cannot read the checkpoint {path}: {error.strerror}") from None


def _set_aside(path: Path) -> None:
    """The run began afresh although there is a file: its name may be mistyped, and what it holds dear."""
    if path.exists():
        aside = path.with_name(f"{path.name}.old")
        with naming(aside):
            path.replace(aside)
        tell(f"what was in {path} is now in {aside}")
