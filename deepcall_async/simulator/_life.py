"""An agent's working life, as a stream of facts. Invented throughout, but plausible.

    off duty   -> available, or gone for good
    available  -> ring, talk (called out), break, off duty, or stays so after a change of login or phone
    ring       -> talk, or available if nobody answered
    talk       -> the next talk at once, wrap-up, available
    wrap-up    -> the next ring at once, break, available
    break      -> available, off duty

Each state is a method: it yields the facts of being in it and returns the next state. A life
depends on its own random numbers only, so the same seed lives the same life, whoever watches and
however often.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from operator import attrgetter
from random import Random
from typing import Any, TypeAlias

from attrs import evolve

from ._fact import ENDS, STARTS, Fact, Kind, WebOrMobile, groups_of
from ._mishap import Crash, cut_off
from ._pace import HOUR, MINUTE, Pace

_State: TypeAlias = Callable[[], "_Stay"]
_Stay: TypeAlias = Generator[Fact, None, _State]

REASONS = ("Tea", "Lunch", "Meeting")
FIRST_NAMES = ("Asha", "bhawesh", "Chitra", "Deepak", "Esha", "Farid", "गीता", "Harpreet", "Zoë", 'Jo "JJ"')
LAST_NAMES = ("", " Kumar", " Kumar", " Singh", " Rao", " D'Souza", "111", " developer")


def _is_web_logout(fact: Fact) -> bool:
    return fact.kind == "logged_out" and fact.channel == "web"


class Life:
    """One agent from being added to being removed.

    `hired` is when the agent is added, `begins` when there is something to see: before that the
    agent is added and no more, unless `on_duty`, when a login and a first few minutes precede it.
    `crashes`, in order of time, break into it.
    """

    def __init__(
        self,
        agent: str,
        *,
        seed: int,
        pace: Pace,
        hired: float,
        begins: float,
        on_duty: bool = False,
        crashes: Iterable[Crash] = (),
    ) -> None:
        self.agent, self.now = agent, hired
        self._begins, self._on_duty, self._pace = begins, on_duty, pace
        self._random = Random(f"{seed}:{agent}")
        self._name_random, self._group_random, self._fate = (
            Random(f"{seed}:{agent}:{what}") for what in ("names", "groups", "fate")
        )
        self._crashes = iter(crashes)
        self._crash = next(self._crashes, None)
        self._reload_at = begins + self._time_to_reload()
        self._last_break: str | None = None  # its reason, where the next has another
        self._on: Fact | None = None  # the start of the ring, call, wrap-up or break that is on
        self._logins: dict[WebOrMobile, float] = {}
        self._fields: dict[str, str | bool] = {
            "name": self._name(),
            "sip_status": "offline",
            "microphone_permitted": False,
        }
        rates: dict[_State, float] = {
            self._ring: 0.9 / pace.idle,
            self._talk: 0.1 / pace.idle,
            self._break: 1 / pace.break_every,
            self._log_out: 1 / pace.shift,
            self._log_in_again: 1 / pace.relogin_every,
            self._change_channels: 0.5 / pace.relogin_every,
            self._change_phone: 0.5 / pace.relogin_every,
        }
        self._moves, self._weights = list(rates), list(rates.values())

    def facts(self) -> Iterator[Fact]:
        """The whole life, in order of time, up to the agent's removal."""
        for fact in heapq.merge(self._work(), self._names(), self._moves_of_group(), key=attrgetter("at")):
            yield fact
            if fact.kind == "agent_removed":
                return

    def _work(self) -> Iterator[Fact]:
        state = self._hired
        while True:
            state = yield from self._disturbed(state())

    def _disturbed(self, stay: _Stay) -> _Stay:
        """A stay, and whatever breaks into it from outside."""
        while True:
            logins, fields = self._logins.copy(), self._fields.copy()
            fact = following = None
            try:
                fact = next(stay)
            except StopIteration as end:
                following = end.value
            if crash := self._next_crash(is_in=bool(logins)):
                stay.close()  # what came next in it has not happened
                self._logins, self._fields = logins, fields | {"name": self._fields["name"]}
                yield from self._fall(crash)
                return self._available
            if self._reload_at <= self.now:
                began = yield from self._reload(logins)
                fact = fact and (evolve(fact, began=began) if _is_web_logout(fact) else fact)
            if fact is None:
                return following  # type: ignore[return-value]  # one of the two is there
            self._on = None if fact.kind in ENDS else fact if fact.kind in STARTS else self._on
            yield fact

    def _names(self) -> Iterator[Fact]:
        """New names come at any moment, whatever the agent is doing."""
        at = self._begins
        while True:
            at += self._name_random.expovariate(1 / self._pace.rename_every)
            for fact in self._update("name", self._name()):
                yield evolve(fact, at=at)

    def _moves_of_group(self) -> Iterator[Fact]:
        """Groups, too, change at any moment."""
        at, groups = self._begins, groups_of(self.agent)[1:]
        while math.isfinite(self._pace.regroup_every):
            at += self._group_random.expovariate(1 / self._pace.regroup_every)
            (left,), groups = groups, ("56" if "57" in groups else "57",)
            yield Fact(at=at, agent=self.agent, kind="group_left", value=left)
            yield Fact(at=at, agent=self.agent, kind="group_joined", value=groups[0])

    def _name(self) -> str:
        return self._name_random.choice(FIRST_NAMES) + self._name_random.choice(LAST_NAMES)

    def _tell(self, kind: Kind, **details: Any) -> Fact:
        return Fact(at=self.now, agent=self.agent, kind=kind, **details)

    def _pass(self, mean: float) -> None:
        self.now += self._random.expovariate(1 / mean)

    def _chance(self, share: float) -> bool:
        return self._random.random() < share

    # --- what breaks in -----------------------------------------------------------------------

    def _next_crash(self, *, is_in: bool) -> Crash | None:
        """The next crash up to now, but none for one who is not in."""
        while self._crash is not None and self._crash.at <= self.now:
            crash, self._crash = self._crash, next(self._crashes, None)
            if is_in:
                return crash
        return None

    def _fall(self, crash: Crash) -> Iterator[Fact]:
        """Out with all the others, and back with them."""
        self.now = crash.at
        if self._on is not None:
            yield cut_off(self._on, self.now)
        channels, self._on = tuple(self._logins), None
        for channel in channels:
            yield self._close(channel)
        self.now = crash.back + self._fate.uniform(0, crash.spread)
        for channel in channels:
            yield self._open(channel)
        yield self._tell("became_available")
        self._reload_at = max(self._reload_at, self.now)

    def _time_to_reload(self) -> float:
        return self._fate.expovariate(1.0) * self._pace.reload_every

    def _reload(self, logins: Mapping[WebOrMobile, float]) -> Generator[Fact, None, float | None]:
        """Out of the web and back, with what is on going on; when this login began, None: it was none."""
        out, back = self._reload_at, self._reload_at + self._fate.uniform(2, 10)
        self._reload_at = max(self.now, back) + self._time_to_reload()
        if "web" not in logins or back >= self.now or out <= logins["web"]:
            return logins.get("web")
        yield Fact(at=out, agent=self.agent, kind="logged_out", channel="web", began=logins["web"])
        yield Fact(at=back, agent=self.agent, kind="logged_in", channel="web", began=back)
        if len(logins) == 1 and self._on is None:
            yield Fact(at=back, agent=self.agent, kind="became_available")
        if "web" in self._logins:
            self._logins["web"] = back
        return back

    # --- the states ---------------------------------------------------------------------------

    def _hired(self) -> _Stay:
        yield self._tell("agent_added", value=self._fields["name"])
        self.now = self._begins
        return self._already_on_duty if self._on_duty else self._off_duty

    def _already_on_duty(self) -> _Stay:
        """Logged in hours ago; of the calls since then only the last few minutes' are told."""
        self.now = self._begins - self._random.uniform(15 * MINUTE, 4 * HOUR)
        following = yield from self._log_in()
        self.now = self._begins - self._random.uniform(0, 5 * MINUTE)
        return following

    def _off_duty(self) -> _Stay:
        pace = self._pace
        self._pass(pace.time_off)
        if self._chance((pace.shift + pace.time_off) / pace.tenure):
            yield self._tell("agent_removed")  # the last fact: nobody asks for another
        return self._log_in

    def _log_in(self) -> _Stay:
        channel: WebOrMobile = "mobile" if self._chance(0.1) else "web"
        yield self._open(channel)
        yield self._tell("became_available")
        if channel == "web":
            self.now += self._random.uniform(0, 4)
            yield from self._update("sip_status", "online")
            yield from self._update("microphone_permitted", self._chance(0.9))
        return self._available

    def _log_out(self) -> _Stay:
        for channel in tuple(self._logins):
            yield self._close(channel)
        self.now += self._random.uniform(0, 20)
        yield from self._update("sip_status", "offline")
        yield from self._update("microphone_permitted", False)
        return self._off_duty

    def _available(self) -> _Stay:
        """Until whatever comes first."""
        self._pass(1 / sum(self._weights))
        yield from ()
        return self._random.choices(self._moves, self._weights)[0]

    def _become_available(self) -> _Stay:
        yield self._tell("became_available")
        return self._available

    def _ring(self) -> _Stay:
        began = self.now
        yield self._tell("ring_started", began=began)
        self.now += self._random.uniform(3, 20)
        answered = self._chance(0.85)
        yield self._tell("ring_ended", began=began, answered=answered)
        return self._talk if answered else self._become_available

    def _talk(self) -> _Stay:
        began = self.now
        yield self._tell("call_started", began=began)
        self.now += self._talk_time()
        yield self._tell("call_ended", began=began, talk_time=math.floor(self.now) - math.floor(began))
        if self._chance(0.1):
            return self._talk
        return self._wrap_up if self._chance(0.6) else self._become_available

    def _talk_time(self) -> float:
        if self._chance(0.35):
            return self._random.uniform(3, 15)
        return min(3 + self._random.expovariate(1 / self._pace.talk), 10 * MINUTE)

    def _wrap_up(self) -> _Stay:
        began = self.now
        yield self._tell("wrap_up_started", began=began)
        self.now += self._random.uniform(0.5, self._pace.wrap_up)
        yield self._tell("wrap_up_ended", began=began)
        following = [self._ring, self._break, self._become_available]
        return self._random.choices(following, (0.1, 0.05, 0.85))[0]

    def _break(self) -> _Stay:
        began, reason = self.now, self._random.choice([each for each in REASONS if each != self._last_break])
        self._last_break = reason if self._pace.break_switches else None
        yield self._tell("break_started", began=began, reason=reason)
        if self._chance(0.2):
            self.now += self._random.uniform(5, 20)
        else:
            self._pass(self._pace.break_length)
        yield self._tell("break_ended", began=began, reason=reason)
        if self._pace.break_switches and self._chance(self._pace.break_switches):
            return self._break
        return self._log_out if self._chance(0.1) else self._become_available

    def _log_in_again(self) -> _Stay:
        """A dropped connection, a closed browser: out, and back within two minutes, or at once."""
        channel = self._random.choice(tuple(self._logins))
        yield self._close(channel)
        was_last = not self._logins
        self.now += self._random.choices(
            (0.0, self._random.uniform(1, 10), self._random.uniform(10, 120)), (1, 5, 9)
        )[0]
        yield self._open(channel)
        return self._become_available if was_last else self._available

    def _change_channels(self) -> _Stay:
        """Mobile beside web, or back to one of them; the agent stays available throughout."""
        if len(self._logins) == 2:
            yield self._close(self._random.choice(tuple(self._logins)))
        else:
            yield self._open("mobile" if "web" in self._logins else "web")
        return self._available

    def _change_phone(self) -> _Stay:
        is_online = self._fields["sip_status"] == "online"
        yield from self._update("sip_status", "offline" if is_online else "online")
        return self._available

    # --- facts that keep account --------------------------------------------------------------

    def _open(self, channel: WebOrMobile) -> Fact:
        self._logins[channel] = self.now
        return self._tell("logged_in", channel=channel, began=self.now)

    def _close(self, channel: WebOrMobile) -> Fact:
        return self._tell("logged_out", channel=channel, began=self._logins.pop(channel))

    def _update(self, field: str, value: str | bool) -> Iterator[Fact]:
        """The change, unless it is none."""
        if self._fields[field] != value:
            self._fields[field] = value
            yield self._tell("updated", field=field, value=value)
