"""The predictor gives what the plain decoder gives, for every input, and reads only what changed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from hypothesis import given, strategies as st

from benchmarks.payload import payload
from deepcall_async import DeepcallError, LiveFloor, ReplyError, Snapshot
from deepcall_async._wire import predictor as prediction, rows as wire_rows
from deepcall_async._wire.decoder import decode_snapshot
from deepcall_async._wire.predictor import LONGEST_REST, RUN, Predictor
from deepcall_async._wire.scalars import to_elapsed
from deepcall_async.simulator import VARIANTS, Floor, Pace

from .replies import CLOCK, NOW, envelope, message, row
from .test_hostile import SAMPLE

Outcome = Snapshot | tuple[type[DeepcallError], str]


def outcome(decode: Callable[..., Snapshot], body: bytes, date: datetime | None = NOW) -> Outcome:
    try:
        return decode(body, date=date)
    except DeepcallError as error:
        return type(error), str(error)


def check_same(predictor: Predictor, body: bytes, date: datetime | None = NOW) -> None:
    """The outcome is the plain decoder's, the order of the agents included."""
    fast, plain = outcome(predictor.decode, body, date), outcome(decode_snapshot, body, date)
    assert fast == plain
    if isinstance(fast, Snapshot) and isinstance(plain, Snapshot):
        assert list(fast.agents.items()) == list(plain.agents.items())
        assert (fast.unknown_keys, fast.extra) == (plain.unknown_keys, plain.extra)


def compact(*rows: Any, **changes: Any) -> bytes:
    """A success as the server writes it."""
    return json.dumps(envelope(message=message(*rows, **changes)), separators=(",", ":")).encode()


def spoilt(body: bytes, random: Random) -> bytes:
    """A reply with something wrong in it, somewhere."""
    place, other = random.randrange(len(body)), random.randrange(len(body))
    length = random.randrange(1, 300)
    return random.choice(
        [
            body[:place],
            body[:place] + body[place + length :],
            body[:place] + bytes([random.randrange(256)]) + body[place + 1 :],
            body[:place] + random.choice(b'0123456789",[]{}:\\ %').to_bytes() + body[place + 1 :],
            body[:place] + body[other : other + length] + body[place:],
        ]
    )


def lives(variant: str, interval: float, polls: int) -> Iterator[tuple[bytes, datetime]]:
    """The replies of a simulated floor, on which much happens in between; now and then a spoilt one."""
    random = Random(f"{variant} {interval}")
    floor = Floor(25, seed=3, variant=VARIANTS[variant], pace=Pace(idle=max(45.0, interval / 6)))
    now = floor.start + random.random()
    for _ in range(polls):
        now += interval * random.choice([1, 1, 1, 0.3])
        body = floor.reply(now)
        yield body, datetime.fromtimestamp(int(now), UTC)
        if random.random() < 0.15:
            yield spoilt(body, random), datetime.fromtimestamp(int(now), UTC)


def test_a_value_that_is_equal_but_other_is_shown_as_it_was_sent() -> None:
    """In Python 0, false and 0.0 are equal."""
    floor, plain = LiveFloor(), LiveFloor()
    for value in (0, False, 0.0, False, [0], [False], {"a": 1}, {"a": True}):
        body = compact(row("1", zz=value, br={"type": "Tea", "zz": value}, **CLOCKS), row("2"))
        for update in (floor.receive(body), plain.take(decode_snapshot(body))):
            agent = update.snapshot.agents["1"]
            assert repr(agent.extra) == repr({"zz": value})
            assert agent.on_break is not None
            assert repr(agent.on_break.details) == repr({"type": "Tea", "zz": value})
            assert json.loads(json.dumps(update.checkpoint))["state"]


# --- the same for every input -------------------------------------------------------------------


