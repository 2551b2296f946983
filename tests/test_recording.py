"""Recordings keep what a floor was given, and replay it to the same updates."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta

import pytest

from deepcall_async import (
    ApiError,
    ConfigurationError,
    DeepcallSession,
    LiveFloor,
    LiveUpdate,
    ReplyError,
    RequestTimeout,
    RetryPolicy,
    TokenAuth,
)
from deepcall_async._client.renewal import Grant
from deepcall_async._model.json_form import transition_to_json
from deepcall_async._persistence.recording import RecordingFloor, replay
from deepcall_async.simulator import Fault, Floor, Pace, Simulator

from .wire.replies import reply, row

HEADER = '{"deepcall_recording": 1, "status": "all", "scope": "", "view": "", "resume_from": null}\n'
SEEN = datetime(2026, 1, 5, 4, 0, tzinfo=UTC)


def told(update: LiveUpdate) -> object:
    """Everything an update says, comparable."""
    outage = update.outage and update.outage.failures
    gap = update.gap and (update.gap.since, update.gap.until, update.gap.failures)
    news = [transition_to_json(transition) for transition in update.transitions]
    return update.sequence, update.snapshot, news, update.is_baseline, outage, gap, update.held


def record(file: io.StringIO, polls: int = 40) -> list[LiveUpdate]:
    """A busy floor recorded, with an outage, an unreadable reply and one that is not text."""
    floor = Floor(12, pace=Pace.busy())
    recorder = RecordingFloor(file, scope="here")
    updates = []
    for number in range(polls):
        if number == 10:
            updates.append(recorder.fail(RequestTimeout("no answer")))
        elif number in (20, 21):
            body = b"<html>" if number == 20 else b"\xff\xfe\x00{"
            with pytest.raises(ReplyError):
                recorder.receive(body)
        else:
            updates.append(recorder.receive(floor.reply(floor.start + 7 * number), received_at=SEEN))
    return updates


def test_a_replay_gives_the_updates_of_the_stream_again() -> None:
    file = io.StringIO()
    updates = record(file)
    again = list(replay(io.StringIO(file.getvalue())))
    assert sum(len(update.transitions) for update in updates) > 20
    assert [told(update) for update in again] == [told(update) for update in updates]


def test_a_replay_of_a_resumed_stream_starts_from_its_checkpoint() -> None:
    first, second = io.StringIO(), io.StringIO()
    checkpoint = json.loads(json.dumps(record(first, polls=9)[-1].checkpoint))
    floor = Floor(12, pace=Pace.busy())
    floor.advance(floor.start + 7 * 9)
    resumed = RecordingFloor(second, scope="here", resume_from=checkpoint)
    updates = [resumed.receive(floor.reply(floor.start + 7 * number)) for number in range(10, 20)]
    assert updates[0].gap is not None
    assert [told(u) for u in replay(io.StringIO(second.getvalue()))] == [told(u) for u in updates]


def test_a_replay_knows_when_nobody_polled() -> None:
    file = io.StringIO()
    floor = Floor(12, pace=Pace.busy())
    recorder = RecordingFloor(file, interval=5)
    times = [0, 5, 10, 100, 105]
    updates = [
        recorder.receive(floor.reply(floor.start + time), received_at=SEEN + timedelta(seconds=time))
        for time in times
    ]
    assert [update.gap is not None for update in updates] == [False, False, False, True, False]
    assert [told(u) for u in replay(io.StringIO(file.getvalue()))] == [told(u) for u in updates]


def test_secrets_that_a_server_echoes_are_struck_out() -> None:
    file = io.StringIO()
    floor = RecordingFloor(file, redact=lambda text: text.replace("hush", "***"))
    for body in (b'{"status":"error","message":"no hush","code":9}', b"\xff hush"):
        with pytest.raises((ReplyError, ApiError)):
            floor.receive(body)
    with pytest.raises(RequestTimeout):
        floor.fail(RequestTimeout("hush"))
    assert "hush" not in file.getvalue()
    assert "***" in file.getvalue()


@pytest.mark.parametrize("user_id", ["1", "12", "00", "447", "70212345", "1767585600"])
def test_a_replay_tells_the_same_whatever_the_user_id_is(user_id: str) -> None:
    """Also where it is an agent's id, a minute or an instant, and where the server says it back."""
    file, floor = io.StringIO(), Floor(24, seed=2, pace=Pace.busy())
    grant = Grant(TokenAuth(user_id, "tok3nTok3nTok3nTok3n"))
    recorder, live = RecordingFloor(file), LiveFloor()
    updates, others = [], []
    for poll in range(40):
        body = floor.reply(floor.start + 7 * poll)
        if poll % 3:
            body = body.replace(b'"oCA"', f'"userId":{int(user_id)},"I":"{user_id}","oCA"'.encode())
        updates.append(recorder.receive(body, strike=grant.strike_from))
        others.append(live.receive(body, strike=grant.strike_from))
    again = list(replay(io.StringIO(file.getvalue())))
    assert sum(len(update.transitions) for update in updates) > 20
    assert [told(update) for update in again] == [told(update) for update in updates]
    assert [told(update) for update in others] == [told(update) for update in updates]


def test_a_floor_that_records_looks_at_what_it_records() -> None:
    file = io.StringIO()
    floor = RecordingFloor(file, redact=lambda text: text.replace("Asha", "***"))
    shown = floor.receive(reply(row("1", nm="Asha"))).snapshot.agents["1"].name
    again = [update.snapshot.agents["1"].name for update in replay(io.StringIO(file.getvalue()))]
    assert again == [shown] == ["***"]


@pytest.mark.parametrize(
    "text",
    [
        "not json\n",
        "[]\n",
        '{"deepcall_recording": 2}\n',
        HEADER + '{"x": 1}\n',
        HEADER + '{"body": 5, "date": null, "received_at": null}\n',
        HEADER + "[" * 100_000,
        HEADER.replace("null}", 'null, "interval": "soon"}'),
        HEADER.replace("null}", f'null, "interval": 1{"0" * 400}}}'),
    ],
)
def test_a_file_that_is_no_recording_is_refused_with_its_line(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"line \d is not of a recording"):
        list(replay(io.StringIO(text)))


async def test_a_stream_records_what_it_polled_without_its_credentials() -> None:
    file = io.StringIO()
    async with Simulator(agents=5, seed=2, token="tok-5ecret", user_id="87654321") as server:
        server.script(None, None, Fault(body=b'{"status":"success","message":{"pr":"87654321 tok-5ecret"}}'))
        auth = TokenAuth("87654321", "tok-5ecret")
        once = RetryPolicy(attempts=1)
        async with (
            DeepcallSession(auth, base_url=server.url, retry=once) as session,
            session.poll_live(0.1, record_to=file) as stream,
        ):
            updates = [await anext(stream) for _ in range(4)]
    assert updates[2 if updates[1].outage is None else 1].outage is not None
    assert "87654321" not in file.getvalue()
    assert "tok-5ecret" not in file.getvalue()
    assert [told(update) for update in replay(io.StringIO(file.getvalue()))] == [told(u) for u in updates]
