"""What waits for one reader: what merges, what never does, and what it is told when it was too slow."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Iterable
from typing import Literal

import pytest
from attrs import define, field
from hypothesis import given, settings, strategies as st

from deepcall_async import Gap, LiveUpdate, Missed, Transition, TransportError
from deepcall_async._client import backlog
from deepcall_async._client.backlog import Pending, baseline

from .floors import Floor, Seat, at, clock, words

DOWN = TransportError("down")


class Ticks:
    """A floor of agents who log in and out, polled every ten seconds, and one reader of it."""

    def __init__(self, limit: int = 1000, *, agents: int = 6, is_blank: bool = False) -> None:
        self.floor = Floor(*(Seat(str(number)) for number in range(agents)))
        self.seats = [*self.floor.seats.values()]
        self.polls = -1
        self.happened = [self._blank() if is_blank else self._poll()]
        self.pending = Pending(limit)
        self.pending.push(baseline(self.happened[0]))

    def toggle(self, count: int) -> LiveUpdate:
        """A tick at which so many agents have logged in or out; one without news for 0."""
        for seat in self.seats[:count]:
            seat.web = None if seat.web else self._clock(5)
        return self.push(self._poll())

    def fail(self) -> LiveUpdate:
        """A tick that fails."""
        self.polls += 1
        return self.push(self.floor.live.fail(DOWN))

    def hold(self) -> LiveUpdate:
        """A tick with a reply whose totals contradict its rows."""
        return self.push(self._poll(logged_in=90 + self.polls % 2))

    def begin_anew(self) -> LiveUpdate:
        """A tick at which the floor is seen as if for the first time."""
        return self.push(baseline(self._poll()))

    def push(self, update: LiveUpdate) -> LiveUpdate:
        self.happened.append(update)
        self.pending.push(update)
        return update

    def read(self) -> list[LiveUpdate]:
        """Everything that waits."""
        return [self.pending.pop() for _ in range(len(self.pending))]

    def _poll(self, **totals: int) -> LiveUpdate:
        self.polls += 1
        return self.floor.poll(self._clock(), **totals)

    def _blank(self) -> LiveUpdate:
        self.floor.seats = {}
        update = self._poll(logged_in=3)
        self.floor.seats = {seat.id: seat for seat in self.seats}
        return update

    def _clock(self, ahead: int = 0) -> str:
        seconds = 12 * 3600 + 10 * self.polls + ahead
        return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def told(updates: Iterable[LiveUpdate]) -> list[int]:
    """How many transitions each update tells."""
    return [len(update.transitions) for update in updates]


# --- what merges ----------------------------------------------------------------------------------


def test_quiet_ticks_are_one_update_with_the_newest_snapshot() -> None:
    ticks = Ticks()
    [first] = ticks.read()
    for _ in range(50):
        newest = ticks.toggle(0)
    [update] = ticks.read()
    assert update.snapshot is newest.snapshot
    assert (first.sequence, update.sequence) == (0, 1)
    assert not update.is_baseline


def test_a_baseline_that_waits_shows_the_floor_as_it_was_before_the_first_news() -> None:
    ticks = Ticks()
    quiet = ticks.toggle(0)
    news = ticks.toggle(2)
    first, second = ticks.read()
    assert first.is_baseline
    assert first.snapshot is quiet.snapshot
    assert (second.is_baseline, second.transitions) == (False, news.transitions)


def test_quiet_ticks_make_the_snapshot_of_news_newer_and_leave_its_transitions() -> None:
    ticks = Ticks()
    ticks.read()
    news = [ticks.toggle(1), ticks.toggle(3)]
    newest = ticks.toggle(0)
    updates = ticks.read()
    assert [update.transitions for update in updates] == [update.transitions for update in news]
    assert [update.snapshot for update in updates] == [news[0].snapshot, newest.snapshot]
    assert updates[1].checkpoint == newest.checkpoint


def test_a_quiet_update_that_waits_gives_way_to_news() -> None:
    ticks = Ticks()
    ticks.read()
    ticks.toggle(0)
    news = ticks.toggle(2)
    [update] = ticks.read()
    assert update.transitions == news.transitions


def test_an_outage_waits_behind_the_news_before_it_and_counts_on() -> None:
    ticks = Ticks()
    ticks.read()
    news = ticks.toggle(2)
    for _ in range(5):
        ticks.fail()
    first, second = ticks.read()
    assert (first.transitions, first.outage) == (news.transitions, None)
    assert second.outage is not None
    assert (second.outage.failures, second.transitions) == (5, ())


def test_an_outage_that_comes_and_goes_while_the_reader_sleeps_leaves_its_gap() -> None:
    ticks = Ticks()
    ticks.read()
    ticks.toggle(2)
    ticks.fail()
    back = ticks.toggle(1)
    newest = ticks.toggle(0)
    before, after = ticks.read()
    assert told([before, after]) == [2, 1]
    assert (before.is_stale, after.is_stale) == (False, False)
    assert after.gap == back.gap
    assert after.gap is not None
    assert after.snapshot is newest.snapshot


def test_each_of_two_outages_leaves_a_gap_of_its_own() -> None:
    ticks = Ticks()
    ticks.read()
    gaps = []
    for _ in range(2):
        ticks.fail()
        gaps.append(ticks.toggle(0).gap)
    assert None not in gaps
    assert [update.gap for update in ticks.read()] == gaps


def test_a_reply_that_is_held_is_shown_until_another_one_takes_its_place() -> None:
    ticks = Ticks()
    ticks.read()
    held = ticks.hold()
    assert held.held
    assert [update.held for update in [*ticks.pending]] == [held.held]
    ticks.toggle(0)
    [update] = ticks.read()
    assert not update.is_stale


def test_a_baseline_that_waits_shows_an_outage_that_begins_and_one_that_was_held() -> None:
    for stale in (Ticks.fail, Ticks.hold):
        ticks = Ticks()
        now = stale(ticks)
        [first] = ticks.read()
        assert (first.is_baseline, first.outage, first.held) == (True, now.outage, now.held)


def test_a_baseline_at_the_end_of_an_outage_begins_without_gap_and_transitions() -> None:
    ticks = Ticks()
    ticks.fail()
    back = ticks.toggle(2)
    first = baseline(back)
    assert (first.is_baseline, first.gap, first.transitions, first.outage) == (True, None, (), None)
    assert first.snapshot is back.snapshot


def test_a_baseline_in_an_outage_says_so_and_the_next_update_tells_its_end() -> None:
    ticks = Ticks()
    ticks.read()
    late = Pending(1000)
    late.push(baseline(ticks.fail()))
    late.push(ticks.toggle(2))
    first, second = late.pop(), late.pop()
    assert first.is_baseline
    assert first.outage is not None
    assert (first.transitions, len(second.transitions)) == ((), 2)
    assert second.gap is not None


def test_a_floor_that_had_no_rows_at_first_sight_begins_anew() -> None:
    ticks = Ticks(is_blank=True)
    anew = ticks.toggle(0)
    assert anew.is_baseline
    ticks.toggle(1)
    first, second = ticks.read()
    assert (first.is_baseline, second.is_baseline) == (True, False)
    assert first.snapshot is anew.snapshot


# --- too slow -------------------------------------------------------------------------------------


def test_beyond_the_limit_the_oldest_go_and_the_next_update_says_how_many_and_when() -> None:
    ticks = Ticks(limit=5)
    ticks.read()
    for count in (2, 2, 1, 3):  # 3 more than 5: the first two updates must go
        ticks.toggle(count)
    updates = ticks.read()
    assert told(updates) == [1, 3]
    assert [update.sequence for update in updates] == [1, 2]
    missed, nothing = (update.missed for update in updates)
    assert nothing is None
    assert missed is not None
    assert (missed.transitions, missed.gaps) == (4, 0)
    assert (clock(missed.since), clock(missed.until)) == ("12:00:04", "12:00:20")


def test_what_is_missed_adds_up_until_it_is_told_and_is_told_once() -> None:
    ticks = Ticks(limit=1)
    ticks.read()
    for _ in range(100):
        ticks.toggle(1)
    [update] = ticks.read()
    assert update.missed is not None
    assert update.missed.transitions == 99
    ticks.toggle(1)
    assert [update.missed for update in ticks.read()] == [None]


def test_as_many_as_the_limit_are_kept_beside_the_baseline_and_an_outage() -> None:
    ticks = Ticks(limit=4)
    for _ in range(4):
        ticks.toggle(1)
    ticks.fail()
    updates = ticks.read()
    assert told(updates) == [0, 1, 1, 1, 1, 0]
    assert not any(update.missed for update in updates)


def test_the_newest_update_is_kept_however_much_it_tells() -> None:
    ticks = Ticks(limit=2)
    ticks.read()
    ticks.toggle(1)
    ticks.toggle(6)
    ticks.toggle(0)
    ticks.fail()
    update, outage = ticks.read()
    assert (len(update.transitions), len(outage.transitions)) == (6, 0)
    assert update.missed is not None
    assert update.missed.transitions == 1


def test_an_unread_baseline_is_not_lost_but_moves_on_and_says_what_came_before_it() -> None:
    ticks = Ticks(limit=3)
    news = [ticks.toggle(count) for count in (2, 1, 2)]
    first, *others = ticks.read()
    assert (first.is_baseline, first.sequence, first.transitions) == (True, 0, ())
    assert first.snapshot is news[0].snapshot
    assert first.checkpoint == news[0].checkpoint
    assert first.missed == missed_of(news[:1])
    assert [update.transitions for update in others] == [update.transitions for update in news[1:]]


def test_gaps_that_are_dropped_are_counted_too() -> None:
    ticks = Ticks(limit=3)
    ticks.read()
    for _ in range(5):
        ticks.fail()
        ticks.toggle(0)
    first, *others = ticks.read()
    assert len(others) == 2
    assert first.missed is not None
    assert (first.missed.transitions, first.missed.gaps) == (0, 2)
    assert (first.missed.since, first.missed.until) == (at("12:00:00"), at("12:00:40"))


def test_what_was_missed_is_told_even_if_the_floor_then_begins_anew() -> None:
    ticks = Ticks(limit=1)
    ticks.toggle(1)
    ticks.toggle(1)
    first = ticks.pending.pop()
    ticks.pending.clear()
    ticks.push(first)
    anew = ticks.begin_anew()
    [update] = ticks.read()
    assert update.snapshot is anew.snapshot
    assert update.missed is not None
    assert update.missed == first.missed


def test_what_is_cleared_counts_no_more() -> None:
    ticks = Ticks(limit=3)
    ticks.toggle(3)
    ticks.pending.clear()
    for _ in range(3):
        ticks.toggle(1)
    assert told(ticks.read()) == [1, 1, 1]


# --- large floors ---------------------------------------------------------------------------------


def of_large_floors(monkeypatch: pytest.MonkeyPatch, most: int, limit: int = 1000) -> Ticks:
    """A floor so large that no more than `most` of it may wait."""
    ticks = Ticks(limit)
    monkeypatch.setattr(backlog, "MOST_ROWS", most * len(ticks.seats))
    return ticks


def test_of_large_floors_a_few_wait_and_all_that_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = of_large_floors(monkeypatch, most=10)
    for number in range(500):
        ticks.toggle(number % 3)
    assert len(ticks.pending) == 10
    floors = [weakref.ref(update.snapshot) for update in ticks.happened]
    given = ticks.read()
    check(given, [baseline(ticks.happened[0]), *ticks.happened[1:]])
    assert not any(update.missed for update in given)
    newest = ticks.happened[-1]
    del ticks, given
    gc.collect()
    assert sum(floor() is not None for floor in floors) == 1, "the floor's own, which is the newest"
    assert newest.snapshot is floors[-1]()


def test_a_floor_that_gave_way_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = of_large_floors(monkeypatch, most=10)
    floors = []
    for _ in range(300):
        ticks.toggle(1)
        ticks.happened.clear()
        floors += [
            (weakref.ref(update.snapshot), weakref.ref(update._mark)) for update in [*ticks.pending][-1:]
        ]
    gc.collect()
    assert sum(snapshot() is not None for snapshot, _ in floors) <= 10
    assert sum(mark() is not None for _, mark in floors) <= 10


def test_joined_updates_are_about_as_large_so_that_few_news_are_dropped_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ticks = of_large_floors(monkeypatch, most=10, limit=100)
    for _ in range(99):
        ticks.toggle(1)
    assert max(told(ticks.pending)) <= 25
    for _ in range(60):
        ticks.toggle(1)
        waits = weight(ticks.pending)
        assert 75 <= waits <= 100
    first, *others = ticks.read()
    assert first.missed is not None
    assert first.missed.transitions + weight(others) == 159


def test_a_floor_of_a_hundred_agents_is_never_joined_and_the_newest_news_are_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert backlog.MOST_ROWS // 100 >= 1000
    ticks = of_large_floors(monkeypatch, most=0)
    for count in (1, 2, 3, 4, 5, 6):
        ticks.toggle(count)
    ticks.fail()
    assert told(ticks.read()) == [0, 6, 9, 6, 0]


def test_joined_updates_have_one_gap_and_are_joined_last(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ticks = of_large_floors(monkeypatch, most=4)
    ticks.fail()
    ticks.toggle(1)
    for _ in range(4):
        ticks.toggle(1)
    updates = ticks.read()
    assert [update.gap is not None for update in updates] == [False, True, False, False]
    for _ in range(6):
        ticks.fail()
        ticks.toggle(0)
    joined, *_ = ticks.read()
    assert joined.gap is not None
    assert (joined.gap.since, joined.gap.until) == (at("12:01:00"), at("12:02:00"))
    assert joined.gap.failures == 3
    assert joined.gap.error is DOWN


# --- the law --------------------------------------------------------------------------------------

Step = Literal["read", "read all", "fail", "hold", "begin anew"] | int
STEPS = st.lists(
    st.one_of(st.integers(0, 6), st.sampled_from(["read", "fail", "hold", 0]))
    | st.sampled_from(["read all", "begin anew"]),
    max_size=40,
)


@define
class Reader:
    """What a reader was given, and everything that happened meanwhile."""

    ticks: Ticks
    limit: int
    given: list[LiveUpdate] = field(factory=list)

    def take(self, step: Step) -> None:
        pending = self.ticks.pending
        match step:
            case "read":
                self.given += [pending.pop()] if pending else []
            case "read all":
                self.given += self.ticks.read()
            case "fail":
                self._push_and_look(self.ticks.fail)
            case "hold":
                self._push_and_look(self.ticks.hold)
            case "begin anew":
                self._push_and_look(self.ticks.begin_anew)
            case int(count):
                self._push_and_look(lambda: self.ticks.toggle(count))

    def _push_and_look(self, push: Callable[[], LiveUpdate]) -> None:
        waits, lost = weight(self.ticks.pending), self._lost()
        added = weight([push()])
        weights = [weight([update]) for update in self.ticks.pending]
        assert sum(weights) <= self.limit or weights.count(0) == len(weights) - 1
        assert not added or added in weights
        if not added or waits + added <= self.limit:
            assert self._lost() == lost
        assert len(weights) <= 2 * self.limit + 2

    def _lost(self) -> int:
        return sum(
            update.missed.transitions + update.missed.gaps for update in self.ticks.pending if update.missed
        )


def weight(updates: Iterable[LiveUpdate]) -> int:
    """What counts against the limit: transitions, and gaps without any."""
    return sum(len(update.transitions) or int(update.gap is not None) for update in updates)


def missed_of(updates: Iterable[LiveUpdate]) -> Missed | None:
    transitions = [transition for update in updates for transition in update.transitions]
    gaps = [update.gap for update in updates if update.gap]
    return _missed(transitions, gaps)


def _missed(transitions: list[Transition], gaps: list[Gap]) -> Missed | None:
    if not transitions and not gaps:
        return None
    return Missed(
        transitions=len(transitions),
        gaps=len(gaps),
        since=min([*(one.earliest for one in transitions), *(gap.since for gap in gaps)]),
        until=max([*(one.latest for one in transitions), *(gap.until for gap in gaps)]),
    )


def check(given: list[LiveUpdate], happened: list[LiveUpdate]) -> None:
    """What is given and what is missed is what happened, in its order, and says where it ends."""
    left = [*happened]
    for number, update in enumerate(given):
        assert update.sequence == number
        newest = next(index for index, one in enumerate(left) if one._mark is update._mark)
        covered, left = left[: newest + 1], left[newest + 1 :]
        now = covered[-1]
        assert (update.snapshot, update.outage, update.held) == (now.snapshot, now.outage, now.held)
        assert update.checkpoint == now.checkpoint
        _check_news(update, covered)
        assert not (update.transitions and (update.is_stale or update.is_baseline))
    assert not left


def _check_news(update: LiveUpdate, covered: list[LiveUpdate]) -> None:
    transitions = [transition for one in covered for transition in one.transitions]
    gaps = [one.gap for one in covered if one.gap]
    lost = len(transitions) - len(update.transitions)
    lost_gaps = len(gaps) - (update.gap is not None)
    assert [words(one) for one in update.transitions] == [words(one) for one in transitions[lost:]]
    assert ([update.gap] if update.gap else []) == gaps[lost_gaps:]
    assert update.missed == _missed(transitions[:lost], gaps[:lost_gaps])
    assert update.is_baseline == any(one.is_baseline for one in covered)


@settings(max_examples=150)
@given(STEPS, st.integers(1, 12) | st.just(1000), st.booleans())
def test_what_is_given_and_what_is_missed_is_what_happened_in_its_order(
    steps: list[Step], limit: int, is_blank: bool
) -> None:
    reader = Reader(Ticks(limit, is_blank=is_blank), limit)
    for step in [*steps, "read all"]:
        reader.take(step)
    check(reader.given, [baseline(reader.ticks.happened[0]), *reader.ticks.happened[1:]])
