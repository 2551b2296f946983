"""Marked secrets go in by every path; nothing that comes out may show them, whatever goes wrong."""

from __future__ import annotations

import asyncio
import base64
import gc
import io
import json
import logging
import os
import pickle
import re
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from yarl import _url as yarl_urls

from deepcall_async import replay, snapshot_to_json
from deepcall_async._client import readers
from deepcall_async._client.credentials import Auth, SsidAuth, TokenAuth
from deepcall_async._client.retry import RetryPolicy
from deepcall_async._client.session import DeepcallSession
from deepcall_async._model.errors import (
    AuthenticationError,
    ConfigurationError,
    DeepcallError,
    TransportError,
)
from deepcall_async.cli._credentials import read_credentials

from .alive import alive
from .dump import dump
from .fake_server import (
    GOOD,
    ONCE,
    Answer,
    Connection,
    FakeServer,
    after,
    api_error,
    dripping,
    http,
    row,
    serving,
    stall,
    then_close,
    then_reset,
    until,
)

pytestmark = pytest.mark.looptime  # waiting is measured in virtual time, however busy the machine
USER, TOKEN, SSID = "70M4RK3D12", "t0kM4RK3Dt0kM4RK3D", "ssM4RK3DssM4RK3Dss"
MARK = "M4RK3D"
BOTH: list[Auth] = [TokenAuth(USER, TOKEN), SsidAuth(SSID)]


