"""The only lazy importer: public names are imported when first used, and all belong to the package.

So `import deepcall_async` costs next to nothing, `deepcall --help` need not wait for aiohttp, and each
public name is written once, in the block of imports that type checkers read.
"""

from __future__ import annotations

import re
import sys
from importlib import import_module
from types import FunctionType, ModuleType
from typing import Any, get_type_hints

TOP = __name__.partition(".")[0]
NAMES = re.compile(r"from (\.\w+) import|(\w+) as \2\b")


def install(package: str) -> bool:
    """Import the names of a package's block of imports when they are first used.

    Returns whether it can be done: not without the package's source, which a bundle may leave out. Then
    the block had better run.
    """
    module = sys.modules[package]
    homes = _homes(module)

    def __getattr__(name: str) -> Any:  # noqa: N807  # see PEP 562
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = vars(module)[name] = getattr(import_module(homes[name], package), name)
        return value

    if homes:
        names = sorted(homes)
        vars(module).update(__getattr__=__getattr__, __all__=names, __dir__=lambda: [*vars(module), *names])
    return bool(homes)


def _homes(module: ModuleType) -> dict[str, str]:
    """Where each name that the source writes `X as X` is imported from."""
    try:
        source: bytes = module.__loader__.get_data(str(module.__file__))  # type: ignore[union-attr]  # or not
    except (AttributeError, OSError):
        return {}
    homes, home = {}, ""
    for folder, name in NAMES.findall(source.decode()):  # `ast` is not loaded for this: it takes 3 ms
        home = folder or home
        if name:
            homes[name] = home
    return homes


def publish(door: str) -> None:
    """Have a folder's public values say that they are the package's, wherever their files move.

    Annotations are evaluated first: `typing.get_type_hints` looks for names in the module that is named.
    """
    public: list[str] = getattr(sys.modules[TOP], "__all__", [])
    folder = vars(sys.modules[door])
    for value in [folder[name] for name in public if name in folder]:
        if not isinstance(value, type | FunctionType) or not value.__module__.startswith(f"{TOP}."):
            continue
        if isinstance(value, type) and (own := vars(value).get("__annotations__")):
            hints = get_type_hints(value, include_extras=True)
            value.__annotations__ = {name: hints[name] for name in own}
        value.__module__ = TOP


def load(module: str, package: str | None = None) -> Any:
    """A module that only some runs of a program need."""
    return import_module(module, package)
