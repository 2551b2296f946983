"""What names an account whose user gave it no label: in ids, checkpoints and the log.

All accounts of a provider share one host, so the name also holds a digest of the user id. That id is part
of the credentials and has eight digits: a fast digest would be undone by trying them all, in a minute. This
one takes some 60 ms, so trying them all takes two months of a processor; and it is made once per account.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache

from .renewal import Grant

_SALT = b"deepcall-async account"  # the same everywhere, as a restart must come to the same name
_COST = 2**14  # with 8 blocks: 16 MB


class AccountName:
    """The name of an account: its label, or else what is made of its server and its user id.

    grant: the newest credentials, None before the first.
    """

    def __init__(self, label: str, server: str) -> None:
        self._label, self._server = label, server
        self.grant: Grant | None = None

    def __call__(self) -> str:
        """The name as far as it is known. An ssid says nothing about whose it is: then it is the server."""
        if self._label or self.grant is None or self.grant.user_id is None:
            return self._label or self._server
        return f"{_digest(self.grant.user_id)}@{self._server}"

    @property
    def is_shared(self) -> bool:
        """Whether other accounts on the server can have the same name."""
        return not self._label and self.grant is not None and self.grant.user_id is None


@lru_cache(maxsize=64)
def _digest(user_id: str) -> str:
    return hashlib.scrypt(user_id.encode(), salt=_SALT, n=_COST, r=8, p=1, dklen=6).hex()
