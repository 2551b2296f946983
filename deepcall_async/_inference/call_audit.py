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

from deepcall_async._model import (
    ALL_PHASES,
    ROUNDING,
    ZERO,
    Account,
    Agent,
    Phase,
    add,
    evolve,
    is_midnight_between,
)

from .call_books import NO_CLAIMS, Finding, Sighting, Tally, first_sight

IMPOSSIBLE = 2**30  # the claim of a phase that expects more calls than the counter holds
PATIENCE = 3  # polls of an idle agent before a call the counter never counted is written off


def audit(tally: Tally, seen: Sighting, phases: Collection[Phase]) -> tuple[Tally, Finding]:
    """Take one poll into the books: the new books, and what they say."""
    if _is_balanced(tally, seen, phases):
        return tally, Finding(since=seen.since, reset_since=seen.shown)
    finding = Finding(
        since=tally.since or seen.since,
        reset_since=tally.watched if tally.vanished else seen.shown,
        is_alone=(tally.calls or 0) == tally.base,
    )
    books = evolve(tally, begun=tally.begun + seen.began, ended=tally.ended + seen.ended, since=finding.since)
    books = _entered(tally, books, seen, phases, finding)
    finding.grown = books.account.grown
    return books, finding


def _entered(
    tally: Tally, books: Tally, seen: Sighting, phases: Collection[Phase], finding: Finding
) -> Tally:
    """The books with the counters of this poll in them, if it shows any."""
    if not seen.is_sent:
        return books
    if seen.agent.calls is None:
        _do_without_counter(books, seen)
        return books
    if tally.calls is None and not _fits(books, seen, tally.watched):
        return _anew(seen, tally.account)
    if _is_reset(books, seen.agent):
        return _begin_anew(books, seen, phases, finding)
    may_be_new = tally.vanished or _may_be_new(books, seen)
    _read(books, seen.agent)
    has_more_talk = (books.talk or ZERO) > (tally.talk or ZERO)
    finding.talk_comes_apart = has_more_talk and books.calls == tally.calls and not seen.ended
    is_of_another = finding.talk_comes_apart and books.calls == books.base and not books.ended
    if is_of_another and seen.agent.call is not None:
        books.base_talk = books.talk or ZERO  # that of an earlier call
    _balance(books, seen, phases, finding)
    if may_be_new:  # whose talk time it is, nobody knows
        finding.talk = finding.total_talk = None
    return books


def _anew(seen: Sighting, account: Account) -> Tally:
    """The books of an agent whose counters are not to be compared with earlier ones."""
    may_wrap_up = bool(seen.agent.is_occupied) and seen.agent.call is None
    return first_sight(seen.agent, seen.now, account, may_wrap_up=may_wrap_up)


def _may_be_new(books: Tally, seen: Sighting) -> bool:
    """Whether the counters may have begun anew since the last poll, though they did not fall.

    So they may where a period can have ended and all they hold can have grown since. Counters at nothing
    are the same anew, unless a call had ended that was still to be counted.
    """
    if not (books.calls or books.talk or books.ended or books.late or books.owed):
        return False
    can_have_ended = seen.logged_in_anew or is_midnight_between(seen.shown, seen.now)
    return can_have_ended and _fits(books, seen, seen.shown)


