"""The pages a reader reads: README.md, docs/*.md, and the code and commands in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from attrs import frozen

from .source import ROOT

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
FENCE = re.compile(
    r"^(?P<indent> *)```(?P<language>\w*)[^\n]*\n(?P<text>.*?)^ *```$", re.DOTALL | re.MULTILINE
)
SHELLS = ("sh", "console", "bash", "shell")


@frozen
class Block:
    """A fenced block of a page. line: of its first line."""

    page: Path
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.name}:{self.line}"


def blocks(page: Path, *languages: str) -> Iterator[Block]:
    """The blocks of a page in these languages."""
    content = page.read_text()
    for fence in FENCE.finditer(content):
        if fence["language"] in languages:
            line = content.count("\n", 0, fence.start("text")) + 1
            yield Block(page, line, fence["language"], dedented(fence["text"], len(fence["indent"])))


def dedented(text: str, indent: int) -> str:
    return "".join(
        line[indent:] if line[:indent].isspace() else line for line in text.splitlines(keepends=True)
    )


def commands(block: Block) -> Iterator[str]:
    """The commands of a block; of a console session, only what was typed."""
    text = re.sub(r"\\\n\s*", "", block.text)
    for line in text.splitlines():
        is_typed = line.startswith("$ ") or block.language != "console"
        if is_typed and line.strip() and not line.startswith("#"):
            yield line.removeprefix("$ ")
