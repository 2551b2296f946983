"""The storeys of the house: imports go down only, the core is pure, and witnesses stay independent."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import deepcall_async
import deepcall_async.simulator

from .source import PACKAGE, Import, imports, modules, ours

# From the ground up. A module may import from its own storey and from those below it.
# A new module gets its place here; where it finds none, it is the house that needs a thought.
CORE: tuple[set[str], ...] = (
    {"_errors", "_forms", "_evolve"},
    {"_model", "_clock"},
    {"_envelope", "_unread", "_rows", "_wire", "_transitions", "_look"},
    {"_json", "_account", "_tally", "_ledger", "_evidence", "_template", "_prediction"},
    {"_memory", "_timing", "_rules", "_states_after"},
    {"_state", "_sighting"},
    {"_absence", "_differ", "_shift", "_suspicion", "_clock_step", "_checkpoint"},
    {"_update", "_floor", "_pending"},
)
SHELL: tuple[set[str], ...] = (
    {"_request", "_safe_file", "_recording", "_log"},
    {"_polling", "_echo", "_auth", "_journal"},
    {"_transport", "_stream", "_feed", "_checkpoint_file", "_options", "_scope"},
    {"_reading"},
    {"_session"},
)
OUTSIDE = {"__main__", "cli", "simulator"}

NOT_IN_THE_CORE = {
    *("aiohttp", "asyncio", "tenacity", "yarl", "logging", "random", "secrets", "uuid", "time", "os"),
    *("socket", "ssl", "selectors", "threading", "subprocess", "concurrent", "multiprocessing"),
    *("io", "pathlib", "tempfile", "sys"),
}
CLOCKS = ("datetime.now", "datetime.utcnow", "datetime.today", "date.today")  # time is passed in
SHARED_WITNESSES = {"_wire", "_rows", "_forms", "_model"}  # all that client and simulator may have in common

STOREY = {name: level for level, names in enumerate((*CORE, *SHELL)) for name in names}
FILES = {path.stem: path for path in PACKAGE.glob("_*.py") if path.stem not in ("__init__", "__main__")}
CORE_FILES = {name: FILES[name] for names in CORE for name in sorted(names) if name in FILES}
CLI, SIMULATOR = (sorted((PACKAGE / name).rglob("*.py")) for name in ("cli", "simulator"))


def room(found: Import) -> str:
    """The part of the package an import reaches: "_wire", "cli", ..., "" for the package itself."""
    return found.module.removeprefix("deepcall_async").removeprefix(".").partition(".")[0]


def named(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def test_every_module_has_its_storey() -> None:
    assert set(FILES) == set(STOREY)
    folders = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert folders | {"__main__"} == OUTSIDE


@pytest.mark.parametrize("name", FILES)
def test_imports_go_down_only(name: str) -> None:
    for found in ours(FILES[name]):
        assert room(found) in STOREY, f"line {found.line} reaches outside"
        assert STOREY[room(found)] <= STOREY[name], f"line {found.line} reaches up"


def test_no_imports_run_in_a_circle() -> None:
    graph = {
        name: {found.module for found in ours(path)} & set(modules()) - {name, "deepcall_async"}
        for name, path in modules().items()
        if name != "deepcall_async"
    }
    order = list(TopologicalSorter(graph).static_order())
    assert set(order) == set(graph)


@pytest.mark.parametrize("name", CORE_FILES)
def test_the_core_does_no_input_and_output_and_knows_no_clock_and_no_chance(name: str) -> None:
    roots = {found.module.split(".")[0] for found in imports(CORE_FILES[name])}
    assert not roots & NOT_IN_THE_CORE
    assert not list(clocks_read(CORE_FILES[name]))
    assert not {"open", "print", "input"} & set(names_called(CORE_FILES[name]))


def clocks_read(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Attribute) and ast.unparse(node).endswith(CLOCKS):
            yield f"line {node.lineno}"


def names_called(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield node.func.id


@pytest.mark.parametrize("name", FILES)
def test_only_three_modules_talk_http(name: str) -> None:
    """`_session` opens, `_transport` sends, `_options` names types; who else needs it has lost its way."""
    uses = any(found.module.split(".")[0] == "aiohttp" for found in imports(FILES[name]))
    assert not uses or name in ("_options", "_session", "_transport")


@pytest.mark.parametrize("path", SIMULATOR, ids=named)
def test_the_simulator_knows_nothing_of_the_client_but_the_wire(path: Path) -> None:
    reached = {room(found) for found in ours(path)}
    assert reached <= SHARED_WITNESSES | {"simulator"}


@pytest.mark.parametrize("name", FILES)
def test_the_client_knows_nothing_of_the_simulator(name: str) -> None:
    assert not {room(found) for found in ours(FILES[name])} & OUTSIDE


@pytest.mark.parametrize("path", CLI, ids=named)
def test_the_command_line_uses_public_names_only(path: Path) -> None:
    for found in ours(path):
        if room(found) == "cli":
            continue
        public = {
            "deepcall_async": deepcall_async.__all__,
            "deepcall_async.simulator": deepcall_async.simulator.__all__,
        }
        assert found.module in public, f"line {found.line}"
        assert found.name in public[found.module], f"line {found.line}"
