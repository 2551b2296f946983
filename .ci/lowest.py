"""Print constraints for the lowest versions of the run-time dependencies that pyproject.toml allows.

The tools of the extra `dev` keep the versions of constraints.txt. What the dependencies depend on in
turn is left to pip: today's versions of those need not suit the lowest versions of these.
"""

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def floors() -> dict[str, str]:
    """The lowest version of each run-time dependency, those of the command line included."""
    return dict(floor(wanted) for wanted in PROJECT["dependencies"] + PROJECT["optional-dependencies"]["cli"])


def floor(requirement: str) -> tuple[str, str]:
    """The name and the lowest version of a requirement; exits where it has none."""
    found = re.match(r"([\w-]+)>=([\w.]+)", requirement)
    return (found[1], found[2]) if found else sys.exit(f"{requirement} has no lowest version")


def tools() -> list[str]:
    """The lines of constraints.txt for the extra `dev`."""
    wanted = {re.split(r"[^\w-]", requirement)[0] for requirement in PROJECT["optional-dependencies"]["dev"]}
    lines = (ROOT / ".ci" / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line.partition("==")[0] in wanted]


if __name__ == "__main__":
    print(*(f"{name}=={version}" for name, version in floors().items()), *tools(), sep="\n")
