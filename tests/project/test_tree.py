"""The tree holds nothing of the machine it was written on, and no secret."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from .source import ROOT

FOLDERS = ("deepcall_async", "tests", "benchmarks", "docs", "examples", ".ci")
TEXTS = {".py", ".md", ".toml", ".txt", ".json", ".svg", ".typed", ""}
MACHINE_PATH = re.compile(r"(?<![\w.}])/(?:work|root|home|Users|mnt|srv|usr/local|private/tmp)/\w")
PRIVATE_KEY = re.compile("-----BEGIN [A-Z ]*PRIVATE" + " KEY-----")
HOST = re.compile(r"\bhttps?://(?:[^\s/@\"']*@)?([\w.-]+)")
CERTIFICATE = "localhost_for_tests_only.pem"

# Whoever is named in a URL of the tree: the vendor, ourselves, nobody, and standards.
HOSTS = re.compile(
    r"(?:[\w-]+\.)*(?:deepcall\.com|example|example\.com|example\.org|invalid|test)"
    r"|localhost|127\.0\.0\.1|keepachangelog\.com|semver\.org|www\.w3\.org|docs\.python\.org"
)


def files() -> Iterator[Path]:
    """The files of the project: at the top, and in its folders."""
    passing = (".cov", ".git")  # what a run leaves, and what a worktree has in the place of a folder
    yield from (path for path in ROOT.iterdir() if path.is_file() and not path.name.startswith(passing))
    for folder in FOLDERS:
        every = (path for path in (ROOT / folder).rglob("*") if "__pycache__" not in path.parts)
        yield from (path for path in every if path.is_file())


def texts() -> Iterator[tuple[str, str]]:
    """The name and the text of each file."""
    for path in files():
        if path.suffix in TEXTS:
            yield path.relative_to(ROOT).as_posix(), path.read_text()


def test_no_file_names_a_path_of_the_machine_it_was_written_on() -> None:
    assert {name: found for name, text in texts() if (found := MACHINE_PATH.findall(text))} == {}


def test_every_url_that_ships_or_is_read_leads_to_the_vendor_or_to_nobody() -> None:
    strangers = {
        f"{name}: {host}"
        for name, text in texts()
        for host in HOST.findall(text)
        if not name.startswith("tests/") and not HOSTS.fullmatch(host)
    }
    assert not strangers


def test_no_private_key_is_in_the_tree_but_the_one_of_localhost() -> None:
    for path in files():
        if path.name != CERTIFICATE:
            assert not PRIVATE_KEY.search(path.read_bytes().decode("latin-1")), path
