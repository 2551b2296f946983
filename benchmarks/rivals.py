"""What others pay for the same work: bytes to a snapshot, and which agents changed since the last one.

    python -m benchmarks.rivals                       # some minutes
    python -m benchmarks.rivals --json rivals.json

Each rival is what a user would write in some twenty lines, and does less than we do: it says *which*
agents changed, not what happened nor when, and it checks nothing. The fields that tick (`avT`, and
`duration` in logins, calls and breaks) are in the snapshot where it is typed, and left out of the
comparison, or every agent would change on every poll. All take turns on the same replies in one run, each
in a process of its own with the garbage collector as Python ships it; figures are medians of CPU time.
Who is not installed is left out: `pip install -e '.[bench]'`.
"""
# No `from __future__ import annotations` here: rivals define their types inside functions, and read them.

import json
import re
from collections.abc import Callable, Sequence
from operator import attrgetter
from statistics import median
from typing import Any, Literal, TypeVar

import cattrs
from attrs import asdict, define, field, frozen
from cattrs.gen import make_dict_structure_fn

from benchmarks.machine import finish, machine, options, told
from benchmarks.payload import payload
from benchmarks.turns import Maker, block_of, in_turns, medians, orjson_alone, ours, plain

Rival = Callable[[bytes], set[str]]
T = TypeVar("T")


class Differ:
    """Keeps the rows of the last reply by agent id."""

    def __init__(self) -> None:
        self.rows: dict[str, Any] | None = None

    def changed(self, rows: dict[str, T], facts: Callable[[T], Any] = lambda row: row) -> set[str]:
        """The agents that differ from the last reply; none at first. facts: what is compared of a row."""
        before, self.rows = self.rows, rows
        if before is None:
            return set()
        differ = {key for key in before.keys() & rows.keys() if facts(before[key]) != facts(rows[key])}
        return differ | (before.keys() ^ rows.keys())


# --- json and a hand-written diff of dicts ---------------------------------------------------------


