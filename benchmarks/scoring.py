"""How well a client told what truly happened on a simulated floor.

A truth falls into one of four classes, by what the polls can show of it and no client can better:

visible     a poll before it and a poll after it show the difference: an agent on a call, then not.
provable    no poll shows it, but the evidence proves it: a login, break or call whose origin moved
            between two polls that both show one, by more than the readings' error; or a call that
            began and ended between two polls with no other hidden call and no counter reset near it.
countable   a call hidden like that among others: the counter tells how many, nobody tells which.
ambiguous   the rest: a break or a login that came and went between two polls, an unanswered ring,
            an origin that moved by less than can be read, a hidden call of an agent whom no poll saw
            free before it, or who was out of view when it was counted; and in the first ten minutes of a
            run a hidden call next to a visible one, as nobody can know yet when this server counts; and one
            after a counter reset that did not show, as a counter of zero may be left out and come back no
            smaller than it was. Nothing need be told of these.

"Near" a hidden call means: from the last poll that saw the agent free (or on another call) to the
first poll after the counter took it up. Times are compared in whole seconds of the server, rounded
down, as the wire carries no more.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from attrs import define, field, fields, frozen

from deepcall_async.simulator import Fact, Variant

SIDES = {"web": "logged", "mobile": "logged", "break": "break", "call": "call"}
LEARNING = 600.0  # seconds of a run in which the server's ways must first be seen
NARROW = 2.0  # seconds between the bounds of what an origin tells
OUTSIDE = 5.0  # seconds beyond an interval at which a told thing may still be paired with a truth
MISSES = 20  # kept of each run
SLACK = 1.0  # the promise: the truth lies within a second of the bounds


@define
class Truth:
    """One thing that happened.

    key: agent and kind, with the channel of a login. began: of an end, when its episode began.
    told: whether a client told it.
    """

    key: tuple[str, str]
    at: float
    visibility: str
    began: float | None = None
    told: bool = False


@frozen
class Telling:
    """One thing a client told.

    basis: how it says it knows: "observed", "inferred" or "counted".
    has_origin: it claims to know the second.
    """

    key: tuple[str, str]
    at: float
    earliest: float
    latest: float
    basis: str = "observed"
    has_origin: bool = False

    @property
    def width(self) -> float:
        """How far apart its bounds are, in seconds."""
        return self.latest - self.earliest


@define
class Episode:
    """A login, break, call, ring or wrap-up. end: infinite while it lasts."""

    agent: str
    side: str
    start: float
    end: float = math.inf
    counted: float = math.inf

    def is_on(self, at: float) -> bool:
        """Whether a poll at this instant shows it."""
        return self.start <= at < self.end


@define
class Score:
    """The sums of a run; `+` adds runs. Times are counted in tenths of a second.

    errors: of what claims an origin; all_errors: of everything. misses: the first of what went wrong.
    """

    truths: Counter[str] = field(factory=Counter)
    found: Counter[str] = field(factory=Counter)
    tellings: int = 0
    false: int = 0
    in_bounds: int = 0
    paired: int = 0
    errors: Counter[float] = field(factory=Counter)
    all_errors: Counter[float] = field(factory=Counter)
    widths: Counter[float] = field(factory=Counter)
    countable: int = 0
    counted: int = 0
    misordered: int = 0
    repeated_ids: int = 0
    residual: int = 0
    misses: list[object] = field(factory=list)

    def __add__(self, other: Score) -> Score:
        total = Score()
        for name in _FIELDS:
            setattr(total, name, getattr(self, name) + getattr(other, name))
        total.misses = total.misses[:MISSES]
        return total

    def recall(self, visibility: str) -> float:
        """The share of the truths of a class that were told."""
        return self.found[visibility] / self.truths[visibility] if self.truths[visibility] else math.nan

    @property
    def precision(self) -> float:
        """The share of what was told as observed or inferred that happened."""
        return 1 - self.false / self.tellings if self.tellings else math.nan

    @property
    def bounded(self) -> float:
        """The share of the told truths within a second of their bounds."""
        return self.in_bounds / self.paired if self.paired else math.nan


_FIELDS = tuple(attribute.name for attribute in fields(Score))


def spread(times: Counter[float]) -> tuple[float, float, float]:
    """The median, the 95th percentile and the maximum."""
    reached = 0
    marks: list[float] = []
    for time in sorted(times):
        reached += times[time]
        while len(marks) < 2 and reached >= (0.5, 0.95)[len(marks)] * times.total():
            marks.append(time)
    return (*marks, max(times)) if times else (math.nan,) * 3  # type: ignore[return-value]  # two marks by now


# --- the truth ------------------------------------------------------------------------------------


@define
class History:
    """A floor's true history, by agent, seen from a run of polls."""

    facts: Sequence[Fact]
    polls: Sequence[float]
    variant: Variant
    status: str = "all"
    episodes: dict[tuple[str, str], list[Episode]] = field(factory=lambda: defaultdict(list))
    moments: dict[str, list[float]] = field(factory=lambda: defaultdict(list))  # agents becoming available
    resets: dict[str, list[float]] = field(factory=lambda: defaultdict(list))

    def __attrs_post_init__(self) -> None:
        for fact in self.facts:
            self._enter(fact)
        for (agent, side), calls in list(self.episodes.items()):
            for call in calls if side == "call" else ():
                call.counted = self._counted_at(agent, call)

    def _enter(self, fact: Fact) -> None:
        if fact.kind == "became_available":
            self.moments[fact.agent].append(fact.at)
        if fact.kind == "counters_reset":
            self.resets[fact.agent].append(fact.at)
        side, _, stage = fact.kind.rpartition("_")
        side = fact.channel or side
        if stage in ("started", "in"):
            self.episodes[fact.agent, side].append(Episode(fact.agent, side, fact.at))
        elif stage in ("ended", "out"):
            self.episodes[fact.agent, side][-1].end = fact.at

    def _counted_at(self, agent: str, call: Episode) -> float:
        if self.variant.counters_move_at != "wrap_up_end":
            return call.end
        after = (wrap_up for wrap_up in self.episodes[agent, "wrap_up"] if wrap_up.start == call.end)
        return next((wrap_up.end for wrap_up in after), call.end)

    def first_poll(self, at: float) -> int:
        """The index of the first poll that can show what happened at this instant."""
        return bisect_left(self.polls, at)

    def truths(self) -> list[Truth]:
        """Everything between the first poll and the last that the score weighs."""
        found = [
            truth
            for (_, side), own in list(self.episodes.items())
            if side in SIDES
            for truth in self._of(own)
        ]
        kinds = ("agent_added", "agent_removed") if self.status == "all" else ()
        found += [Truth((f.agent, f.kind), f.at, "visible") for f in self.facts if f.kind in kinds]
        return [truth for truth in found if self.polls[0] < truth.at <= self.polls[-1]]

    def _of(self, episodes: list[Episode]) -> Iterable[Truth]:
        for place, episode in enumerate(episodes):
            shown, gone = self.first_poll(episode.start), self.first_poll(episode.end)
            if shown == gone:
                visibility = self._hidden(episode)
                yield Truth(_key(episode, "start"), episode.start, visibility)
                yield Truth(_key(episode, "end"), episode.end, visibility, episode.start)
                continue
            before = self._shown_at(episodes[:place], shown - 1)
            after = self._shown_at(episodes[place + 1 :], gone)
            yield Truth(_key(episode, "start"), episode.start, self._moved(before, episode))
            ended = self._moved(episode, after) if self._is_shown_from(episode, gone) else "ambiguous"
            yield Truth(_key(episode, "end"), episode.end, ended, episode.start)

    def _is_shown_from(self, episode: Episode, poll: int) -> bool:
        """Whether this poll or a later one shows that a call or break is over: the agent must have a row."""
        is_login = SIDES[episode.side] == "logged"
        return is_login or any(self._is_shown(episode.agent, at) for at in self.polls[poll:])

    def _shown_at(self, episodes: list[Episode], poll: int) -> Episode | None:
        if not 0 <= poll < len(self.polls):
            return None
        return next((episode for episode in episodes if episode.is_on(self.polls[poll])), None)

    def _moved(self, old: Episode | None, new: Episode | None) -> str:
        """How well the polls can tell two episodes on either side of a gap apart."""
        if old is None or new is None:
            return "visible"
        shape = {"call": self.variant.call_shape, "break": self.variant.break_shape}.get(new.side, "triple")
        if shape in ("no_origin", "word"):
            return "provable" if self._became_available(old, new) else "ambiguous"
        unsure = 2 + 2 * (self.variant.jitter + self.variant.torn_second)
        return "provable" if math.floor(new.start) - math.floor(old.start) > unsure else "ambiguous"

    def _became_available(self, old: Episode, new: Episode) -> bool:
        is_sent = self.variant.busy_availability == "kept"
        return is_sent and any(old.end <= moment <= new.start for moment in self.moments[new.agent])

    def _hidden(self, episode: Episode) -> str:
        if episode.side != "call":
            return "ambiguous"
        since, until = self._last_free(episode), self._next_poll(episode.counted)
        calls = self.episodes[episode.agent, "call"]
        near = [
            call for call in calls if call.start < until and call.counted > since and self._is_hidden(call)
        ]
        if (
            until == math.inf
            or since == -math.inf
            or self._is_reset(episode.agent, since, until)
            or not self._is_shown(episode.agent, since, until)
        ):
            return "ambiguous"
        if until < self.polls[0] + LEARNING and any(self._is_near(call, since, until) for call in calls):
            return "ambiguous"
        return "provable" if len(near) == 1 else "countable"

    def _is_reset(self, agent: str, since: float, until: float) -> bool:
        """Whether the counter began anew in between; or earlier, and nothing has shown it by `until`.

        A counter that is left out while it is zero hides its reset until it is seen to be smaller.
        """
        resets = sorted(at for at in self.resets[agent] if at <= until)
        earlier, last = [0.0, 0.0, *resets][-2:]
        if not last or not self.variant.counters_absent_at_zero or last > since:
            return last > since
        counted = [call.counted for call in self.episodes[agent, "call"]]
        before, after = (sum(a < at <= b for at in counted) for a, b in ((earlier, last), (last, until)))
        return after >= before and not any(last < at <= since for at in counted)

    def _is_near(self, call: Episode, since: float, until: float) -> bool:
        return call.start <= until and call.counted > since and not self._is_hidden(call)

    def _is_shown(self, agent: str, *polls: float) -> bool:
        """Whether all these polls have a row of the agent."""
        logins = [*self.episodes[agent, "web"], *self.episodes[agent, "mobile"]]
        return self.status == "all" or all(any(login.is_on(at) for login in logins) for at in polls)

    def _is_hidden(self, call: Episode) -> bool:
        return self.first_poll(call.start) == self.first_poll(call.end)

    def _next_poll(self, at: float) -> float:
        poll = self.first_poll(at)
        return self.polls[poll] if poll < len(self.polls) else math.inf

    def _last_free(self, episode: Episode) -> float:
        """The last poll before a call that saw its agent free; minus infinity when none did."""
        before = self.polls[: self.first_poll(episode.start)]
        return next((poll for poll in reversed(before) if self._is_free(episode.agent, poll)), -math.inf)

    def _is_free(self, agent: str, at: float) -> bool:
        return not any(e.is_on(at) for side in ("ring", "wrap_up") for e in self.episodes[agent, side])