@pytest.fixture(autouse=True)
def _logs_show_nothing(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Whatever these tests do, no logger of any library says a secret, not even at DEBUG."""
    with caplog.at_level(logging.DEBUG):
        yield
        logged = [f"{record.getMessage()} {record.args!r} {record.exc_info!r}" for record in caplog.records]
    assert not leaks("\n".join(logged))


def leaks(text: str) -> list[str]:
    """The surroundings of every mark in a text."""
    return [text[max(0, found.start() - 60) : found.end() + 20] for found in re.finditer(MARK, text)]


def shown_by_objects() -> list[str]:
    """What the repr and str of any living object of ours, and of whom we use, show of a secret."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some reprs look at deprecated attributes
        return [leak for one in alive() for leak in leaks(f"{one!r} {one}")]


def success(text: str) -> bytes:
    return http(json.dumps({"status": "success", "message": text, "code": 200}))


def json_of(text: str, code: int) -> str:
    """An error whose message has every letter escaped."""
    escaped = "".join(f"\\u{ord(letter):04x}" for letter in text)
    return f'{{"status":"error","message":"{escaped}","code":{code}}}'


# A server that says back what it was told, wherever an answer has room for it.
ECHOES: dict[str, Callable[[str], bytes]] = {
    "as the message": lambda said: api_error(1014, f"no session for {said}"),
    "as a message cut within": lambda said: api_error(1014, "x" * 165 + said),
    "as the code": lambda said: api_error(said, {"you said": said}),
    "under success": success,
    "under success cut within": lambda said: success("x" * 30 + said),
    "escaped throughout": lambda said: http(json_of(said, 1014)),
    "in UTF-16": lambda said: http(
        json.dumps({"status": "error", "message": said, "code": 7}).encode("utf-16")
    ),
    "in UTF-16, as an error of HTTP": lambda said: http(
        json.dumps({"code": 7, "msg": said}).encode("utf-16"), 500
    ),
    "as the body": lambda said: http(said, 500),
    "as a broken body": lambda said: http(said[:-1]),
    "as the status line": lambda said: f"{said}\r\n\r\n".encode(),
    "as the reason": lambda said: f"HTTP/1.1 500 {said}\r\n\r\n".encode(),
    "as a header": lambda said: f"HTTP/1.1 200 X\r\n{said}\r\n\r\n".encode(),
    "as the content type": lambda said: http("", 500, content_type=said),
    "as where to go": lambda said: http("", 307, location=f"https://elsewhere.example/{said}"),
    "as when to come back": lambda said: http("", 429, retry_after=said, date=said),
    "as a chunk size": lambda said: http(said, transfer_encoding="chunked", content_length=""),
    "as gzip": lambda said: http(said, content_encoding="gzip"),
    "as a body cut short": lambda said: http(said, content_length="100000"),
}


def echoing(make: Callable[[str], bytes]) -> Answer:
    async def echo(connection: Connection) -> None:
        await then_close(make(connection.request.body.decode()))(connection)

    return echo


FAULTS: dict[str, Answer] = {
    **{f"repeated {where}": echoing(make) for where, make in ECHOES.items()},
    "refused": api_error(1014),
    "bad gateway": http("<html>", 502),
    "no JSON": http("oops"),
    "closed": then_close(),
    "reset": then_reset(),
    "cut": then_close(GOOD[:-9]),
    "stalled": stall,
    "dripping": dripping(GOOD, each=0.02),
    "too large": http(b"x" * 2_000_000),
}


@pytest.mark.parametrize("large", [readers.LARGE, 0])  # read in place, and in another thread
@pytest.mark.parametrize("auth", BOTH)
@pytest.mark.parametrize("fault", FAULTS)
async def test_no_failure_shows_a_secret_not_even_of_a_server_that_repeats_it(
    auth: Auth, fault: str, large: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readers, "LARGE", large)
    options: dict[str, Any] = {"timeout": 0.1, "max_reply_bytes": 1_000_000}
    async with serving(GOOD, GOOD, FAULTS[fault]) as server, server.session(auth, **options) as session:
        with pytest.raises(DeepcallError) as caught:
            await _two_polls(session)
        assert not leaks(dump(caught.value))
        await asyncio.sleep(0)  # the loop holds what woke this task, aiohttp's own exception, for this turn
        assert not shown_by_objects()


async def _two_polls(session: DeepcallSession) -> None:
    """The second poll's failure: what an update shows of it, or what is raised."""
    stream = session.poll_live(0.1)
    await anext(stream)
    update = await anext(stream)
    assert update.outage is not None
    assert not leaks(f"{update} {update.outage!r} {json.dumps(update.checkpoint)}")
    raise update.outage.error


@pytest.mark.parametrize("auth", BOTH)
@pytest.mark.parametrize(
    "answer", [stall, dripping(GOOD, each=0.02), http("", 503)], ids=["stalled", "dripping", "backing off"]
)
async def test_a_cancelled_request_shows_no_secret_in_any_frame(auth: Auth, answer: Answer) -> None:
    asyncio.get_running_loop().set_debug(True)
    patient = RetryPolicy(first_wait=9, max_wait=9)
    async with serving(GOOD, answer) as server, server.session(auth, retry=patient) as session:
        with pytest.raises(TimeoutError) as caught:
            async with asyncio.timeout(0.05):
                await session.live()
        told = dump(caught.value)
        assert not leaks(told)
        assert isinstance(answer, bytes) or "aiohttp" in told  # we did look into its frames


@pytest.mark.parametrize("auth", BOTH)
async def test_no_object_alive_in_mid_request_shows_a_secret(auth: Auth) -> None:
    async with serving(GOOD, stall) as server, server.session(auth) as session:
        call = asyncio.create_task(session.live())
        await until(lambda: len(server.requests) == 2)
        assert MARK in server.requests[1].body.decode()
        assert not shown_by_objects()
        assert not leaks(f"{session!r} {session} {vars(session)!r} {call!r} {call.get_stack()!r}")
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)


@pytest.mark.parametrize("auth", BOTH)
async def test_what_a_stream_gives_shows_no_secret(auth: Auth) -> None:
    async with serving(GOOD) as server, server.session(auth) as session:
        update = await anext(session.poll_live(1))
        assert not leaks(f"{update!r} {update} {json.dumps(update.checkpoint)}")
        assert MARK.encode() not in pickle.dumps(update)


