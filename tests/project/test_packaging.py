"""The wheel, built and installed into a new environment outside the tree, is the package."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest
from attrs import frozen

import deepcall_async
import deepcall_async.simulator

from .source import PACKAGE, ROOT, modules, public_names

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

# Imports every public name, and says where each module came from.
PROBE = """
import json, sys
import deepcall_async, deepcall_async.simulator
for package in deepcall_async, deepcall_async.simulator:
    for name in package.__all__:
        getattr(package, name)
ours = {name: module.__file__ for name, module in sys.modules.items() if name.startswith("deepcall_async")}
names = deepcall_async.__all__ + deepcall_async.simulator.__all__
print(json.dumps({"names": names, "files": ours}))
"""


def run(*command: str | Path, cwd: Path) -> str:
    """What a command prints. It knows nothing of the environment the tests run in."""
    clean = {key: os.environ[key] for key in ("PATH", "HOME", "SYSTEMROOT") if key in os.environ}
    result = subprocess.run(  # noqa: S603  # our own commands
        [str(word) for word in command], cwd=cwd, env=clean, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built as for a release."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT, cwd=folder)
    (built,) = folder.glob("*.whl")
    return built


@frozen
class Environment:
    """A new environment, and where its programs and its packages are."""

    folder: Path
    programs: Path
    packages: Path


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """The wheel installed into a new environment. The dependencies are lent by the one the tests run in."""
    folder = tmp_path_factory.mktemp("new")
    venv.create(folder / "env", symlinks=os.name != "nt")
    places = {"base": str(folder / "env"), "platbase": str(folder / "env")}
    scheme = sysconfig.get_preferred_scheme("prefix") if os.name == "nt" else "venv"
    environment = Environment(
        folder,
        Path(sysconfig.get_path("scripts", scheme, places)),
        Path(sysconfig.get_path("purelib", scheme, places)),
    )
    python = environment.programs / "python"
    pip = (sys.executable, "-m", "pip", "--python", python, "--disable-pip-version-check")
    run(*pip, "install", "--quiet", "--no-deps", "--no-index", wheel, cwd=folder)
    lent = "\n".join({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")})
    (environment.packages / "lent_dependencies.pth").write_text(lent)
    return environment


def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    metadata = {name for name in names if name.split("/")[0].endswith(".dist-info")}
    sources = {path.relative_to(ROOT).as_posix() for path in modules().values()}
    data = {
        path.relative_to(ROOT).as_posix()
        for path in PACKAGE.rglob("*")
        if path.is_file() and path.suffix not in (".py", ".pyc")
    }
    assert set(names) - metadata == sources | data
    assert "deepcall_async/py.typed" in data
    assert any(name.endswith("/licenses/LICENSE") for name in metadata)


def test_no_test_and_no_benchmark_is_in_the_wheel(wheel: Path) -> None:
    for name in zipfile.ZipFile(wheel).namelist():
        assert not {"tests", "benchmarks", "docs", "examples", ".ci"} & set(name.split("/")), name


def test_every_public_name_can_be_imported_from_the_installed_wheel(installed: Environment) -> None:
    told = json.loads(run(installed.programs / "python", "-c", PROBE, cwd=installed.folder))
    assert told["names"] == public_names() + deepcall_async.simulator.__all__
    for file in told["files"].values():
        assert Path(file).is_relative_to(installed.packages)


def test_the_installed_command_line_answers(installed: Environment) -> None:
    told = run(installed.programs / "deepcall", "--help", cwd=installed.folder)
    assert told.startswith("usage: deepcall")
    assert run(installed.programs / "deepcall", "--version", cwd=installed.folder).split() == [
        PROJECT["name"],
        PROJECT["version"],
    ]
    assert run(installed.programs / "python", "-m", "deepcall_async", "--help", cwd=installed.folder) == told


def test_the_installed_command_line_watches_its_own_floor(installed: Environment) -> None:
    told = run(
        installed.programs / "deepcall", "live", "--demo", "--json", "--agents", "3", cwd=installed.folder
    )
    assert len(json.loads(told)["agents"]) == 3


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is in the source distribution."""
    folder = tmp_path_factory.mktemp("sdist")
    run(sys.executable, "-m", "build", "--sdist", "--no-isolation", "--outdir", folder, ROOT, cwd=folder)
    (built,) = folder.glob("*.tar.gz")
    with tarfile.open(built) as archive:
        archive.extractall(folder, filter="data")
    return folder / built.name.removesuffix(".tar.gz")


def test_the_source_distribution_brings_all_its_tests_and_what_they_need(unpacked: Path) -> None:
    pytest_ = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider")
    told = run(*pytest_, "--collect-only", cwd=unpacked)
    here = {path.name for path in (ROOT / "tests").rglob("test_*.py")}
    assert {Path(line.partition("::")[0]).name for line in told.splitlines() if "::" in line} == here
    run(
        *pytest_,
        *("tests/project/test_ci.py", "tests/project/test_tree.py", "tests/faults/test_page.py"),
        cwd=unpacked,
    )


def test_building_the_wheel_leaves_nothing_in_the_tree(wheel: Path) -> None:
    assert wheel.is_file()
    assert not {"build", "dist", f"{PROJECT['name']}.egg-info"} & {path.name for path in ROOT.iterdir()}
