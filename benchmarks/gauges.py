"""What a process costs, read off while it runs; and what a file of figures says about its origin."""

from __future__ import annotations

import gc
import math
import os
import resource
import sys
import tracemalloc
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, Self

from attrs import frozen

from benchmarks.machine import machine

SPARE_DESCRIPTORS = 200  # beside one a connection: the interpreter's, the loop's, and sockets being closed


def origin(name: str, options: dict[str, Any]) -> dict[str, Any]:
    """The head of a file of figures: what was run, with what, and on what."""
    command = f"python -m benchmarks.{name}"
    arguments = {key: str(value) if isinstance(value, Path) else value for key, value in options.items()}
    return {"command": command, "options": arguments, "machine": machine()}


def resident() -> int:
    """The memory of this process that is really there, in bytes; its peak where the system tells no more."""
    statm = Path("/proc/self/statm")
    if statm.exists():
        return int(statm.read_text().split()[1]) * resource.getpagesize()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def descriptors() -> int:
    """How many files and sockets this process has open; 0 where the system does not tell."""
    for folder in ("/proc/self/fd", "/dev/fd"):
        if Path(folder).exists():
            return len(os.listdir(folder)) - 1  # noqa: PTH208  # a list of names; the folder itself is one
    return 0


def allow_descriptors(wanted: int) -> None:
    """Let this process, and those it starts, open so many files and sockets; else end the program."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = wanted + SPARE_DESCRIPTORS
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise SystemExit(
            f"{needed} descriptors are needed and this system allows {hard}: raise the hard limit "
            "(`ulimit -Hn`), or run fewer sessions"
        )
    if soft != resource.RLIM_INFINITY and soft < needed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which so much of them lies, 0 to 1, the values being sorted; NaN of none."""
    return values[min(len(values) - 1, int(share * len(values)))] if values else math.nan


def quantiles(values: Sequence[float]) -> dict[str, float]:
    """Median, 99th percentile and maximum."""
    ordered = sorted(values)
    return {"p50": quantile(ordered, 0.5), "p99": quantile(ordered, 0.99), "max": quantile(ordered, 1.0)}


@frozen
class Growth:
    """A line of code, and by how many bytes what it allocated has grown."""

    where: str
    bytes: int


class Allocations:
    """What Python allocates from here on. Its own snapshots lie on the disk, or they would be growth, too."""

    def __init__(self) -> None:
        self._folder = TemporaryDirectory()
        self._first = Path(self._folder.name) / "first"

    def __enter__(self) -> Self:
        gc.collect()
        tracemalloc.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        tracemalloc.stop()
        self._folder.cleanup()

    @staticmethod
    def held() -> int:
        """Bytes held now, after a full collection."""
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    def mark(self) -> None:
        """From here on growth is looked for."""
        gc.collect()
        tracemalloc.take_snapshot().dump(str(self._first))

    def growing(self, count: int = 5) -> list[Growth]:
        """The lines that have grown most since `mark`."""
        gc.collect()
        now = tracemalloc.take_snapshot()
        differences = now.compare_to(tracemalloc.Snapshot.load(str(self._first)), "lineno")
        grown = sorted(differences, key=lambda line: -line.size_diff)
        return [
            Growth(f"{_short(line.traceback[0].filename)}:{line.traceback[0].lineno}", line.size_diff)
            for line in grown[:count]
            if line.size_diff > 0
        ]


def _short(filename: str) -> str:
    """A file's name without the folders of this machine."""
    parts = Path(filename).parts
    for root in ("site-packages", "deepcall_async", "benchmarks"):
        if root in parts:
            return "/".join(parts[parts.index(root) + (root == "site-packages") :])
    return "/".join(parts[-2:])
