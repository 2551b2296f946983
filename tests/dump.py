"""Everything a diligent error reporter could send away."""

from __future__ import annotations

import traceback
from collections.abc import Iterator


def dump(error: BaseException) -> str:
    """Text, repr, attributes and traceback of an error and all its causes, with the locals of every frame.

    Frames of tests are left out: they hold the secrets they look for.
    """
    return "\n".join(part for link in _chain(error, set()) for part in _parts(link))


def _chain(error: BaseException | None, seen: set[int]) -> Iterator[BaseException]:
    """The error and whatever hangs on it, also the contexts that `from None` only hides."""
    if error is None or id(error) in seen:
        return
    seen.add(id(error))
    yield error
    for link in (error.__cause__, error.__context__):
        yield from _chain(link, seen)


def _parts(error: BaseException) -> Iterator[str]:
    yield from (str(error), repr(error), repr(error.args), repr(vars(error)))
    told = traceback.TracebackException.from_exception(error, capture_locals=True)
    for frame in told.stack:
        if "/tests/" not in frame.filename:
            yield f"{frame.filename}:{frame.lineno} {frame.name} {frame.line}"
            yield from (f"{name} = {value}" for name, value in (frame.locals or {}).items())
