"""A call centre's live floor as a stream you can trust: what changed, when, and what cannot be known.

    async with DeepcallSession(TokenAuth(user_id, token)) as session:
        async for update in session.poll_live(5.0):
            for transition in update.transitions:
                print(transition.at, transition.kind, transition.agent.name)

Names are imported when first used, see `_lazy`.
"""

from typing import TYPE_CHECKING

from . import _lazy

if TYPE_CHECKING or not _lazy.install(__name__):
    from ._client import (
        Auth as Auth,
        AuthProvider as AuthProvider,
        DeepcallSession as DeepcallSession,
        LiveFeed as LiveFeed,
        LiveStream as LiveStream,
        RetryPolicy as RetryPolicy,
        SsidAuth as SsidAuth,
        Subscription as Subscription,
        TokenAuth as TokenAuth,
    )
    from ._floor import (
        CheckpointWarning as CheckpointWarning,
        Gap as Gap,
        Ledger as Ledger,
        LiveFloor as LiveFloor,
        LiveUpdate as LiveUpdate,
        Missed as Missed,
        Outage as Outage,
    )
    from ._model import (
        Account as Account,
        Agent as Agent,
        AgentAdded as AgentAdded,
        AgentErrorCode as AgentErrorCode,
        AgentRemoved as AgentRemoved,
        AgentState as AgentState,
        AgentUpdated as AgentUpdated,
        ApiError as ApiError,
        AuthenticationError as AuthenticationError,
        Basis as Basis,
        Break as Break,
        BreakEnded as BreakEnded,
        BreakStarted as BreakStarted,
        Call as Call,
        CallEnded as CallEnded,
        CallStarted as CallStarted,
        Channel as Channel,
        ClockSource as ClockSource,
        ConfigurationError as ConfigurationError,
        CountersReset as CountersReset,
        DeepcallError as DeepcallError,
        FloorTotals as FloorTotals,
        InvalidRequest as InvalidRequest,
        LoggedIn as LoggedIn,
        LoggedOut as LoggedOut,
        Login as Login,
        PermissionDenied as PermissionDenied,
        Phase as Phase,
        Quarantined as Quarantined,
        ReplyError as ReplyError,
        RequestTimeout as RequestTimeout,
        ServerBusy as ServerBusy,
        Snapshot as Snapshot,
        Transition as Transition,
        TransportError as TransportError,
        UnexpectedStatus as UnexpectedStatus,
        UnknownGroup as UnknownGroup,
        UnseenActivity as UnseenActivity,
        agent_to_json as agent_to_json,
        snapshot_to_json as snapshot_to_json,
        transition_from_json as transition_from_json,
        transition_to_json as transition_to_json,
    )
    from ._persistence import (
        CheckpointFile as CheckpointFile,
        RecordingFloor as RecordingFloor,
        load_checkpoint as load_checkpoint,
        replay as replay,
        save_checkpoint as save_checkpoint,
    )