@pytest.mark.parametrize("interval", [1, 61, 3600])
@pytest.mark.parametrize("variant", VARIANTS)
def test_a_floor_tells_the_same_whichever_way_its_replies_are_read(variant: str, interval: float) -> None:
    predictor, fast, plain = Predictor(), LiveFloor(), LiveFloor()
    for body, date in lives(variant, interval, 25):
        check_same(predictor, body, date)
        try:
            snapshot = decode_snapshot(body, date=date)
        except DeepcallError:
            continue
        update, expected = fast.receive(body, date=date), plain.take(snapshot)
        assert update == expected
        assert update.checkpoint == expected.checkpoint


TIMES = st.sampled_from([0, 1, 1, 5, 60, 3599, 3600, 3601, -1, -3600])
SPANS = st.integers(0, 8000)
WORDS = st.sampled_from(["Asha", "100 %s %", 'Jo "JJ"', "गीता", "\\", '"avT":["0","00","05"]', "},{", "\x00"])
MORE: dict[str, st.SearchStrategy[Any]] = {
    "nm": WORDS,
    "l": SPANS.map(lambda span: {"type": "Web", "duration": to_elapsed(span)}),
    "liC": SPANS.map(lambda span: {"id": "c", "duration": to_elapsed(span), "legs": [{}, {"duration": "x"}]}),
    "br": SPANS | WORDS,
    "x": SPANS.map(lambda span: {"duration": to_elapsed(span), "avT": to_elapsed(span)}) | WORDS,
    'a"duration': SPANS.map(to_elapsed),
    "avD": st.none() | st.just(CLOCK - 5),
    "tC": st.integers(0, 3) | st.just("many"),
}
CHANGES = st.fixed_dictionaries({}, optional=MORE)
STEPS = st.tuples(TIMES, st.dictionaries(st.integers(0, 5), CHANGES, max_size=3), st.permutations(range(6)))


def shown(number: int, changes: dict[str, Any], now: int) -> dict[str, Any]:
    since = CLOCK - 100 * number - 5
    return row(str(number % 5), **{"avT": to_elapsed(now - since), "avD": since, **changes})


@given(st.lists(STEPS, min_size=2, max_size=6), st.booleans(), st.sampled_from([1, 2, 3, RUN]))
def test_rows_that_change_move_and_confuse_are_read_the_same(
    steps: list[Any], is_ordered: bool, run: int
) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(prediction, "RUN", run)
        check_steps(steps, is_ordered)


def check_steps(steps: list[Any], is_ordered: bool) -> None:
    predictor, now = Predictor(), CLOCK + 8000
    people: dict[int, dict[str, Any]] = {number: {} for number in range(5)}
    for passed, changes, order in steps:
        now = max(CLOCK + 600, now + passed)
        people.update(changes)
        numbers = sorted(people) if is_ordered else [number for number in order if number in people]
        check_same(predictor, compact(*(shown(number, people[number], now) for number in numbers)))


def turbulent(random: Random) -> Iterator[bytes]:
    """A floor larger than a run: rows come, go, move and change, clocks complete hours and are set back."""
    now, number = CLOCK + 90_000, 70
    people: list[tuple[str, int, dict[str, Any]]] = [
        (str(n), random.randrange(80_000), {}) for n in range(number)
    ]
    for _ in range(60):
        now += random.choice([0, 1, 5, 5, 5, 5, 60, 3000, 3600, 7300, -1, -2, -4000])
        for _ in range(random.choice([0, 0, 1, 2, 9])):
            place, (name, since, _) = random.randrange(len(people)), random.choice(people)
            changed = (
                name,
                since,
                {"tC": random.randrange(9), "l": {"type": "Web", "duration": to_elapsed(5)}},
            )
            match random.choice(["go", "go on", "come", "change", "change"]):
                case "go":
                    del people[place : place + random.choice([1, 1, 3, 6])]
                case "go on":
                    people.insert(random.randrange(len(people)), people.pop(place))
                case "come":
                    number += 1
                    people.insert(place, (str(number), random.randrange(90_000), {}))
                case "change":
                    people = [changed if person[0] == name else person for person in people]
            people = people or [("1", 0, {})]
        torn = random.choice([0, 0, 1, -1]), random.randrange(len(people))
        yield compact(
            *[
                row(name, avT=to_elapsed(max(0, now + torn[0] * (n > torn[1]) - CLOCK - since)), **changes)
                | {"avD": CLOCK + since}
                for n, (name, since, changes) in enumerate(people)
            ]
        )