def _key(episode: Episode, stage: str) -> tuple[str, str]:
    if SIDES[episode.side] == "logged":
        return episode.agent, f"{'logged_in' if stage == 'start' else 'logged_out'} {episode.side}"
    return episode.agent, f"{episode.side}_{'started' if stage == 'start' else 'ended'}"


# --- telling against truth ------------------------------------------------------------------------


def pair(score: Score, truths: list[Truth], tellings: Iterable[Telling], interval: float) -> None:
    """Pair each telling with the nearest truth of its agent and kind that nothing was paired with yet."""
    waiting: dict[tuple[str, str], list[Truth]] = defaultdict(list)
    for truth in sorted(truths, key=lambda truth: truth.at):
        waiting[truth.key].append(truth)
    pairs: list[tuple[Truth | None, Telling]] = []
    for telling in sorted(tellings, key=lambda telling: (telling.width > NARROW, telling.latest)):
        best = _best(waiting[telling.key], telling, interval + OUTSIDE)
        if best is not None:
            best.told = True
            waiting[telling.key].remove(best)
        pairs.append((best, telling))
    _exchange(pairs, [truth for left in waiting.values() for truth in left])
    for best, telling in pairs:
        _weigh(score, best, telling)


def _exchange(pairs: list[tuple[Truth | None, Telling]], left: Iterable[Truth]) -> None:
    """An inferred telling that was paired with what nobody can know may as well mean what can be proved."""
    doubtful: dict[tuple[str, str], list[int]] = defaultdict(list)
    for place, (taken, telling) in enumerate(pairs):
        if taken is not None and taken.visibility == "ambiguous" and telling.basis == "inferred":
            doubtful[taken.key].append(place)
    for truth in left:
        for place in doubtful[truth.key] if truth.visibility == "provable" else ():
            taken, telling = pairs[place]
            if taken is not None and not _outside(truth, telling):
                taken.told, truth.told = False, True
                pairs[place] = truth, telling
                doubtful[truth.key].remove(place)
                break


