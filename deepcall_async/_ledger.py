"""The books: which growth of an agent's call counter the told calls explain, and what is left.

`tC` grows by one for every call, but nobody documents *when*: as the call starts, as it
ends, or after its wrap-up. Each is a *phase*, a hypothesis about the server, and says at
any poll how many of the calls already told must be in the counter by now. What the
counter holds beyond that are calls nobody saw: the *hidden* ones.

While the phases disagree, the growth is kept open and nothing is told. As soon as they
agree (an agent who is idle leaves no room for disagreement), the hidden calls are told,
once. A phase that had claimed more hidden calls than there were, or fewer than none, has
contradicted the floor; after a few contradictions it is out, and agreement comes sooner.

A *window* is the time since the books last balanced. `talk` (`tt`) is explained beside
the calls: growth that only one call can own is that call's talk time.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from attrs import frozen

from ._account import ALL_PHASES, ZERO, Account, Phase
from ._clock import ROUNDING
from ._evolve import evolve
from ._model import Agent

IMPOSSIBLE = 2**30  # the claim of a phase that expects more calls than the counter holds
PATIENCE = 3  # polls of an idle agent before a call the counter never counted is written off


NO_CLAIMS: Mapping[Phase, int] = {}  # one for all: most agents have none
NOTHING_YET = Account()


@frozen(kw_only=True)
class Tally:
    """One agent's open books.

    calls, talk: the counters as last sent; None: never. watched: since when, while they are not sent.
    vanished: they were sent, and no longer are.
    base, base_talk: the counters when the window began. begun, ended: calls told in the window.
    late: calls that ended before the window and may be counted in it. prior: of them, those that were
    not told, as they ended before the first sight. owed: calls told to have ended whose talk time has
    not come. claims: the most hidden calls each phase claimed in the window.
    since: the last poll after which a call not yet told can have begun; None: the previous poll.
    waited: polls of an idle agent in which the counter held too little. is_open: the phases disagree.
    """

    calls: int | None
    talk: timedelta | None
    watched: datetime
    vanished: bool = False
    base: int
    base_talk: timedelta
    begun: int = 0
    ended: int = 0
    late: int = 0
    prior: int = 0
    owed: int = 0
    claims: Mapping[Phase, int] = NO_CLAIMS
    since: datetime | None = None
    waited: int = 0
    is_open: bool = False
    account: Account = NOTHING_YET


@frozen(kw_only=True)
class Sighting:
    """What the polls at `polled` and `now` show of an agent's calls.

    shown: the last poll before now with the agent's row; the one at `polled` unless it was away.
    is_sent: the agent's row is there. began, ended: visible calls told now.
    is_idle: neither on a call nor occupied, and no wrap-up is left.
    """

    polled: datetime
    shown: datetime
    now: datetime
    agent: Agent
    is_sent: bool
    began: int
    ended: int
    is_idle: bool


@frozen(kw_only=True)
class Finding:
    """What the books say at a poll.

    hidden: calls that began and ended unseen, to be told now. since: when the first can have begun.
    is_alone: the counter grew since the previous poll only, so one call has its place among those told.
    talk: the talk time that only one call, hidden or just ended, can own. total_talk: of all since.
    is_reset: the counters began anew, after `reset_since`. is_quiet: nothing grew and nothing is open.
    contradicted: the phases this window contradicts.
    """

    since: datetime
    hidden: int = 0
    is_alone: bool = True
    talk: timedelta | None = None
    total_talk: timedelta | None = None
    is_reset: bool = False
    reset_since: datetime
    is_quiet: bool = True
    contradicted: frozenset[Phase] = frozenset()


def first_sight(agent: Agent, now: datetime, account: Account | None = None) -> Tally:
    """The books of an agent not seen before: what is on the counters already is not ours to explain."""
    may_wrap_up = bool(agent.is_occupied) and agent.call is None
    return Tally(
        calls=agent.calls,
        talk=agent.talk_time,
        watched=now,
        base=agent.calls or 0,
        base_talk=agent.talk_time or ZERO,
        late=int(may_wrap_up),
        prior=int(may_wrap_up),
        since=now if may_wrap_up else None,
        account=account or NOTHING_YET,
    )


def audit(tally: Tally, seen: Sighting, phases: Collection[Phase]) -> tuple[Tally, Finding]:
    """Take one poll into the books: the new books, and what they say."""
    if _is_balanced(tally, seen, phases):
        return tally, Finding(since=seen.polled, reset_since=seen.shown)
    since = tally.since or seen.polled
    reset_since = tally.watched if tally.vanished else seen.shown
    finding = Finding(since=since, reset_since=reset_since, is_alone=(tally.calls or 0) == tally.base)
    tally = evolve(tally, begun=tally.begun + seen.began, ended=tally.ended + seen.ended, since=since)
    if not seen.is_sent:
        return tally, finding
    if seen.agent.calls is None:
        return _without_counter(tally, seen), finding
    if tally.calls is None and not _fits(tally, seen, tally.watched):
        return first_sight(seen.agent, seen.now, tally.account), finding
    if _is_reset(tally, seen.agent):
        return _begin_anew(tally, seen, phases, evolve(finding, is_reset=True, is_alone=True))
    balanced, found = _balance(_read(tally, seen.agent), seen, phases, finding)
    # While the counters were away they may have begun anew: whose talk time it is, nobody knows.
    return balanced, evolve(found, talk=None, total_talk=None) if tally.vanished else found


def _is_balanced(tally: Tally, seen: Sighting, phases: Collection[Phase]) -> bool:
    """Whether there is nothing to enter: the books are closed, and nothing happened since."""
    in_the_books = (
        tally.is_open,
        tally.vanished,
        tally.late,
        tally.waited,
        tally.begun,
        tally.ended,
        tally.since,
    )
    is_same = (
        tally.calls is not None and seen.agent.calls == tally.calls and seen.agent.talk_time == tally.talk
    )
    is_quiet = seen.is_sent and not (seen.began or seen.ended or any(in_the_books))
    return is_same and is_quiet and _is_past_doubt(seen, phases)


def _without_counter(tally: Tally, seen: Sighting) -> Tally:
    """The row carries no counter: before an agent's first call of a period that is normal."""
    if tally.calls is not None and not tally.vanished:
        tally = evolve(_broken_off(tally), vanished=True, watched=seen.shown)
    return evolve(tally, since=None, late=0, prior=0) if _is_past_doubt(seen, ALL_PHASES) else tally