@pytest.mark.parametrize("run", [1, 2, 5, RUN])
@pytest.mark.parametrize("seed", range(8))
def test_a_floor_of_several_runs_is_read_the_same_and_stays_in_few_runs(
    seed: int, run: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prediction, "RUN", run)
    predictor = Predictor()
    for body in turbulent(Random(seed)):
        check_same(predictor, body)
        sizes = [len(part.agents) for part in predictor._runs]
        assert max(sizes, default=0) <= run
        assert all(size + after > run for size, after in pairwise(sizes))


CLOCKS = {"avT": ["0", "05", "00"], "avD": CLOCK - 300}
LATER = {"avT": ["0", "05", "10"], "avD": CLOCK - 300}
WEB = {"type": "Web", "duration": ["0", "30", "00"]}
WEB_LATER = {"type": "Web", "duration": ["0", "30", "10"]}
TICKED = {"avT": ["0", "05", "11"], "avD": CLOCK - 300}
AGES = {"avT": ["1000001", "05", "00"], "avD": CLOCK - 300}
FRESH = {"avT": ["0", "00", "05"], "avD": CLOCK - 5}
EARLIER = {"avT": ["0", "04", "50"], "avD": CLOCK - 300}  # ten seconds
NEGATIVE = {"avT": ["-1", "59", "55"], "avD": CLOCK - 5}
FORWARD = {"avT": ["0", "05", "00"], "avD": CLOCK - 200}
STUCK = {"avT": [0, 5, 0], "avD": CLOCK - 300}
HOUR_LATER = {"avT": ["1", "05", "00"], "avD": CLOCK - 300}


def pairs() -> dict[str, tuple[bytes, bytes]]:
    """Two replies each, of which the second is not what it looks like."""
    first, second = row("1", **CLOCKS), row("1", **LATER)
    two = compact(first, row("2", l=WEB, **CLOCKS))
    late = compact(second, row("2", l=WEB_LATER, **LATER))
    return {
        "nothing happened": (two, late),
        "a login exactly an hour later": (two, compact(first | HOUR_LATER, row("2", l=WEB, **HOUR_LATER))),
        "a first row that cannot be predicted": (
            compact(first | {"avD": None}, row("2", l=WEB, **CLOCKS)),
            compact(second | {"avD": None, "nm": "x"}, row("2", l=WEB_LATER, **LATER)),
        ),
        "digits that do not tick": (two, compact(second, row("2", l=WEB, **LATER))),
        "a second that ticks over": (
            compact(*[row(str(n), **CLOCKS) for n in range(9)]),
            compact(*[row(str(n), **(LATER if n < 4 else TICKED)) for n in range(9)]),
        ),
        "a second row of an agent": (two, compact(second, row("2", l=WEB_LATER, **LATER), second)),
        "an agent in the other's place": (two, compact(second, row("3", l=WEB_LATER, **LATER))),
        "nobody left": (two, compact()),
        "the clock set back": (late, two),
        "rows hidden by another pr": (two, late.replace(b'"oCA":0', b'"pr":[],"oCA":0')),
        "rows hidden by another message": (two, late.replace(b'"code"', b'"message":{"pr":[]},"code"')),
        "no data, it says": (two, late.replace(b'"code":200', b'"code":1012')),
        "an error with rows": (two, late.replace(b'"success"', b'"error"')),
        "a comma too many": (two, late.replace(b'}],"oCA"', b'},],"oCA"')),
        "a comma too few": (two, late.replace(b"},{", b"}{")),
        "nothing behind the rows": (two, late[: late.index(b'],"oCA"')]),
        "bytes behind the end": (two, late + b"x"),
        "a bad total": (two, late.replace(b'"oCA":0', b'"oCA":"x"')),
        "a value that is equal but other": (
            compact(row("1", zz=0, l={**WEB, "seat": 1}, **CLOCKS), row("2", zz=[1], **CLOCKS), beside=0),
            compact(
                row("1", zz=False, l={**WEB_LATER, "seat": True}, **LATER),
                row("2", zz=[1.0], **LATER),
                beside=False,
            ),
        ),
        "unknown keys": (two, late.replace(b'"oCA":0', b'"oCA":0,"new":[1]')),
        "a row whose clock is absurd": (two, compact(first | {"avT": ["9", "00", "00"]}, row("2", **LATER))),
        "clocks of no call centre": (compact(first), compact(first | AGES)),
        "less than no time": (
            compact(first, row("2", **FRESH)),
            compact(first | EARLIER, row("2", **NEGATIVE)),
        ),
        "most clocks set forward": (
            compact(*[row(number, l=WEB, **CLOCKS) for number in "123"]),
            compact(row("1", l=WEB, **CLOCKS), row("2", l=WEB, **FORWARD), row("3", l=WEB, **FORWARD)),
        ),
        "a decoy that ticks": (
            compact(first, row("2", **STUCK, x=CLOCKS)),
            compact(second, row("2", **STUCK, x=LATER)),
        ),
        "nothing for a row": (
            compact(first, row("2", avD=None)),
            compact(second, "nothing").replace(b'"nothing"', b"\0"),
        ),
        "a semicolon for a comma": (two, late.replace(b"},{", b"};{")),
        "not UTF-8": (two, late.replace(b"Agent 2", b"Agent\xff2")),
        "pretty": (two, json.dumps(json.loads(late), indent=1).encode()),
    }  # fmt: skip


