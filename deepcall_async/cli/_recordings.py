"""Recordings on the disk: where `--record` writes, and what `--replay` reads."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from deepcall_async import ConfigurationError, LiveUpdate, replay

from ._output import naming

STDIN = Path("-")


@contextmanager
def recording(path: Path | None) -> Iterator[TextIO | None]:
    """A file to record to, new or empty; None without a path.

    Raises `ConfigurationError` when there is no such file to be had, and OSError, which names it,
    when it cannot take more.
    """
    if path is None:
        yield None
        return
    with io.TextIOWrapper(io.BufferedWriter(_create(path)), encoding="ascii", newline="\n") as file:
        yield file


class _NamedFile(io.FileIO):
    """A file whose failures name it: it is not the only output."""

    def write(self, data: object, /) -> int:
        with naming(self.name):
            return super().write(data)  # type: ignore[arg-type]  # any buffer


def _create(path: Path) -> _NamedFile:
    try:
        file = _NamedFile(str(path), "a", opener=_open_private)
    except OSError as error:
        raise ConfigurationError(f"cannot write the recording {path}: {error.strerror}") from None
    if os.fstat(file.fileno()).st_size > 0:
        file.close()
        raise ConfigurationError(f"{path} is not empty: remove it, or let --record write another file")
    return file


def _open_private(path: str, flags: int) -> int:
    """Replies name people: a new file is for its owner. One that was there keeps the mode it was given."""
    return os.open(path, flags, 0o600)


def recorded_updates(path: Path) -> Iterator[LiveUpdate]:
    """The updates of a recording. Raises `ConfigurationError`, with the line, when it is none."""
    try:
        with _opened(path) as lines:
            yield from replay(_some(lines))
    except OSError as error:
        raise ConfigurationError(f"cannot read the recording {path}: {error.strerror}") from None
    except ConfigurationError as error:
        raise ConfigurationError(f"{'stdin' if path == STDIN else path}: {error}") from None


@contextmanager
def _opened(path: Path) -> Iterator[TextIO]:
    """The file as text. Bytes that are none must not fail before their line is known."""
    if path != STDIN:
        with path.open(encoding="utf-8", errors="replace") as file:
            yield file
        return
    if sys.stdin is None:
        raise ConfigurationError("there is none, it is closed")
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(encoding="utf-8", errors="replace")
    yield sys.stdin


def _some(lines: TextIO) -> Iterator[str]:
    first = lines.readline()
    if not first:
        raise ConfigurationError("line 1 is not of a recording: there is none, the file is empty")
    yield first
    yield from lines