def _broken_off(tally: Tally) -> Tally:
    """The books when a period ends, perhaps in the middle of a window: what was told explains what it can.

    A call told in the window may lie on either side of the end, so the next period may count it.
    """
    grown, told = (tally.calls or 0) - tally.base, max(tally.begun, tally.ended)
    seen = tally.account.seen + min(grown, told)
    account = evolve(tally.account, seen=seen, open=0)
    late = tally.late + told
    base = tally.calls or 0
    return evolve(
        tally, begun=0, ended=0, late=late, claims=NO_CLAIMS, is_open=False, base=base, account=account
    )


def _fits(tally: Tally, seen: Sighting, since: datetime) -> bool:
    """Whether what is on a counter can have grown from nothing since then."""
    talk = seen.agent.talk_time
    if talk is None:
        return (seen.agent.calls or 0) <= max(tally.begun, tally.ended) + 1
    return talk <= seen.now - since + ROUNDING


def _is_reset(tally: Tally, agent: Agent) -> bool:
    """Whether a counter fell, or vanished and came back no larger but different."""
    before = tally.calls or 0, tally.talk or ZERO
    after = agent.calls or 0, before[1] if agent.talk_time is None else agent.talk_time
    fell = after[0] < before[0] or after[1] < before[1]
    return fell or (tally.vanished and after[0] <= before[0] and after != before)


def _begin_anew(
    tally: Tally, seen: Sighting, phases: Collection[Phase], finding: Finding
) -> tuple[Tally, Finding]:
    """Open the books of a new period, whose counters began at nothing."""
    anew = tally if tally.vanished else _broken_off(tally)
    told = max(anew.late, anew.begun, anew.ended)
    if (seen.agent.calls or 0) > told and not _fits(tally, seen, finding.reset_since):
        # No new period holds so much already: a correction of the server's, or a replica that lags.
        return first_sight(seen.agent, seen.now, anew.account), evolve(finding, is_quiet=False)
    anew = _read(evolve(anew, calls=0, talk=None, base=0, base_talk=ZERO), seen.agent)
    if tally.vanished:  # the new period began then, and the window with it
        return _balance(anew, seen, phases, finding)
    settled, finding = _settle(anew, seen, phases, finding, max(0, (anew.calls or 0) - anew.late))
    # Nor is a late call's talk time known to be the new period's.
    return settled, evolve(finding, talk=None, total_talk=None) if anew.late else finding