def _best(truths: list[Truth], telling: Telling, reach: float) -> Truth | None:
    """The truth a telling most likely means: within its bounds, seen or not as it says, nearest or first."""
    near = [t for t in truths if telling.earliest - reach <= t.at <= telling.latest + reach]

    def strangeness(truth: Truth) -> tuple[float, bool, float]:
        is_unlike = (telling.basis == "observed") != (truth.visibility == "visible")
        when = abs(truth.at - telling.at) if telling.width <= NARROW else truth.at
        return _outside(truth, telling), is_unlike, when

    return min(near, key=strangeness, default=None)


def _outside(truth: Truth, telling: Telling) -> float:
    second = math.floor(truth.at)
    return max(0.0, telling.earliest - SLACK - second, second - telling.latest - SLACK)


def _weigh(score: Score, truth: Truth | None, telling: Telling) -> None:
    is_inside = truth is not None and not _outside(truth, telling)
    if not is_inside:
        score.misses.append((truth, telling))
    if telling.basis == "counted":
        score.countable += 1
        score.counted += is_inside
        return
    score.tellings += 1
    if truth is None:
        score.false += 1
        return
    score.paired += 1
    score.in_bounds += is_inside
    error = round(abs(telling.at - math.floor(truth.at)), 1)
    score.all_errors[error] += 1
    score.widths[round(telling.width, 1)] += 1
    if telling.has_origin:
        score.errors[error] += 1


def tally(score: Score, truths: Iterable[Truth]) -> None:
    """Count, by class, what there was and what was told of it."""
    for truth in truths:
        score.truths[truth.visibility] += 1
        score.found[truth.visibility] += truth.told
        if not truth.told and truth.visibility in ("visible", "provable"):
            score.misses.append(truth)
