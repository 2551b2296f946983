"""What CI runs is what the README shows, with versions that pyproject.toml allows."""

from __future__ import annotations

import os
import runpy
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from .source import ROOT

CI = ROOT / ".ci"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
PINS = dict(
    line.split("==") for line in (CI / "constraints.txt").read_text().splitlines() if not line.startswith("#")
)


def script(name: str) -> dict[str, Any]:
    return runpy.run_path(str(CI / name))


def test_ci_can_be_run_and_stops_at_the_first_failure() -> None:
    assert os.access(CI / "run", os.X_OK)
    assert "\nset -euo pipefail\n" in (CI / "run").read_text()


def test_ci_runs_the_two_commands_of_the_readme_as_they_stand_there() -> None:
    command = script("readme.py")["command"]
    lines = (ROOT / "README.md").read_text().splitlines()
    assert command("demo") in lines
    assert command("tests") in lines
    with pytest.raises(SystemExit, match="no command 'nonsense'"):
        command("nonsense")


@pytest.mark.parametrize(
    "requirement",
    [
        Requirement(wanted)
        for wanted in (*PROJECT["dependencies"], *EXTRAS["cli"], *EXTRAS["dev"])
        if not wanted.startswith(PROJECT["name"])
    ],
    ids=lambda requirement: requirement.name,
)
def test_every_requirement_has_a_lowest_version_and_a_pinned_one_that_suits(requirement: Requirement) -> None:
    pins = {canonicalize_name(name): version for name, version in PINS.items()}
    assert any(bound.operator == ">=" for bound in requirement.specifier)
    assert requirement.specifier.contains(pins[canonicalize_name(requirement.name)])


def test_the_lowest_versions_are_those_of_pyproject() -> None:
    floors = script("lowest.py")["floors"]()
    wanted = [Requirement(text) for text in (*PROJECT["dependencies"], *EXTRAS["cli"])]
    assert list(floors) == [requirement.name for requirement in wanted]
    for requirement in wanted:
        assert f">={floors[requirement.name]}" in str(requirement.specifier).split(",")


def test_the_tools_keep_their_pinned_versions_beside_the_lowest_of_the_rest() -> None:
    tools = script("lowest.py")["tools"]()
    assert f"pytest=={PINS['pytest']}" in tools
    assert not {line.partition("==")[0] for line in tools} & set(script("lowest.py")["floors"]())


def test_ci_names_no_path_and_no_index_of_this_machine() -> None:
    for path in Path(CI).iterdir():
        assert "index-url" not in path.read_text()
        assert "find-links" not in path.read_text()
