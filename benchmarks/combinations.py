"""Every combination of what is unknown about the server, drawn at random, played and judged.

    python -m benchmarks combinations --count 500 --seed 1 --jobs 2
    python -m benchmarks combinations --only 17 --misses 20     # that one again, and what was wrong

A combination is a variant and a pace of the simulator with any of their options, polled at an interval
between half a second and ten minutes or irregularly, for all agents or those logged in, of one group or of
all, with outages, restarts from a checkpoint, replies that are spoilt, and a clock that is set. What may be
told of it, and what must be, is decided by `tests/core/oracle.py`, from the truth and the bare replies.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import resource
import sys
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from random import Random
from typing import Any, Literal

from attrs import define, evolve, fields, frozen

from deepcall_async import (
    AgentUpdated,
    DeepcallError,
    LiveFloor,
    LiveUpdate,
    LoggedIn,
    LoggedOut,
    Transition,
    TransportError,
    UnseenActivity,
)
from deepcall_async.simulator import Fault, Floor, Pace, Variant
from tests.core.oracle import TAIL, Claim, Oracle, Verdict
from tests.core.witness import Poll, Server, read

HOUR = 3600.0
MEMORY = 2**31  # bytes a process may take
RESTARTS = 0.05  # the share of polls before which the process begins anew
BOUNDED = 0.999  # the share of truths that must lie within their bounds
FEW = 3  # agents, of whom anything may be true in a single gap
KNOWN = 5  # replies with as many logins, whose totals agree, show that those of a group are its own
TAIL_INTERVAL = 15.0  # seconds between the last polls, in which whatever is held or open is settled

# Each option of the simulator, its values, and how likely it is to be drawn at all.
VARIANT_OPTIONS: dict[str, Sequence[Any]] = {
    "counters_move_at": ("call_start", "call_end", "wrap_up_end"),
    "talk_time_moves_at": ("wrap_up_end",),
    "talk_time_lag": (2.0, 10.0, 60.0),
    "counters_reset": ("midnight", "login"),
    "counters_absent_at_zero": (False,),
    "call_shape": ("seconds", "hms", "no_origin", "word"),
    "break_shape": ("seconds", "hms", "no_origin", "word"),
    "none_shape": ("null", "no", "empty_string", "empty_list", "empty_object"),
    "busy_availability": ("absent",),
    "availability_moves_at_logout": (True,),
    "occupied_while": ("call",),
    "totals_cover": ("account",),
    "totals_lag": (0.7, 1.0, 2.0),
    "numbers_as_strings": (True,),
    "unidentified": ("some_agents", "now_and_then"),
    "elapsed_by": ("counting",),
    "jitter": (True,),
    "availability_jitter": (True,),
    "torn_second": (True,),
}
PACE_OPTIONS: dict[str, Sequence[float]] = {
    "break_switches": (0.3,),
    "regroup_every": (600.0, 3600.0),
    "reload_every": (300.0, 1800.0),
    "crash_every": (900.0, 3600.0),
}
SPOILT = (
    Fault(rows="null"),
    Fault(rows="object"),
    Fault(rows="missing"),
    Fault(rows="cut_short"),
    Fault(forgets=True),
    Fault(code=1012),
)
INTERVALS = (0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0)


@frozen(kw_only=True)
class Combination:
    """One run. interval: seconds; 0: irregular. spoilt: the share of replies that are.

    outages: the share of polls before which nothing is polled for a while. steps: of the clock.
    is_cut_short: the first replies are.
    """

    seed: int
    variant: Variant
    pace: Pace
    agents: int
    interval: float
    polls: int
    status: Literal["all", "login"]
    group: str | None
    outages: float
    spoilt: float
    steps: int
    is_cut_short: bool

    def __str__(self) -> str:
        told = [
            f"{self.interval:g} s" if self.interval else "irregular",
            f"{self.agents} agents",
            self.status,
        ]
        told += ["calm"] if self.pace.idle == Pace().idle else []
        told += [f"group {self.group}"] if self.group else []
        told += [
            f"{o.name}={getattr(self.variant, o.name)}" for o in fields(Variant) if _is_set(self.variant, o)
        ]
        told += [name for name in PACE_OPTIONS if getattr(self.pace, name) != getattr(Pace(), name)]
        told += [name for name in ("outages", "spoilt", "steps", "is_cut_short") if getattr(self, name)]
        return " ".join(told)


def _is_set(variant: Variant, option: Any) -> bool:
    return bool(getattr(variant, option.name) != option.default)


def draw(seed: int, *, small: bool = False) -> Combination:
    """The combination of a seed; a small one is over sooner."""
    random = Random(f"combination {seed}")
    share = random.choice((0.1, 0.25, 0.5))  # some runs have few options, so that a failure is understood
    interval = random.choice((*INTERVALS, 0.0, 0.0))
    group = random.choice((None, None, "56"))
    options = _options(random, share, VARIANT_OPTIONS)
    if options.get("counters_move_at") == "wrap_up_end":
        options.pop("talk_time_moves_at", None)
    if group is None:
        options.pop("totals_cover", None)
    pace = Pace.busy() if interval < 30 or random.random() < 0.5 else Pace()
    befalls = _options(random, share, PACE_OPTIONS)
    if group is None:
        befalls.pop("regroup_every", None)
    polls = 120 if interval == 0 else int(min(240, max(40, 2 * HOUR / interval)))
    return Combination(
        seed=seed,
        variant=Variant(**options),
        pace=evolve(pace, **befalls),
        agents=random.choice((6, 12) if small else (6, 12, 20)),
        interval=interval,
        polls=min(polls, 90) if small else polls,
        status=random.choice(("all", "login")),
        group=group,
        outages=random.choice((0.0, 0.0, 0.01, 0.03)),
        spoilt=random.choice((0.0, 0.0, 0.02)),
        steps=random.choice((0, 0, 0, 1, 2)),
        is_cut_short=random.random() < 0.1,
    )


def _options(random: Random, share: float, options: dict[str, Sequence[Any]]) -> dict[str, Any]:
    return {name: random.choice(values) for name, values in options.items() if random.random() < share}


# --- playing ----------------------------------------------------------------------------------------


@define
class Played:
    """What came of a run. error: the last line of what it died of, "" if it did not."""

    combination: Combination
    verdict: Verdict
    error: str = ""
    seconds: float = 0.0

    @property
    def is_good(self) -> bool:
        """Whether all numbers are what they must be."""
        v = self.verdict
        wrong = v.false, v.misjudged, v.missing, v.disordered, v.repeated, v.residual, self.error
        return not any(wrong) and v.bounded >= BOUNDED

    @property
    def badness(self) -> int:
        """How much is wrong with it."""
        v = self.verdict
        wrong = v.false, v.misjudged, v.missing, v.disordered, v.repeated, v.outside
        return sum(len(each) for each in wrong) + sum(map(abs, v.residual.values())) + 1000 * bool(self.error)


class Player:
    """Polls a floor as a combination says, and notes what its replies were and what was told."""

    def __init__(self, combination: Combination) -> None:
        self.setting = combination
        self.random = Random(f"run {combination.seed}")
        self.floor = Floor(
            combination.agents, seed=combination.seed, variant=combination.variant, pace=combination.pace
        )
        self.polls: list[Poll] = []
        self.claims: list[Claim] = []
        self.live = self._new_live(None)
        self.last: LiveUpdate | None = None
        self._again: Fault | None = None  # what the next reply is spoilt by
        self._agreeing = 0  # replies, one after the other

    def play(self) -> None:
        """The whole run."""
        now = self.floor.start
        steps = {self.random.randrange(3, self.setting.polls) for _ in range(self.setting.steps)}
        for number in range(self.setting.polls + TAIL):
            is_tail = number >= self.setting.polls
            now += max(TAIL_INTERVAL, self._gap()) if is_tail else self._gap()
            if not is_tail and number:
                now += self._interrupt()
            self.floor.advance(now)
            if number in steps:
                self.floor.set_clock(
                    round(self.random.choice((-1, 1)) * math.exp(self.random.uniform(1.5, 9)))
                )
            body = self.floor.reply(now, status=self.setting.status, group=self.setting.group)
            self._poll(now, body, self._fault(number, body, is_tail=is_tail))

    def _gap(self) -> float:
        return self.setting.interval or self.random.choice((0.5, 1.0, 2.0, 5.0, 15.0, 30.0, 90.0, 300.0))

    def _fault(self, number: int, body: bytes, *, is_tail: bool) -> Fault | None:
        """What this reply is spoilt by: only what a client can tell from a floor that is like that."""
        fault, self._again = self._again, None
        if number < 2 and self.setting.is_cut_short:
            fault = Fault(rows="cut_short")
        elif fault is None and number and not is_tail and self.random.random() < self.setting.spoilt:
            fault = self.random.choice(SPOILT)
            self._again = fault if self.random.random() < 0.5 else None
        if (
            fault is not None
            and fault.rows in (None, "cut_short")
            and not self._gives_itself_away(fault, body)
        ):
            fault = self._again = None
        return fault

    def _gives_itself_away(self, fault: Fault, body: bytes) -> bool:
        """Whether a spoilt reply of few agents cannot be taken for one of a floor where little happened."""
        if fault.code is not None:
            return True
        message = json.loads(body)["message"]
        shown = json.loads(fault.garble(body, 0.0))["message"]["pr"]
        logins, left = (sum(row["l"] != "No" for row in rows) for rows in (message["pr"], shown))
        covers_rows = self.setting.group is None or self._agreeing >= KNOWN
        return logins >= FEW and (fault.forgets or (covers_rows and logins - left >= FEW))

    def _note(self, body: bytes) -> None:
        """Take in whether the totals of an unspoilt reply agree with its rows."""
        message = json.loads(body)["message"]
        logins = sum(row["l"] != "No" for row in message["pr"])
        if int(message["lA"]) != logins:
            self._agreeing = 0
        elif logins >= KNOWN:
            self._agreeing += 1

    def _interrupt(self) -> float:
        """What comes between two polls: a restart, an outage. For how long nothing is polled then.

        A restart is not so long that the agents have other names: that is another floor to any client.
        """
        longest = math.inf
        if self.last is not None and self.random.random() < RESTARTS and not self.last.is_stale:
            longest = self.setting.pace.rename_every / 6
            self.live = self._new_live(json.loads(json.dumps(self.last.checkpoint)))
        if self.last is None or self.random.random() >= self.setting.outages:
            return 0.0
        for _ in range(self.random.randrange(4)):
            self.last = self.live.fail(TransportError("refused"))
        return min(longest, math.exp(self.random.uniform(2.3, 9.3)))  # up to three hours

    def _new_live(self, checkpoint: dict[str, Any] | None) -> LiveFloor:
        setting = self.setting
        narrowed = setting.group is not None
        return LiveFloor(
            setting.status,
            scope="floor",
            view=setting.group or "",
            is_narrowed=narrowed,
            resume_from=checkpoint,
        )

    def _poll(self, now: float, body: bytes, fault: Fault | None) -> None:
        clock = self.floor.clock_at(now)
        self.polls.append(read(body, now, clock) if fault is None else Poll(now, is_void=True))
        if fault is None:
            self._note(body)
        else:
            body = _spoil(body, fault, clock)
        wrong = clock + HOUR + self.random.uniform(-600, 600)  # our machine's clock is no good
        date, received_at = (datetime.fromtimestamp(at, UTC) for at in (math.floor(clock), wrong))
        try:
            self.last = self.live.receive(body, date=date, received_at=received_at)
        except DeepcallError as error:
            if fault is None:
                raise
            if self.last is not None:
                self.last = self.live.fail(error)
            return
        self.claims += [_claim(t, len(self.polls) - 1) for t in self.last.transitions]


def _spoil(body: bytes, fault: Fault, clock: float) -> bytes:
    if fault.code is not None:
        return json.dumps({"status": "error", "message": "No data found", "code": fault.code}).encode()
    return fault.garble(body, clock)


def _claim(t: Transition, poll: int) -> Claim:
    """What a transition claims."""
    kind = t.kind
    if isinstance(t, LoggedIn | LoggedOut):
        kind = f"{kind} {t.channel.value}"
    if isinstance(t, AgentUpdated):
        kind = f"updated {t.field}"
    duration = getattr(t, "duration", None)
    return Claim(
        agent=t.agent.id,
        key=kind,
        poll=poll,
        id=t.id,
        at=t.at.timestamp(),
        earliest=t.earliest.timestamp(),
        latest=t.latest.timestamp(),
        calls=t.calls if isinstance(t, UnseenActivity) else None,
        duration=None if duration is None else duration.total_seconds(),
        reason=getattr(t, "reason", None),
    )


def play(combination: Combination) -> Played:
    """Play a combination, and judge it as far as it came."""
    began = time.perf_counter()
    player, error = Player(combination), ""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            player.play()
    except Exception:  # whatever it is, it is what we are looking for
        error = " / ".join(traceback.format_exc().strip().splitlines()[-3:])
    verdict = judge(player) if len(player.polls) > TAIL else Verdict()
    return Played(combination, verdict, error, time.perf_counter() - began)


def judge(player: Player) -> Verdict:
    """What the oracle says."""
    variant = player.setting.variant
    oracle = Oracle(
        facts=player.floor.history,
        polls=player.polls,
        server=Server(
            counts_at=variant.counters_move_at,
            unsure=variant.jitter + variant.torn_second + variant.availability_jitter,
            hides_zero=variant.counters_absent_at_zero,
            covers_rows=variant.totals_cover == "rows" or player.setting.group is None,
        ),
        status=player.setting.status,
        group=player.setting.group,
    )
    residuals = {}
    if player.last is not None:
        residuals = {agent: books.residual for agent, books in player.last.ledger.agents.items()}
    return oracle.judge(player.claims, residuals)


# --- the report -------------------------------------------------------------------------------------

HEAD = "  seed    told  precision  visible  provable  in bounds  order  ids  residual   s"


def line(played: Played) -> str:
    """One line a run."""
    v = played.verdict
    residual = sum(map(abs, v.residual.values()))
    return (
        f"{played.combination.seed:6}{v.told:8}{v.precision:11.4f}{v.recall('visible'):9.4f}"
        f"{v.recall('provable'):10.4f}{v.bounded:11.4f}{len(v.disordered):7}{len(v.repeated):5}{residual:10}"
        f"{played.seconds:6.1f}  {'' if played.is_good else 'WRONG '}{played.combination}"
    )


def details(played: Played, most: int) -> Iterator[str]:
    """The first things that were wrong with a run, of each kind."""
    v = played.verdict
    if played.error:
        yield f"died of: {played.error}"
    for claim in v.false[:most]:
        yield f"false: {_told(claim)}"
    for truth in v.missing[:most]:
        yield f"missing: {truth.agent} {truth.key} {_time(truth.at)} ({truth.why})"
    for claim, truth in v.outside[:most]:
        yield f"outside: {_told(claim)}, truly {_time(truth.at)}"
    for claim in v.misjudged[:most]:
        yield f"misjudged: {_told(claim)}"
    for claim in v.disordered[:most]:
        yield f"out of order: {_told(claim)}"
    yield from (f"id used twice: {one}" for one in v.repeated[:most])
    yield from (f"residual of agent {agent}: {calls}" for agent, calls in list(v.residual.items())[:most])


def _told(claim: Claim) -> str:
    calls = "" if claim.calls is None else f" calls={claim.calls}"
    calls += "" if claim.duration is None else f" after {claim.duration:.0f} s"
    return (
        f"{claim.agent} {claim.key}{calls} {_time(claim.at)} "
        f"[{_time(claim.earliest)}..{_time(claim.latest)}] by poll {claim.poll}"
    )


def _time(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%d %H:%M:%S.%f}"[:-4] if math.isfinite(at) else "never"


def summary(results: Sequence[Played]) -> str:
    """How many were good, what was wrong with the others, and which options they have in common."""
    bad = [played for played in results if not played.is_good]
    kinds = Counter(kind for played in bad for kind in _kinds(played))
    told = [f"{len(results) - len(bad)} of {len(results)} combinations without fault"]
    told += [f"  {kind}: {times} runs" for kind, times in kinds.most_common()]
    options = Counter(word for played in results for word in str(played.combination).split())
    guilty = Counter(word for played in bad for word in str(played.combination).split())
    shares = sorted(((guilty[w] / n, n, w) for w, n in options.items() if n > 4), reverse=True)
    told += ["of the runs with these, so many were wrong:"]
    told += [f"  {share:5.0%} of {n:4}  {word}" for share, n, word in shares[:12]]
    return "\n".join(told)


def _kinds(played: Played) -> Iterator[str]:
    v = played.verdict
    wrong = {
        "died": played.error,
        "told what did not happen": v.false,
        "did not tell what is visible": v.recall("visible") < 1,
        "did not tell what is provable": v.recall("provable") < 1,
        "bounds": v.bounded < BOUNDED,
        "durations": v.misjudged,
        "order": v.disordered,
        "an id used twice": v.repeated,
        "residual": v.residual,
    }
    return (kind for kind, is_so in wrong.items() if is_so)


def main(arguments: Sequence[str] | None = None) -> None:
    """Draw, play, judge and print; the exit code is 1 if anything was wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks combinations",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--count", type=int, default=100, help="how many combinations")
    parser.add_argument("--seed", type=int, default=1, help="of the first; the others follow")
    parser.add_argument("--only", type=int, metavar="SEED", help="this one alone")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes")
    parser.add_argument("--misses", type=int, default=3, help="show so many faults of each kind of the worst")
    parser.add_argument("--worst", type=int, default=10, help="show so many of the worst runs")
    options = parser.parse_args(arguments)
    seeds = range(options.seed, options.seed + options.count) if options.only is None else [options.only]
    print(HEAD)
    results = []
    with ProcessPoolExecutor(min(options.jobs, len(seeds)), initializer=_limit_memory) as pool:
        for played in pool.map(_play_seed, seeds):
            results.append(played)
            print(line(played), flush=True)
    print(summary(results))
    for played in sorted(results, key=lambda played: -played.badness)[: options.worst]:
        if not played.is_good:
            print(f"\n--only {played.combination.seed}: {played.combination}")
            print("\n".join(f"   {words}" for words in details(played, options.misses)))
    sys.exit(any(not played.is_good for played in results))


def _limit_memory() -> None:
    """A core that goes astray must not take the machine with it."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def _play_seed(seed: int) -> Played:
    return play(draw(seed))


if __name__ == "__main__":
    main()
