"""Files replaced as a careful editor does it: the old one or the new one, never half, and nobody's is lost.

A file is written beside the one it replaces, forced to the disk, and given its name. What a kill in between
leaves behind has a name by which it is known, and is removed by `sweep`, unless it is locked: as it is while
it is being written.
"""

from __future__ import annotations

import errno
import glob
import os
import stat
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import chain, count
from pathlib import Path

if sys.platform != "win32":
    import fcntl

SUFFIX = ".tmp"
RANDOM = "?" * 8  # of the names that `mkstemp` makes
RENAMES_WHAT_IS_OPEN = os.name == "posix"
SWEPT = 3  # times, before it must be something else
WAITS = (0.01, 0.05, 0.2, 0.5)  # seconds: so long a virus scanner, or a reader on Windows, may hold a file


def replace_file(path: Path, data: bytes) -> os.stat_result:
    """Have the file hold these bytes, whatever happens meanwhile. Returns what identifies the new one.

    A link stays: what it names is replaced. The mode stays, and the owner as far as the system lets it; a new
    file is its owner's alone. Blocking. Raises OSError as the disk does; the old file is untouched then.
    """
    target = followed(path)
    for _ in range(SWEPT):
        with suppress(FileNotFoundError):  # swept while it was not locked; or there is no such directory
            return _replaced(target, data)
    return _replaced(target, data)


def _replaced(target: Path, data: bytes) -> os.stat_result:
    descriptor, name = tempfile.mkstemp(SUFFIX, f".{target.name}.", target.parent)
    written = Path(name)
    try:
        with open(descriptor, "wb") as file:  # noqa: PTH123  # it is open already
            with suppress(OSError):  # not every file system has locks
                _lock(descriptor)
            _take_after(target, written)
            file.write(data)
            file.flush()
            os.fsync(descriptor)
            new = os.fstat(descriptor)
            if RENAMES_WHAT_IS_OPEN:  # and so locked until it has its name
                _rename(written, target)
        if not RENAMES_WHAT_IS_OPEN:
            _rename(written, target)
    except BaseException:
        with suppress(OSError):
            written.unlink()
        raise
    _sync_directory(target.parent)
    return new


def followed(path: Path) -> Path:
    """The file itself, where the path is a link."""
    return Path(os.path.realpath(path))


def _take_after(target: Path, new: Path) -> None:
    """Give the new file what the old one has besides its bytes."""
    try:
        old = target.stat()
    except FileNotFoundError:
        return
    if not stat.S_ISREG(old.st_mode):
        raise OSError(errno.EINVAL, "this is no file that could be replaced", str(target))
    if sys.platform != "win32":
        with suppress(PermissionError):
            os.chown(new, old.st_uid, old.st_gid)
    new.chmod(stat.S_IMODE(old.st_mode))


def _rename(written: Path, target: Path) -> None:
    for wait in WAITS:
        try:
            written.replace(target)
        except PermissionError:
            time.sleep(wait)
        else:
            return
    written.replace(target)


def _sync_directory(directory: Path) -> None:
    """Make the new name itself survive a power cut, where the system lets a directory be synced."""
    if os.name != "posix":
        return
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def overwrite_end(path: Path, known: os.stat_result, data: bytes, *, before_end: int) -> bool:
    """Overwrite a few bytes so far before the end of a file that `replace_file` wrote; False if they are not.

    It is left alone when it is another file by now. One byte is written whole or not at all.
    """
    try:
        with path.open("r+b") as file:
            if not os.path.samestat(os.fstat(file.fileno()), known):
                return False
            file.seek(-before_end, os.SEEK_END)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        return False
    return True


# --- what others left, or own -----------------------------------------------------------------------


def sweep(path: Path) -> None:
    """Remove what killed processes left beside a file, but nothing that another is still writing."""
    target = followed(path)
    for left in target.parent.glob(f".{glob.escape(target.name)}.{RANDOM}{SUFFIX}"):
        with suppress(OSError), _unused(left):
            left.unlink()


@contextmanager
def _unused(left: Path) -> Iterator[None]:
    """Raise an OSError while another process has the file open."""
    if sys.platform == "win32":  # which lets nobody remove it then
        yield
        return
    descriptor = os.open(left, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        _lock(descriptor)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int) -> None:
    if sys.platform != "win32":
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def set_aside(path: Path, *, may_replace: Callable[[Path], bool]) -> Path:
    """Rename a file to NAME.old, or to NAME.old.2 and so on where that is taken. Returns the new name.

    may_replace: whether a file that has such a name is worth no more than the one that would replace it.
    """
    target = followed(path)
    endings = chain([".old"], (f".old.{number}" for number in count(2)))
    names = (target.with_name(target.name + ending) for ending in endings)
    return target.replace(next(name for name in names if _is_free(name) or may_replace(name)))


def _is_free(name: Path) -> bool:
    """Whether nothing has the name; then it is taken, so that nobody else gets it meanwhile."""
    try:
        name.touch(0o600, exist_ok=False)
    except FileExistsError:
        return False
    return True


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Let an OSError say which file it is about, and not which one beside it."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error
