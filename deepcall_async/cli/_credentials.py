"""Credentials from a file that only its owner may read. They never come from the command line."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

from deepcall_async import ConfigurationError

SSID, PAIR = "DEEPCALL_SSID", ("DEEPCALL_USER_ID", "DEEPCALL_TOKEN")
CREDENTIALS = (SSID, *PAIR)
SETTINGS = (*CREDENTIALS, "DEEPCALL_BASE_URL")

_NAME = re.compile("[A-Z_]{2,40}")  # what is no name may be half of a secret, and is not shown


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
    a value are allowed, and so are settings of other programs.
    Raises `ConfigurationError`, which never shows what the file holds but the names of settings.
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
    except (OSError, ValueError) as error:
        return {}, _why_unreadable(path, error)
    settings: dict[str, str] = {}
    others: list[str] = []
    for number, line in enumerate(lines, start=1):
        text = line.strip().removeprefix("export ").strip()
        if not text or text.startswith("#"):
            continue
        key, equals, value = (part.strip() for part in text.partition("="))
        fault = _fault_of(key, equals, value)
        if fault:
            return {}, f"{path}, line {number}: {fault}"
        if key in SETTINGS:
            settings[key] = _unquoted(value)
        else:
            others.append(key if _NAME.fullmatch(key) else f"what stands in line {number}")
    return settings, _what_is_missing(path, [key for key in CREDENTIALS if settings.get(key)], others)


def _why_unreadable(path: Path, error: OSError | ValueError) -> str:
    if isinstance(error, UnicodeDecodeError):
        return f"the credentials file {path} is not text in UTF-8"
    told = error.strerror if isinstance(error, OSError) else error  # such as a NUL in its name
    return f"cannot read the credentials file {path}: {told}"


def _fault_of(key: str, equals: str, value: str) -> str:
    """What is wrong with a line, in words that do not show it; empty when nothing is."""
    if not (key and equals):
        return "expected KEY=VALUE"
    if key not in SETTINGS:
        is_ours = key.startswith("DEEPCALL_") and _NAME.fullmatch(key)
        return f"{key} is no setting: there are {', '.join(SETTINGS)}" if is_ours else ""
    try:
        os.fsencode(value)
    except UnicodeEncodeError:
        return f"{key} has a letter that this system's encoding lacks"
    return "" if value.isprintable() else f"{key} has a control character in it"


def _what_is_missing(path: Path, given: list[str], others: list[str]) -> str:
    """Why the credentials are not complete; empty when they are."""
    if given in ([SSID], [*PAIR]):
        return ""
    told = f"{path} must set {SSID}, or {' and '.join(PAIR)}, and not both kinds: "
    told += f"{' and '.join(given)} is set" if given else "none of them is set"
    return told + (f" (not known: {', '.join(others[:9])})" if others else "")


def _check_mode(path: Path, descriptor: int) -> None:
    """The open file is asked, not its name: nobody can swap it in between."""
    if os.name == "posix" and stat.S_IMODE(os.fstat(descriptor).st_mode) & 0o077:
        raise ConfigurationError(f"others may read or write {path}: run chmod 600 {path}")


def _unquoted(value: str) -> str:
    quoted = len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'"
    return value[1:-1] if quoted else value
