"""The storeys of the house: imports go down only, the core is pure, and witnesses stay independent.

A folder with an underscore is ours; one without may be imported by users.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import deepcall_async.simulator

from .source import PACKAGE, Import, imports, modules, ours, public_names

# Who may import whom, besides itself: through the folder's door, its `__init__.py`.
ALLOWED = {
    "_model": "",
    "_wire": "_model",
    "_inference": "_model",
    "_floor": "_model _wire _inference",
    "_persistence": "_model _floor",
    "_client": "_model _wire _floor _persistence",
    "simulator": "_model _wire",
}
OF_PUBLIC_NAMES = {"_board": "", "cli": "_board simulator", "__main__": "cli"}
PURE = ("_model", "_wire", "_inference", "_floor")

NOT_IN_THE_CORE = {
    *("aiohttp", "asyncio", "tenacity", "yarl", "logging", "random", "secrets", "uuid", "time", "os"),
    *("socket", "ssl", "selectors", "threading", "subprocess", "concurrent", "multiprocessing"),
    *("io", "pathlib", "tempfile", "sys"),
}
CLOCKS = ("datetime.now", "datetime.utcnow", "datetime.today", "date.today")  # time is passed in
HTTP = ("_client/options.py", "_client/session.py", "_client/transport.py")
LAZY = "_lazy"


def room(module: str) -> str:
    """The part of the package a module is in: "_wire", "cli", ..., "" for the package itself."""
    return module.removeprefix("deepcall_async").removeprefix(".").partition(".")[0]


def in_rooms(*rooms: str) -> list[Path]:
    """The files of these parts."""
    return [path for name, path in modules().items() if room(name) in rooms]


def named(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def from_elsewhere(path: Path) -> Iterator[Import]:
    """The imports of a file from other parts of the package."""
    own = named(path).split("/")[0].removesuffix(".py")
    return (found for found in ours(path) if room(found.module) not in (own, LAZY))


def test_every_folder_has_its_storey() -> None:
    rooms = {room(name) for name in modules()} - {"", LAZY}
    assert rooms == set(ALLOWED) | set(OF_PUBLIC_NAMES)


@pytest.mark.parametrize("path", in_rooms(*ALLOWED), ids=named)
def test_imports_go_down_only_and_through_the_door(path: Path) -> None:
    allowed = ALLOWED[named(path).split("/")[0]].split()
    for found in from_elsewhere(path):
        assert room(found.module) in allowed, f"line {found.line} reaches up or aside"
        door = f"deepcall_async.{room(found.module)}"
        is_module_at_the_door = found.name is None and found.module.startswith(door)
        assert found.module == door or is_module_at_the_door, f"line {found.line} passes the door"


@pytest.mark.parametrize("path", in_rooms(*OF_PUBLIC_NAMES), ids=named)
def test_the_rooms_outside_use_public_names_only(path: Path) -> None:
    allowed = OF_PUBLIC_NAMES[named(path).split("/")[0].removesuffix(".py")].split()
    public = {"": public_names(), "simulator": deepcall_async.simulator.__all__}
    for found in from_elsewhere(path):
        assert room(found.module) in ("", *allowed), f"line {found.line}"
        if (names := public.get(room(found.module))) is not None and found.name is not None:
            assert found.name in names, f"line {found.line}"


@pytest.mark.parametrize(
    "door", [path for path in in_rooms(*ALLOWED) if path.name == "__init__.py"], ids=named
)
def test_a_door_shows_only_what_somebody_uses(door: Path) -> None:
    own = door.parent.name
    used = {found.name for path in modules().values() for found in from_elsewhere(path)}
    shown = {node.name for node in doorposts(door)}
    assert own == "simulator" or shown <= used | {found.module.rpartition(".")[2] for found in all_imports()}


def doorposts(door: Path) -> Iterator[ast.alias]:
    for node in ast.parse(door.read_text()).body:
        if isinstance(node, ast.ImportFrom) and node.level:
            yield from node.names


def all_imports() -> list[Import]:
    return [found for path in modules().values() for found in from_elsewhere(path)]


def test_no_imports_run_in_a_circle() -> None:
    graph = {
        name: {found.module for found in ours(path)} & set(modules()) - {name, "deepcall_async"}
        for name, path in modules().items()
        if name != "deepcall_async"
    }
    order = list(TopologicalSorter(graph).static_order())
    assert set(order) == set(graph)


@pytest.mark.parametrize("path", in_rooms(*PURE), ids=named)
def test_the_core_does_no_input_and_output_and_knows_no_clock_and_no_chance(path: Path) -> None:
    roots = {found.module.split(".")[0] for found in imports(path)}
    assert not roots & NOT_IN_THE_CORE
    assert not list(clocks_read(path))
    assert not {"open", "print", "input"} & set(names_called(path))


def clocks_read(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Attribute) and ast.unparse(node).endswith(CLOCKS):
            yield f"line {node.lineno}"


def names_called(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield node.func.id


@pytest.mark.parametrize("path", in_rooms(*ALLOWED), ids=named)
def test_three_modules_talk_http(path: Path) -> None:
    """`session` opens, `transport` sends, `options` names types; who else needs it has lost its way."""
    uses = any(found.module.split(".")[0] == "aiohttp" for found in imports(path))
    assert not uses or named(path) in HTTP or named(path).startswith("simulator/")


@pytest.mark.parametrize("path", modules().values(), ids=named)
def test_one_module_imports_lazily(path: Path) -> None:
    """So that there is one way, and one place to look for why a program starts slowly."""
    tree = ast.parse(path.read_text())
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    inside = [node for function in functions for node in ast.walk(function)]
    assert not any(isinstance(node, ast.Import | ast.ImportFrom) for node in inside)
    assert named(path) == "_lazy.py" or not any(found.module == "importlib" for found in imports(path))
