"""The one logger of this package, and lines in it that say whose they are."""

from __future__ import annotations

import logging
from collections.abc import Callable

logger = logging.getLogger("deepcall_async")
logger.addHandler(logging.NullHandler())  # where no logging is set up, nothing is printed


class AccountLog:
    """Writes lines that begin with the account's name, which is also in `record.account`.

    account: gives the name; asked only when a line is written.
    """

    def __init__(self, account: Callable[[], str]) -> None:
        self._account = account

    def __call__(self, level: int, message: str, *args: object, **extra: object) -> None:
        """Write a line. extra: more attributes of the record."""
        if logger.isEnabledFor(level):
            account = self._account()
            extra = {"account": account, **extra}
            logger.log(level, f"[%s] {message}", account, *args, extra=extra, stacklevel=2)