@pytest.mark.parametrize("name", pairs())
def test_a_reply_that_looks_like_the_last_one_is_read_for_what_it_is(name: str) -> None:
    predictor = Predictor()
    for body in (*pairs()[name], *pairs()[name], pairs()["nothing happened"][1]):
        check_same(predictor, body)


@pytest.mark.parametrize("changed", [0, RUN // 2, RUN - 1])
def test_what_stands_between_rows_is_looked_at_too(changed: int) -> None:
    first = compact(*[row(str(number), **CLOCKS, tC=0) for number in range(RUN)])
    later = [row(str(number), **LATER, tC=int(number == changed)) for number in range(RUN)]
    rows = compact(*later).split(b"},{")
    assert len(rows) == RUN
    for place in range(1, RUN):
        predictor = Predictor()
        predictor.decode(first)
        check_same(predictor, b"},{".join(rows[:place]) + b"};{" + b"},{".join(rows[place:]))


def logged_in(number: str, login: int, since_start: int) -> dict[str, Any]:
    """A row of so many seconds after the start, with a login of so many seconds."""
    clock = {"avT": to_elapsed(300 + since_start), "avD": CLOCK - 300}
    return row(number, l={"type": "Web", "duration": to_elapsed(login)}, **clock)


def test_a_new_login_is_seen_though_the_second_ticked_over_when_the_old_one_was_an_hour_old() -> None:
    predictor = Predictor()
    check_same(predictor, compact(logged_in("1", 3599, 0), logged_in("2", 3599, 0)))
    check_same(predictor, compact(logged_in("1", 3599, 0), logged_in("2", 3600, 1)))
    check_same(predictor, compact(logged_in("1", 1, 2), logged_in("2", 3601, 2)))


def test_the_vendors_sample_is_read_twice_alike() -> None:
    predictor = Predictor()
    first, second = predictor.decode(SAMPLE), predictor.decode(SAMPLE)
    assert first == second == decode_snapshot(SAMPLE)
    assert second.agents is first.agents


# --- only what changed is read ------------------------------------------------------------------


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The rows that the predictor reads."""
    seen: list[Any] = []

    def read_row(raw: Any) -> Any:
        seen.append(raw)
        return wire_rows.read_row(raw)

    monkeypatch.setattr(prediction, "read_row", read_row)
    return seen


@pytest.mark.parametrize("interval", [5, 3000])
def test_a_quiet_poll_reads_the_rows_that_changed_and_no_other(reads: list[Any], interval: int) -> None:
    predictor, bodies = Predictor(), [*payload(500, 40, 0.01)]
    if interval > 5:  # clocks complete hours, also the tenth, and here and there a counter moves
        rows = [row(str(n), avT=to_elapsed(n * 7), avD=CLOCK - n * 7) for n in range(500)]
        bodies = [compact(*[shown_later(row, at) for row in rows]) for at in range(0, 40_000, interval)]
    predictor.decode(bodies[0])
    assert len(reads) == 500
    before = decode_snapshot(bodies[0]).agents
    for body in bodies[1:]:
        reads.clear()
        agents = predictor.decode(body).agents
        assert agents == decode_snapshot(body).agents
        assert {raw["I"] for raw in reads} == {key for key, agent in agents.items() if agent != before[key]}
        before = agents


def shown_later(shown: dict[str, Any], seconds: int) -> dict[str, Any]:
    counted = {"tt": seconds} if shown["I"] == str(seconds // 100) else {}
    return {**shown, "avT": to_elapsed(CLOCK - shown["avD"] + seconds), **counted}


def test_agents_in_whom_nothing_changed_are_the_very_same_objects() -> None:
    floor, bodies = LiveFloor(), payload(300, 10, 0.01)
    before = floor.receive(bodies[0]).snapshot.agents
    for body in bodies[1:]:
        update = floor.receive(body)
        told = {transition.agent.id for transition in update.transitions}
        fresh = {key for key, agent in update.snapshot.agents.items() if agent is not before[key]}
        assert fresh == told
        before = update.snapshot.agents


PLACES = [0, 1, RUN - 2, RUN - 1, RUN, RUN + 1, 2 * RUN - 1, 2 * RUN + 1]


@pytest.mark.parametrize("place", PLACES)
def test_a_row_that_moves_is_read_and_the_others_are_not(reads: list[Any], place: int) -> None:
    predictor = Predictor()
    rows = [row(str(n), **CLOCKS) for n in range(2 * RUN + 2)]
    later = [row(str(n), **LATER) for n in range(2 * RUN + 2)]
    predictor.decode(compact(*rows))
    reads.clear()
    moved = [*later[:place], *later[place + 1 :], later[place]]
    assert list(predictor.decode(compact(*moved)).agents) == [raw["I"] for raw in moved]
    assert [raw["I"] for raw in reads] == ([str(place)] if moved != later else [])


@pytest.mark.parametrize("gone", [1, 2, 4])
@pytest.mark.parametrize("place", PLACES)
def test_of_rows_that_are_gone_nothing_is_read(reads: list[Any], place: int, gone: int) -> None:
    predictor = Predictor()
    later = [row(str(n), **LATER) for n in range(2 * RUN + 2)]
    predictor.decode(compact(*[shown | CLOCKS for shown in later]))
    reads.clear()
    left = [*later[:place], *later[place + gone :]]
    assert list(predictor.decode(compact(*left)).agents) == [raw["I"] for raw in left]
    assert reads == []


@pytest.mark.parametrize("place", PLACES)
def test_of_a_reply_in_which_the_second_ticks_over_one_row_is_read(reads: list[Any], place: int) -> None:
    predictor, numbers = Predictor(), range(2 * RUN + 2)
    predictor.decode(compact(*[row(str(n), **CLOCKS) for n in numbers]))
    reads.clear()
    torn = compact(*[row(str(n), **(LATER if n < place else TICKED)) for n in numbers])
    assert predictor.decode(torn) == decode_snapshot(torn)
    assert [raw["I"] for raw in reads] == ([str(place)] if place else [])


def test_a_row_later_than_the_others_is_predicted_from_then_on() -> None:
    """The second ticked over before it was written, and its agent became available at that."""
    predictor, fresh = Predictor(), {"avT": ["0", "00", "00"], "avD": CLOCK + 11}
    predictor.decode(compact(*[row(str(n), **CLOCKS) for n in range(5)]))
    torn = predictor.decode(compact(*[row(str(n), **LATER) for n in range(4)], row("4", **fresh)))
    quiet = predictor.decode(compact(*[row(str(n), **TICKED) for n in range(4)], row("4", **fresh)))
    assert quiet.agents is torn.agents


def test_of_a_row_with_an_absurd_clock_no_other_row_suffers(reads: list[Any]) -> None:
    predictor, absurd = Predictor(), row("3", avT=["0", "00", "01"], avD=CLOCK - 300)
    predictor.decode(compact(*[row(str(n), **CLOCKS) for n in range(3)], absurd, row("4", **CLOCKS)))
    reads.clear()
    predictor.decode(compact(*[row(str(n), **LATER) for n in range(3)], absurd, row("4", **LATER)))
    assert [raw["I"] for raw in reads] == ["3"]


def test_a_floor_that_changes_all_the_time_is_left_to_the_plain_decoder(reads: list[Any]) -> None:
    predictor, bodies = Predictor(), payload(60, 400, 1.0)
    predicted = 0
    for body in bodies:
        reads.clear()
        predictor.decode(body)
        predicted += bool(reads)
    assert predicted <= 2 + LONGEST_REST.bit_length() + 400 // LONGEST_REST


def test_what_is_drawn_stays_in_proportion_whatever_rows_come(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[int] = []
    drew = prediction._Walk._drew

    def noted(self: Any, size: int) -> None:
        drawn.append(size)
        drew(self, size)

    monkeypatch.setattr(prediction._Walk, "_drew", noted)
    padded = [row(f"p{number}", x="x" * 2_000) for number in range(RUN)]
    predictor = Predictor()
    check_same(predictor, compact(*padded))
    reply = compact(*[row(str(number)) for number in range(3_000)], *padded)
    check_same(predictor, reply)
    assert sum(drawn) < (prediction.MOST_DRAWN + 1) * len(reply)


def test_a_clock_that_cannot_be_shown_keeps_no_later_reply_from_being_predicted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plain: list[bytes] = []

    def noted(body: bytes, **options: Any) -> Snapshot:
        plain.append(body)
        return decode_snapshot(body, **options)

    monkeypatch.setattr(prediction, "decode_snapshot", noted)
    predictor = Predictor()
    others = [str(number) for number in range(2, 40)]

    def reply(fresh: list[str], elapsed: list[str]) -> bytes:
        clocks = [row(number, avT=elapsed, avD=CLOCK - 3600) for number in others]
        return compact(row("1", avT=fresh, avD=CLOCK - 5), *clocks)

    check_same(predictor, reply(["0", "00", "05"], ["1", "00", "00"]))
    for second in range(8):  # the clock was set back: the first agent became available in the future
        check_same(predictor, reply(["0", "00", "00"], ["0", "30", f"{second:02}"]))
    assert len(plain) <= 3


def test_of_a_reply_with_too_many_rows_no_more_are_read_than_a_floor_may_have(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(prediction, "MOST_ROWS", 50)
    monkeypatch.setattr(wire_rows, "MOST_ROWS", 50)
    count, predictor = [0], Predictor()

    def noted(raw: Any) -> Any:
        count[0] += 1
        return read_row(raw)

    read_row = wire_rows.read_row
    monkeypatch.setattr(prediction, "read_row", noted)
    monkeypatch.setattr(wire_rows, "read_row", noted)
    check_same(predictor, compact(*[row(str(number)) for number in range(50)]))
    count[0] = 0
    with pytest.raises(ReplyError, match="500 rows, and no floor has more than 50"):
        predictor.decode(compact(*[row(f"x{number}") for number in range(500)]))
    assert count[0] <= 51
    for more in (0, 1, 0, 40):
        check_same(predictor, compact(*[row(str(number)) for number in range(50 + more)]))
