"""Everything a stream needs to go on after a restart, as one JSON value. It holds no secret."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import Any

from attrs import field, fields, frozen

from deepcall_async._inference import FloorState, Memory, Suspicion, Tally, recalled
from deepcall_async._model import Agent, FloorTotals, evolve, from_json, leave_out, shown, to_json

FORMAT = 1  # raise it when an older reader would misread the newer form
MAX_AGENTS = 1_000_000  # far more than a reply can show
KEY = "deepcall_checkpoint"  # holds the format; the first key, by which a file is known as one of ours

leave_out(FloorState, "resting", "view", "shown", "restless", "oldest_gone")


class CheckpointWarning(UserWarning):
    """A checkpoint could not be used; the stream begins with a fresh baseline."""


class UnusableCheckpointError(ValueError):
    """Why a checkpoint cannot be used. time: of its last good poll, None where it does not tell."""

    def __init__(self, reason: str, *, time: datetime | None = None) -> None:
        super().__init__(reason)
        self.time = time


@frozen(kw_only=True)
class Mark:
    """Where a stream stands after an update.

    scope, view, status: whose floor, which part of it, and what an absent row means.
    sequence: of the update. totals: the last good ones. accepted: what was odd about the last good
    reply and is no longer suspect. suspect: what the last replies were held for, None when they were not.
    is_provisional: no reply yet that did not contradict itself. agreed: how many replies in a row had totals
    that agree with the rows, as far as that is counted. held, clock_steps: how many so far.
    """

    scope: str
    view: str
    status: str
    sequence: int
    totals: FloorTotals
    state: FloorState
    accepted: tuple[str, ...] = field(default=())
    suspect: Suspicion | None = None
    is_provisional: bool = False
    agreed: int = 0
    held: int = 0
    clock_steps: int = 0


# --- writing ----------------------------------------------------------------------------------------


def write_checkpoint(mark: Mark) -> dict[str, Any]:
    """The checkpoint of a mark: JSON objects, lists, strings, numbers, true, false and null."""
    state = evolve(mark.state, memories=mark.state.everyone)
    return {KEY: FORMAT, **to_json(evolve(mark, state=state))}


dump = partial(json.dumps, separators=(",", ":"))  # JSON in as few bytes as there can be


class CheckpointText:
    """Checkpoints as JSON text: to the byte `dump(write_checkpoint(mark))`, at the cost of what changed.

    What an agent is remembered by are values: while they are the very same objects, so is their JSON,
    which is kept. It takes as much memory as the checkpoint has bytes. Not for two threads at once.
    """

    def __init__(self) -> None:
        self._agents: dict[str, Agent | None] = {}
        self._memories: dict[str, object] = {}
        self._members: dict[str, bytes] = {}  # of `memories`, each behind a comma

    def write(self, mark: Mark, *, more: Mapping[str, Any] | None = None) -> bytes:
        """The checkpoint of a mark as ASCII, and behind it more keys with JSON values."""
        first, *others = self._members_of(mark.state) or [b","]
        state = evolve(mark.state, memories={}, resting={})
        value = {KEY: FORMAT, **to_json(evolve(mark, state=state)), **(more or {})}
        before, behind = _around(value, ["state", "memories"])
        return b"".join([f"{before}{{".encode(), first[1:], *others, f"}}{behind}".encode()])

    def _members_of(self, state: FloorState) -> list[bytes]:
        """The members of `memories`, in the order of `FloorState.everyone`."""
        memories: dict[str, object] = {**state.resting, **state.memories}
        order = dict.fromkeys((*state.shown, *memories))
        for key in self._members.keys() - order.keys():
            del self._agents[key], self._memories[key], self._members[key]
        return [self._member(state, key, memories[key]) for key in order]

    def _member(self, state: FloorState, key: str, memory: object) -> bytes:
        agent = state.shown.get(key)
        if self._memories.get(key) is not memory or self._agents[key] is not agent:
            self._members[key] = f",{dump(key)}:{dump(to_json(state.recall(key)))}".encode()
            self._agents[key], self._memories[key] = agent, memory
        return self._members[key]


def _around(value: Any, way: list[str]) -> tuple[str, str]:
    """The text of a JSON value before and behind the place to which the way leads."""
    if not way:
        return "", ""
    here, *on = way
    members = {key: f"{dump(key)}:{dump(held)}" for key, held in value.items() if key != here}
    at = list(value).index(here)
    before, behind = _around(value[here], on)
    head, tail = list(members.values())[:at], list(members.values())[at:]
    return "{" + ",".join([*head, f"{dump(here)}:{before}"]), ",".join([behind, *tail]) + "}"


# --- reading ----------------------------------------------------------------------------------------


def read_checkpoint(value: Mapping[str, Any], *, scope: str, view: str, status: str) -> Mark:
    """The mark in a checkpoint. Raises `UnusableCheckpointError` with the reason, whatever is in it."""
    try:
        _check_origin(value, {"scope": scope, "view": view, "status": status})
        mark = from_json(value, Mark)
        _check(mark.state)
        return evolve(mark, state=_recalled(mark.state))
    except UnusableCheckpointError:
        raise
    except Exception as error:  # cattrs, and whatever a damaged value trips
        reason = f"it is damaged ({type(error).__name__})"
        raise UnusableCheckpointError(reason, time=_time_of(value)) from error


def _check_origin(value: Mapping[str, Any], ours: Mapping[str, str]) -> None:
    """Whether it is a checkpoint at all, of a form that can be read, and of the same floor."""
    form = value.get(KEY)
    if not isinstance(form, int):
        raise UnusableCheckpointError("it is not a checkpoint")
    if form > FORMAT:
        raise UnusableCheckpointError(f"its format {form} is newer than this version's {FORMAT}")
    if value.get("scope") != ours["scope"]:
        raise UnusableCheckpointError(_of_another_account(value.get("scope"), ours["scope"]))
    for name, mine in ours.items():
        if value.get(name) != mine:
            raise UnusableCheckpointError(f"it was made for {name} {shown(value.get(name))}, not {mine!r}")


def _of_another_account(theirs: Any, mine: str) -> str:
    whose = "for another account, or by an earlier version"
    made = f"it was made for account {shown(theirs)}, not {mine!r}: {whose}"
    if not isinstance(theirs, str):
        return made
    return f'{made}. If it is this account\'s, account="{shown(theirs)[1:-1]}" (or --account) goes on with it'


def _check(state: FloorState) -> None:
    """What the type of a field does not say."""
    if len(state.memories) > MAX_AGENTS:
        raise ValueError("more agents than a reply can show")
    if any(key != memory.agent.id for key, memory in state.memories.items()):
        raise ValueError("an agent under another's id")


def _recalled(state: FloorState) -> FloorState:
    """The state of a mark, in which no poll was later than the last."""
    unread = {key: at and min(at, state.time) for key, at in state.unread.items()}
    named_at = state.named_at and min(state.named_at, state.time)
    memories = {key: _until(memory, state.time) for key, memory in state.memories.items()}
    return recalled(evolve(state, unread=unread, named_at=named_at), memories)


def _until(memory: Memory, time: datetime) -> Memory:
    """A memory whose polls were at that time at the latest. What agents have, too, is the server's word."""
    books = _late(memory.tally, _OF_TALLY, time)
    late = _late(memory, _OF_MEMORY, time)
    if books:
        late["tally"] = evolve(memory.tally, **books)
    return evolve(memory, **late) if late else memory


_OF_TALLY = [part.name for part in fields(Tally)]
_OF_MEMORY = [part.name for part in fields(Memory) if part.name not in {own.name for own in fields(Agent)}]


def _late(value: Any, names: list[str], time: datetime) -> dict[str, Any]:
    """The fields with an instant after this one, brought back to it."""
    found = ((name, getattr(value, name)) for name in names)
    return {name: time for name, at in found if isinstance(at, datetime) and at > time}


def _time_of(value: Mapping[str, Any]) -> datetime | None:
    """The time of a damaged checkpoint's last good poll, where that can still be read."""
    with suppress(Exception):
        return from_json(value["state"]["time"], datetime)
    return None
