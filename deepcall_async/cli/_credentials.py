"""Credentials from a file that only its owner may read. They never come from the command line."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from deepcall_async import ConfigurationError

CREDENTIALS = ("DEEPCALL_SSID", "DEEPCALL_USER_ID", "DEEPCALL_TOKEN")


def use_credentials(path: Path) -> None:
    """Let a file stand in for the environment, where `DeepcallSession.from_env` then finds its settings.

    Credentials of the real environment do not count any more: half of one pair and half of
    another would be refused, and nobody would know why.
    """
    settings = read_credentials(path)
    for key in CREDENTIALS:
        os.environ.pop(key, None)
    os.environ.update(settings)


def read_credentials(path: Path) -> dict[str, str]:
    """The `DEEPCALL_...` settings of a file of KEY=VALUE lines.

    Blank lines and lines that begin with # are skipped; a leading `export` and quotes around
    a value are allowed. Raises `ConfigurationError`, which never shows what the file holds.
    """
    settings, fault = _settings(path)
    if fault:
        del settings  # a traceback that shows locals must not show them
        raise ConfigurationError(fault)
    return settings


def _settings(path: Path) -> tuple[dict[str, str], str]:
    """The settings, and what is wrong with the file: not as an exception, whose frames would hold it."""
    try:
        with path.open(encoding="utf-8-sig") as file:
            _check_mode(path, file.fileno())
            lines = file.read().splitlines()
    except OSError as error:
        return {}, f"cannot read the credentials file {path}: {error.strerror}"
    except UnicodeDecodeError:
        return {}, f"the credentials file {path} is not text in UTF-8"
    settings = {}
    for number, line in enumerate(lines, start=1):
        text = line.strip().removeprefix("export ").strip()
        if not text or text.startswith("#"):
            continue
        key, equals, value = text.partition("=")
        if not equals:
            return {}, f"{path}, line {number}: expected KEY=VALUE"
        if key.strip().startswith("DEEPCALL_"):
            settings[key.strip()] = _unquoted(value.strip())
    return settings, ""


def _check_mode(path: Path, descriptor: int) -> None:
    """The open file is asked, not its name: nobody can swap it in between."""
    if os.name == "posix" and stat.S_IMODE(os.fstat(descriptor).st_mode) & 0o077:
        raise ConfigurationError(f"others may read or write {path}: run chmod 600 {path}")


def _unquoted(value: str) -> str:
    quoted = len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'"
    return value[1:-1] if quoted else value
