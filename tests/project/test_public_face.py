"""The public face: the names that are promised, where they live, and that they are there."""

from __future__ import annotations

import ast
import importlib
import inspect
import subprocess
import sys

import pytest

import deepcall_async
import deepcall_async.simulator

from .source import PACKAGE

FACE = PACKAGE / "__init__.py"


def test_the_names_are_sorted_and_none_stands_twice() -> None:
    assert deepcall_async.__all__ == sorted(set(deepcall_async.__all__))
    assert deepcall_async.simulator.__all__ == sorted(
        set(deepcall_async.simulator.__all__), key=lambda name: (not name.isupper(), name)
    )


def test_type_checkers_and_the_run_time_see_the_same_names_from_the_same_modules() -> None:
    checked = {
        alias.name: f".{node.module}"
        for block in ast.parse(FACE.read_text()).body
        if isinstance(block, ast.If)
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert checked == deepcall_async._HOME
    assert list(deepcall_async._HOME) == deepcall_async.__all__


@pytest.mark.parametrize("name", deepcall_async.__all__)
def test_every_name_can_be_imported_and_is_the_one_of_its_module(name: str) -> None:
    home = importlib.import_module(deepcall_async._HOME[name], "deepcall_async")
    assert getattr(deepcall_async, name) is getattr(home, name)
    assert name in dir(deepcall_async)


@pytest.mark.parametrize("name", deepcall_async.simulator.__all__)
def test_every_name_of_the_simulator_can_be_imported(name: str) -> None:
    assert hasattr(deepcall_async.simulator, name)


@pytest.mark.parametrize("name", deepcall_async.__all__)
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
        deepcall_async.nonsense  # noqa: B018  # reading it is the test


def test_the_package_is_typed() -> None:
    assert (PACKAGE / "py.typed").is_file()


def test_importing_the_package_imports_nothing_heavy() -> None:
    code = "import sys, deepcall_async; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603  # our own
    loaded = run.stdout
    assert not {"aiohttp", "cattrs", "tenacity", "asyncio", "rich"} & set(loaded.split())
