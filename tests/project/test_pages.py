"""What the pages show is true: every example runs, every command parses, every link leads somewhere."""

from __future__ import annotations

import importlib.util
import re
import shlex
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deepcall_async.cli._arguments import parse

from .pages import EXAMPLES, PAGES, SHELLS, Block, blocks, commands
from .source import ROOT
from .stage import Stage, set_up

LINK = re.compile(r"(?<!!)\[[^\]]+\]\(([^)\s]+)\)|!\[[^\]]*\]\(([^)\s]+)\)")
SHELL_BLOCKS = [block for page in PAGES for block in blocks(page, *SHELLS)]
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Stage:
    """A stage in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return set_up(monkeypatch)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_python_example_of_a_page_runs_one_after_the_other(page: Path, stage: Stage) -> None:
    for block in blocks(page, "python"):
        before = stage.requests
        stage.play(block.text, str(page), block.line)
        if "from_env" in block.text:
            assert stage.requests > before + 1, f"{block} never polled"


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_every_example_file_runs(path: Path, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", [str(path)])
    stage.play(path.read_text(), str(path))
    assert stage.requests > 10


def test_an_example_that_is_wrong_fails_its_page_at_the_line_of_the_page(stage: Stage) -> None:
    with pytest.raises(NameError) as wrong:
        stage.play("await nonsense()\n", "page.md", 7)
    assert wrong.traceback[-1].lineno == 6
    with pytest.raises(OSError, match="wants to connect to elsewhere"):
        stage.play("import asyncio\nawait asyncio.open_connection('elsewhere.example', 80)\n", "page.md")
    with pytest.raises(TimeoutError, match="mine"):
        stage.play("import asyncio\nawait asyncio.sleep(5)\nraise TimeoutError('mine')\n", "page.md")


def test_there_are_pages_and_examples_to_test() -> None:
    assert len(PAGES) >= 2
    assert EXAMPLES
    assert any(blocks(ROOT / "README.md", "python"))
    assert SHELL_BLOCKS


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_only_code_that_says_so_is_not_run(page: Path) -> None:
    lines = page.read_text().splitlines()
    for block in blocks(page, "py", "pycon", "python3"):
        assert lines[block.line - 3].startswith("<!-- not run: "), str(block)


# --- commands ---------------------------------------------------------------------------------------


def exit_code(run: Callable[[], object]) -> object:
    """0 where it returns, or else what it exits with."""
    try:
        run()
    except SystemExit as end:
        return end.code
    return 0


def is_deepcall(words: list[str]) -> None:
    """`deepcall ...`: its own parser takes it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdout", None)
        assert exit_code(lambda: parse(words)) == 0, words


def is_python(words: list[str]) -> None:
    """`python -m MODULE ...`: the module is there."""
    assert words[0] == "-m"
    if words[1] == "deepcall_async":
        is_deepcall(words[2:])
    elif words[1] == "pip":
        is_pip(words[2:])
    else:
        assert importlib.util.find_spec(words[1]), words


def is_pip(words: list[str]) -> None:
    """`pip install ...` of ourselves, with extras we have."""
    assert words[0] == "install"
    for extras in re.findall(r"\[([\w,-]+)\]", " ".join(words)):
        assert set(extras.split(",")) <= set(EXTRAS)


def is_anything(words: list[str]) -> None:
    """A command of the reader's system."""


PROGRAMS: dict[str, Callable[[list[str]], None]] = {
    "deepcall": is_deepcall,
    "python": is_python,
    "python3": is_python,
    "pip": is_pip,
    "export": is_anything,
    "cat": is_anything,
    "chmod": is_anything,
    "cd": is_anything,
    "git": is_anything,
    "jq": is_anything,
    "bash": is_anything,
    "less": is_anything,
}


def simple_commands(line: str) -> Iterator[list[str]]:
    """The commands of a line without their settings and redirections."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;<>")
    lexer.whitespace_split = True
    command: list[str] = []
    is_file = False
    for word in [*lexer, ";"]:
        if word and set(word) <= set("|&;"):
            if command:
                yield command
            command = []
        elif word and set(word) <= set("<>"):
            is_file = True
        elif is_file:
            is_file = False
        elif command or not re.match(r"\w+=", word):
            command.append(word)


@pytest.mark.parametrize("block", SHELL_BLOCKS, ids=str)
def test_every_command_of_a_page_is_one_that_its_program_takes(block: Block) -> None:
    assert list(commands(block)), "a block of commands without a command"
    for line in commands(block):
        for program, *words in simple_commands(line):
            assert Path(program).name in PROGRAMS, line
            PROGRAMS[Path(program).name](words)


def test_the_first_commands_of_the_readme_are_the_two_that_set_everything_up() -> None:
    text = (ROOT / "README.md").read_text()
    marked = re.findall(r"<!-- command: (\w+) -->\n```sh\n([^\n]+)\n```", text)
    assert [name for name, _ in marked] == ["demo", "tests"]
    (_, demo), (_, tests) = marked
    assert demo.endswith("deepcall watch --demo")
    assert "pytest" in tests.split("&&")[-1]
    assert "--cov" in tests.split("&&")[-1]


# --- the pages themselves ---------------------------------------------------------------------------


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as the usual renderers make them."""
    headings = re.findall(r"^#+ +(.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", [*PAGES, ROOT / "CHANGELOG.md"], ids=lambda page: page.name)
def test_every_link_within_the_tree_leads_somewhere(page: Path) -> None:
    for found in LINK.findall(page.read_text()):
        target, _, anchor = (found[0] or found[1]).partition("#")
        if "://" in target or target.startswith("mailto:"):
            continue
        path = (page.parent / target).resolve() if target else page
        assert path.exists(), target
        assert not anchor or anchor in anchors(path), f"{target}#{anchor}"


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 120
