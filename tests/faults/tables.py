"""All the tables, by the heading that each has on the page."""

from __future__ import annotations

from . import exchange, replies
from .fault import Table

TABLES: dict[str, Table] = {
    "The connection": exchange.CONNECTION,
    "HTTP": exchange.NOT_HTTP,
    "Size": exchange.TOO_LARGE,
    "Encodings": exchange.ENCODINGS,
    "Statuses": exchange.STATUSES,
    "JSON": replies.JSON,
    "The envelope": replies.ENVELOPES,
    "Rows and totals": replies.PARTS,
    "The server's clock": replies.CLOCKS,
}
