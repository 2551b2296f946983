"""What holds for any file that is given to `replay`: only our errors leave, and the file is named."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from tempfile import NamedTemporaryFile

from deepcall_async import CheckpointWarning, ConfigurationError, LiveUpdate, snapshot_to_json
from deepcall_async.cli._recordings import recorded_updates

from .property import check_told


def check(data: bytes) -> None:
    """What stands before a broken line is told, twice the same; the error names file and line."""
    with NamedTemporaryFile() as file, warnings.catch_warnings():
        warnings.simplefilter("ignore", CheckpointWarning)
        file.write(data)
        file.flush()
        updates, fault = replayed(Path(file.name))
        again = replayed(Path(file.name))
    assert repr(again) == repr((updates, fault))
    assert not fault or fault.startswith(f"{file.name}: line ")
    for update in updates:
        json.dumps(snapshot_to_json(update.snapshot), allow_nan=False)
        json.dumps(update.checkpoint, allow_nan=False)
    check_told(updates)


def replayed(path: Path) -> tuple[list[LiveUpdate], str]:
    """The updates, and what is wrong with the file."""
    updates: list[LiveUpdate] = []
    try:
        updates.extend(recorded_updates(path))
    except ConfigurationError as error:
        return updates, str(error)
    return updates, ""
