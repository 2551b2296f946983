"""The corpus of the fuzzer, played again; and what it, or a look at the code, has found."""

from __future__ import annotations

from pathlib import Path

import pytest

from . import corpus
from .corpus import MOST, SEPARATOR, replies
from .property import check
from .targets import TARGETS

INPUTS = corpus.read()
NOW = 1_731_759_565


def reply(*rows: str) -> bytes:
    """A reply as the server writes it, with these rows."""
    return f'{{"message":{{"pr":[{",".join(rows)}],"lA":0}},"status":"success","code":200}}'.encode()


def row(agent: int, age: int, more: str = "", *, key: str = '"avT":') -> str:
    """A row that has been available so many seconds."""
    return f'{{"I":"{agent}",{key}["0","00","{age:02}"],"avD":{NOW}{more}}}'


UNPREDICTABLE = row(2, 5, r',"nm":"a\"b"')
TWO_LOGINS = ',"l":{{"duration":["0","00","{:02}"]}},"l":{{"duration" :["0","00","05"]}}'

# Once wrong, or nearly.
FOUND: dict[str, list[bytes]] = {
    "a NUL in the place of a row": [
        reply(row(1, 5), UNPREDICTABLE),
        reply(row(1, 6), "@").replace(b",@", b"\0"),
    ],
    "a clock in the details, and a blank behind the row's own": [
        reply(row(1, age), row(2, 5, f',"liC":{{"avT":["0","00","{age:02}"]}}', key='"avT" :'))
        for age in (5, 6)
    ],
    "a login twice, and a blank in the one that counts": [
        reply(row(1, age), row(2, age, TWO_LOGINS.format(age))) for age in range(5, 10)
    ],
    "a row twice": [reply(row(1, 5), row(2, 5)), reply(row(1, 6), row(2, 6), row(2, 6))],
    "two rows in each other's place": [reply(row(1, 5), row(2, 5)), reply(row(2, 6), row(1, 6))],
    "a second that turns over between rows": [reply(row(1, 5), row(2, 5)), reply(row(1, 6), row(2, 7))],
}


@pytest.mark.parametrize("number", range(len(INPUTS)))
def test_the_property_holds_for_each_input_of_the_corpus(number: int) -> None:
    check(INPUTS[number])


@pytest.mark.parametrize("name", sorted(set(TARGETS) - {"replies"}))
def test_the_property_of_a_file_holds_for_each_input_of_its_corpus(name: str) -> None:
    inputs = corpus.read(TARGETS[name].corpus)
    assert len(inputs) > 20
    for data in inputs:
        TARGETS[name].check(data)


def test_the_corpora_of_files_hold_some_that_are_taken_and_some_that_are_refused() -> None:
    recorded = [
        line.startswith(b'{"deepcall_recording": 1') for line in corpus.read(TARGETS["recordings"].corpus)
    ]
    assert 0 < sum(recorded) < len(recorded)
    assert any(data.count(b"DEEPCALL_") > 1 for data in corpus.read(TARGETS["credentials"].corpus))


@pytest.mark.parametrize("name", FOUND)
def test_the_property_holds_for_what_was_found(name: str) -> None:
    check(SEPARATOR.join(FOUND[name]))


@pytest.mark.parametrize("name", TARGETS)
def test_a_corpus_is_sorted_small_and_holds_nothing_twice(name: str) -> None:
    inputs = corpus.read(TARGETS[name].corpus)
    assert sorted(set(inputs), key=lambda data: (len(data), data)) == inputs
    assert TARGETS[name].corpus.stat().st_size < 300_000
    assert len(inputs) > (20 if name == "credentials" else 50)


def test_an_input_is_read_as_it_was_written(tmp_path: Path) -> None:
    inputs = [b"", bytes(range(256)), b"x\n---\ny"]
    corpus.write(inputs, tmp_path / "corpus")
    assert sorted(corpus.read(tmp_path / "corpus")) == sorted(inputs)
    assert replies(inputs[2]) == [b"x", b"y"]
    assert len(replies(SEPARATOR * 99)) == MOST
