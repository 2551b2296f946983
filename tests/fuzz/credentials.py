"""What holds for any file of credentials: it is taken, or it is refused without a word of its secrets."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile

from deepcall_async import ConfigurationError, DeepcallSession
from deepcall_async.cli._credentials import SETTINGS, use_credentials
from tests.dump import dump

LEAST = 8  # characters; what is shorter may be a word of a message
WORDS = Path(use_credentials.__code__.co_filename).read_text()  # what a message may say of itself


def check(data: bytes) -> None:
    """Only our errors leave, which name the file and show no value of it."""
    with NamedTemporaryFile() as file, untouched_environment():
        file.write(data)
        file.flush()
        told = refusal(lambda: use_credentials(Path(file.name)), dump)
        if told:
            assert file.name in told
        else:
            told = refusal(DeepcallSession.from_env, str)  # whose frames show the URL, as any setting
        assert_hidden(data, told.replace(file.name, ""))


def refusal(work: Callable[[], object], shown: Callable[[ConfigurationError], str]) -> str:
    """What is shown of a refusal; nothing where there is none."""
    try:
        work()
    except ConfigurationError as error:
        return shown(error)
    return ""


def assert_hidden(data: bytes, told: str) -> None:
    for value in values(data.decode("utf-8", "replace")):
        assert value in WORDS or value not in told


def values(text: str) -> Iterator[str]:
    """What stands behind a = in a line, and is long enough to be a secret."""
    for line in text.splitlines():
        value = line.partition("=")[2].strip().strip("\"'")
        if len(value) >= LEAST and not names(text, value):
            yield value


def names(text: str, value: str) -> bool:
    """Whether it is part of a setting's name in the file as well."""
    return any(value in line.partition("=")[0] for line in text.splitlines())


@contextmanager
def untouched_environment() -> Iterator[None]:
    kept = {key: os.environ.get(key) for key in SETTINGS}
    try:
        yield
    finally:
        for key, value in kept.items():
            if value is None:
                os.environ.pop(key, None)
            else:
                os.environ[key] = value