def _read(tally: Tally, agent: Agent) -> Tally:
    """Take the counters as sent."""
    calls, talk = agent.calls or 0, tally.talk if agent.talk_time is None else agent.talk_time
    account = evolve(
        tally.account,
        grown=tally.account.grown + calls - (tally.calls or 0),
        talk_grown=tally.account.talk_grown + ((talk or ZERO) - (tally.talk or ZERO)),
    )
    return evolve(tally, calls=calls, talk=talk, vanished=False, account=account)


def _hidden(phase: Phase, tally: Tally, grown: int, *, is_idle: bool) -> int:
    """How many hidden calls the window has had so far if this phase is the server's; below 0: it is not."""
    if phase is Phase.CALL_START:
        return grown - tally.begun
    if phase is Phase.CALL_END:
        return grown - tally.ended
    if is_idle:  # every wrap-up is over, and a late call was counted if it ever is
        return grown - tally.ended - min(tally.late, max(0, grown - tally.ended))
    return max(grown - tally.ended - tally.late, tally.claims.get(phase, 0), 0)


def _balance(
    tally: Tally, seen: Sighting, phases: Collection[Phase], finding: Finding
) -> tuple[Tally, Finding]:
    """Settle the window if the phases agree on the number of hidden calls; else keep it open."""
    grown = (tally.calls or 0) - tally.base
    said = {phase: _hidden(phase, tally, grown, is_idle=seen.is_idle) for phase in phases}
    most = max(said.values())
    waited = tally.waited + int(most < 0 and seen.is_idle)
    if (most >= 0 and most == min(said.values())) or waited >= PATIENCE:
        return _settle(tally, seen, phases, finding, most)
    if tally.late and most >= 0 and _is_past_doubt(seen, ALL_PHASES):
        # Nobody can tell a late call from a hidden one; from here on there is none.
        least = min(hidden for hidden in said.values() if hidden >= 0)
        return _settle(evolve(tally, claims=NO_CLAIMS), seen, phases, finding, least)
    claims = dict(tally.claims)
    if most >= 0:  # else the counter lags behind every phase, which speaks against none
        for phase, hidden in said.items():
            claims[phase] = IMPOSSIBLE if hidden < 0 else max(hidden, claims.get(phase, 0))
    account = evolve(tally.account, open=grown)
    return evolve(tally, claims=claims, waited=waited, is_open=True, account=account), evolve(
        finding, is_quiet=False
    )


def _settle(
    tally: Tally, seen: Sighting, phases: Collection[Phase], finding: Finding, balance: int
) -> tuple[Tally, Finding]:
    """Balance the books and begin a new window. balance: hidden calls; below 0, calls written off."""
    hidden = max(0, balance)
    grown = (tally.calls or 0) - tally.base
    talk = (tally.talk or ZERO) - tally.base_talk
    owners = tally.owed + tally.ended + tally.late + hidden
    seen_calls = grown - balance
    prior = max(0, min(tally.prior, seen_calls - max(tally.begun, tally.ended)))
    late = 0 if _is_past_doubt(seen, ALL_PHASES) else max(0, tally.late + tally.ended - seen_calls)
    account = tally.account.settled(seen_calls - prior, hidden, prior, talk if owners else ZERO)
    settled = evolve(
        tally,
        base=tally.calls or 0,
        base_talk=tally.talk or ZERO,
        begun=0,
        ended=0,
        late=late,
        prior=min(late, tally.prior - prior),
        owed=0 if talk else tally.owed + tally.ended,
        claims=NO_CLAIMS,
        since=None if _is_past_doubt(seen, phases) else tally.since,
        waited=0,
        is_open=False,
        account=account,
    )
    return settled, evolve(
        finding,
        hidden=hidden,
        talk=talk if owners == 1 and talk else None,
        total_talk=talk or None,
        is_quiet=not (grown or talk or finding.is_reset),
        contradicted=frozenset(phase for phase in phases if tally.claims.get(phase, 0) > hidden),
    )


def _is_past_doubt(seen: Sighting, phases: Collection[Phase]) -> bool:
    """Whether a call told later must have begun after this poll.

    Not so for an agent who is occupied without a call, unless the server counts before wrap-up:
    an unseen call may be over, and not counted yet.
    """
    return seen.is_idle or seen.agent.call is not None or Phase.WRAP_UP_END not in phases
