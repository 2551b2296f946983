"""The living objects of the library and of those it uses, found fast.

Once all tests are collected, there are very many objects which last to the end. The garbage collector is
spared them: it would look at them again and again, in every test. So `gc.get_objects` knows only the others.
"""

from __future__ import annotations

import gc

OURS = ("deepcall_async", "aiohttp", "asyncio", "tenacity", "yarl", "multidict")

_lasting: list[object] = []


def freeze() -> None:
    """Take what there is now for what lasts to the end."""
    gc.collect()
    _lasting[:] = _ours()
    gc.freeze()


def alive() -> list[object]:
    """Every object of a class of theirs; what is only garbage is thrown away first."""
    gc.collect()
    return [*_lasting, *_ours()]


def _ours() -> list[object]:
    return [one for one in gc.get_objects() if str(type(one).__module__).startswith(OURS)]