async def test_a_failing_provider_shows_neither_the_old_secret_nor_the_new_one() -> None:
    async def provider() -> Auth:
        asked.append(1)
        if len(asked) == 2:
            raise LookupError(f"no successor to {SSID}")
        return SsidAuth(SSID)

    asked: list[int] = []
    async with serving(GOOD, api_error(1014)) as server, server.session(provider) as session:
        with pytest.raises(AuthenticationError, match="no successor to") as caught:
            await session.live()
    assert not leaks(dump(caught.value))


@pytest.mark.parametrize(
    "names",
    [
        {"DEEPCALL_SSID": SSID, "DEEPCALL_TOKEN": TOKEN},
        {"DEEPCALL_SSID": f"{SSID}\n"},
        {"DEEPCALL_USER_ID": USER},
        {"DEEPCALL_USER_ID": USER, "DEEPCALL_TOKEN": f"{TOKEN} "},
        {"DEEPCALL_SSID": SSID, "DEEPCALL_BASE_URL": f"https://{USER}:{TOKEN}@host"},
        {"DEEPCALL_SSID": SSID, "DEEPCALL_BASE_URL": f"https://host?ssid={SSID}"},
    ],
)
def test_a_refused_environment_shows_no_secret(
    names: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DEEPCALL_SSID", "DEEPCALL_TOKEN", "DEEPCALL_USER_ID", "DEEPCALL_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    for name, value in names.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError) as caught:
        DeepcallSession.from_env()
    yarl_urls.encode_url.cache_clear()  # it holds the refused URL, which other tests would find alive
    assert not leaks(f"{caught.value} {caught.value!r}")
    assert "DEEPCALL_BASE_URL" in names or not leaks(dump(caught.value))


async def test_a_refused_connection_shows_no_secret() -> None:
    async with serving(GOOD) as server:
        pass
    for auth in BOTH:
        with pytest.raises(TransportError) as caught:
            await server.session(auth, retry=ONCE).open()
        assert not leaks(dump(caught.value))


SIGNALS = [name for name in dir(aiohttp.TraceConfig) if name.startswith("on_")]


@pytest.mark.parametrize("auth", BOTH)
async def test_aiohttps_own_trace_hooks_see_a_secret_only_where_they_are_shown_the_body(auth: Auth) -> None:
    seen: dict[str, str] = {}

    def note(signal: str) -> Any:
        async def hook(http_session: object, context: object, params: object) -> None:
            seen[signal] = f"{seen.get(signal)} {http_session!r} {context!r} {params!r}"

        return hook

    hooks = aiohttp.TraceConfig()
    for signal in SIGNALS:
        getattr(hooks, signal).append(note(signal))
    failing: list[Answer] = [GOOD, http("", 307, location="/elsewhere"), stall]
    async with (
        serving(*failing) as server,
        aiohttp.ClientSession(trace_configs=[hooks]) as own,
        server.session(auth, http_session=own, retry=ONCE, timeout=0.1) as session,
    ):
        for _ in failing[1:]:
            with pytest.raises(TransportError):
                await session.live()
    assert leaks(seen.pop("on_request_chunk_sent"))  # the body itself, as the class says
    assert {"on_request_start", "on_request_end", "on_request_exception"} <= seen.keys()
    assert not leaks(str(seen))


# --- what is kept, and what the command line says -----------------------------------------------


def within(recording: str) -> str:
    """A recording with its bodies as the server wrote them, and as JSON reads them."""
    entries = [json.loads(line) for line in recording.splitlines()]
    bodies = [entry.get("body", "") for entry in entries]
    bodies += [base64.b64decode(entry.get("body_base64", "")).decode("latin-1") for entry in entries]
    return "\n".join([recording, *bodies, *map(unescaped, bodies)])


def unescaped(text: str) -> str:
    try:
        return str(json.loads(text))
    except ValueError:
        return ""


