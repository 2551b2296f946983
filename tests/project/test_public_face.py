"""The public face: the names that are promised, where they live, and that they are there."""

from __future__ import annotations

import ast
import inspect
import pickle
import subprocess
import sys
from types import ModuleType
from typing import get_type_hints

import pytest

import deepcall_async
import deepcall_async.simulator
from deepcall_async import _lazy

from .source import PACKAGE, public_names

FACE = PACKAGE / "__init__.py"


def test_the_names_are_sorted_and_none_stands_twice() -> None:
    assert public_names() == sorted(set(public_names()))
    assert deepcall_async.simulator.__all__ == sorted(
        set(deepcall_async.simulator.__all__), key=lambda name: (not name.isupper(), name)
    )


def test_type_checkers_and_the_run_time_see_the_same_names() -> None:
    """Each is written `X as X`, which is how a checker is told that it is meant for others."""
    block = next(node for node in ast.parse(FACE.read_text()).body if isinstance(node, ast.If))
    aliases = [alias for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names]
    assert len(block.body) == len({node.module for node in block.body if isinstance(node, ast.ImportFrom)})
    assert all(alias.name == alias.asname for alias in aliases)
    assert sorted(alias.name for alias in aliases) == public_names()


@pytest.mark.parametrize("name", public_names())
def test_every_name_can_be_imported_and_belongs_to_the_package(name: str) -> None:
    value = getattr(deepcall_async, name)
    assert name in dir(deepcall_async)
    if inspect.isclass(value) or inspect.isfunction(value):
        assert value.__module__ == "deepcall_async"
        assert pickle.loads(pickle.dumps(value)) is value  # noqa: S301  # our own


@pytest.mark.parametrize("name", public_names())
def test_the_annotations_of_every_public_class_and_its_methods_resolve(name: str) -> None:
    value = getattr(deepcall_async, name)
    if inspect.isclass(value):
        get_type_hints(value)
        for method in vars(value).values():
            if inspect.isfunction(method):
                get_type_hints(method)


def test_without_its_source_the_package_had_better_import_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "bundled", ModuleType("bundled"))
    assert not _lazy.install("bundled")


@pytest.mark.parametrize("name", deepcall_async.simulator.__all__)
def test_every_name_of_the_simulator_can_be_imported(name: str) -> None:
    assert hasattr(deepcall_async.simulator, name)


@pytest.mark.parametrize("name", public_names())
def test_every_public_class_and_function_says_what_it_is(name: str) -> None:
    value = getattr(deepcall_async, name)
    if inspect.isclass(value) or inspect.isfunction(value):
        assert len((value.__doc__ or "").split()) >= 3
        for member, method in vars(value).items():
            if (
                inspect.isfunction(method)
                and not member.startswith("_")
                and value.__module__.startswith("deep")
            ):
                assert method.__doc__, f"{name}.{member}"


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        getattr(deepcall_async, "nonsense")  # noqa: B009  # type checkers know that it is not there


def test_the_package_is_typed() -> None:
    assert (PACKAGE / "py.typed").is_file()


def test_importing_the_package_imports_nothing_heavy() -> None:
    loaded = python(
        "import sys; before = {*sys.modules}; import deepcall_async; print(*{*sys.modules} - before)"
    )
    assert not {"aiohttp", "attr", "cattrs", "tenacity", "asyncio", "rich", "ast"} & set(loaded.split())


def python(code: str) -> str:
    """What a program prints that begins with nothing imported."""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603  # our own
    return run.stdout
