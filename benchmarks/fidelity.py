"""How true the stream is: our client and a naive one against a simulated floor's true history.

    python -m benchmarks.fidelity                 # the full score: hours of floor in every variant
    python -m benchmarks.fidelity --quick         # a minute's worth of it
    python -m benchmarks.fidelity --keep runs     # goes on after an interruption: runs are kept there

Each run lets a seeded floor live for some hours of its own time and polls it at a fixed interval,
offset by a random phase. Our client sees the reply's bytes, its Date header, and the clock of a
machine that is an hour wrong and steps back and forth; the naive client's clock is perfect.
`benchmarks/scoring.py` defines the classes of truth and how telling and truth are paired.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import pickle
import platform
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from random import Random
from typing import Literal

from attrs import frozen

from benchmarks.naive import NaiveClient
from benchmarks.scoring import NARROW, History, Score, Telling, pair, spread, tally
from deepcall_async import (
    Break,
    BreakStarted,
    Call,
    CallStarted,
    Channel,
    LiveFloor,
    LiveUpdate,
    LoggedIn,
    LoggedOut,
    Login,
    Transition,
    UnseenActivity,
)
from deepcall_async.simulator import VARIANTS, Floor

INTERVALS = (1.0, 2.0, 5.0, 15.0, 60.0)
KINDS = ("logged_in", "logged_out", "break_started", "break_ended", "call_started", "call_ended")

HOUR_WRONG = 3600.0  # seconds our machine's clock is ahead, give or take ten minutes


@frozen(kw_only=True)
class Setting:
    """One run."""

    variant: str
    interval: float
    seed: int
    hours: float
    agents: int
    status: Literal["all", "login"] = "all"


Scored = tuple[Setting, Score, Score]


def kept(directory: Path | None, setting: Setting) -> Scored:
    """The run, done now or, if the directory has it from an interrupted score, done before.

    Only give a directory that you wrote yourself: what is kept is unpickled. Empty it when the library
    or this score has changed.
    """
    if directory is None:
        return run(setting)
    path = directory / f"{setting.variant}-{setting.interval:g}s-{setting.seed}.pickle"
    if path.exists():
        scored: Scored = pickle.loads(path.read_bytes())  # noqa: S301 - see above
        if scored[0] == setting:
            return scored
    scored = run(setting)
    directory.mkdir(parents=True, exist_ok=True)
    written = path.with_suffix(".new")
    written.write_bytes(pickle.dumps(scored))
    written.replace(path)
    return scored


def run(setting: Setting) -> Scored:
    """Live a floor, poll it with both clients, and score them: ours, the naive one."""
    variant = VARIANTS[setting.variant]
    floor = Floor(setting.agents, seed=setting.seed, variant=variant)
    ours, naive = LiveFloor(setting.status, scope="floor"), NaiveClient()
    told: list[Transition] = []
    guessed: list[Telling] = []
    polls = _polls(floor.start, setting)
    steps = Random(setting.seed)
    for now in polls:
        body = floor.reply(now, status=setting.status)
        wrong = now + HOUR_WRONG + steps.uniform(-600, 600)
        date, received_at = (datetime.fromtimestamp(at, UTC) for at in (math.floor(now), wrong))
        update = ours.receive(body, date=date, received_at=received_at)
        told.extend(update.transitions)
        guessed.extend(Telling((t.agent, t.kind), t.at, t.at, t.at) for t in naive.receive(body, now))
    history = History(floor.history, polls, variant, setting.status)
    return setting, _score_ours(setting, history, told, update), _score_naive(setting, history, guessed)


def _polls(start: float, setting: Setting) -> list[float]:
    phase = Random(f"{setting}").uniform(0, setting.interval)
    count = int(setting.hours * 3600 / setting.interval)
    return [start + phase + number * setting.interval for number in range(count)]


def _score_ours(setting: Setting, history: History, told: Sequence[Transition], last: LiveUpdate) -> Score:
    score, truths = Score(), history.truths()
    pair(
        score, truths, [telling for t in told for telling in _tellings(t, setting.interval)], setting.interval
    )
    _weigh_unseen(score, history, [t for t in told if isinstance(t, UnseenActivity) and t.calls is None])
    tally(score, truths)
    score.misordered = _misordered(told)
    score.repeated_ids = len(told) - len({t.id for t in told})
    score.residual = last.ledger.total.residual
    return score


def _score_naive(setting: Setting, history: History, guessed: Sequence[Telling]) -> Score:
    score, truths = Score(), history.truths()
    pair(score, truths, guessed, setting.interval)
    score.errors = score.all_errors
    tally(score, truths)
    return score


def _tellings(t: Transition, interval: float) -> Iterator[Telling]:
    """What a transition claims: one thing, or the starts and ends of so many calls, or nothing we weigh."""
    at, earliest, latest = t.at.timestamp(), t.earliest.timestamp(), t.latest.timestamp()
    if isinstance(t, UnseenActivity):
        for kind in ("call_started", "call_ended") * (t.calls or 0):
            yield Telling((t.agent.id, kind), at, earliest, latest, t.basis.value)
    if t.kind not in (*KINDS, "agent_added", "agent_removed"):
        return
    kind = f"{t.kind} {t.channel.value}" if isinstance(t, LoggedIn | LoggedOut) else t.kind
    is_exact = latest - earliest <= NARROW and (interval > NARROW or _origin_of_start(t) == t.at)
    yield Telling((t.agent.id, kind), at, earliest, latest, t.basis.value, is_exact)


def _origin_of_start(t: Transition) -> datetime | None:
    """The origin on the wire of what began, where there is one."""
    match t:
        case LoggedIn(channel=Channel.WEB):
            episode: Login | Break | Call | None = t.agent.login
        case LoggedIn():
            episode = t.agent.mobile_login
        case BreakStarted():
            episode = t.agent.on_break
        case CallStarted():
            episode = t.agent.call
        case _:
            return None
    return episode.since if episode else None


def _weigh_unseen(score: Score, history: History, told: Sequence[UnseenActivity]) -> None:
    """Activity nobody can name: a break, a ring or a login must have ended by then, unseen."""
    ends: dict[str, list[float]] = defaultdict(list)
    for (agent, side), episodes in history.episodes.items():
        if side in ("break", "ring", "web", "mobile"):
            ends[agent] += [episode.end for episode in episodes]
    for t in told:
        score.tellings += 1
        earliest, latest = t.earliest.timestamp() - 1, t.latest.timestamp() + 2
        if not any(earliest <= end < latest for end in ends[t.agent.id]):
            score.false += 1
            score.misses.append(t)


def _misordered(told: Iterable[Transition]) -> int:
    """Times that run backwards, and starts and ends that do not alternate, per agent and side."""
    last: dict[tuple[str, str], Transition] = {}
    wrong = 0
    for t in told:
        if t.kind not in KINDS:
            continue
        side = t.channel.value if isinstance(t, LoggedIn | LoggedOut) else t.kind.partition("_")[0]
        before = last.get((t.agent.id, side))
        wrong += before is not None and (t.at < before.at or t.kind == before.kind)
        last[t.agent.id, side] = t
    return wrong


# --- the report -------------------------------------------------------------------------------------

HEAD = (
    "client   interval  visible  provable  precision  in bounds"
    "   error p50/p95/max    width p50   order  ids  residual"
)


def line(name: str, interval: float, score: Score) -> str:
    """One line of the table for people."""
    p50, p95, most = spread(score.errors)
    return (
        f"{name:8}{interval:8.0f} s{score.recall('visible'):9.4f}{score.recall('provable'):10.4f}"
        f"{score.precision:11.4f}{score.bounded:11.4f}{p50:9.1f} /{p95:5.1f} /{most:6.1f} s"
        f"{spread(score.widths)[0]:11.1f} s{score.misordered:7}{score.repeated_ids:5}{score.residual:9}"
    )


def as_json(score: Score) -> dict[str, object]:
    """The same for machines."""
    return {
        "truths": dict(score.truths),
        "found": dict(score.found),
        "tellings": score.tellings,
        "false": score.false,
        "precision": score.precision,
        "in_bounds": score.bounded,
        "error": spread(score.errors),
        "error_of_all": spread(score.all_errors),
        "width": spread(score.widths),
        "counted": [score.counted, score.countable],
        "misordered": score.misordered,
        "repeated_ids": score.repeated_ids,
        "residual": score.residual,
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the score and print it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--variants", nargs="*", default=list(VARIANTS), help="names of variants; all if left out"
    )
    parser.add_argument("--intervals", nargs="*", type=float, default=INTERVALS, metavar="SECONDS")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--hours", type=float, default=8.0)
    parser.add_argument("--agents", type=int, default=200)
    parser.add_argument("--status", default="all", choices=("all", "login"))
    parser.add_argument("--quick", action="store_true", help="one seed, one hour, 50 agents")
    parser.add_argument("--json", type=Path, help="write the figures there")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep each run there, and use what is kept")
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="processes; one a core")
    parser.add_argument("--misses", type=int, default=0, help="show so many things missed or told wrongly")
    options = parser.parse_args(arguments)
    if options.quick:
        options.seeds, options.hours, options.agents = 1, 1.0, 50
    settings = [
        Setting(
            variant=variant,
            interval=interval,
            seed=seed,
            hours=options.hours,
            agents=options.agents,
            status=options.status,
        )
        for variant in options.variants
        for interval in options.intervals
        for seed in range(options.seeds)
    ]
    results: dict[tuple[str, float], list[Score]] = {}
    with ProcessPoolExecutor(options.workers) as pool:
        for done, (setting, *scores) in enumerate(pool.map(partial(kept, options.keep), settings), 1):
            print(f"\r{done} of {len(settings)} runs", end="", file=sys.stderr, flush=True)
            key = setting.variant, setting.interval
            so_far = results.get(key, [Score(), Score()])
            results[key] = [old + new for old, new in zip(so_far, scores, strict=True)]
    print(file=sys.stderr)
    _report(results, options.misses)
    if options.json:
        options.json.write_text(json.dumps(_document(results, options), indent=1) + "\n")


def _report(results: dict[tuple[str, float], list[Score]], misses: int) -> None:
    print(f"Python {platform.python_version()}, {platform.machine()}, {sys.platform}")
    for (variant, interval), (ours, naive) in results.items():
        if interval == min(at for name, at in results if name == variant):
            print(f"\n{variant}\n{HEAD}")
        print(line("ours", interval, ours))
        print(line("naive", interval, naive))
        for miss in ours.misses[:misses]:
            print("   ", miss)


def _document(
    results: dict[tuple[str, float], list[Score]], options: argparse.Namespace
) -> dict[str, object]:
    runs = [
        {"variant": variant, "interval": interval, "ours": as_json(ours), "naive": as_json(naive)}
        for (variant, interval), (ours, naive) in results.items()
    ]
    totals: dict[float, tuple[Score, Score]] = {}
    for (_, interval), (ours, naive) in results.items():
        our_sum, naive_sum = totals.get(interval, (Score(), Score()))
        totals[interval] = our_sum + ours, naive_sum + naive
    return {
        "python": platform.python_version(),
        "agents": options.agents,
        "hours": options.hours,
        "seeds": options.seeds,
        "status": options.status,
        "totals": [
            {"interval": at, "ours": as_json(o), "naive": as_json(n)} for at, (o, n) in totals.items()
        ],
        "runs": runs,
    }


if __name__ == "__main__":
    main()
