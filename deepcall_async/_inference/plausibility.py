"""What makes a reply suspect, and what it takes for a suspect reply to be believed after all.

Suspicion is in proportion. The store behind the server is eventually consistent, so totals and rows that
disagree a little are life. What speaks of a reply cut short, of another floor or of a server that has lost
its memory is held; so is a change of most of the floor. What ends a suspicion depends on its reasons:

- a floor that changed at once (its clock was set, most agents logged out or in again) needs a second witness;
- what may be a state of the server (an empty floor, totals that count something else) must have lasted;
- a reply that contradicts itself while it takes agents, calls or breaks away is never confirmed by another
  that does so too.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from attrs import Factory, field, frozen

from deepcall_async._model import PIN_TOLERANCE, ROUNDING, STRAY, TICK, Agent, Snapshot

from .clock_shift import common_shift
from .delta import Census, Look
from .episodes import MOBILE, WEB, Facet, is_same_episode
from .floor_state import FloorState
from .origins import Between

OLDER = "the server's time runs backwards"
NO_ROWS = "no rows, though lA counts logged-in agents"
EMPTIED = "no rows, though the last reply had some"
LOGINS = "lA contradicts the rows"
CUT_SHORT = "agents are missing whom lA still counts"
CALLS = "oCA counts calls, but the rows show none any more"
BREAKS = "oBA counts breaks, but the rows show none any more"
CLOCKLESS = "nothing tells the server's time"
SHIFTED = "most origins moved by the same amount"
TURNED_OVER = "most agents logged out, or in again together"
STARTING = "most logins began only now"

ABSURD = frozenset({NO_ROWS, CUT_SHORT, CALLS, BREAKS})  # these contradict themselves, and take away
SLOW = frozenset({EMPTIED, LOGINS})  # these are believed when they have lasted
ENOUGH, LASTING = 3, timedelta(seconds=30)  # replies, for so long
HABITS = frozenset({CUT_SHORT, CALLS, BREAKS})  # these may be a server's new ways
HABIT = timedelta(minutes=10)  # after so long

MIN_AGREEING = 5  # fewer logins may be as many as lA counts by chance
MIN_STARTING = 2  # fewer logins anew in the very second of a reply are chance
MIN_TURNED_OVER = 5  # fewer agents who log out at once are no sign of a server
SHARE = 10  # totals and rows may disagree by one in so many, and by one in any case


@frozen
class Suspicion:
    """Replies in a row that were not believed, each for the same reasons as the one before, or fewer.

    server_time: of the last one. since: of the first one, and received_at by our own clock.
    replies: how many there were.
    """

    reasons: tuple[str, ...]
    server_time: datetime
    since: datetime = field(default=Factory(lambda self: self.server_time, takes_self=True))
    received_at: datetime | None = None
    replies: int = 1

    def and_of(self, reasons: Iterable[str], snapshot: Snapshot) -> Suspicion:
        """With one more reply; a new suspicion if that one is suspect for other reasons.

        An absurd reply is no witness for one that is not. Nor is an old one for itself, sent again.
        """
        fresh, before, at = set(reasons), set(self.reasons), snapshot.server_time
        known = before | {SHIFTED} if OLDER in before else before  # its size may show only now
        if not fresh <= known or ABSURD & before - fresh:
            return suspicion(fresh, snapshot)
        is_witness = OLDER not in fresh or at > self.server_time
        replies = self.replies + is_witness
        return Suspicion(tuple(sorted(fresh)), at, self.since, self.received_at, replies)

    def is_over(self, *, is_provisional: bool = False, is_narrowed: bool = False) -> bool:
        """Whether the last of these replies is to be believed after all.

        is_provisional: what it is compared with contradicts itself as well, so that nothing is taken away.
        is_narrowed: the totals may be those of others, too, so that they contradict nothing for good.
        """
        lenient = ABSURD if is_narrowed else HABITS if is_provisional else frozenset()
        absurd, slow, reasons = ABSURD - lenient, SLOW | lenient, set(self.reasons)
        if self.replies == 1 or reasons & absurd or STARTING in reasons:
            return False
        return not reasons & slow or (self.replies >= ENOUGH and self._has_lasted(LASTING))

    @property
    def is_habit(self) -> bool:
        """Whether it has lasted so long that the floor had better be seen anew."""
        return bool(HABITS.intersection(self.reasons)) and self.replies >= ENOUGH and self._has_lasted(HABIT)

    def _has_lasted(self, time: timedelta) -> bool:
        return self.server_time - self.since >= time


def suspicion(reasons: Iterable[str], snapshot: Snapshot) -> Suspicion:
    """A new suspicion against a reply."""
    return Suspicion(tuple(sorted(reasons)), snapshot.server_time, received_at=snapshot.received_at)


# --- the reasons ------------------------------------------------------------------------------------


def suspicions(state: FloorState, look: Look, *, covers_rows: bool = True) -> set[str]:
    """The reasons not to believe this reply after the last one.

    covers_rows: the totals count what the rows show, as far as is known.
    """
    known = _known(state)
    found = _contradictions(state, look, known) if covers_rows else set()
    time = look.snapshot.server_time
    if time < state.server_time - (PIN_TOLERANCE if _strays(look.snapshot) else timedelta(0)):
        found.add(OLDER)
    if not (look.view.agents or _unread(look.snapshot)) and state.shown:
        return found | {EMPTIED}
    if common_shift(state, look):
        return found | {SHIFTED}
    return found | _turned_over(state, look, known.logged_in)


def oddities(look: Look) -> set[str]:
    """What a reply contradicts in itself."""
    counted = look.snapshot.totals.logged_in
    if counted and not look.view.agents and not _unread(look.snapshot):
        return {NO_ROWS}
    return {LOGINS} if _off_by(look) > _tolerance(max(counted or 0, look.view.census.logged_in), 2) else set()


def agrees(look: Look) -> bool:
    """Whether the totals count just what the rows show, and enough for that to be no chance."""
    return _off_by(look) == 0 and look.view.census.logged_in >= MIN_AGREEING


def _off_by(look: Look) -> int:
    """By how much lA misses the logins that the rows show, on the web or on any channel."""
    counted, unread, seen = look.snapshot.totals.logged_in, _unread(look.snapshot), look.view.census
    if counted is None:
        return 0
    return min(max(count - counted, counted - count - unread, 0) for count in (seen.web, seen.logged_in))


def _contradictions(state: FloorState, look: Look, known: Census) -> set[str]:
    """What the totals of a reply say against its rows."""
    found, unread = oddities(look), _unread(look.snapshot)
    is_off = _off_by(look) > _tolerance(known.logged_in)
    if is_off and NO_ROWS not in found and any(_logged_out(state, look)):
        found = {CUT_SHORT}
    totals, seen = look.snapshot.totals, look.view.census
    for total, before, now, reason in (
        (totals.on_call, known.on_call, seen.on_call, CALLS),
        (totals.on_break, known.on_break, seen.on_break, BREAKS),
    ):
        if before and not (now or unread) and (total or 0) > _tolerance(before):
            found.add(reason)
    return found


def _turned_over(state: FloorState, look: Look, known: int) -> set[str]:
    """Whether most of the agents known to be logged in have logged out, or in again at one time, in this gap.

    Those who logged in again one by one have lived: the longer the gap, the more there are.
    """
    news = len(look.changed) + len(look.vanished)
    if 2 * news <= min(known, look.view.census.logged_in):  # nearly always
        return set()
    anew = sorted(_logged_in_anew(state, look))
    together = max((bisect_right(anew, since + STRAY) - place for place, since in enumerate(anew)), default=0)
    turned = sum(1 for _ in _logged_out(state, look)) - look.snapshot.unread_rows.get(None, 0) + together
    found = {TURNED_OVER} if turned >= MIN_TURNED_OVER and 2 * turned > known else set()
    return found | {TURNED_OVER, STARTING} if _is_starting(state, look, anew) else found


def _is_starting(state: FloorState, look: Look, anew: list[datetime]) -> bool:
    """Whether most of those who are logged in are so only now, though some of them were before.

    On a clock that was set back, that is so of all that it has stored ahead of itself: then only those count
    whose logins were known to have begun earlier.
    """
    just_now = look.snapshot.server_time - ROUNDING
    starting = sum(since >= just_now for since in anew)
    if starting < MIN_STARTING:
        return False
    if not state.is_behind(look.snapshot.server_time):
        every = ([agent.login, agent.mobile_login] for agent in look.changed)
        starting = sum(
            any(login and login.since and login.since >= just_now for login in own) for own in every
        )
    return 2 * starting > look.view.census.logged_in


def _logged_out(state: FloorState, look: Look) -> Iterator[Agent]:
    """Who was logged in when last seen, and is not any more: not those whose rows cannot be read now."""
    known, now, unread = state.shown, look.view.agents, look.snapshot.unread_rows
    changed = (agent.id for agent in look.changed)
    for agent_id in dict.fromkeys((*look.vanished, *changed, *sorted(state.restless))):
        if agent_id not in unread and _is_in(known.get(agent_id)) and not _is_in(now.get(agent_id)):
            yield known[agent_id]


def _is_in(agent: Agent | None) -> bool:
    return agent is not None and agent.is_logged_in


def _logged_in_anew(state: FloorState, look: Look) -> Iterator[datetime]:
    """When those who were logged in logged in again."""
    for seen in look.changed:
        known = state.shown.get(seen.id)
        if known is not None and any(_is_anew(state, look, facet, known, seen) for facet in (WEB, MOBILE)):
            yield max(
                facet.of(seen).since for facet in (WEB, MOBILE) if facet.of(seen) and facet.of(seen).since
            )


def _is_anew(state: FloorState, look: Look, facet: Facet, known: Agent, seen: Agent) -> bool:
    if facet.of(known) is None or facet.of(seen) is None:
        return False
    now = look.snapshot.server_time
    is_behind = now < state.server_time or state.is_behind(now)
    between = Between(state.time, now, _available_since(state, known, seen), is_behind=is_behind)
    return not is_same_episode(facet, known, seen, between)


def _available_since(state: FloorState, known: Agent, seen: Agent) -> datetime | None:
    """The new `avD`, where it moved to an instant since the last reply."""
    since = seen.available_since
    return since if since is not None and since >= state.time and since != known.available_since else None


def _tolerance(agents: int, least: int = 1) -> int:
    """By how many agents totals and rows may disagree."""
    return max(least, agents // SHARE)


def _strays(snapshot: Snapshot) -> bool:
    """Whether the rows' clocks are further apart than a second that ticks over explains."""
    return snapshot.clock_spread > timedelta(seconds=TICK)


def _known(state: FloorState) -> Census:
    """The census of the last reply, with what is known of those whose rows could not be read."""
    if not state.restless:
        return state.view.census
    known, read = state.shown, state.view.agents
    come, gone = ([agents[key] for key in state.restless if key in agents] for agents in (known, read))
    return state.view.census.after(come, gone)


def _unread(snapshot: Snapshot) -> int:
    """How many rows could not be read."""
    return sum(snapshot.unread_rows.values())
