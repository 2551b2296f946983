"""Where wire and inference meet: `LiveFloor`, its updates, and what a checkpoint says.

Imports `_model`, `_wire` and `_inference`.
"""

from deepcall_async import _lazy
from deepcall_async._wire import Strike, as_it_is

from .checkpoint import KEY, CheckpointText, CheckpointWarning, dump
from .live_floor import LiveFloor
from .update import Gap, Ledger, LiveUpdate, Missed, Outage, mark_of

__all__ = [
    "KEY",
    "CheckpointText",
    "CheckpointWarning",
    "Gap",
    "Ledger",
    "LiveFloor",
    "LiveUpdate",
    "Missed",
    "Outage",
    "Strike",
    "as_it_is",
    "dump",
    "mark_of",
]

_lazy.publish(__name__)
