"""What holds for every reply that can be read, however odd."""

from __future__ import annotations

from deepcall_async import Snapshot
from deepcall_async._wire.decoder import decode_snapshot
from deepcall_async._wire.encoder import encode_snapshot


def check_round_trip(snapshot: Snapshot) -> None:
    """What was decoded once is encoded and decoded for ever after to the same."""
    if not 2000 < snapshot.server_time.year < 2080:
        return  # an elapsed time of centuries is not read back
    body = encode_snapshot(snapshot)
    again = decode_snapshot(body, date=snapshot.server_time)
    assert list(again.agents) == list(snapshot.agents)
    assert again.server_time == snapshot.server_time
    assert again.totals == snapshot.totals
    assert again.extra == snapshot.extra
    assert again.unknown_keys == snapshot.unknown_keys
    assert again.quarantined == ()
    assert encode_snapshot(again) == body
    assert decode_snapshot(body, date=again.server_time) == again
