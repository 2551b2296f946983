"""The state that each transition leads to."""

from __future__ import annotations

from hypothesis import given

from deepcall_async import AgentRemoved, AgentState, UnseenActivity, transition_from_json, transition_to_json

from .floors import Floor, Seat, teach
from .test_laws import EXACT, a_few, runs
from .truths import Run


def states(floor: Floor, now: str) -> list[tuple[str, AgentState | None]]:
    return [(t.kind, t.state_after) for t in floor.poll(now).transitions if t.kind != "agent_updated"]


def test_an_end_leads_on_from_where_it_was_though_its_agent_is_on_the_next_call_by_then() -> None:
    floor = Floor()
    teach(floor)
    seat = floor.seat("468", web="07:30:00", call="11:59:00", occupied=True, calls=10, talk=900)
    floor.poll("12:00:00")
    seat.call, seat.available, seat.calls, seat.talk = "12:00:40", "12:00:20", 11, 980
    update = floor.poll("12:01:00")
    ended, started = [t for t in update.transitions if t.kind.startswith("call")]
    assert ended.agent.state is started.agent.state is AgentState.ON_CALL
    assert (ended.state_after, started.state_after) == (AgentState.OCCUPIED, AgentState.ON_CALL)


def test_a_call_without_wrap_up_leaves_its_agent_available_at_once() -> None:
    floor = Floor(Seat("1", web="07:00:00", call="11:59:00", occupied=True))
    floor.poll("12:00:00")
    seat = floor.seats["1"]
    seat.call, seat.occupied, seat.available = None, False, "12:00:20"
    assert states(floor, "12:01:00") == [("call_ended", AgentState.AVAILABLE)]


def test_a_relogin_and_a_break_in_one_gap_lead_from_one_to_the_next() -> None:
    floor = Floor()
    teach(floor)
    seat = floor.seat("468", web="07:30:00", calls=10, talk=900)
    floor.poll("12:01:00")
    seat.web, seat.on_break, seat.available = "12:02:00", "12:06:00", "12:02:00"
    assert states(floor, "12:07:00") == [
        ("logged_out", AgentState.LOGGED_OUT),
        ("logged_in", AgentState.AVAILABLE),
        ("break_started", AgentState.ON_BREAK),
    ]


def test_an_agent_is_added_as_it_was_before_what_it_began_in_the_same_gap_and_removed_into_nothing() -> None:
    floor = Floor(Seat("1"))
    floor.poll("12:00:00")
    floor.seat("2", web="12:00:20", call="12:00:40")
    assert states(floor, "12:01:00") == [
        ("agent_added", AgentState.LOGGED_OUT),
        ("logged_in", AgentState.AVAILABLE),
        ("call_started", AgentState.ON_CALL),
    ]
    del floor.seats["2"]
    assert states(floor, "12:02:00") == [("agent_removed", None)]


@a_few
@given(runs(EXACT, polls=60))
def test_the_last_transition_of_an_agent_leads_to_the_state_that_its_poll_shows(run: Run) -> None:
    for update in run.updates():
        last = {t.agent.id: t for t in update.transitions if not isinstance(t, UnseenActivity)}
        for agent_id, transition in last.items():
            if isinstance(transition, AgentRemoved):
                assert transition.state_after is None
            elif agent_id in update.snapshot.agents:
                assert transition.state_after is update.snapshot.agents[agent_id].state


def test_a_state_goes_through_json_and_one_of_an_earlier_version_has_none() -> None:
    floor = Floor(Seat("1"))
    floor.poll("12:00:00")
    floor.seats["1"].web = "12:00:20"
    (login,) = floor.poll("12:01:00").transitions
    value = transition_to_json(login)
    assert value["state_after"] == "available"
    assert transition_from_json(value) == login
    del value["state_after"]
    assert transition_from_json(value).state_after is None