def dict_diff() -> Rival:
    """No types: the rows as `json` gives them, without what ticks."""
    differ = Differ()

    def stands_still(row: dict[str, Any]) -> dict[str, Any]:
        return {key: without_duration(value) for key, value in row.items() if key != "avT"}

    def without_duration(value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {key: part for key, part in value.items() if key != "duration"}

    def receive(body: bytes) -> set[str]:
        rows = {row["I"]: stands_still(row) for row in json.loads(body)["message"]["pr"]}
        return differ.changed(rows)

    return receive


# --- orjson, cattrs and == ---------------------------------------------------------------------------


@define
class Presence:
    """A login, call or break."""

    duration: list[str] = field(eq=False)
    type: str | None = None
    call_id: str | None = field(default=None, alias="callId")


@define
class Row:
    """An agent."""

    id: str = field(alias="I")
    name: str = field(alias="nm")
    is_occupied: int = field(alias="IsOcc")
    login: Presence | None = field(alias="l")
    mobile_login: Presence | None = field(alias="ml")
    talk_time: int = field(alias="tt")
    calls: int = field(alias="tC")
    average: list[str] = field(alias="ataT")
    available_for: list[str] = field(alias="avT", eq=False)
    available_since: int = field(alias="avD")
    microphone: int = field(alias="mic_perm")
    sip_status: str
    call: Presence | None = field(default=None, alias="liC")
    on_break: Presence | None = field(default=None, alias="br")


class Structured:
    """attrs and cattrs as tuned as they can be without leaving them."""

    def __init__(self) -> None:
        converter = cattrs.Converter(detailed_validation=False, use_alias=True)
        structure = make_dict_structure_fn(Presence, converter)
        converter.register_structure_hook_func(
            lambda kind: kind == Presence | None,
            lambda value, _: None if value == "No" else structure(value, Presence),
        )
        self._structure = converter.get_structure_hook(Row)
        self._differ = Differ()

    def compare(self, reply: Any) -> set[str]:
        """Take a reply that is parsed already."""
        rows = [self._structure(row, Row) for row in reply["message"]["pr"]]
        return self._differ.changed({row.id: row for row in rows})


def structured() -> Rival:
    """orjson, cattrs and ==."""
    import orjson  # noqa: PLC0415  # it may not be installed, here and below

    floor = Structured()
    return lambda body: floor.compare(orjson.loads(body))


# --- pydantic and == ----------------------------------------------------------------------------------

FACTS = attrgetter(
    *("name", "is_occupied", "login", "mobile_login", "call", "on_break", "talk_time", "calls", "average"),
    *("available_since", "microphone", "sip_status"),
)


def validated() -> Rival:
    """A pydantic model's `validate_json`, and ==."""
    from pydantic import BaseModel, Field  # noqa: PLC0415

    class Presence(BaseModel):  # noqa: PLW1641  # nobody hashes one
        duration: list[str]
        type: str | None = None
        call_id: str | None = Field(None, alias="callId")

        def __eq__(self, other: object) -> bool:
            return isinstance(other, Presence) and (self.type, self.call_id) == (other.type, other.call_id)

    class Row(BaseModel):
        id: str = Field(alias="I")
        name: str = Field(alias="nm")
        is_occupied: int = Field(alias="IsOcc")
        login: Presence | Literal["No"] = Field(alias="l")
        mobile_login: Presence | Literal["No"] = Field(alias="ml")
        call: Presence | None = Field(None, alias="liC")
        on_break: Presence | None = Field(None, alias="br")
        talk_time: int = Field(alias="tt")
        calls: int = Field(alias="tC")
        average: list[str] = Field(alias="ataT")
        available_for: list[str] = Field(alias="avT")
        available_since: int = Field(alias="avD")
        microphone: int = Field(alias="mic_perm")
        sip_status: str

    class Message(BaseModel):
        pr: list[Row]

    class Reply(BaseModel):
        message: Message

    differ = Differ()

    def receive(body: bytes) -> set[str]:
        reply = Reply.model_validate_json(body)
        return differ.changed({row.id: row for row in reply.message.pr}, FACTS)

    return receive


# --- msgspec --------------------------------------------------------------------------------------------


def decoded() -> Rival:
    """A typed decode by msgspec, and ==."""
    import msgspec  # noqa: PLC0415

    class Presence(msgspec.Struct):  # noqa: PLW1641
        duration: list[str]
        type: str | None = None
        call_id: str | None = msgspec.field(name="callId", default=None)

        def __eq__(self, other: object) -> bool:
            return isinstance(other, Presence) and (self.type, self.call_id) == (other.type, other.call_id)

    class Row(msgspec.Struct):
        id: str = msgspec.field(name="I")
        name: str = msgspec.field(name="nm")
        is_occupied: int = msgspec.field(name="IsOcc")
        login: Presence | Literal["No"] = msgspec.field(name="l")
        mobile_login: Presence | Literal["No"] = msgspec.field(name="ml")
        talk_time: int = msgspec.field(name="tt")
        calls: int = msgspec.field(name="tC")
        average: list[str] = msgspec.field(name="ataT")
        available_for: list[str] = msgspec.field(name="avT")
        available_since: int = msgspec.field(name="avD")
        microphone: int = msgspec.field(name="mic_perm")
        sip_status: str
        call: Presence | None = msgspec.field(name="liC", default=None)
        on_break: Presence | None = msgspec.field(name="br", default=None)

    class Message(msgspec.Struct):
        pr: list[Row]

    class Reply(msgspec.Struct):
        message: Message

    differ, decoder = Differ(), msgspec.json.Decoder(Reply)

    def receive(body: bytes) -> set[str]:
        reply = decoder.decode(body)
        return differ.changed({row.id: row for row in reply.message.pr}, FACTS)

    return receive


# --- deepdiff -------------------------------------------------------------------------------------------


def deep_diff() -> Rival:
    """No types: deepdiff of the rows as `json` gives them."""
    from deepdiff import DeepDiff  # noqa: PLC0415

    clocks = [re.compile(r"\['(avT|duration)'\]")]
    last: dict[str, Any] = {}

    def receive(body: bytes) -> set[str]:
        rows = {row["I"]: row for row in json.loads(body)["message"]["pr"]}
        found = DeepDiff(last, rows, exclude_regex_paths=clocks).affected_root_keys if last else ()
        last.clear()
        last.update(rows)
        return set(found)

    return receive


# --- taking turns ---------------------------------------------------------------------------------------

OURS, PLAIN, PARSE = "deepcall-async", "deepcall-async, plain", "orjson.loads alone"
SIZES = (100, 1_000, 10_000)
AGENT_REPLIES = 60_000  # rows to read per size and contender
WARM_UP = 6  # replies before figures are taken
PATIENCE = 5.0  # seconds for one reply: who takes longer is left out


@frozen(kw_only=True)
class Result:
    """One contender's line at one size. seconds: the median of a reply; None: left out, see `why`.

    bytes: of a reply. to_orjson: as a multiple of `orjson.loads` alone, None where that is not installed.
    to_ours: as a multiple of ours.
    """

    agents: int
    bytes: int
    name: str
    seconds: float | None
    to_orjson: float | None = None
    to_ours: float | None = None
    why: str = ""


RIVALS: dict[str, Callable[[], Rival]] = {
    "json + dict diff": dict_diff,
    "orjson + cattrs": structured,
    "pydantic": validated,
    "msgspec": decoded,
    "deepdiff": deep_diff,
}
MAKERS: dict[str, Maker] = {PARSE: orjson_alone, OURS: ours, PLAIN: plain, **RIVALS}


def measure(agents: int, rounds: int, patience: float = PATIENCE) -> list[Result]:
    """Let all read the same replies in turns. patience: see `Turns.take`."""
    bodies = payload(agents, WARM_UP + rounds)
    with in_turns(MAKERS) as turns:
        times = turns.take(bodies, block_of(agents), patience=patience)
        missing = turns.missing
    taken = medians({name: told[WARM_UP:] for name, told in times.items()})
    size = round(median(len(body) for body in bodies))
    return [_result(agents, size, name, taken) for name in taken] + [
        Result(agents=agents, bytes=size, name=name, seconds=None, why=why) for name, why in missing.items()
    ]


def _result(agents: int, size: int, name: str, taken: dict[str, float]) -> Result:
    parsing, seconds = taken.get(PARSE), taken[name]
    return Result(
        agents=agents,
        bytes=size,
        name=name,
        seconds=seconds,
        to_orjson=seconds / parsing if parsing else None,
        to_ours=seconds / taken[OURS],
    )


# --- telling --------------------------------------------------------------------------------------------


def run(
    *,
    quick: bool = False,
    agents: Sequence[int] = (),
    rounds: int | None = None,
    tell: Callable[[str], None] = print,
) -> dict[str, Any]:
    """Measure, tell a table line by line, and return the figures."""
    results: list[Result] = []
    tell("agents     bytes  who                       median  x orjson   x ours")
    for size in agents or (SIZES[:1] if quick else SIZES):
        found = measure(size, rounds or max(10, min(10 if quick else 200, AGENT_REPLIES // size)))
        for result in found:
            tell(_line(result))
        results += found
    return {"results": [asdict(result) for result in results]}


def _line(result: Result) -> str:
    head = f"{result.agents:6}{result.bytes:10}  {result.name:21}"
    if result.seconds is None:
        return f"{head} left out: {result.why}"
    to_orjson = "" if result.to_orjson is None else f"{result.to_orjson:.2f}"
    return f"{head}{result.seconds * 1e3:8.3f} ms{to_orjson:>10}{result.to_ours:9.2f}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = options(__doc__)
    parser.add_argument("--agents", nargs="*", type=int, default=(), metavar="N", help=f"default: {SIZES}")
    parser.add_argument("--rounds", type=int, help="replies per size; default: as many as make sense")
    chosen = parser.parse_args(arguments)
    where = machine()
    print(told(where), end="\n\n")
    finish(chosen.json, where, rivals=run(quick=chosen.quick, agents=chosen.agents, rounds=chosen.rounds))


if __name__ == "__main__":
    main()
