"""What nobody outside knows about the real server, as options; and what is invented here, by name.

One reply of the real server is public, and it shows nobody on a call or on a break. So every
guess about the rest has its switch here. A client that is right in all `VARIANTS` does not
depend on a guess.
"""

from __future__ import annotations

from typing import Literal, get_args

from attrs import field, frozen
from attrs.validators import ge, in_

CountersMoveAt = Literal["call_start", "call_end", "wrap_up_end"]
TalkTimeMovesAt = Literal["call_end", "wrap_up_end"]
CountersReset = Literal["never", "midnight", "login"]
Shape = Literal["triple", "seconds", "hms", "no_origin", "word"]
NoneShape = Literal["absent", "null", "no", "empty_string", "empty_list", "empty_object"]
BusyAvailability = Literal["kept", "absent"]
OccupiedWhile = Literal["ringing_call_wrap_up", "call"]
TotalsCover = Literal["rows", "account"]
ElapsedBy = Literal["clock", "counting"]
Unidentified = Literal["nobody", "some_agents", "now_and_then"]


@frozen(kw_only=True)
class Variant:
    """One way the real server may behave. The default is the likeliest, as far as that can be said.

    Every combination can be played; the one that contradicts itself raises ValueError.

    counters_move_at: when `tC` and `tt` count a call. "call_start": `tC` at its start, `tt` at its end.
        "wrap_up_end": a call without wrap-up counts at its end.
    talk_time_moves_at: "wrap_up_end": `tt` takes up a call after its wrap-up although `tC` did so before.
    talk_time_lag: seconds that `tt` takes up a call later than that. A talk time that is late when the
        counters begin anew is lost.
    counters_reset: when they begin anew. "midnight" is India's (UTC+5:30), "login" the one that ends being
        logged out.
    counters_absent_at_zero: `tC`, `tt` and `ataT` are left out until there was a call.
    call_shape, break_shape: how `liC` and `br` look. "triple", "seconds", "hms": an object whose `duration`
        is ["0","01","05"], 65 or "00:01:05"; "no_origin": an object without it; "word": "Yes" for a call,
        the reason for a break.
    none_shape: how they look when there is no call or break.
    busy_availability: whether `avT` and `avD` are sent while the agent rings, talks, wraps up or is on break.
    availability_moves_at_logout: a logout, too, sets `avD`.
    occupied_while: when `IsOcc` is 1.
    totals_cover: whether the totals count the rows asked for, or all agents of the account.
    totals_lag: seconds that the totals are older than the rows, as in a store that becomes consistent late.
    numbers_as_strings: numbers in rows come as strings, as elsewhere in this product.
    unidentified: whose row has no id (`I` is null). "some_agents": of these, never; "now_and_then": two
        rows in a hundred.
    elapsed_by: what an elapsed time is after the server's clock was set. "clock": what the clock shows less
        what it showed when it began, at least zero; "counting": what has truly passed, save for `avT`.
    jitter: every elapsed reading but `avT` is off by -1, 0 or +1 s, each for itself, never below zero.
    availability_jitter: so is `avT`.
    torn_second: the server's second ticks over while it writes: from a random row on, `avT` and every other
        elapsed reading are one second on.
    """

    counters_move_at: CountersMoveAt = field(default="call_end", validator=in_(get_args(CountersMoveAt)))
    talk_time_moves_at: TalkTimeMovesAt = field(default="call_end", validator=in_(get_args(TalkTimeMovesAt)))
    talk_time_lag: float = field(default=0.0, validator=ge(0))
    counters_reset: CountersReset = field(default="never", validator=in_(get_args(CountersReset)))
    counters_absent_at_zero: bool = True
    call_shape: Shape = field(default="triple", validator=in_(get_args(Shape)))
    break_shape: Shape = field(default="triple", validator=in_(get_args(Shape)))
    none_shape: NoneShape = field(default="absent", validator=in_(get_args(NoneShape)))
    busy_availability: BusyAvailability = field(default="kept", validator=in_(get_args(BusyAvailability)))
    availability_moves_at_logout: bool = False
    occupied_while: OccupiedWhile = field(
        default="ringing_call_wrap_up", validator=in_(get_args(OccupiedWhile))
    )
    totals_cover: TotalsCover = field(default="rows", validator=in_(get_args(TotalsCover)))
    totals_lag: float = field(default=0.0, validator=ge(0))
    numbers_as_strings: bool = False
    unidentified: Unidentified = field(default="nobody", validator=in_(get_args(Unidentified)))
    elapsed_by: ElapsedBy = field(default="clock", validator=in_(get_args(ElapsedBy)))
    jitter: bool = False
    availability_jitter: bool = False
    torn_second: bool = False

    def __attrs_post_init__(self) -> None:
        if self.counters_move_at == self.talk_time_moves_at == "wrap_up_end":
            raise ValueError(
                'talk_time_moves_at="wrap_up_end" says that tt moves later than tC, but with '
                'counters_move_at="wrap_up_end" it never does: leave one of them out'
            )

    @property
    def strays(self) -> bool:
        """Whether a reading depends on chance."""
        return self.jitter or self.availability_jitter or self.torn_second


