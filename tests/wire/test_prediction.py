"""The predictor gives what the plain decoder gives, for every input, and reads only what changed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.payload import payload
from deepcall_async import DeepcallError, LiveFloor, Snapshot, _prediction, _rows
from deepcall_async._forms import to_elapsed
from deepcall_async._prediction import LONGEST_REST, Predictor
from deepcall_async._wire import decode_snapshot
from deepcall_async.simulator import VARIANTS, Floor

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
    """The replies of a simulated floor; now and then a spoilt one."""
    random = Random(f"{variant} {interval}")
    floor = Floor(25, seed=3, variant=VARIANTS[variant])
    now = floor.start + random.random()
    for _ in range(polls):
        now += interval * random.choice([1, 1, 1, 0.3])
        body = floor.reply(now)
        yield body, datetime.fromtimestamp(int(now), UTC)
        if random.random() < 0.15:
            yield spoilt(body, random), datetime.fromtimestamp(int(now), UTC)


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


@given(st.lists(STEPS, min_size=2, max_size=6), st.booleans())
def test_rows_that_change_move_and_confuse_are_read_the_same(steps: list[Any], is_ordered: bool) -> None:
    predictor, now = Predictor(), CLOCK + 8000
    people: dict[int, dict[str, Any]] = {number: {} for number in range(5)}
    for passed, changes, order in steps:
        now = max(CLOCK + 600, now + passed)
        people.update(changes)
        numbers = sorted(people) if is_ordered else [number for number in order if number in people]
        check_same(predictor, compact(*(shown(number, people[number], now) for number in numbers)))


CLOCKS = {"avT": ["0", "05", "00"], "avD": CLOCK - 300}
LATER = {"avT": ["0", "05", "10"], "avD": CLOCK - 300}
WEB = {"type": "Web", "duration": ["0", "30", "00"]}
WEB_LATER = {"type": "Web", "duration": ["0", "30", "10"]}
TICKED = {"avT": ["0", "05", "11"], "avD": CLOCK - 300}
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
        "unknown keys": (two, late.replace(b'"oCA":0', b'"oCA":0,"new":[1]')),
        "a row whose clock is absurd": (two, compact(first | {"avT": ["9", "00", "00"]}, row("2", **LATER))),
        "not UTF-8": (two, late.replace(b"Agent 2", b"Agent\xff2")),
        "pretty": (two, json.dumps(json.loads(late), indent=1).encode()),
    }  # fmt: skip


@pytest.mark.parametrize("name", pairs())
def test_a_reply_that_looks_like_the_last_one_is_read_for_what_it_is(name: str) -> None:
    predictor = Predictor()
    for body in (*pairs()[name], *pairs()[name], pairs()["nothing happened"][1]):
        check_same(predictor, body)


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
        return _rows.read_row(raw)

    monkeypatch.setattr(_prediction, "read_row", read_row)
    return seen


@pytest.mark.parametrize("interval", [5, 3000])
def test_a_quiet_poll_reads_the_rows_that_changed_and_no_other(reads: list[Any], interval: int) -> None:
    predictor, bodies = Predictor(), [*payload(500, 40, 0.01)]
    if interval > 5:  # nothing happens but that clocks complete hours
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
    return {**shown, "avT": to_elapsed(CLOCK - shown["avD"] + seconds)}


def test_agents_in_whom_nothing_changed_are_the_very_same_objects() -> None:
    floor, bodies = LiveFloor(), payload(300, 10, 0.01)
    before = floor.receive(bodies[0]).snapshot.agents
    for body in bodies[1:]:
        update = floor.receive(body)
        told = {transition.agent.id for transition in update.transitions}
        fresh = {key for key, agent in update.snapshot.agents.items() if agent is not before[key]}
        assert fresh == told
        before = update.snapshot.agents


def test_a_row_that_moves_is_read_and_the_others_are_not(reads: list[Any]) -> None:
    predictor = Predictor()
    rows = [row(str(n), **CLOCKS) for n in range(50)]
    later = [row(str(n), **LATER) for n in range(50)]
    predictor.decode(compact(*rows))
    reads.clear()
    moved = [*later[:10], *later[11:], later[10]]
    assert list(predictor.decode(compact(*moved)).agents) == [raw["I"] for raw in moved]
    assert [raw["I"] for raw in reads] == ["10"]


def test_a_floor_that_changes_all_the_time_is_left_to_the_plain_decoder(reads: list[Any]) -> None:
    predictor, bodies = Predictor(), payload(60, 400, 1.0)
    predicted = 0
    for body in bodies:
        reads.clear()
        predictor.decode(body)
        predicted += bool(reads)
    assert predicted <= 2 + LONGEST_REST.bit_length() + 400 // LONGEST_REST