@pytest.mark.parametrize("auth", BOTH)
@pytest.mark.parametrize("fault", FAULTS)
async def test_no_recording_and_no_checkpoint_shows_a_secret(auth: Auth, fault: str) -> None:
    file = io.StringIO()
    options: dict[str, Any] = {"timeout": 0.1, "max_reply_bytes": 1_000_000, "retry": ONCE}
    async with serving(GOOD, GOOD, FAULTS[fault], GOOD) as server, server.session(auth, **options) as session:
        stream = session.poll_live(0.1, record_to=file)
        kept = ""
        with suppress(AuthenticationError):
            for _ in range(3):
                kept += json.dumps((await anext(stream)).checkpoint)
    assert kept
    assert not leaks(within(file.getvalue()) + kept)


# A server that says back what it was told in the middle of a good reply.
GOOD_ECHOES: dict[str, Callable[[str], dict[str, Any]]] = {
    "beside the rows": lambda secret: {"session": secret},
    "in a link": lambda secret: {"next": f"https://host.example/?ssid={secret}&page=2"},
    "on a line of its own": lambda secret: {"note": f"session\n{secret}\n"},
    "in quotes": lambda secret: {"note": f'"{secret}"'},
    "glued to a word": lambda secret: {"note": f"ssid_{secret}_"},
    "as a name": lambda secret: {"pr": [row(1, logged_in=True, nm=secret), row(2)]},
    "in a row that cannot be read": lambda secret: {"pr": [row(1, logged_in=True), row(2, tC=secret)]},
}


def good_with(more: dict[str, Any]) -> bytes:
    reply = json.loads(GOOD.partition(b"\r\n\r\n")[2])
    return http(json.dumps({**reply, "message": {**reply["message"], **more}}))


EACH: list[tuple[Auth, str]] = [(BOTH[0], TOKEN), (BOTH[0], USER), (BOTH[1], SSID)]


HOW: dict[str, Callable[[bytes, str], bytes]] = {
    "as it is": lambda answer, _: answer,
    "with a letter escaped": lambda answer, secret: answer.replace(
        secret.encode(), f"{secret[:3]}\\u{ord(secret[3]):04x}{secret[4:]}".encode()
    ),
}


@pytest.mark.parametrize(("auth", "secret"), EACH, ids=["token", "user id", "ssid"])
@pytest.mark.parametrize("echo", GOOD_ECHOES)
@pytest.mark.parametrize("how", HOW)
async def test_a_good_reply_that_repeats_a_secret_shows_it_nowhere(
    how: str, echo: str, auth: Auth, secret: str
) -> None:
    file = io.StringIO()
    body = good_with(GOOD_ECHOES[echo](secret)).partition(b"\r\n\r\n")[2]
    answer = http(HOW[how](body, secret))
    async with serving(GOOD, GOOD, answer) as server, server.session(auth, retry=ONCE) as session:
        stream = session.poll_live(0.1, record_to=file)
        await anext(stream)
        update = await anext(stream)
    assert update.outage is None
    shown = f"{update!r} {json.dumps(snapshot_to_json(update.snapshot))} {json.dumps(update.checkpoint)}"
    assert not leaks(shown + within(file.getvalue()))


async def test_a_user_id_that_is_repeated_as_a_number_leaves_the_reply_readable() -> None:
    file = io.StringIO()
    auth = TokenAuth("70212345", TOKEN)
    async with (
        serving(GOOD, GOOD, good_with({"userId": 70212345})) as server,
        server.session(auth) as session,
    ):
        stream = session.poll_live(0.1, record_to=file)
        await anext(stream)
        assert (await anext(stream)).outage is None
    assert "70212345" not in file.getvalue()
    assert len(list(replay(file.getvalue().splitlines()))) == 2


