"""Where, and with what, figures were taken: no figure is told without it. And what all commands share."""

from __future__ import annotations

import argparse
import json
import os
import platform
from collections.abc import Callable, Iterable, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

PACKAGES = (
    *("deepcall-async", "aiohttp", "attrs", "cattrs", "tenacity"),
    *("orjson", "msgspec", "pydantic", "deepdiff"),
)


def machine(packages: Iterable[str] = PACKAGES) -> dict[str, Any]:
    """The interpreter, the machine, and the versions of those of the packages that are installed."""
    return {
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "machine": platform.machine(),
        "system": platform.system(),
        "cores": os.cpu_count(),
        "packages": {name: number for name in packages if (number := _version(name))},
    }


def told(where: dict[str, Any]) -> str:
    """The same for people, in two lines."""
    packages = ", ".join(f"{name} {number}" for name, number in where["packages"].items())
    place = f"{where['system']} {where['machine']}, {where['cores']} cores"
    return f"{packages}\n{where['implementation']} {where['python']}, {place}"


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def options(description: str | None) -> argparse.ArgumentParser:
    """A parser with what every benchmark takes."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="small sizes, few rounds: to see that it runs")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    return parser


def finish(file: Path | None, where: dict[str, Any], **figures: dict[str, Any]) -> None:
    """Write the figures of one or more benchmarks, by name, if they are wanted."""
    if file is not None:
        file.write_text(json.dumps({"machine": where, **figures}, indent=1) + "\n")


def perform(
    name: str, run: Callable[..., dict[str, Any]], description: str | None, arguments: Sequence[str] | None
) -> None:
    """The command of a benchmark that takes no options of its own: measure and print."""
    chosen = options(description).parse_args(arguments)
    where = machine()
    print(told(where), end="\n\n")
    finish(chosen.json, where, **{name: run(quick=chosen.quick)})
