"""A checkpoint in a file that survives a crash at any moment: the old one or the new one, never half."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import warnings
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from contextvars import copy_context
from datetime import timedelta
from pathlib import Path
from threading import Lock
from typing import Any, Self

from deepcall_async._floor import KEY, CheckpointText, CheckpointWarning, LiveUpdate, dump, mark_of
from deepcall_async._model import ConfigurationError, seconds

from .safe_file import naming, overwrite_end, replace_file, set_aside, sweep

logger = logging.getLogger("deepcall_async")

MAX_BYTES = 2**28  # of a file that is read: a checkpoint takes about 900 bytes an agent
EVERY = 30.0  # seconds between saves on a quiet floor
UNDELIVERED, IS_DELIVERED = (
    "undelivered",
    "is_delivered",
)  # beside the checkpoint's own keys; the second ends it


class _NoCheckpointError(ValueError):
    """Why a file holds no checkpoint."""


# --- the two functions ------------------------------------------------------------------------------


def save_checkpoint(path: str | os.PathLike[str], checkpoint: Mapping[str, Any]) -> None:
    """Write a checkpoint beside the file, force it to the disk, and put it in the file's place.

    A link stays: what it names is replaced. The file's mode stays; a new one is its owner's alone. What is
    there and holds no checkpoint is not lost: it is renamed to NAME.old (or .old.2, ... where that is
    somebody's), with a `CheckpointWarning`.

    Blocking: some milliseconds on most disks, far more for thousands of agents; `CheckpointFile` does it
    beside the event loop. Raises OSError, naming the file, as the disk does, and the old file stays then;
    `ConfigurationError` for what is no checkpoint.
    """
    if KEY not in checkpoint:
        raise ConfigurationError("this is no checkpoint: give the `checkpoint` of an update")
    place, data = Path(path), dump(checkpoint, default=dict).encode()
    with naming(place):
        sweep(place)
        if place.exists() and not (_is_as_saved(place) or _is_checkpoint(place)):
            _set_aside(place)
        _saved[place.absolute()] = replace_file(place, data)


def load_checkpoint(path: str | os.PathLike[str]) -> dict[str, Any] | None:
    """The checkpoint in a file, for `resume_from`. None when there is no file yet.

    A file that holds something else gives a `CheckpointWarning` and None, so that the stream begins
    afresh instead of failing at every restart. Raises OSError when the file cannot be read.
    """
    try:
        return _read(Path(path))
    except FileNotFoundError:
        return None
    except _NoCheckpointError as error:
        _warn(str(error), depth=3)
        return None


def _read(path: Path) -> dict[str, Any]:
    """The checkpoint in a file. Raises `_NoCheckpointError`, or OSError."""
    with path.open("rb") as file:
        data = file.read(MAX_BYTES + 1)
    try:
        checkpoint = json.loads(data, parse_constant=_no_constant) if len(data) <= MAX_BYTES else None
    except (ValueError, RecursionError) as error:
        raise _NoCheckpointError(f"{path} holds no checkpoint ({error}): starting afresh") from None
    if not isinstance(checkpoint, dict) or KEY not in checkpoint:
        raise _NoCheckpointError(f"{path} holds no checkpoint: starting afresh")
    return checkpoint


def _no_constant(word: str) -> Any:
    raise ValueError(f"{word} is not JSON")


_saved: dict[
    Path, os.stat_result
] = {}  # what `save_checkpoint` wrote, so that it need not be read at the next


def _is_as_saved(path: Path) -> bool:
    known, now = _saved.get(path.absolute()), path.stat()
    return known is not None and _identity(known) == _identity(now)


def _identity(file: os.stat_result) -> tuple[int, ...]:
    return file.st_dev, file.st_ino, file.st_size, file.st_mtime_ns


def _is_checkpoint(path: Path) -> bool:
    """Whether a file is one of ours."""
    try:
        _read(path)
    except (_NoCheckpointError, OSError):
        return False
    return True


def _set_aside(path: Path) -> None:
    """Its name may be mistyped, and what it holds dear. Of our own checkpoints one such copy is enough."""
    aside = set_aside(path, may_replace=_is_checkpoint)
    _warn(f"what was in {path} is now in {aside}", depth=3)


def _warn(message: str, *, depth: int) -> None:
    logger.warning("%s", message)
    warnings.warn(message, CheckpointWarning, stacklevel=depth)


# --- the object -------------------------------------------------------------------------------------


class CheckpointFile:
    """Keeps where a stream stands in a file, without holding the event loop. For `async with`, once.

        async with CheckpointFile("floor.json") as kept:
            async for update in session.poll_live(5.0, resume_from=kept.checkpoint):
                ...  # deal with the update
                await kept.keep(update)

    When `keep` returns, an update with news (transitions, a gap, a baseline) is on the disk. Of quiet ones
    one is saved `every` so many seconds (or a `timedelta`). The last update kept is saved when the block is
    left, whatever ended it. The work is done in another thread (of the event loop's executor), one save after
    the other; a save that is cancelled goes on to its end, and never overwrites a later one. The text of the
    last one is kept in memory, so that only agents who changed cost more than being written to the disk.

    What the file held, when the stream does not go on from it, is renamed as `save_checkpoint` does it, with
    a `CheckpointWarning`. One that holds no checkpoint gives such a warning when it is entered, too.

    Entering raises `ConfigurationError` when the file cannot be read, or there is no directory for it. Saving
    raises OSError, naming the file, as the disk does; the update is saved with the next one then.
    """

    def __init__(self, path: str | os.PathLike[str], *, every: float | timedelta = EVERY) -> None:
        self._path = Path(path)
        self._every = seconds("every", every)
        self._disk = _Disk(self._path)
        self._found: dict[str, Any] | None = None
        self._undelivered: list[Any] = []
        self._latest: LiveUpdate | None = None
        self._unsaved: LiveUpdate | None = None  # delivered, but not on the disk
        self._saved_at = 0.0
        self._jobs = 0
        self._is_open = False

    @property
    def checkpoint(self) -> dict[str, Any] | None:
        """Where to go on: the checkpoint of the last update kept; before the first, what the file held.

        None when there was no file, or none that holds a checkpoint.
        """
        return self._found if self._latest is None else self._latest.checkpoint

    async def __aenter__(self) -> Self:
        if self._jobs:
            raise ConfigurationError("a `CheckpointFile` is entered once: make another one")
        try:
            found = await self._aside(self._disk.find)
        except OSError as error:
            raise ConfigurationError(f"cannot read the checkpoint {self._path}: {error.strerror}") from None
        except _NoCheckpointError as error:
            found = None
            _warn(str(error), depth=3)
        self._take(found)
        self._saved_at, self._is_open = self._now(), True
        return self

    async def __aexit__(self, *_: object) -> None:
        self._is_open = False
        if self._unsaved is not None:
            await self._save(self._disk.save, self._unsaved)

    async def keep(self, update: LiveUpdate) -> None:
        """Keep that an update was dealt with, and everything before it."""
        async with self.delivery(update):
            pass

    @asynccontextmanager
    async def delivery(self, update: LiveUpdate, told: Sequence[Any] = ()) -> AsyncIterator[None]:
        """Around the delivery of what an update tells, for those who must not tell it twice otherwise.

        told: JSON values. They are on the disk before the block begins, together with the checkpoint, and
        struck out when it has ended without an exception. After a crash in between the next run finds the
        very same in `undelivered`. Without that, it would have to find it again in what the floor shows by
        then, and might know a call by other evidence and so by another id. Otherwise as `keep`.
        """
        if not self._is_open:
            raise ConfigurationError("this `CheckpointFile` is not open: use `async with`")
        if told:
            self._unsaved = None  # what is saved now is newer
            await self._aside(self._disk.save, update, told)
        yield
        self._latest = self._unsaved = update
        self._found = None
        if told:
            await self._save(self._disk.strike, update)
        elif _is_news(update) or self._now() - self._saved_at >= self._every:
            await self._save(self._disk.save, update)

    @asynccontextmanager
    async def undelivered(self) -> AsyncIterator[Sequence[Any]]:
        """What the last run gave to `delivery` and may not have delivered: to be delivered first.

        When the block has ended without an exception, it is struck out.
        """
        yield self._undelivered
        if self._undelivered and self._found is not None:
            await self._aside(self._disk.replace, self._found)
        self._undelivered = []

    def _take(self, found: dict[str, Any] | None) -> None:
        self._found = found
        if found is not None:
            left, is_delivered = found.pop(UNDELIVERED, None), found.pop(IS_DELIVERED, 0)
            self._undelivered = left if isinstance(left, list) and not is_delivered else []

    async def _save(self, work: Callable[[int, LiveUpdate], None], update: LiveUpdate) -> None:
        await self._aside(work, update)
        self._saved_at = self._now()
        if self._unsaved is update:
            self._unsaved = None

    async def _aside(self, work: Callable[..., Any], *args: Any) -> Any:
        """Do the next job of the disk in another thread, where no cancellation reaches it."""
        self._jobs += 1
        loop, context = asyncio.get_running_loop(), copy_context()
        return await asyncio.shield(loop.run_in_executor(None, context.run, work, self._jobs, *args))

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()


def _is_news(update: LiveUpdate) -> bool:
    return bool(update.transitions) or update.gap is not None or update.is_baseline


class _Disk:
    """The file, as its jobs see it. They block, run in any thread, and are done one at a time.

    Each has a number. One that was abandoned may come after a later one: then it is passed over.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = Lock()
        self._last_job = 0
        self._text = CheckpointText()
        self._written: os.stat_result | None = None
        self._found_at: Any = None  # the sequence in the checkpoint that was there
        self._is_begun = False

    def find(self, _: int) -> dict[str, Any] | None:
        """What is there at first; None if nothing is."""
        if not self._path.parent.is_dir():
            raise ConfigurationError(f"there is no directory {self._path.parent} for the checkpoint")
        if self._path.exists() and not self._path.is_file():
            raise ConfigurationError(f"{self._path} is not a file that could hold a checkpoint")
        sweep(self._path)
        try:
            found = _read(self._path)
        except FileNotFoundError:
            return None
        self._found_at = found.get("sequence")
        return found

    def save(self, job: int, update: LiveUpdate, told: Sequence[Any] = ()) -> None:
        """Save where the stream stands after an update; and, before it is delivered, what it tells."""
        with self._lock:
            if self._is_next(job):
                self._save(update, told)

    def strike(self, job: int, update: LiveUpdate) -> None:
        """What the last save told is delivered: a byte says so, if the file is still the one saved then."""
        with self._lock:
            if not self._is_next(job):
                return
            if self._written is None or not overwrite_end(self._path, self._written, b"1", before_end=2):
                self._save(update, ())

    def replace(self, job: int, checkpoint: Mapping[str, Any]) -> None:
        """Have the file hold just this."""
        with self._lock:
            if self._is_next(job):
                self._write(dump(checkpoint).encode())

    def _is_next(self, job: int) -> bool:
        is_next = job > self._last_job
        self._last_job = max(job, self._last_job)
        return is_next

    def _save(self, update: LiveUpdate, told: Sequence[Any]) -> None:
        if not self._is_begun and not self._goes_on(update) and self._path.exists():
            with naming(self._path):
                _set_aside(self._path)
        more = {UNDELIVERED: told, IS_DELIVERED: 0} if told else None
        self._write(self._text.write(mark_of(update), more=more))
        self._is_begun = True

    def _goes_on(self, update: LiveUpdate) -> bool:
        """Whether an update is of a stream that was resumed from what was found."""
        is_later = isinstance(self._found_at, int) and mark_of(update).sequence > self._found_at
        return is_later and not (update.is_baseline and update.gap)

    def _write(self, data: bytes) -> None:
        with naming(self._path):
            self._written = replace_file(self._path, data)