def _is_balanced(tally: Tally, seen: Sighting, phases: Collection[Phase]) -> bool:
    """Whether there is nothing to enter: the books are closed, and nothing happened since."""
    in_the_books = (
        tally.is_open,
        tally.vanished,
        tally.late,
        tally.lost,
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


def _do_without_counter(books: Tally, seen: Sighting) -> None:
    """The row carries no counter: before an agent's first call of a period that is normal."""
    if books.calls is not None and not books.vanished:
        _break_off(books)
        books.vanished, books.watched = True, seen.shown
    if _is_past_doubt(seen, ALL_PHASES):
        books.since, books.late, books.prior = None, 0, 0


def _break_off(books: Tally) -> None:
    """A period ends, perhaps in the middle of a window: what was told explains what it can.

    A call told in the window may lie on either side of the end, so the next period may count it.
    """
    calls, told = books.calls or 0, max(books.begun, books.ended)
    seen = books.account.seen + min(calls - books.base, told)
    books.account = evolve(books.account, seen=seen, open=0)
    books.late += told
    books.begun = books.ended = 0
    books.claims, books.is_open, books.base = NO_CLAIMS, False, calls


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


def _begin_anew(books: Tally, seen: Sighting, phases: Collection[Phase], finding: Finding) -> Tally:
    """Open the books of a new period, whose counters began at nothing."""
    finding.is_reset = finding.is_alone = True
    has_vanished, can_be_new = books.vanished, _fits(books, seen, finding.reset_since)
    if not has_vanished:
        _break_off(books)
    told = max(books.late, books.begun, books.ended)
    if (seen.agent.calls or 0) > told and not can_be_new:
        # No new period holds so much already: a correction of the server's, or a replica that lags.
        finding.is_quiet = False
        return _anew(seen, books.account)
    books.calls, books.talk, books.base, books.base_talk = 0, None, 0, ZERO
    _read(books, seen.agent)
    if has_vanished:  # the new period began then, and the window with it
        _balance(books, seen, phases, finding)
        return books
    late = books.late
    _settle(books, seen, phases, finding, max(0, books.calls - late))
    if late:  # nor is a late call's talk time known to be the new period's
        finding.talk = finding.total_talk = None
    return books


def _read(books: Tally, agent: Agent) -> None:
    """Take the counters as sent."""
    calls, talk = agent.calls or 0, books.talk if agent.talk_time is None else agent.talk_time
    account = books.account
    books.account = evolve(
        account,
        grown=account.grown + calls - (books.calls or 0),
        talk_grown=add(account.talk_grown, (talk or ZERO) - (books.talk or ZERO)),
    )
    books.calls, books.talk, books.vanished = calls, talk, False


def _hidden(phase: Phase, tally: Tally, grown: int, *, is_idle: bool) -> int:
    """How many hidden calls the window has had so far if this phase is the server's; below 0: it is not."""
    if phase is Phase.CALL_START:
        return grown - tally.begun
    if phase is Phase.CALL_END:
        return grown - tally.ended
    if is_idle:  # every wrap-up is over, and a late call was counted if it ever is
        return grown - tally.ended - min(tally.late, max(0, grown - tally.ended))
    claimed = tally.claims.get(phase, 0)
    return max(grown - tally.ended - tally.late, 0 if claimed == IMPOSSIBLE else claimed, 0)


def _balance(books: Tally, seen: Sighting, phases: Collection[Phase], finding: Finding) -> None:
    """Settle the window if the phases agree on the number of hidden calls; else keep it open."""
    grown = (books.calls or 0) - books.base
    said = {phase: _hidden(phase, books, grown, is_idle=seen.is_idle) for phase in phases}
    least, most = min(said.values()), max(said.values())
    waited = books.waited + int(most < 0 and seen.is_idle)
    if least == most >= 0 or waited >= PATIENCE:
        _settle(books, seen, phases, finding, most)
    elif (books.late and most >= 0 and _is_past_doubt(seen, ALL_PHASES)) or (least >= 0 and seen.is_idle):
        # Nobody can tell a call that was on at first, or a late one, from a hidden one: from here on there is
        # none.
        books.claims = NO_CLAIMS
        _settle(books, seen, phases, finding, min(hidden for hidden in said.values() if hidden >= 0))
        finding.talk = finding.total_talk = None
    else:
        if most >= 0:  # else the counter lags behind every phase, which speaks against none
            books.claims = {**books.claims, **_claims(said, books.claims)}
        books.waited, books.is_open = waited, True
        books.account = evolve(books.account, open=grown)
        finding.is_quiet = False


def _claims(said: Mapping[Phase, int], before: Mapping[Phase, int]) -> dict[Phase, int]:
    """What the phases claim so far in the window."""
    return {
        phase: IMPOSSIBLE if hidden < 0 else max(hidden, before.get(phase, 0))
        for phase, hidden in said.items()
    }


def _settle(books: Tally, seen: Sighting, phases: Collection[Phase], finding: Finding, balance: int) -> None:
    """Balance the books and begin a new window. balance: hidden calls; below 0, calls written off.

    A call that was given up as its agent logged out, and is counted after all, is no hidden one.
    """
    found = min(books.lost, max(0, balance))
    hidden = max(0, balance) - found
    grown = (books.calls or 0) - books.base
    talk = (books.talk or ZERO) - books.base_talk
    owners = books.owed + books.ended + books.late + hidden
    seen_calls = grown - balance
    prior = max(0, min(books.prior, seen_calls - max(books.begun, books.ended)))
    finding.hidden = hidden
    finding.talk, finding.total_talk = talk if owners == 1 and talk else None, talk or None
    finding.is_quiet = not (grown or talk or finding.is_reset)
    if books.claims:
        finding.contradicted = frozenset(phase for phase in phases if books.claims.get(phase, 0) > hidden)
    books.account = books.account.settled(seen_calls - prior, hidden, prior, talk if owners else ZERO)
    if found:  # a late one was not entered when it was told
        late = min(found, max(0, books.account.residual))
        books.account = evolve(books.account, seen=books.account.seen + late)
    books.base, books.base_talk = books.calls or 0, books.talk or ZERO
    books.owed = _owed(books, hidden, owners, talk, comes_apart=seen.talk_comes_apart)
    uncounted = max(0, books.late + books.ended - seen_calls)
    is_past_doubt = _is_past_doubt(seen, ALL_PHASES)
    books.lost -= found
    if seen.is_idle:  # once it is free and logged in, what was to be counted has been
        given_up = max(0, -balance) + _only_late(books, phases, uncounted)
        books.lost = 0 if seen.agent.is_logged_in else books.lost + given_up
    books.late = 0 if is_past_doubt else uncounted
    books.prior = min(books.late, books.prior - prior)
    books.begun = books.ended = books.waited = 0
    books.claims, books.is_open = NO_CLAIMS, False
    if _is_past_doubt(seen, phases):
        books.since = None


def _only_late(books: Tally, phases: Collection[Phase], uncounted: int) -> int:
    """How many calls that were told have not been counted, by a server that counts after wrap-up."""
    return max(0, uncounted - books.prior) if set(phases) == {Phase.WRAP_UP_END} else 0


def _owed(books: Tally, hidden: int, owners: int, talk: timedelta, *, comes_apart: bool) -> int:
    """How many calls told may still have their talk time to come.

    Where it does not come with the count, talk time may be that of one of its owners only.
    """
    if comes_apart:
        return max(0, owners - bool(talk))
    return 0 if talk else books.owed + books.ended + hidden


def _is_past_doubt(seen: Sighting, phases: Collection[Phase]) -> bool:
    """Whether a call told later must have begun after this poll.

    Not so for an agent who is occupied without a call, unless the server counts before wrap-up:
    an unseen call may be over, and not counted yet.
    """
    return seen.is_idle or seen.agent.call is not None or Phase.WRAP_UP_END not in phases