VARIANTS: dict[str, Variant] = {
    "likely": Variant(),
    "counters-at-call-start": Variant(counters_move_at="call_start"),
    "counters-after-wrap-up": Variant(counters_move_at="wrap_up_end"),
    "reset-at-midnight": Variant(counters_reset="midnight"),
    "reset-at-login": Variant(counters_reset="login"),
    "zero-counters-sent": Variant(counters_absent_at_zero=False),
    "calls-in-seconds": Variant(call_shape="seconds"),
    "calls-as-hms": Variant(call_shape="hms"),
    "calls-without-origin": Variant(call_shape="no_origin"),
    "calls-as-a-word": Variant(call_shape="word"),
    "breaks-in-seconds": Variant(break_shape="seconds"),
    "breaks-as-hms": Variant(break_shape="hms"),
    "breaks-without-origin": Variant(break_shape="no_origin"),
    "breaks-as-a-word": Variant(break_shape="word"),
    "none-is-null": Variant(none_shape="null"),
    "none-is-no": Variant(none_shape="no"),
    "none-is-empty-string": Variant(none_shape="empty_string"),
    "none-is-empty-list": Variant(none_shape="empty_list"),
    "none-is-empty-object": Variant(none_shape="empty_object"),
    "busy-without-availability": Variant(busy_availability="absent"),
    "logout-moves-availability": Variant(availability_moves_at_logout=True),
    "occupied-on-calls-only": Variant(occupied_while="call"),
    "totals-of-the-account": Variant(totals_cover="account"),
    "numbers-as-strings": Variant(numbers_as_strings=True),
    "jitter": Variant(jitter=True),
    "torn-second": Variant(torn_second=True),
    "mixed-ragged-clock": Variant(
        counters_move_at="wrap_up_end",
        counters_reset="midnight",
        call_shape="hms",
        break_shape="seconds",
        none_shape="no",
        jitter=True,
        torn_second=True,
    ),
    "mixed-little-said": Variant(
        counters_move_at="call_start",
        counters_reset="login",
        counters_absent_at_zero=False,
        call_shape="no_origin",
        break_shape="word",
        none_shape="empty_object",
        busy_availability="absent",
        availability_moves_at_logout=True,
        occupied_while="call",
        jitter=True,
    ),
}

INVENTED: dict[str, str] = {
    "life": "who logs in, rings, talks, wraps up, takes breaks, and when; names, groups and phone numbers",
    "liC": "the shape and contents of a live call, and that it is sent during a call only",
    "br": "the shape and contents of a break, and that it is sent during a break only",
    "ml": 'that a mobile login looks like a web login, with the type "Mobile"',
    "avD": "that it is the second the agent last became available, and when it is left out",
    "ring, wrap-up": "that a row shows ringing and wrap-up by IsOcc alone",
    "tC, tt, ataT": "when they move, begin anew and are left out",
    "sip_status, mic_perm": 'the value "online", and when either changes',
    "totals": "whether they count the rows asked for or the account; sip and mic",
    "A": "that A=1 adds nothing",
    "filter": "that any list of objects is taken and filters nothing",
    "groupid": "the groups, and that groupId in camel case is ignored",
    "errors": "that both kinds of credentials together, or a wrong status or A, give 1000 or 1001",
    "http": "the HTTP status of errors, and that a GET is answered 404",
    "jitter, torn seconds": "how far and how often elapsed readings stray",
    "clock": "that it is ever set, and what elapsed times are then",
    "crashes": "that all agents can be logged out at one moment, and back at another",
    "I": "that an agent's row can come without it",
    "late": "that totals and talk times can lag",
}
