"""Fuzz the reading of checkpoints: `tests.fuzz.checkpoints.check` must hold for every damaged one.

    python -m tests.fuzz.fuzz_checkpoints --for 900       # seconds; begins with the corpus, and adds to it
    python -m tests.fuzz.fuzz_checkpoints --for 900 --seed 7
    python -m tests.fuzz.fuzz_checkpoints --replay FILE   # plays the inputs of a file, as the corpus has them

An input is kept when a field is damaged in it with an outcome that no other shows. One that breaks the
property ends the run; it is written to ./crash-checkpoint. Once its fault is mended it belongs into the
corpus.
"""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from pathlib import Path
from random import Random

from . import checkpoints
from .checkpoints import Input, check, mutated, what_is_new

MOST = 4  # edits of one input: more are refused for the first of them that is seen


def main() -> int:
    """Fuzz or replay, as the command line says. Returns 1 when the property was broken."""
    asked = arguments()
    if asked.replay:
        for damaged in checkpoints.read(asked.replay):
            print(check(damaged))  # noqa: T201  # what it is asked for
        return 0
    kept: dict[str, Input] = {}
    for damaged in checkpoints.read():
        kept.setdefault(what_is_new(damaged, check(damaged)), damaged)
    code = fuzz(kept, Random(asked.seed), time.monotonic() + asked.seconds)
    checkpoints.write(kept.values())
    return code


def arguments() -> argparse.Namespace:
    """What is asked for on the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.fuzz_checkpoints")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--for", type=int, dest="seconds", help="fuzz for so many seconds")
    what.add_argument("--replay", type=Path, metavar="FILE", help="check the inputs in a file")
    parser.add_argument("--seed", type=int, help="to do the same again")
    return parser.parse_args()


def fuzz(kept: dict[str, Input], random: Random, until: float) -> int:
    """Damage what is kept, and keep what is new."""
    tried, sound = 0, [Input(base, ()) for base in range(len(checkpoints.BASES))]
    while time.monotonic() < until:
        damaged = mutated(random.choice([*sound, *kept.values()]), random)
        if len(damaged.edits) > MOST:
            continue
        tried += 1
        try:
            came = check(damaged)
        except Exception:  # which is what is sought
            traceback.print_exc()
            checkpoints.write([damaged], Path("crash-checkpoint"))
            return 1
        kept.setdefault(what_is_new(damaged, came), damaged)
    print(f"{tried} inputs, {len(kept)} kept", file=sys.stderr)  # noqa: T201  # the result
    return 0


if __name__ == "__main__":
    sys.exit(main())