def arguments_of(pid: int) -> str:
    """What every user of the machine can see of a process."""
    return Path(f"/proc/{pid}/cmdline").read_text()


@pytest.mark.wire
@pytest.mark.looptime(False)  # another process has its own time
@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="looks at processes by /proc")
@pytest.mark.parametrize("command", [["events", "--baseline"], ["watch"], ["live", "--json"]], ids=" ".join)
async def test_a_command_shows_no_secret_in_its_output_its_files_or_its_arguments(
    command: list[str], tmp_path: Path
) -> None:
    file = tmp_path / "credentials"
    file.touch(mode=0o600)
    polls, kept = (
        [] if command[0] == "live" else ["--interval=0.1"],
        [tmp_path / "recording", tmp_path / "checkpoint"],
    )
    keeps = [f"--record={kept[0]}", f"--checkpoint={kept[1]}"] if command[0] == "events" else []
    last = echoing(ECHOES["as the message"])
    async with serving(GOOD, GOOD, http("<html>", 502), then_reset(), after(0.3), last) as server:
        file.write_text(f"DEEPCALL_USER_ID={USER}\nDEEPCALL_TOKEN={TOKEN}\nDEEPCALL_BASE_URL={server.url}\n")
        asked = [*command, f"--credentials={file}", "--verbose", "--for=99s", *polls, *keeps]
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "deepcall_async", *asked),
            env={name: value for name, value in os.environ.items() if not name.startswith("DEEPCALL_")},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        await until(lambda: len(server.requests) > 0)
        arguments = arguments_of(process.pid)
        out, err = await process.communicate()
        assert TOKEN in server.requests[0].body.decode()
    assert "--credentials" in arguments
    assert b"DEBUG" in err
    texts = [arguments, out.decode(), err.decode(), *(path.read_text() for path in kept if path.exists())]
    assert not leaks("\n".join(texts))
    assert process.returncode == (0 if command[0] == "live" else 4)


# --- what is forgotten ------------------------------------------------------------------------------


async def test_a_session_that_is_never_closed_says_so_without_its_secrets(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: list[str] = []

    def note(*arguments: object, **_: object) -> None:
        told.append(f"{arguments} {[*map(str, arguments)]}")

    monkeypatch.setattr(warnings, "warn", note)
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(note)
    async with serving(GOOD) as server:
        for auth in BOTH:
            await server.session(auth).open()
            gc.collect()
        await until(lambda: gc.collect() == 0)
    loop.set_exception_handler(None)
    assert sum("Unclosed client session" in text for text in told) == 4  # as a warning, and to the loop
    assert not leaks("\n".join(told))


async def test_a_provider_that_gives_unusable_credentials_does_not_show_them() -> None:
    async def provider() -> Auth:
        return TokenAuth(USER, f"{TOKEN}\n")

    async with serving(GOOD) as server:
        with pytest.raises(AuthenticationError, match="line break") as caught:
            await server.session(provider).open()
    assert not leaks(dump(caught.value))


@pytest.mark.parametrize("line", ["no setting", f"export {SSID}", "\udcff"])
def test_a_file_of_credentials_that_is_refused_shows_nothing_of_itself(line: str, tmp_path: Path) -> None:
    file = tmp_path / "credentials"
    file.touch(mode=0o600)
    file.write_bytes(f"DEEPCALL_TOKEN={TOKEN}\n{line}\n".encode(errors="surrogateescape"))
    with pytest.raises(ConfigurationError) as caught:
        read_credentials(file)
    assert not leaks(dump(caught.value))


def test_the_servers_side_of_these_tests_did_see_the_secrets() -> None:
    async def main() -> FakeServer:
        async with serving(GOOD) as server:
            for auth in BOTH:
                async with server.session(auth):
                    pass
            return server

    bodies = [request.body.decode() for request in asyncio.run(main()).requests]
    assert TOKEN in bodies[0]
    assert USER in bodies[0]
    assert SSID in bodies[1]
