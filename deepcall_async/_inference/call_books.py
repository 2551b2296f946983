"""The values of the books: an agent's open calls, what a poll shows of them, and what it proves."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from attrs import define

from deepcall_async._model import ZERO, Account, Agent, Phase

NO_CLAIMS: Mapping[Phase, int] = {}  # one for all: most agents have none
NOTHING_YET = Account()


@define(kw_only=True)
class Tally:
    """One agent's open books. Written in while `audit` takes a poll into a copy of them, and never after.

    calls, talk: the counters as last sent; None: never. watched: since when, while they are not sent.
    vanished: they were sent, and no longer are.
    base, base_talk: the counters when the window began. begun, ended: calls told in the window.
    late: calls that ended before the window and may be counted in it. prior: of them, those that were
    not told, as they ended before the first sight. lost: calls told that had not been counted when their
    agent logged out; they may be counted when it is back. owed: calls told to have ended, seen or hidden,
    whose talk time has not come. claims: the most hidden calls each phase claimed in the window.
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
    lost: int = 0
    owed: int = 0
    claims: Mapping[Phase, int] = NO_CLAIMS
    since: datetime | None = None
    waited: int = 0
    is_open: bool = False
    account: Account = NOTHING_YET


@define(kw_only=True)
class Sighting:
    """What the polls at `polled` and `now` show of an agent's calls.

    shown: the last poll before now with the agent's row; the one at `polled` unless it was away.
    since: the last instant before `polled` at which it surely was not on a call that nobody saw.
    is_sent: the agent's row is there. began, ended: visible calls told now.
    is_idle: neither on a call nor occupied, and no wrap-up is left.
    logged_in_anew: it logged in after `shown`, which may have begun a new period of its counters.
    talk_comes_apart: this server counts a call and its talk time at different moments.
    """

    polled: datetime
    shown: datetime
    since: datetime
    now: datetime
    agent: Agent
    is_sent: bool
    began: int
    ended: int
    is_idle: bool
    logged_in_anew: bool = False
    talk_comes_apart: bool = False


@define(kw_only=True)
class Finding:
    """What the books say at a poll.

    hidden: calls that began and ended unseen, to be told now. since: when the first can have begun.
    is_alone: the counter grew since the previous poll only, so one call has its place among those told.
    talk: the talk time that only one call, hidden or just ended, can own. total_talk: of all since.
    is_reset: the counters began anew, after `reset_since`. is_quiet: nothing grew and nothing is open.
    contradicted: the phases this window contradicts. grown: by how much the counter grew so far in the run.
    talk_comes_apart: talk time came by itself.
    """

    since: datetime
    grown: int = 0
    hidden: int = 0
    is_alone: bool = True
    talk: timedelta | None = None
    total_talk: timedelta | None = None
    is_reset: bool = False
    reset_since: datetime
    is_quiet: bool = True
    contradicted: frozenset[Phase] = frozenset()
    talk_comes_apart: bool = False


def first_sight(agent: Agent, now: datetime, account: Account = NOTHING_YET, *, may_wrap_up: bool) -> Tally:
    """The books of an agent not seen before: what is on the counters already is not ours to explain.

    may_wrap_up: a call may be over that is not counted yet.
    """
    return Tally(
        calls=agent.calls,
        talk=agent.talk_time,
        watched=now,
        base=agent.calls or 0,
        base_talk=agent.talk_time or ZERO,
        late=int(may_wrap_up),
        prior=int(may_wrap_up),
        since=now if may_wrap_up else None,
        account=account,
    )
