"""The laws of time, as properties: a clock that is set, elapsed times that stand still, periods that end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from random import Random

from attrs import evolve, field, frozen
from hypothesis import Phase, given, settings, strategies as st

from deepcall_async import CallEnded, LiveFloor, LiveUpdate, LoggedIn, Transition, UnseenActivity
from deepcall_async._model.instants import STRAY
from deepcall_async.simulator import VARIANTS, Floor as SimulatedFloor, Pace
from deepcall_async.simulator._floor import DEFAULT_START
from deepcall_async.simulator._variant import CountersReset, ElapsedBy

from .floors import Floor, at, clock, words
from .truths import Status, bounds, disorders, told, untrue

SECOND = timedelta(seconds=1)
OURS = 7_000_000.0  # our own clock is wrong by so many seconds
a_few = settings(max_examples=15, phases=[Phase.explicit, Phase.generate])
many = settings(max_examples=150)
STATUS = st.sampled_from(["all", "login"])


def instant(epoch: float) -> datetime:
    return datetime.fromtimestamp(epoch, UTC)


# --- law 14: a step of the clock is told ------------------------------------------------------------

# Where readings stray by a second and all of them move, or where a row that ticks may be missing among those
# that wait for a clock that was set back, logins may be told that were not.
STEPPED = [
    name
    for name, variant in VARIANTS.items()
    if not (variant.jitter or variant.torn_second or variant.busy_availability == "absent")
]


@frozen(kw_only=True)
class Stepped:
    """A calm floor whose clock is set once, after a third of the polls.

    A clock by which elapsed times go can be set ahead unseen: then a step is one back, by more than three
    polls. Where elapsed times are counted, any step shows in the origins.
    """

    variant: str
    elapsed_by: ElapsedBy
    seed: int
    agents: int
    interval: int
    size: int
    is_back: bool
    status: Status
    polls: int = 48
    floor: SimulatedFloor = field(init=False, repr=False)
    step: int = field(init=False)

    @floor.default
    def _build(self) -> SimulatedFloor:
        variant = evolve(VARIANTS[self.variant], elapsed_by=self.elapsed_by)
        return SimulatedFloor(self.agents, seed=self.seed, variant=variant)

    @step.default
    def _size(self) -> int:
        if self.elapsed_by == "clock":
            return -(self.size + 3 * self.interval)
        return -self.size if self.is_back else self.size

    def updates(self) -> list[LiveUpdate]:
        live, updates, now = LiveFloor(self.status, scope="sim"), list[LiveUpdate](), self.floor.start
        for poll in range(self.polls):
            now += self.interval
            if poll == self.polls // 3:
                self.floor.set_clock(self.step)
            body = self.floor.reply(now, status=self.status)
            date, received_at = instant(self.floor.clock_at(now) // 1), instant(now + OURS)
            updates.append(live.receive(body, date=date, received_at=received_at))
        return updates


STEPS = st.builds(
    Stepped,
    variant=st.sampled_from(STEPPED),
    elapsed_by=st.sampled_from(["clock", "counting"]),
    seed=st.integers(0, 99_999),
    agents=st.integers(12, 24),
    interval=st.sampled_from([1, 5, 15, 60]),
    size=st.one_of(st.integers(4, 100), st.integers(4, 100_000), st.sampled_from([60, 600, 3600, 86_400])),
    is_back=st.booleans(),
    status=STATUS,
)


@settings(a_few, max_examples=40)
@given(STEPS)
def test_law_14_a_step_of_the_clock_is_told_once_and_its_size_to_three_seconds(run: Stepped) -> None:
    updates = run.updates()
    (size,) = [update.clock_step.total_seconds() for update in updates if update.clock_step is not None]
    assert abs(size - run.step) <= 3
    assert updates[-1].ledger.clock_steps == 1


@settings(a_few, max_examples=40)
@given(STEPS)
def test_law_14_after_a_step_times_are_told_on_the_new_clock_and_never_decrease(run: Stepped) -> None:
    updates = run.updates()
    assert disorders(updates) == []
    for update in updates:
        assert all(t.latest <= update.snapshot.server_time for t in update.transitions)


@settings(a_few, max_examples=40)
@given(STEPS)
def test_law_14_a_step_logs_nobody_in(run: Stepped) -> None:
    seen = [t for t in told(run.updates()) if isinstance(t, LoggedIn)]
    true = [f for f in run.floor.history if f.kind == "logged_in" and f.at > run.floor.start]
    said = Counter((t.agent.id, t.channel.value) for t in seen)
    assert said <= Counter((f.agent, f.channel) for f in true)


GAPS = st.lists(st.sampled_from([3, 5, 10, 15, 60, 600]), min_size=1, max_size=20)


@many
@given(st.lists(st.sampled_from([None, 0, 1]), min_size=1, max_size=6), GAPS, st.booleans(), STATUS)
def test_law_14_an_elapsed_time_that_does_not_tick_is_no_origin(
    still: list[int | None], gaps: list[int], is_mobile: bool, status: str
) -> None:
    """still: what the login of each agent always has lasted; None: it ticks.

    Polled every three seconds and more: within two, what stands still cannot be told from what ticks. And
    a login that has always lasted for longer than a second looks like another at each poll.
    """
    floor = Floor(status=status)
    for number, seconds in enumerate(still):
        login = "07:00:00" if seconds is None else {"type": "x", "duration": ["0", "00", f"{seconds:02}"]}
        floor.seat(str(number), **{"mobile" if is_mobile else "web": login})
    now = at("12:00:00")
    for gap in [0, *gaps]:
        now += gap * SECOND
        assert floor.poll(clock(now)).transitions == ()


@many
@given(st.integers(5, 60), st.integers(0, 5), st.integers(4, 600), st.integers(1, 60), st.data())
def test_law_14_origins_that_moved_together_with_what_the_agents_became_available_at_are_news_and_no_step(
    agents: int, spread: int, since: int, interval: int, data: st.DataObject
) -> None:
    """A crash, after which all log in again as far apart as they did after the crash before."""
    floor, start = Floor(), at("10:00:00")
    for number in range(agents):
        login = clock(start + data.draw(st.integers(0, spread)) * SECOND)
        floor.seat(str(number), web=login, available=login)
    now = start + 8 * SECOND
    floor.poll(clock(now))
    again = since + 8
    for seat in floor.seats.values():
        seat.web = seat.available = clock(at(str(seat.web)) + again * SECOND)
    polls = [floor.poll(clock(now + (again + place * interval) * SECOND)) for place in range(3)]
    kinds = [t.kind for t in told(polls)]
    assert Counter(kinds) == {"logged_out": agents, "logged_in": agents}
    assert [update.clock_step for update in polls] == [None] * 3
    assert polls[0].held


@settings(a_few, max_examples=20)
@given(
    st.sampled_from(sorted(VARIANTS)),
    st.integers(0, 99_999),
    st.integers(3, 24),
    st.sampled_from([60, 300]),
    STATUS,
)
def test_law_14_on_a_floor_whose_clock_is_never_set_no_step_is_told_whoever_logs_in_together(
    variant: str, seed: int, agents: int, interval: int, status: Status
) -> None:
    """Crash after crash, some of them in one gap, and nobody is busy.

    Who has been busy since it is back became available at another time than it logged in, and may be taken
    for one whose login moved with the clock.
    """
    pace = Pace(idle=1e6, break_every=1e6, crash_every=120.0, reload_every=600.0)
    floor = SimulatedFloor(agents, seed=seed, variant=VARIANTS[variant], pace=pace)
    live = LiveFloor(status)
    for poll in range(1, 201):
        now = floor.start + poll * interval
        update = live.receive(floor.reply(now, status=status), date=instant(now), received_at=instant(now))
        assert update.clock_step is None


# --- law 15: a period is a period -------------------------------------------------------------------

# A counter that is left out at zero hides a login behind another; one that counts calls as they start begins
# anew in the middle of one. Then a talk time may still be taken for that of another call.
PERIODICAL = [
    name
    for name, variant in VARIANTS.items()
    if not (variant.jitter or variant.torn_second or variant.counters_move_at == "call_start")
]
MIDNIGHT = DEFAULT_START + 9 * 3600.0  # in India
GAPS_OF_PERIODS = ([5], [60], [600], [15, 300, 900], [5, 5, 5, 3600], [30, 30, 30, 30, 4 * 3600])


@frozen(kw_only=True)
class Periods:
    """A floor whose counters begin anew at logins or at midnight, polled with gaps that may hide it."""

    variant: str
    counters_reset: CountersReset
    pace: Pace
    seed: int
    before_midnight: int
    gaps: list[int]
    status: Status
    floor: SimulatedFloor = field(init=False, repr=False)

    @floor.default
    def _build(self) -> SimulatedFloor:
        variant = evolve(
            VARIANTS[self.variant], counters_reset=self.counters_reset, counters_absent_at_zero=False
        )
        start = MIDNIGHT - self.before_midnight
        return SimulatedFloor(6, seed=self.seed, variant=variant, pace=self.pace, start=start)

    def told(self) -> list[Transition]:
        random, live, now = Random(self.seed), LiveFloor(self.status, scope="sim"), self.floor.start
        updates = list[LiveUpdate]()
        for _ in range(80):
            now += random.choice(self.gaps)
            updates.append(live.receive(self.floor.reply(now, status=self.status), date=instant(now // 1)))
        return told(updates)

    def talks(self, agent_id: str) -> list[tuple[float, float]]:
        """When the agent's calls ended, and how long each was."""
        own = [f for f in self.floor.history if f.agent == agent_id and f.kind == "call_ended"]
        return [(f.at // 1, f.talk_time or 0) for f in own]


PERIODS = st.builds(
    Periods,
    variant=st.sampled_from(PERIODICAL),
    counters_reset=st.sampled_from(["login", "midnight"]),
    pace=st.sampled_from([Pace(), Pace.busy(), Pace(idle=2400, talk=300)]),
    seed=st.integers(0, 99_999),
    before_midnight=st.integers(600, 7200),
    gaps=st.sampled_from(GAPS_OF_PERIODS),
    status=STATUS,
)


def is_true_of(ended: CallEnded, talks: Iterable[tuple[float, float]]) -> bool:
    """Whether a call ended within the bounds that was as long as is told, as far as the bounds tell it.

    How long a call was that no poll saw is told to the second, whenever it was. One that began right after
    another, and up to five seconds later, is taken for the same.
    """
    assert ended.duration is not None
    first, last = bounds(ended)
    is_hidden = ":hidden." in ended.id
    at = ended.at.timestamp()
    shorter, longer = (0.0, 0.0) if is_hidden else (at - first + STRAY.seconds, last - at)
    lasted = ended.duration.total_seconds()
    return any(first <= end <= last and -1 - shorter <= talk - lasted <= 1 + longer for end, talk in talks)


@a_few
@given(PERIODS)
def test_law_15_across_periods_no_call_is_told_outside_its_bounds_or_with_the_talk_time_of_another(
    run: Periods,
) -> None:
    transitions = run.told()
    assert [words(t) for t in untrue(transitions, run.floor.history)] == []
    for t in transitions:
        assert not isinstance(t, CallEnded) or t.duration is None or is_true_of(t, run.talks(t.agent.id)), (
            words(t)
        )


@a_few
@given(PERIODS)
def test_law_15_the_talk_time_of_calls_that_are_counted_is_never_more_than_they_had(run: Periods) -> None:
    """Those that ended within the bounds; one that is counted late may have ended before them."""
    for t in run.told():
        if isinstance(t, UnseenActivity) and t.calls and t.talk_time is not None:
            first, last = bounds(t)
            talks = run.talks(t.agent.id)
            within = [talk for at, talk in talks if first <= at <= last]
            before = [talk for at, talk in talks if at < first][-1:]
            assert t.talk_time.total_seconds() <= sum(within + before) + t.calls, words(t)
