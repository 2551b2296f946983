"""What is kept of an agent at rest is all that was remembered of it."""

from __future__ import annotations

from attrs import evolve
from hypothesis import given, strategies as st

from deepcall_async import Agent, Break, Call, LiveFloor, Login
from deepcall_async._inference.agent_memory import (
    Memory,
    first_rest,
    from_rest,
    remember,
    rests_at_first_sight,
    to_rest,
)
from deepcall_async._inference.server_behaviour import Learned
from deepcall_async._model.accounts import Account, Phase
from deepcall_async.simulator import VARIANTS, Floor as SimulatedFloor

from .floors import at

NOW = at("12:00:00")
origins = st.sampled_from([None, at("11:00:00"), at("11:30:00")])
durations = st.sampled_from([None, at("00:01:00") - at("00:00:00"), at("00:00:00") - at("00:00:00")])
agents = st.builds(
    Agent,
    id=st.just("468"),
    login=st.none() | st.builds(Login, st.just("Web"), origins),
    call=st.none() | st.builds(Call, origins),
    on_break=st.none() | st.builds(Break, st.just("Tea"), origins),
    is_occupied=st.sampled_from([None, False, True]),
    available_since=origins,
    calls=st.sampled_from([None, 0, 3]),
    talk_time=durations,
)


@given(agents)
def test_who_rests_at_first_sight_is_kept_as_if_its_memory_had_been_made(agent: Agent) -> None:
    for learned in (Learned(), Learned(shows_available=True)):
        rest = to_rest(remember(agent, NOW, learned))
        assert rest == (first_rest(NOW) if rests_at_first_sight(agent, learned) else None)


def _somehow(memory: Memory) -> st.SearchStrategy[Memory]:
    """The memory with anything in it that an agent can be remembered for."""
    tallies = st.builds(
        evolve,
        st.just(memory.tally),
        begun=st.sampled_from([0, 0, 0, 1]),
        late=st.sampled_from([0, 0, 0, 1]),
        owed=st.sampled_from([0, 0, 0, 1]),
        waited=st.sampled_from([0, 0, 0, 1]),
        since=st.sampled_from([None, None, None, NOW]),
        claims=st.sampled_from([{}, {}, {Phase.CALL_END: 1}]),
        vanished=st.sampled_from([False, False, True]),
        account=st.builds(Account, grown=st.integers(0, 3), hidden=st.integers(0, 3)),
    )
    return st.builds(
        evolve,
        st.just(memory),
        tally=tallies,
        awaits_available=st.booleans(),
        anchors=st.sampled_from([{}, {}, {"call": "b1"}]),
        last_call=st.sampled_from([NOW, at("11:59:00")]),
        gone_since=st.sampled_from([None, None, NOW]),
    )


@given(agents.flatmap(lambda agent: _somehow(remember(agent, NOW, Learned()))))
def test_an_agent_at_rest_is_remembered_whole(memory: Memory) -> None:
    rest = to_rest(memory)
    assert rest is None or from_rest(memory.agent, rest) == memory


def test_once_a_floor_has_taught_its_ways_nearly_every_agent_rests() -> None:
    floor, live = SimulatedFloor(agents=40, seed=5, variant=VARIANTS["likely"]), LiveFloor()
    for minute in range(180):
        update = live.receive(floor.reply(floor.start + 60 * minute))
    state = update._mark.state
    assert len(state.memories) < len(state.resting) / 4
    assert state.memories.keys().isdisjoint(state.resting)
    assert update.checkpoint["state"]["memories"].keys() == {*state.memories, *state.resting}
