"""Bytes to snapshots, and back: the only folder that knows the wire's keys.

Imports `_model` only.
"""

from . import scalars
from .decoder import Strike, as_it_is, decode_snapshot
from .encoder import encode_reply
from .envelope import STRICT, read_error
from .predictor import Predictor
from .request import Request, live_request
from .rows import Presence, Row, row_to_wire

__all__ = [
    "STRICT",
    "Predictor",
    "Presence",
    "Request",
    "Row",
    "Strike",
    "as_it_is",
    "decode_snapshot",
    "encode_reply",
    "live_request",
    "read_error",
    "row_to_wire",
    "scalars",
]
