"""The oracle finds what is wrong with what was told, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pytest
from attrs import evolve

from deepcall_async.simulator import Fact, Floor, Variant

from .oracle import Claim, Oracle, Verdict
from .witness import Poll, Server, read, runs

START = 1000.0
COLLEAGUES = [
    fact
    for number in range(2, 6)
    for fact in (
        Fact(at=10.0, agent=str(number), kind="agent_added", value="Asha"),
        Fact(at=20.0, agent=str(number), kind="logged_in", channel="web", began=20.0),
        Fact(at=20.0, agent=str(number), kind="became_available"),
    )
]
LIFE = [
    Fact(at=10.0, agent="1", kind="agent_added", value="Zoë"),
    Fact(at=30.0, agent="1", kind="logged_in", channel="web", began=30.0),
    Fact(at=30.0, agent="1", kind="became_available"),
    Fact(at=1013.0, agent="1", kind="call_started", began=1013.0),
    Fact(at=1034.0, agent="1", kind="call_ended", began=1013.0, talk_time=21),
    Fact(at=1034.0, agent="1", kind="became_available"),
    Fact(at=1042.0, agent="1", kind="call_started", began=1042.0),
    Fact(at=1045.0, agent="1", kind="call_ended", began=1042.0, talk_time=3),
    Fact(at=1045.0, agent="1", kind="became_available"),
    Fact(at=1063.0, agent="1", kind="break_started", began=1063.0, reason="Tea"),
    Fact(at=1077.0, agent="1", kind="break_ended", began=1063.0, reason="Tea"),
    Fact(at=1077.0, agent="1", kind="became_available"),
]


def claim(key: str, at: float, poll: int, **more: object) -> Claim:
    about = {"agent": "1", "id": f"{key} {at}", "earliest": at - 1, "latest": at + 1, **more}
    return Claim(key=key, at=at, poll=poll, **about)  # type: ignore[arg-type]


# Replies every 10 s from 1000 on: the first call is seen at 1020 and 1030, the second one never.
TRUE = [
    claim("call_started", 1013, 2),
    claim("updated is_occupied", 1020, 2, earliest=1010),
    claim("call_ended", 1034, 4, duration=21.0),
    claim("updated is_occupied", 1040, 4, earliest=1030),
    claim("call_started", 1042, 5),
    claim("call_ended", 1045, 5, duration=3.0),
    claim("break_started", 1063, 7, reason="Tea"),
    claim("break_ended", 1077, 8, reason="Tea", duration=14.0),
]


def oracle(facts: Iterable[Fact] = LIFE, *, variant: Variant | None = None, polls: int = 20) -> Oracle:
    floor = Floor(facts=sorted([*COLLEAGUES, *facts], key=lambda fact: fact.at), start=START, variant=variant)
    shown = [read(floor.reply(at), at, at) for at in (START + 10.0 * number for number in range(polls))]
    return Oracle(facts=floor.history, polls=shown, server=Server(covers_rows=True))


def judge(claims: Sequence[Claim]) -> Verdict:
    return oracle().judge(claims)


def test_with_the_truth_nothing_is_wrong() -> None:
    verdict = judge(TRUE)
    wrong = (verdict.false, verdict.missing, verdict.outside, verdict.misjudged, verdict.disordered)
    assert wrong == ([], [], [], [], [])
    assert (verdict.precision, verdict.bounded) == (1.0, 1.0)
    assert (verdict.musts["visible"], verdict.musts["provable"]) == (6, 2)


@pytest.mark.parametrize("place", range(len(TRUE)))
def test_whatever_is_left_out_is_missed(place: int) -> None:
    verdict = judge(TRUE[:place] + TRUE[place + 1 :])
    assert [truth.key for truth in verdict.missing] == [TRUE[place].key]
    assert verdict.false == []


@pytest.mark.parametrize("place", [0, 4, 7])
def test_whatever_is_told_twice_is_false_once(place: int) -> None:
    again = evolve(TRUE[place], id="another")
    verdict = judge([*TRUE, again])
    assert len(verdict.false) == 1
    assert verdict.missing == []


def test_what_is_told_before_it_happened_is_false() -> None:
    early = evolve(TRUE[0], poll=1)
    verdict = judge([early, *TRUE[1:]])
    assert verdict.false == [early]
    assert [truth.at for truth in verdict.missing] == [1013.0]


def test_what_happened_outside_its_bounds_is_told_but_outside() -> None:
    late = evolve(TRUE[0], earliest=1016.0, latest=1018.0)
    verdict = judge([late, *TRUE[1:]])
    assert [(told, truth.at) for told, truth in verdict.outside] == [(late, 1013.0)]
    assert (verdict.false, verdict.missing) == ([], [])


def test_the_wrong_duration_or_reason_is_found() -> None:
    long, lunch = evolve(TRUE[2], duration=60.0), evolve(TRUE[7], reason="Lunch")
    verdict = judge([*TRUE[:2], long, *TRUE[3:7], lunch])
    assert verdict.misjudged == [long]
    assert verdict.false == [lunch]


def test_hidden_calls_may_be_told_as_a_number_and_no_more_than_there_were() -> None:
    counted = claim("unseen_activity", 1050, 5, earliest=1040, calls=1)
    rest = TRUE[:4] + TRUE[6:]
    assert (judge([*rest, counted]).missing, judge([*rest, counted]).false) == ([], [])
    two = evolve(counted, calls=2)
    assert judge([*rest, two]).false == [two, two]
    assert len(judge([*rest, evolve(counted, calls=2**30)]).false) > 100


def test_activity_without_a_name_needs_a_cause() -> None:
    idle = claim("unseen_activity", 1110, 11, earliest=1100)
    assert judge([*TRUE, idle]).false == [idle]
    tea = evolve(idle, at=1077.0, earliest=1070.0, latest=1077.0)
    assert judge([*TRUE, tea]).false == []


def test_what_does_not_alternate_or_runs_backwards_is_found_and_so_is_an_id_used_twice() -> None:
    assert judge([TRUE[4], *TRUE[:4], *TRUE[5:]]).disordered
    assert judge([TRUE[6], evolve(TRUE[7], id=TRUE[6].id)]).repeated == [TRUE[6].id]


def test_a_change_that_only_spoilt_replies_could_show_need_not_be_told() -> None:
    sure = oracle()
    replies = [Poll(poll.at, is_void=True) if 1050 <= poll.at <= 1080 else poll for poll in sure.polls]
    spoilt = Oracle(facts=[*COLLEAGUES, *LIFE], polls=replies)
    assert spoilt.judge(TRUE[:6]).missing == []


def test_a_break_that_follows_another_is_proved_by_its_reason_its_origin_or_not_at_all() -> None:
    lunch = [
        *LIFE[:-1],
        Fact(at=1077.0, agent="1", kind="break_started", began=1077.0, reason="Lunch"),
        Fact(at=1150.0, agent="1", kind="break_ended", began=1077.0, reason="Lunch"),
        Fact(at=1150.0, agent="1", kind="became_available"),
    ]
    tea = [evolve(fact, reason="Tea") if fact.kind.startswith("break") else fact for fact in lunch]
    for facts, shape, why in ((lunch, "word", "visible"), (tea, "triple", "provable"), (tea, "word", "")):
        truths = oracle(facts, variant=Variant(break_shape=shape), polls=30).truths  # type: ignore[arg-type]
        second = [truth for truth in truths if truth.at == 1077.0 and truth.key.startswith("break")]
        assert [truth.why for truth in second] == [why, why]


def test_books_must_balance_where_no_counter_began_anew() -> None:
    assert oracle().judge(TRUE, {"1": 1, "2": 0}).residual == {"1": 1}
    reset = Fact(at=1050.0, agent="1", kind="counters_reset")
    assert (
        Oracle(facts=[*COLLEAGUES, *LIFE, reset], polls=oracle().polls).judge(TRUE, {"1": 1}).residual == {}
    )


def test_a_reply_from_which_most_logins_are_gone_is_doubtful_even_if_they_were_the_first() -> None:
    gone = [Fact(at=1055.0, agent=str(n), kind="logged_out", channel="web", began=20.0) for n in range(2, 6)]
    replies = oracle([*LIFE, *gone]).polls
    assert [poll.doubt for poll in replies[5:8]] == ["", "change", ""]


def test_each_doubt_needs_a_witness_of_its_own() -> None:
    doubts = ["", "change", "clock", "", "change", "change"]
    replies = [Poll(float(at), is_sure=not doubt, doubt=doubt) for at, doubt in enumerate(doubts)]
    found = runs(list(enumerate("abbacc")), replies)
    assert [(run.state, [doubt.state for doubt in run.doubts]) for run in found] == [("a", []), ("c", [])]
    assert (found[0].first, found[0].last) == (0, 3)


def test_who_believes_a_doubtful_reply_need_not_tell_what_it_hides() -> None:
    """On a call in two replies that show no origin: whether they are two calls, nobody knows."""
    gone = [Fact(at=1039.0, agent=str(n), kind="logged_out", channel="web", began=20.0) for n in range(2, 6)]
    calls = [
        *LIFE[:3],
        Fact(at=1033.0, agent="1", kind="call_started", began=1033.0),
        Fact(at=1043.0, agent="1", kind="call_ended", began=1033.0, talk_time=10),
        Fact(at=1044.0, agent="1", kind="call_started", began=1044.0),
        Fact(at=1062.0, agent="1", kind="call_ended", began=1044.0, talk_time=18),
        Fact(at=1062.0, agent="1", kind="became_available"),
        *gone,
    ]
    judging = oracle(calls, variant=Variant(call_shape="word"))
    assert [poll.doubt for poll in judging.polls[3:6]] == ["", "change", ""]
    starts = {truth.at: truth.why for truth in judging.truths if truth.key == "call_started"}
    assert starts[1044.0] == ""


def test_who_may_have_lost_an_id_or_left_need_not_be_told_to_have_changed() -> None:
    name = Fact(at=1105.0, agent="1", kind="updated", field="name", value="Asha")
    away = [
        Fact(at=1103.0, agent="1", kind="agent_removed"),
        Fact(at=1117.0, agent="1", kind="agent_added", value="Asha"),
    ]
    for left, why in ([], "visible"), (away, ""):
        replies = [evolve(poll, rows={**poll.rows}) for poll in oracle([*LIFE, name]).polls]
        del replies[11].rows["1"]
        replies[11].unidentified = 1
        facts = [*COLLEAGUES, *LIFE, *left, name]
        truths = Oracle(facts=sorted(facts, key=lambda fact: fact.at), polls=replies).truths
        assert [truth.why for truth in truths if truth.key == "updated name"] == [why]


@pytest.mark.parametrize(("without_id", "why"), [((0, 0), "visible"), ((1, 1), "visible"), ((1, 0), "")])
def test_who_is_new_as_a_row_gets_its_id_need_not_be_told_to_have_come(
    without_id: tuple[int, int], why: str
) -> None:
    """Whether that row was its own, nobody knows, unless as many have none as before."""
    replies = [evolve(poll, rows={**poll.rows}) for poll in oracle().polls]
    before, now = without_id
    for place, poll in enumerate(replies):
        poll.unidentified = before if place < 6 else now
        if place < 6:
            del poll.rows["1"]
    come = [evolve(fact, at=1055.0) if fact.kind == "agent_added" else fact for fact in LIFE]
    facts = sorted([*COLLEAGUES, *come], key=lambda fact: fact.at)
    truths = Oracle(facts=facts, polls=replies).truths
    assert [truth.why for truth in truths if truth.key == "agent_added" and truth.agent == "1"] == [why]


@pytest.mark.parametrize(("is_away", "why"), [(False, "provable"), (True, "")])
def test_who_left_the_view_need_not_be_told_to_have_logged_in_again_even_if_a_row_has_no_id(
    why: str, *, is_away: bool
) -> None:
    again = [
        Fact(at=1105.0, agent="1", kind="logged_out", channel="web", began=30.0),
        Fact(at=1107.0, agent="1", kind="logged_in", channel="web", began=1107.0),
    ]
    left = [Fact(at=1103.0, agent="1", kind="agent_removed"), Fact(at=1117.0, agent="1", kind="agent_added")]
    facts = sorted([*COLLEAGUES, *LIFE, *again, *(left if is_away else [])], key=lambda fact: fact.at)
    replies = [evolve(poll, rows={**poll.rows}) for poll in oracle([*LIFE, *again]).polls]
    del replies[11].rows["1"]
    replies[11].unidentified = 1
    truths = Oracle(facts=facts, polls=replies).truths
    assert [truth.why for truth in truths if truth.key == "logged_in web" and truth.at == 1107.0] == [why]


@pytest.mark.parametrize(("is_away", "why"), [(False, "visible"), (True, "")])
def test_a_counter_that_began_anew_out_of_view_need_not_be_told(why: str, *, is_away: bool) -> None:
    """Who has no row has left the view, and is new when there is one again."""
    replies = [evolve(poll, rows={**poll.rows}) for poll in oracle().polls]
    for poll in replies[11:]:
        poll.rows["1"] = evolve(poll.rows["1"], calls=1)
    if is_away:
        del replies[10].rows["1"]
    reset = Fact(at=1105.0, agent="1", kind="counters_reset")
    truths = Oracle(facts=[*COLLEAGUES, *LIFE, reset], polls=replies).truths
    assert [truth.why for truth in truths if truth.key == "counters_reset"] == [why]


@pytest.mark.parametrize(("step", "why"), [(0, "provable"), (-30, "")])
def test_a_login_stored_ahead_of_a_clock_that_was_set_back_has_no_origin(step: int, why: str) -> None:
    logins = [
        Fact(at=1085.0, agent="1", kind="logged_out", channel="web", began=30.0),
        Fact(at=1086.0, agent="1", kind="logged_in", channel="web", began=1086.0),
        Fact(at=1103.0, agent="1", kind="logged_out", channel="web", began=1086.0),
        Fact(at=1104.0, agent="1", kind="logged_in", channel="web", began=1104.0),
    ]
    floor, shown = Floor(facts=sorted([*COLLEAGUES, *LIFE, *logins], key=lambda f: f.at), start=START), []
    for at in (START + 10.0 * number for number in range(30)):
        floor.advance(at)
        if step and at == 1090.0:
            floor.set_clock(step)
        shown.append(read(floor.reply(at), at, floor.clock_at(at)))
    truths = Oracle(facts=floor.history, polls=shown).truths
    assert [truth.why for truth in truths if truth.key == "logged_in web" and truth.at == 1104.0] == [why]


def test_when_an_agent_was_free_only_a_reply_that_is_believed_tells() -> None:
    gone = [Fact(at=1039.0, agent=str(n), kind="logged_out", channel="web", began=20.0) for n in range(2, 6)]
    calls = [
        *LIFE[:3],
        Fact(at=1025.0, agent="1", kind="call_started", began=1025.0),
        Fact(at=1043.0, agent="1", kind="call_ended", began=1025.0, talk_time=18),
        Fact(at=1043.0, agent="1", kind="became_available"),
    ]
    for others, slack in (([], 11.0), (gone, 21.0)):
        truths = oracle([*calls, *others]).truths
        free = [t for t in truths if t.key == "updated is_occupied" and t.at == 1050.0 and t.agent == "1"]
        assert [truth.slack for truth in free] == [slack]
