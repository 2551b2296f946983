"""asyncio and aiohttp: credentials, requests, retries, the session, its streams and feeds.

Imports `_model`, `_wire`, `_floor` and `_persistence`.
"""

from deepcall_async import _lazy

from .credentials import Auth, AuthProvider, SsidAuth, TokenAuth
from .feed import LiveFeed, Subscription
from .retry import RetryPolicy
from .session import DeepcallSession
from .stream import LiveStream

__all__ = [
    "Auth",
    "AuthProvider",
    "DeepcallSession",
    "LiveFeed",
    "LiveStream",
    "RetryPolicy",
    "SsidAuth",
    "Subscription",
    "TokenAuth",
]

_lazy.publish(__name__)
