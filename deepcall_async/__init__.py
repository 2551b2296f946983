"""A call centre's live floor as a stream you can trust: what changed, when, and what cannot be known.

    async with DeepcallSession(TokenAuth(user_id, token)) as session:
        async for update in session.poll_live(5.0):
            for transition in update.transitions:
                print(transition.at, transition.kind, transition.agent.name)

Names are imported when first used, so that `deepcall --help` need not wait for aiohttp.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ._account import Account, Phase
    from ._auth import Auth, AuthProvider, SsidAuth, TokenAuth
    from ._checkpoint import CheckpointWarning
    from ._checkpoint_file import CheckpointFile, load_checkpoint, save_checkpoint
    from ._errors import (
        AgentErrorCode,
        ApiError,
        AuthenticationError,
        ConfigurationError,
        DeepcallError,
        InvalidRequest,
        PermissionDenied,
        ReplyError,
        RequestTimeout,
        ServerBusy,
        TransportError,
        UnexpectedStatus,
        UnknownGroup,
    )
    from ._feed import LiveFeed, Subscription
    from ._floor import LiveFloor
    from ._json import agent_to_json, snapshot_to_json, transition_from_json, transition_to_json
    from ._model import (
        Agent,
        AgentState,
        Break,
        Call,
        ClockSource,
        FloorTotals,
        Login,
        Quarantined,
        Snapshot,
    )
    from ._polling import RetryPolicy
    from ._recording import RecordingFloor, replay
    from ._session import DeepcallSession
    from ._stream import LiveStream
    from ._transitions import (
        AgentAdded,
        AgentRemoved,
        AgentUpdated,
        Basis,
        BreakEnded,
        BreakStarted,
        CallEnded,
        CallStarted,
        Channel,
        CountersReset,
        LoggedIn,
        LoggedOut,
        Transition,
        UnseenActivity,
    )
    from ._update import Gap, Ledger, LiveUpdate, Missed, Outage

_HOME = {
    "Account": "._account",
    "Agent": "._model",
    "AgentAdded": "._transitions",
    "AgentErrorCode": "._errors",
    "AgentRemoved": "._transitions",
    "AgentState": "._model",
    "AgentUpdated": "._transitions",
    "ApiError": "._errors",
    "Auth": "._auth",
    "AuthProvider": "._auth",
    "AuthenticationError": "._errors",
    "Basis": "._transitions",
    "Break": "._model",
    "BreakEnded": "._transitions",
    "BreakStarted": "._transitions",
    "Call": "._model",
    "CallEnded": "._transitions",
    "CallStarted": "._transitions",
    "Channel": "._transitions",
    "CheckpointFile": "._checkpoint_file",
    "CheckpointWarning": "._checkpoint",
    "ClockSource": "._model",
    "ConfigurationError": "._errors",
    "CountersReset": "._transitions",
    "DeepcallError": "._errors",
    "DeepcallSession": "._session",
    "FloorTotals": "._model",
    "Gap": "._update",
    "InvalidRequest": "._errors",
    "Ledger": "._update",
    "LiveFeed": "._feed",
    "LiveFloor": "._floor",
    "LiveStream": "._stream",
    "LiveUpdate": "._update",
    "LoggedIn": "._transitions",
    "LoggedOut": "._transitions",
    "Login": "._model",
    "Missed": "._update",
    "Outage": "._update",
    "PermissionDenied": "._errors",
    "Phase": "._account",
    "Quarantined": "._model",
    "RecordingFloor": "._recording",
    "ReplyError": "._errors",
    "RequestTimeout": "._errors",
    "RetryPolicy": "._polling",
    "ServerBusy": "._errors",
    "Snapshot": "._model",
    "SsidAuth": "._auth",
    "Subscription": "._feed",
    "TokenAuth": "._auth",
    "Transition": "._transitions",
    "TransportError": "._errors",
    "UnexpectedStatus": "._errors",
    "UnknownGroup": "._errors",
    "UnseenActivity": "._transitions",
    "agent_to_json": "._json",
    "load_checkpoint": "._checkpoint_file",
    "replay": "._recording",
    "save_checkpoint": "._checkpoint_file",
    "snapshot_to_json": "._json",
    "transition_from_json": "._json",
    "transition_to_json": "._json",
}

__all__ = [
    "Account",
    "Agent",
    "AgentAdded",
    "AgentErrorCode",
    "AgentRemoved",
    "AgentState",
    "AgentUpdated",
    "ApiError",
    "Auth",
    "AuthProvider",
    "AuthenticationError",
    "Basis",
    "Break",
    "BreakEnded",
    "BreakStarted",
    "Call",
    "CallEnded",
    "CallStarted",
    "Channel",
    "CheckpointFile",
    "CheckpointWarning",
    "ClockSource",
    "ConfigurationError",
    "CountersReset",
    "DeepcallError",
    "DeepcallSession",
    "FloorTotals",
    "Gap",
    "InvalidRequest",
    "Ledger",
    "LiveFeed",
    "LiveFloor",
    "LiveStream",
    "LiveUpdate",
    "LoggedIn",
    "LoggedOut",
    "Login",
    "Missed",
    "Outage",
    "PermissionDenied",
    "Phase",
    "Quarantined",
    "RecordingFloor",
    "ReplyError",
    "RequestTimeout",
    "RetryPolicy",
    "ServerBusy",
    "Snapshot",
    "SsidAuth",
    "Subscription",
    "TokenAuth",
    "Transition",
    "TransportError",
    "UnexpectedStatus",
    "UnknownGroup",
    "UnseenActivity",
    "agent_to_json",
    "load_checkpoint",
    "replay",
    "save_checkpoint",
    "snapshot_to_json",
    "transition_from_json",
    "transition_to_json",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_HOME[name], __name__), name)
    return value


def __dir__() -> list[str]:
    return [*globals(), *__all__]
