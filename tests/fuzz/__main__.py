"""Fuzz what reads untrusted bytes, with libFuzzer: the property of each target must hold for every input.

    pip install atheris
    python -m tests.fuzz --for 1200                     # seconds; begins with the corpus, and adds to it
    python -m tests.fuzz --target recordings --for 1200 # what `deepcall events --replay` reads
    python -m tests.fuzz --minimise                     # keeps what reaches code that nothing smaller does
    python -m tests.fuzz --replay FILE                  # plays one input again

The targets are modules beside this one (`targets`): replies (the decoder, and the floor behind it),
recordings, and files of credentials.

An input that breaks the property, takes longer than five seconds, or needs a gigabyte ends the run; it is
written to ./crash-*, ./timeout-* or ./oom-*. Once its fault is mended it belongs into the corpus.

Atheris is no dependency of this project, as only this needs it. It follows the code of the package; the C
code of `json` it cannot see, so half of the changes are made by `tests.fuzz.mutator`, which knows JSON.
"""

from __future__ import annotations

import argparse
import importlib
import subprocess
import sys
import tempfile
from pathlib import Path
from random import Random

from . import corpus
from .targets import TARGETS, Target

INNER = "--libfuzzer"
LIMITS = ["-timeout=5", "-rss_limit_mb=1024", "-max_len=4096"]


def main() -> int:
    """Fuzz, minimise or replay, as the command line says. Returns libFuzzer's exit code."""
    if sys.argv[1:2] == [INNER]:
        return fuzz(TARGETS[sys.argv[2]], sys.argv[3:])
    asked = arguments()
    target = TARGETS[asked.target]
    if asked.replay:
        target.check(asked.replay.read_bytes())
        return 0
    with tempfile.TemporaryDirectory() as folder:
        kept, found = Path(folder, "kept"), Path(folder, "found")
        kept.mkdir()
        found.mkdir()
        corpus.unpack(kept, target.corpus)
        if asked.minimise:
            code = start(target, "-merge=1", "-use_counters=0", str(found), str(kept), *map(str, asked.seeds))
        else:
            words = Path(folder, "words")
            words.write_text(target.words)
            limit = f"-max_total_time={asked.seconds}"
            code = start(target, limit, f"-dict={words}", str(kept), *map(str, asked.seeds))
        if code == 0 or not asked.minimise:
            corpus.pack(found if asked.minimise else kept, target.corpus)
    return code


def arguments() -> argparse.Namespace:
    """What is asked for on the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--for", type=int, dest="seconds", help="fuzz for so many seconds")
    what.add_argument("--minimise", action="store_true", help="make the corpus smaller")
    what.add_argument("--replay", type=Path, metavar="FILE", help="check one input")
    parser.add_argument("--target", choices=TARGETS, default="replies", help="what to fuzz; default: replies")
    parser.add_argument("seeds", type=Path, nargs="*", help="folders with more inputs to begin with")
    return parser.parse_args()


def start(target: Target, *options: str) -> int:
    """Run libFuzzer in a process of its own: it never returns."""
    command = [sys.executable, "-m", "tests.fuzz", INNER, target.name, *LIMITS, *options]
    return subprocess.run(command, check=False).returncode  # noqa: S603  # ourselves


def fuzz(target: Target, options: list[str]) -> int:
    """Hand over to libFuzzer. Merging, it starts itself again by the first of the words it is given."""
    try:
        atheris = importlib.import_module("atheris")
    except ImportError:
        sys.exit("this needs atheris: pip install atheris")
    with atheris.instrument_imports(include=["deepcall_async"]):
        check = target.check

    def mutate(data: bytes, most: int, seed: int) -> bytes:
        random = Random(seed)
        if random.random() < 0.5 and len(changed := target.mutate(data, random)) <= most:
            return changed
        mutated: bytes = atheris.Mutate(data, most)
        return mutated

    myself = f"{sys.executable} -m tests.fuzz {INNER} {target.name}"
    atheris.Setup([myself, *options], check, custom_mutator=mutate)
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())
