"""The HTTP headers that are read: Date and Retry-After."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTHS = {name: f"{number:02}" for number, name in enumerate(_NAMES, 1)}
_USUAL_DATE = re.compile(r"\w{3}, (\d\d) (" + "|".join(_MONTHS) + r") (\d{4}) (\d\d:\d\d:\d\d) GMT", re.ASCII)


def read_date(text: str | None) -> datetime | None:
    """An HTTP date as an aware datetime; None for anything else."""
    if not text:
        return None
    try:
        if usual := _USUAL_DATE.fullmatch(text):  # several times as fast
            day, month, year, time = usual.groups()
            return datetime.fromisoformat(f"{year}-{_MONTHS[month]}-{day}T{time}Z")
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)


def read_retry_after(text: str | None, servers: datetime, ours: datetime) -> float | None:
    """Seconds, or an HTTP date as seconds from the server's now; None for nonsense.

    Of two clocks that are a day or more apart one is wrong, whichever: the shorter wait does less harm.
    """
    if text is None:
        return None
    if text.isascii() and text.isdigit():
        return float(text[:9])  # 31 years: nobody means to say more
    until = read_date(text)
    if until is None:
        return None
    clocks = [servers] if abs(servers - ours) < timedelta(days=1) else [servers, ours]
    return max(0.0, min((until - now).total_seconds() for now in clocks))
