"""What truly happens on a simulated floor, as facts: the yardstick for whatever a client tells of it."""

from __future__ import annotations

from typing import Literal

from attrs import frozen

Kind = Literal[
    "agent_added",
    "agent_removed",
    "logged_in",
    "logged_out",
    "became_available",
    "break_started",
    "break_ended",
    "ring_started",
    "ring_ended",
    "call_started",
    "call_ended",
    "wrap_up_started",
    "wrap_up_ended",
    "updated",
    "counters_reset",
    "group_left",
    "group_joined",
    "clock_set",
]
WebOrMobile = Literal["web", "mobile"]
EVERYBODY = "__everybody__"  # the agent of a fact that concerns all
STARTS: tuple[Kind, ...] = ("ring_started", "call_started", "wrap_up_started", "break_started")
ENDS: tuple[Kind, ...] = ("ring_ended", "call_ended", "wrap_up_ended", "break_ended")


def groups_of(agent: str) -> tuple[str, ...]:
    """The groups an agent begins in: all in 55, the documented default, and half in each of the others."""
    return ("55", "56" if sum(map(ord, agent)) % 2 else "57")


@frozen(kw_only=True)
class Fact:
    """One thing that happened to one agent.

    at: when, in floating epoch seconds of the floor's time. It is the server's, too, while nobody sets the
        server's clock; `Floor.clock_at` tells what the server's clock showed at any instant.
    agent: the agent's id; `EVERYBODY` where the server's clock was set.
    began: of an episode's start and end alike, when it began: the two are matched by it. Else None.
    channel: of a login, else None. reason: of a break, else None.
    answered: of a ring that ended, else None.
    talk_time: of a call that ended, what the server adds to `tt`, in whole seconds; else None.
    field, value: of an update, what changed ("name", "sip_status" or "microphone_permitted") and
        to what. For an added agent `value` is the name, for one who changes groups the group's id.
    step: of a clock that was set, by how many seconds: below zero, it was set back. Else None.
    """

    at: float
    agent: str
    kind: Kind
    began: float | None = None
    channel: WebOrMobile | None = None
    reason: str | None = None
    answered: bool | None = None
    talk_time: int | None = None
    field: str | None = None
    value: str | bool | None = None
    step: int | None = None

    @property
    def duration(self) -> float | None:
        """How long the episode took that this fact ends, 0.0 for a start; None for other facts."""
        return None if self.began is None else self.at - self.began
