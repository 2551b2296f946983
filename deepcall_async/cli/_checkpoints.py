"""Where a run stands, kept in a file if one is named, so that the next run goes on from there."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from attrs import frozen

from deepcall_async import CheckpointFile, LiveUpdate

from ._arguments import CHECKPOINT_EVERY
from ._output import settle


@asynccontextmanager
async def checkpoints(path: Path | None) -> AsyncIterator[Checkpoints]:
    """The checkpoints of a run; the last one is saved in the end, whatever ended it. None: none are kept."""
    async with AsyncExitStack() as stack:
        file = None
        if path is not None:
            file = await stack.enter_async_context(CheckpointFile(path, every=CHECKPOINT_EVERY))
        yield Checkpoints(file)


@frozen
class Checkpoints:
    """Keeps how far the updates were delivered, that is printed and flushed, and forced to the disk."""

    _file: CheckpointFile | None

    @property
    def resume_from(self) -> dict[str, Any] | None:
        """The checkpoint the last run left, None at first."""
        return None if self._file is None else self._file.checkpoint

    @asynccontextmanager
    async def undelivered(self) -> AsyncIterator[Sequence[Any]]:
        """What the last run may not have printed: to be printed first."""
        if self._file is None:
            yield ()
            return
        async with self._file.undelivered() as left:
            yield left
            settle()

    @asynccontextmanager
    async def delivery(self, update: LiveUpdate, told: Sequence[Any]) -> AsyncIterator[None]:
        """Around the printing of what an update tells, a sequence of JSON values.

        Raises OSError, naming the file, when it cannot be written.
        """
        if self._file is None:
            yield
            return
        async with self._file.delivery(update, told):
            yield
            if told:
                settle()
