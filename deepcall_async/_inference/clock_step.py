"""What to do when the server's clock was set: from then on all times are told on the new clock.

A clock that was set ahead shows in the origins, where these are counted from it. One that was set back shows
at once. How a server counts elapsed times is not known. It may go by the clock, so that origins stay where
they were, and what lies ahead of the clock has lasted for nothing until that has caught up. Or it may count
them, so that all origins move along with the clock.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from attrs import frozen

from deepcall_async._model import PIN_TOLERANCE, ROUNDING, STRAY, Agent, Snapshot, epoch, evolve, moved

from .agent_memory import Memory, Sent
from .clock_shift import common_shift
from .delta import Look
from .episodes import FACETS, Facet
from .floor_state import FloorState, recalled
from .plausibility import OLDER, SHIFTED, Suspicion

UNKNOWN = timedelta(days=1)  # as long as any gap may have been


@frozen
class ClockStep:
    """The server's clock was set, by `size` at the best estimate.

    of_polls: by how much the times of earlier polls move; further back where the size is not sure.
    showed: what it would have shown at the first reply after it was set. is_common: most origins moved along.
    """

    size: timedelta
    of_polls: timedelta
    showed: datetime
    is_common: bool = False


def clock_step(
    state: FloorState, suspect: Suspicion | None, last: Snapshot, seen: Look, found: set[str]
) -> ClockStep | None:
    """How the server's clock was set; None when it was not.

    Origins that moved tell by how much. A clock that was set back alone does not.
    """
    if SHIFTED in found:
        shift = common_shift(state, seen)
        since = seen.snapshot.server_time if suspect is None else suspect.since
        return ClockStep(shift, shift, moved(since, -shift), is_common=True)
    if OLDER not in found or suspect is None:
        return None
    since_set, leap = (
        seen.snapshot.server_time - suspect.since,
        seen.snapshot.server_time - last.server_time,
    )
    passed = _passed(suspect, last, seen.snapshot)
    size = leap - (2 * since_set if passed is None else passed)
    if size >= -PIN_TOLERANCE:
        return None
    of_polls = leap - (UNKNOWN if passed is None else passed)
    return ClockStep(size, of_polls, moved(suspect.since, -size))


def _passed(suspect: Suspicion, last: Snapshot, snapshot: Snapshot) -> timedelta | None:
    """How long it has been since the last good reply, by our own clock, if that goes like the server's."""
    received, first = snapshot.received_at, suspect.received_at
    if received is None or first is None or last.received_at is None:
        return None
    since_set = snapshot.server_time - suspect.since
    if abs(received - first - since_set) > PIN_TOLERANCE or first < last.received_at:
        return None
    return received - last.received_at


def stepped(state: FloorState, step: ClockStep, snapshot: Snapshot) -> FloorState:
    """The state after the server's clock was set: what polls told the time of is told on the new clock.

    Origins that the snapshot shows moved by as much are moved; if most of them were, so are those it does
    not show.
    """
    agents, now = snapshot.agents, snapshot.server_time
    is_back = step.size < timedelta(0)

    def on_new_clock(at: datetime) -> datetime:
        return min(moved(at, step.of_polls), now)

    memories = {
        key: _on_new_clock(_shifted(memory, agents.get(key), step, now), on_new_clock)
        for key, memory in state.everyone.items()
    }
    state = evolve(
        state,
        time=on_new_clock(state.time),
        server_time=on_new_clock(state.server_time),
        rewinds=state.rewinds + is_back,
        behind_until=max(state.time, state.behind_until or state.time, *([step.showed] if is_back else [])),
        unread={key: at and on_new_clock(at) for key, at in state.unread.items()},
        named_at=state.named_at and on_new_clock(state.named_at),
    )
    return recalled(state, memories)


def with_what_lies_ahead(state: FloorState, look: Look) -> FloorState:
    """The state with what the server has stored ahead of its clock.

    Then its clock was set back, though it may not have looked so.
    """
    latest = max(look.snapshot.server_time + PIN_TOLERANCE, state.behind_until or look.snapshot.server_time)
    available = [seen.available_since for seen in look.changed if seen.available_since is not None]
    ahead = max((since for since in available if since > latest), default=None)
    return state if ahead is None else evolve(state, behind_until=ahead)


def without_starts(snapshot: Snapshot) -> Snapshot:
    """The snapshot of a clock that was set back without the origins of just now.

    What began ahead of the new clock has lasted for nothing by it: whether that is so, nobody knows. A row's
    own clock may stray.
    """
    just_now = snapshot.server_time - PIN_TOLERANCE
    starting = {
        agent.id: evolve(agent, **{facet.field: evolve(facet.of(agent), since=None) for facet in facets})
        for agent in snapshot.agents.values()
        if (facets := [f for f in FACETS if (since := _since(f, agent)) is not None and since >= just_now])
    }
    return evolve(snapshot, agents={**snapshot.agents, **starting}) if starting else snapshot


def _on_new_clock(memory: Memory, there: Callable[[datetime], datetime]) -> Memory:
    """The memory with the times of polls, and of what was told, on the new clock."""
    tally = memory.tally
    return evolve(
        memory,
        tally=evolve(tally, watched=there(tally.watched), since=tally.since and there(tally.since)),
        last_call=there(memory.last_call),
        unread_since=memory.unread_since and there(memory.unread_since),
        gone_since=memory.gone_since and there(memory.gone_since),
        unsent={name: Sent(sent.value, there(sent.at)) for name, sent in memory.unsent.items()},
    )


def _shifted(memory: Memory, seen: Agent | None, step: ClockStep, now: datetime) -> Memory:
    """The memory with the origins that moved along with the clock, and all episodes' ids as before.

    An origin of just now, on a clock that was set back, does not tell whether it moved. The anchors tell
    which origins did not: see `is_of_another_clock`.
    """

    def is_along(at: datetime, seen_at: datetime | None, *, is_elapsed: bool = True) -> bool:
        says_nothing = is_elapsed and step.size < timedelta(0)
        if seen_at is None or (says_nothing and seen_at >= now - ROUNDING):
            return step.is_common
        return abs(seen_at - moved(at, step.size)) <= STRAY

    dated = {f: episode for f in FACETS if (episode := f.of(memory.agent)) and episode.since}
    along = [f for f, episode in dated.items() if is_along(episode.since, _since(f, seen))]
    agent = evolve(
        memory.agent, **{f.field: evolve(dated[f], since=moved(dated[f].since, step.size)) for f in along}
    )
    anchors = {facet.name: str(epoch(episode.since)) for facet, episode in dated.items()}
    available = memory.available_since
    if available and is_along(available, seen.available_since if seen else None, is_elapsed=False):
        available = moved(available, step.size)
    return evolve(memory, agent=agent, available_since=available, anchors={**anchors, **memory.anchors})


def _since(facet: Facet, seen: Agent | None) -> datetime | None:
    episode = facet.of(seen) if seen else None
    return episode.since if episode else None
