"""A checkpoint in a file that survives a crash at any moment: the old one or the new one, never half."""

from __future__ import annotations

import json
import os
import tempfile
import warnings
from pathlib import Path
from typing import Any

from ._checkpoint import CheckpointWarning


def save_checkpoint(path: str | os.PathLike[str], checkpoint: dict[str, Any]) -> None:
    """Write a checkpoint beside the file, force it to the disk, and put it in the file's place.

    Blocking: some milliseconds on most disks. Raises OSError as the disk does; the old file stays then.
    """
    target, text = Path(path), json.dumps(checkpoint, separators=(",", ":"))
    with tempfile.NamedTemporaryFile(
        "w", dir=target.parent, prefix=f".{target.name}.", delete=False, encoding="utf-8"
    ) as file:
        try:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
            Path(file.name).replace(target)
        except BaseException:
            Path(file.name).unlink(missing_ok=True)
            raise
    _sync_directory(target.parent)


def load_checkpoint(path: str | os.PathLike[str]) -> dict[str, Any] | None:
    """The checkpoint in a file, for `resume_from`. None when there is no file yet.

    A file that holds something else gives a `CheckpointWarning` and None, so that the stream begins
    afresh instead of failing at every restart. Raises OSError when the file cannot be read.
    """
    try:
        checkpoint = json.loads(Path(path).read_bytes())
    except FileNotFoundError:
        return None
    except (ValueError, RecursionError) as error:
        warnings.warn(
            f"{path} holds no checkpoint ({error}): starting afresh", CheckpointWarning, stacklevel=2
        )
        return None
    if not isinstance(checkpoint, dict):
        warnings.warn(f"{path} holds no checkpoint: starting afresh", CheckpointWarning, stacklevel=2)
        return None
    return checkpoint


def _sync_directory(directory: Path) -> None:
    """Make the new name itself survive a power cut, where the system lets a directory be synced."""
    if os.name != "posix":
        return
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
