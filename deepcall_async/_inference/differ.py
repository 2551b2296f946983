"""The differ: (state, snapshot) -> (state, transitions). Pure; all time is the server's.

For each agent it decides what the two polls show: which episodes are the same (origins
are pinned, so that time passing alone changes nothing), which ended and began, and what
the books say of the calls nobody saw. That is the agent's `Evidence`; the rules do the rest.

States are values. An agent in whom nothing changed keeps the very same `Agent` and `Memory`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from deepcall_async._model import (
    Account,
    Agent,
    AgentAdded,
    AgentRemoved,
    Basis,
    Call,
    CallEnded,
    CallStarted,
    Snapshot,
    Transition,
    UnseenActivity,
    evolve,
    in_order,
)

from .absence import excused_agents, oldest_gone, overdue_agents
from .agent_memory import NO_ANCHORS, NOTHING_UNSENT, Memory, Sent, is_busy, remember
from .call_books import Finding
from .delta import Look
from .episodes import CALL, FACETS, is_same_episode, pinned_origin
from .evidence import Evidence, anchors_after
from .floor_state import FloorState, Keeping, never_read
from .origins import Between
from .poll_context import Diff, audited, bare_evidence, became_available, newly_available
from .review import needs_review, shown_agents
from .rules import RULES, WATCHED_FIELDS
from .states_after import with_states

_OF_CALLS = CallStarted, CallEnded, UnseenActivity


def diff(
    state: FloorState, look: Look, *, scope: str = "", by_login: bool = False, is_narrowed: bool = False
) -> tuple[FloorState, Snapshot, tuple[Transition, ...]]:
    """What happened between the state's last poll and the snapshot that is looked at.

    by_login: rows are there only for agents who are logged in, so that one who is absent logged out.
    is_narrowed: rows are there only for some of the agents, so that one who is absent may be elsewhere.
    Returns the new state, the snapshot with origins pinned and unreadable agents as last known, and
    the transitions in order.
    """
    snapshot = look.snapshot
    now = max(state.time, snapshot.server_time)
    run = Diff(state, snapshot, scope, by_login, now, state.learned.phases, state.learned, [])
    run.is_narrowed = is_narrowed
    present, absent = _to_look_at(run, look)
    overdue = overdue_agents(state, now)
    if not (present or absent) and overdue is None:
        return _state_after(run, look, state, {}, state.forgotten)
    missing = [memory for memory in map(state.recall, absent) if memory is not None]
    run.excused = excused_agents(run, missing, _newcomers(run, present))
    run.familiar = state.strangers - max(0, run.unnamed - len(run.excused))
    looked_at, lost = {seen.id: _meet(run, seen) for seen in present}, []
    for memory in missing:
        missed = _miss(run, memory)
        if missed is None:
            lost.append(memory)
        else:
            looked_at[memory.agent.id] = missed
    lost += [_forget(run, state.memories[key]) for key in overdue or () if key not in looked_at]
    kept = Keeping(state)
    kept.keep(looked_at)
    kept.drop(memory.agent.id for memory in lost)
    forgotten = sum((memory.tally.account for memory in lost), state.forgotten)
    return _state_after(run, look, kept, looked_at, forgotten, was_searched=overdue is not None)


def _to_look_at(run: Diff, look: Look) -> tuple[list[Agent], list[str]]:
    """The agents in view who may have news, and the ids of those who are out of view and may."""
    agents, news = look.view.agents, {agent.id for agent in look.changed}
    restless = sorted(run.before.restless)
    present = [*look.changed, *(agents[key] for key in restless if key in agents and key not in news)]
    absent = (key for key in (*restless, *sorted(run.unreadable)) if key not in agents)
    return present, list(dict.fromkeys((*look.vanished, *absent)))


def _newcomers(run: Diff, present: list[Agent]) -> int:
    """How many have a row who had none at the last poll, nor one that could not be read."""
    if not run.before.strangers:  # nearly always
        return 0
    known = map(run.before.recall, (seen.id for seen in present))
    return sum(memory is None or memory.gone_since is not None for memory in known)


def _state_after(
    run: Diff,
    look: Look,
    kept: FloorState | Keeping,
    looked_at: dict[str, Memory],
    forgotten: Account,
    *,
    was_searched: bool = False,
) -> tuple[FloorState, Snapshot, tuple[Transition, ...]]:
    """The new state, the snapshot as it is shown, and the transitions in order.

    was_searched: all who are out of view have been looked through.
    """
    gone = (kept.memories.values(),) if was_searched else (looked_at.values(), run.before.oldest_gone)
    unread = never_read(run.snapshot, kept.memories, kept.resting) if run.snapshot.quarantined else ()
    shown = shown_agents(run.before, look, looked_at)
    state = FloorState(
        time=run.now,
        server_time=run.snapshot.server_time,
        repeat=run.before.repeat + 1 if run.now == run.before.time else 0,
        rewinds=run.before.rewinds,
        behind_until=run.before.behind_until,
        strangers=max(0, run.unnamed - len(run.excused)),
        named_at=run.before.named_at if run.unnamed else run.now,
        unread={agent_id: run.before.unread.get(agent_id, run.before.time) for agent_id in unread},
        memories=kept.memories,
        resting=kept.resting,
        learned=run.learned,
        forgotten=forgotten,
        view=look.view,
        shown=shown,
        restless=needs_review(run, look, kept.memories, looked_at),
        oldest_gone=oldest_gone(*gone),
    )
    snapshot = run.snapshot if shown is run.snapshot.agents else evolve(run.snapshot, agents=shown)
    return state, snapshot, in_order(run.told)


# --- agents who come and go -------------------------------------------------------------------------


def _meet(run: Diff, seen: Agent) -> Memory:
    """An agent in view."""
    memory = run.before.recall(seen.id)
    return _arrive(run, seen) if memory is None else _compare(run, memory, seen)


def _arrive(run: Diff, seen: Agent) -> Memory:
    """An agent not in view before: its state is new to us; only what began since p is news.

    If a row without a readable id may always have been its own, only what began since p is told.
    """
    memory = remember(seen, run.now, run.before.learned)
    polled = run.before.unread.get(seen.id, run.before.time)
    if polled is None:  # it was in view all the time
        return memory
    if run.familiar > 0 and run.before.named_at is not None:
        polled = run.before.named_at  # then it surely was not there
    is_familiar = run.familiar > 0 and run.before.named_at is None
    began = [f for f in FACETS if (e := f.of(seen)) and e.since and e.since >= polled]
    if is_familiar and not began:
        return memory
    is_news = began
    if run.by_login and not is_familiar:  # a call or a break may have been on while it was logged out
        is_news = [f for f in FACETS if f in began or (f.of(seen) and not f.moves_available)]
    evidence = bare_evidence(run, polled, Agent(id=seen.id), seen, tuple(is_news))
    transitions = [transition for rule in RULES for transition in rule.tell(evidence)]
    if not (run.by_login or is_familiar):
        began_by = [] if run.is_narrowed else [transition.at for transition in transitions]
        span = evidence.by_now(min(began_by, default=run.now))
        anchor = evidence.poll_at(run.before.unread.get(seen.id) or run.before.time)
        transitions.insert(0, evidence.tell(AgentAdded, span, Basis.OBSERVED, anchor))
    before = evolve(seen, **{facet.field: None for facet in is_news})
    run.told.extend(with_states(before, seen, transitions))
    return evolve(memory, anchors={**memory.anchors, **anchors_after(evidence)} or NO_ANCHORS)


def _miss(run: Diff, memory: Memory) -> Memory | None:
    """An agent has no row, or none that could be read; None when there is nothing to remember."""
    if memory.agent.id in run.unreadable or memory.agent.id in run.excused:
        return evolve(memory, unread_since=memory.unread_since or run.before.time)
    return _leave(run, memory)


def _leave(run: Diff, memory: Memory) -> Memory | None:
    """An agent's row is gone: logged out when only logged-in agents have rows, else out of view.

    A call or a break may go on meanwhile: the row that comes back will tell.
    """
    if memory.gone_since is not None:
        return evolve(memory, unread_since=None)
    shown = memory.unread_since or run.before.time
    if run.by_login:
        gone = evolve(memory.agent, login=None, mobile_login=None, is_occupied=None)
        return evolve(_step(run, memory, gone, None, is_sent=False), gone_since=shown)
    evidence = bare_evidence(run, shown, memory.agent, memory.agent, ())
    evidence.previous = memory.agent
    run.told.append(evidence.tell(AgentRemoved, evidence.by_now(), Basis.OBSERVED, evidence.poll))
    return None


def _forget(run: Diff, memory: Memory) -> Memory:
    """An agent has been out of view for too long: whatever went on has ended."""
    return _step(run, memory, evolve(memory.agent, call=None, on_break=None), None, is_sent=False)


# --- agents who stay ----------------------------------------------------------------------------------


def _compare(run: Diff, memory: Memory, seen: Agent) -> Memory:
    """An agent seen before."""
    available = newly_available(run, memory, seen)
    after = _pinned(memory.agent, seen, run.between(memory, available))
    was_shown = memory.unread_since is None and memory.gone_since is None
    if after is memory.agent and was_shown and not memory.tally.is_open:
        return memory
    stepped = _step(run, memory, after, available, seen_call=seen.call)
    return memory if after is memory.agent and stepped == memory else stepped


def _pinned(before: Agent, seen: Agent, between: Between) -> Agent:
    """The agent as seen, running episodes with the origins they had; `before` itself if nothing changed."""
    if seen == before:  # nearly always
        return before
    kept: dict[str, Any] = {}
    for facet in FACETS:
        old, new = facet.of(before), facet.of(seen)
        if old is None or new is None or new.since == old.since:
            continue
        if is_same_episode(facet, before, seen, between):
            kept[facet.field] = evolve(new, since=pinned_origin(old.since, new.since, between))
    if not kept:
        return seen
    pinned = evolve(seen, **kept)
    return before if pinned == before else pinned


def _step(
    run: Diff,
    memory: Memory,
    after: Agent,
    available: datetime | None,
    *,
    seen_call: Call | None = None,
    is_sent: bool = True,
) -> Memory:
    """Weigh the evidence of one agent, tell what it proves, and remember.

    available: the new `avD`, see `Evidence`. seen_call: the call at n before its origin was pinned.
    is_sent: the agent's row is there.
    """
    between = run.between(memory, available)
    changed = [f for f in FACETS if not is_same_episode(f, memory.agent, after, between)]
    tally, evidence = audited(run, memory, after, changed, available, is_sent)
    if CALL not in changed and _is_another_call(memory.agent.call, seen_call, evidence.finding):
        after = evolve(after, call=seen_call)
        tally, evidence = audited(run, memory, after, [*changed, CALL], available, is_sent)
    _learn(run, evidence)
    transitions = [transition for rule in RULES for transition in rule.tell(evidence)]
    run.told.extend(with_states(memory.agent, after, transitions))
    called = [t for t in transitions if isinstance(t, _OF_CALLS)]
    return Memory(
        agent=after,
        tally=tally,
        available_since=after.available_since or memory.available_since,
        awaits_available=is_busy(after)
        or ((memory.awaits_available or bool(called)) and not became_available(run, memory, after)),
        anchors=anchors_after(evidence) or NO_ANCHORS,
        last_call=max([t.at for t in called if not isinstance(t, UnseenActivity)], default=memory.last_call),
        unsent=_unsent(memory, after, evidence) if is_sent else NOTHING_UNSENT,
    )


def _unsent(memory: Memory, after: Agent, evidence: Evidence) -> Mapping[str, Sent]:
    """What earlier rows said of the fields that this one leaves out."""
    unsent: dict[str, Sent] = {}
    for name in WATCHED_FIELDS:
        if getattr(after, name) is None:
            last = getattr(memory.agent, name)
            sent = memory.unsent.get(name) if last is None else Sent(last, evidence.polled)
            if sent is not None:
                unsent[name] = sent
    return unsent or NOTHING_UNSENT


def _is_another_call(before: Call | None, seen: Call | None, finding: Finding) -> bool:
    """Whether the counter proves two calls where their origins, unknown or too close, cannot.

    A call that is counted while one is on at both polls leaves no room but between the two.
    """
    if before is None or seen is None or not (finding.hidden and finding.is_alone):
        return False
    return before.since is None or seen.since is None or seen.since > before.since


def _learn(run: Diff, evidence: Evidence) -> None:
    """What this agent teaches about the server, from the next poll on."""
    if evidence.finding.contradicted:
        run.learned = run.learned.against(evidence.finding.contradicted)
    after = evidence.after
    if CALL in evidence.ended and after.call is None and after.is_occupied and not evidence.available:
        run.learned = evolve(run.learned, shows_wrap_up=True)
    if evidence.finding.talk_comes_apart and not run.learned.talk_comes_apart:
        run.learned = evolve(run.learned, talk_comes_apart=True)
    run.learned = run.learned.taught_by(after)
