"""How old news is: from the instant something happens on the floor to the consumer that is told of it.

    python -m benchmarks.latency                       # a minute of one stream at 1 s

A simulated floor lives in real time behind an HTTP server in another process. For every login, break and
call that the next poll could see, the time to its transition is split in three: waiting for the tick, which
the interval alone decides; the server's, which makes the reply; and ours, from then until the consumer has
the update: the way over the loopback, HTTP, decoding and comparing.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from attrs import asdict, frozen

from benchmarks.gauges import origin, quantiles
from benchmarks.load_server import Life, living
from deepcall_async import DeepcallSession, LoggedIn, LoggedOut, TokenAuth, Transition

KINDS = ("logged_in", "logged_out", "break_started", "break_ended", "call_started", "call_ended")
Key = tuple[str, str]


@frozen
class News:
    """A transition, and when the consumer had it, as `time.time()` tells."""

    transition: Transition
    heard: float


@frozen(kw_only=True)
class Result:
    """Quantiles in seconds, over so many transitions. unpaired: told by a later poll than the first."""

    transitions: int
    unpaired: int
    total: dict[str, float]
    waiting: dict[str, float]
    server: dict[str, float]
    ours: dict[str, float]


async def listen(url: str, interval: float, seconds: float) -> list[News]:
    """What a stream tells in so many seconds."""
    news: list[News] = []
    async with DeepcallSession(TokenAuth("1", "token"), base_url=url) as session:
        end = time.time() + seconds
        async for update in session.poll_live(interval):
            heard = time.time()
            news += [News(transition, heard) for transition in update.transitions]
            if heard > end:
                break
    return news


def split(life: Life, news: Sequence[News]) -> Result:
    """Pair each thing told with the last fact of its kind, and look where the time went."""
    facts: dict[Key, list[float]] = defaultdict(list)
    for fact in life.facts:
        facts[fact.agent, f"{fact.kind} {fact.channel or ''}"].append(fact.at)
    begun = [before for before, _ in life.served]
    parts: list[tuple[float, float, float]] = []
    told = [one for one in news if one.transition.kind in KINDS]
    for one in told:
        happened = facts[_key(one.transition)]
        answer = bisect_left(begun, one.heard) - 1
        place = bisect_left(happened, begun[answer]) - 1
        if place >= 0 and happened[place] > begun[answer - 1]:  # news to this very answer
            before, after = life.served[answer]
            parts.append((before - happened[place], after - before, one.heard - after))
    waiting, server, ours = ([part[n] for part in parts] for n in range(3))
    return Result(
        transitions=len(told),
        unpaired=len(told) - len(parts),
        total=quantiles([sum(part) for part in parts]),
        waiting=quantiles(waiting),
        server=quantiles(server),
        ours=quantiles(ours),
    )


def _key(t: Transition) -> Key:
    channel = t.channel.value if isinstance(t, LoggedIn | LoggedOut) else ""
    return t.agent.id, f"{t.kind} {channel}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Listen, split and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--agents", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--interval", type=float, default=1.0, metavar="SECONDS")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    options = vars(parser.parse_args(arguments))
    with living(options["agents"], options["seed"]) as server:
        news = asyncio.run(listen(server.url, options["interval"], options["seconds"]))
        result = split(server.ask("facts"), news)
    print(f"{result.transitions} transitions, {result.unpaired} of them told by a later poll")
    for name in ("total", "waiting", "server", "ours"):
        told = "".join(f"  {key} {at * 1e3:8.2f} ms" for key, at in getattr(result, name).items())
        print(f"{name:8}{told}")
    if options["json"]:
        document = {**origin("latency", options), "result": asdict(result)}
        options["json"].write_text(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    main()
