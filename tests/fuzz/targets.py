"""What is fuzzed: for each target its property, its corpus, and the changes and words that suit it."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from attrs import frozen

from . import corpus, mutator


@frozen
class Target:
    """One target.

    module: where its property is, `check`; imported late, so that it can be under instruments.
    mutate: changes an input. tokens: what libFuzzer may put in.
    """

    name: str
    module: str
    corpus: Path
    mutate: Callable[[bytes, Random], bytes]
    tokens: tuple[str, ...]

    @property
    def check(self) -> Callable[[bytes], None]:
        """The property."""
        found: Any = importlib.import_module(f"tests.fuzz.{self.module}")
        check: Callable[[bytes], None] = found.check
        return check

    @property
    def words(self) -> str:
        """The tokens as libFuzzer reads them."""
        return "".join(
            '"' + "".join(f"\\x{byte:02x}" for byte in token.encode()) + '"\n' for token in self.tokens
        )


SETTINGS = ("DEEPCALL_SSID", "DEEPCALL_USER_ID", "DEEPCALL_TOKEN", "DEEPCALL_BASE_URL", "USER_ID")
LINES = ("deepcall_recording", "status", "scope", "view", "resume_from", "body", "body_base64", "date")
TARGETS = {
    target.name: target
    for target in (
        Target(
            "replies",
            "property",
            corpus.CORPUS,
            mutator.mutate,
            (*(f'"{key}"{gap}:' for key in mutator.KEYS for gap in ("", " ")), "\n---\n"),
        ),
        Target(
            "recordings",
            "recordings",
            corpus.CORPUS.with_name("recordings.jsonl"),
            mutator.mutate_lines,
            (*(f'"{key}": ' for key in (*LINES, "received_at", "failed")), "\n"),
        ),
        Target(
            "credentials",
            "credentials",
            corpus.CORPUS.with_name("credentials.jsonl"),
            mutator.shuffle_lines,
            (*(f"{key}=" for key in SETTINGS), "export ", "#", "\n", "\r\n", "\0", "\ufeff", "\u2028"),
        ),
    )
}
