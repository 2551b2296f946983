"""What the tests of the project read: the tree's files, and the imports in them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from attrs import frozen

import deepcall_async

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "deepcall_async"
TOP = PACKAGE.name


@frozen
class Import:
    """One imported name: the module it comes from, and the name, None for the module as a whole."""

    module: str
    name: str | None
    line: int


@cache
def modules(folder: Path = PACKAGE) -> dict[str, Path]:
    """Every module of the package by its dotted name."""
    return {dotted(path): path for path in sorted(folder.rglob("*.py"))}


def dotted(path: Path) -> str:
    """The dotted name of a module; a package's is that of its folder."""
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path) -> Iterator[Import]:
    """Every import of a file, also those inside functions."""
    package = dotted(path) if path.name == "__init__.py" else dotted(path).rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (Import(alias.name, None, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = absolute(package, node.level, node.module or "")
            for alias in node.names:
                is_module = f"{module}.{alias.name}" in modules()
                whole = f"{module}.{alias.name}" if is_module else module
                yield Import(whole, None if is_module else alias.name, node.lineno)


def absolute(package: str, level: int, module: str) -> str:
    """The dotted name that a relative import means."""
    if level == 0:
        return module
    parents = package.split(".")[: len(package.split(".")) - level + 1]
    return ".".join([*parents, module] if module else parents)


def ours(path: Path) -> Iterator[Import]:
    """The imports of a file from the package itself."""
    return (found for found in imports(path) if found.module.split(".")[0] == TOP)


def public_names() -> list[str]:
    """What the package promises."""
    names: list[str] = vars(deepcall_async)["__all__"]  # made at run time, see `_lazy`
    return names
