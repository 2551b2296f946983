"""A simulated call floor with a true history, behind a real HTTP server that speaks like the vendor's.

Try your bot against it before you let it near the real one:

    async with Simulator(agents=20, pace=Pace.busy()) as server:
        ...  # server.url, server.user_id, server.token, server.ssid
        server.script(Fault.gateway(502), Fault(delay=3.0))  # what goes wrong with the next two requests
        print(server.floor.history)  # what truly happened

What the real server does is known from one public reply and from its documentation. Whatever goes
beyond them is invented: `INVENTED` names it, `Variant` holds the guesses that matter to a client, and
`VARIANTS` is a set of them to be right in. For pytest there is `deepcall_async.simulator.pytest_plugin`.
"""

from ._fact import Fact
from ._fault import Fault
from ._floor import DEFAULT_START, Floor
from ._pace import Pace
from ._sample import SAMPLE, SAMPLE_TIME, SampleFloor
from ._server import ReceivedRequest, Simulator
from ._variant import INVENTED, VARIANTS, Variant

__all__ = [
    "DEFAULT_START",
    "INVENTED",
    "SAMPLE",
    "SAMPLE_TIME",
    "VARIANTS",
    "Fact",
    "Fault",
    "Floor",
    "Pace",
    "ReceivedRequest",
    "SampleFloor",
    "Simulator",
    "Variant",
]
