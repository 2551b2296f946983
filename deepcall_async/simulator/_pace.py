"""How busy a simulated floor is. Invented throughout."""

from __future__ import annotations

import math
from typing import Self

from attrs import field, frozen
from attrs.validators import ge, gt, le

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0


@frozen(kw_only=True)
class Pace:
    """How busy a floor is: mean times in seconds, each > 0, exponentially distributed.

    idle: until the next call. talk: of a call that is not short. wrap_up: the longest, evenly distributed.
    break_every, break_length: breaks. shift, time_off: between logout and login for good.
    relogin_every: logout and login again at once, and likewise changes of channel and phone.
    rename_every: a new name. tenure: until an agent is gone for good and replaced.
    break_switches: the share of breaks, 0 to 1, that are followed by a break for another reason at once.
    regroup_every: an agent goes from group 56 to 57, or back, whatever it is doing.
    reload_every: a browser is reloaded: its login ends and another begins seconds later, and whatever is on,
        a call even, goes on.
    crash_every: the telephone system fails, see `Crash`. Of these four a floor knows nothing by default.
    """

    idle: float = field(default=45.0, validator=gt(0))
    talk: float = field(default=120.0, validator=gt(0))
    wrap_up: float = field(default=60.0, validator=gt(0))
    break_every: float = field(default=40 * MINUTE, validator=gt(0))
    break_length: float = field(default=6 * MINUTE, validator=gt(0))
    shift: float = field(default=3 * HOUR, validator=gt(0))
    time_off: float = field(default=40 * MINUTE, validator=gt(0))
    relogin_every: float = field(default=HOUR, validator=gt(0))
    rename_every: float = field(default=2 * DAY, validator=gt(0))
    tenure: float = field(default=14 * DAY, validator=gt(0))
    break_switches: float = field(default=0.0, validator=[ge(0), le(1)])
    regroup_every: float = field(default=math.inf, validator=gt(0))
    reload_every: float = field(default=math.inf, validator=gt(0))
    crash_every: float = field(default=math.inf, validator=gt(0))

    @classmethod
    def busy(cls) -> Self:
        """Everything often and short: an hour of it holds what a calm floor shows in days."""
        return cls(
            idle=10.0,
            talk=20.0,
            wrap_up=20.0,
            break_every=3 * MINUTE,
            break_length=30.0,
            shift=20 * MINUTE,
            time_off=2 * MINUTE,
            relogin_every=4 * MINUTE,
            rename_every=30 * MINUTE,
            tenure=HOUR,
        )
