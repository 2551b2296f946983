"""The commands against a simulated server: what they print, and how they end."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import sys
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path

import looptime
import pytest

from deepcall_async import DeepcallSession, RetryPolicy
from deepcall_async.cli import main
from deepcall_async.simulator import Fault, Pace, Simulator
from tests.fake_server import reserved_port

RunMain = Callable[..., Awaitable[tuple[int, str, str]]]

pytestmark = pytest.mark.wire


@pytest.fixture
def its_loop(monkeypatch: pytest.MonkeyPatch) -> Iterator[asyncio.AbstractEventLoop]:
    """The loop on which the server lives and each command runs. Its time is virtual: --for is soon over."""
    loop = looptime.new_event_loop()
    monkeypatch.setattr(asyncio, "new_event_loop", lambda: loop)
    with monkeypatch.context() as patch:  # a command that has run would close it under the server
        patch.setattr(loop, "shutdown_asyncgens", partial(asyncio.sleep, 0))
        patch.setattr(loop, "shutdown_default_executor", lambda *_: asyncio.sleep(0))
        patch.setattr(loop, "close", lambda: None)
        yield loop
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()


@pytest.fixture
def server(its_loop: asyncio.AbstractEventLoop, monkeypatch: pytest.MonkeyPatch) -> Iterator[Simulator]:
    """A busy floor, its credentials in the environment; a failed request is not tried again."""
    defaults = DeepcallSession.__init__.__kwdefaults__
    assert defaults is not None
    monkeypatch.setitem(defaults, "retry", RetryPolicy(attempts=1))
    simulator = Simulator(agents=8, seed=3, warp=60.0, pace=Pace.busy())
    its_loop.run_until_complete(simulator.__aenter__())
    monkeypatch.setenv("DEEPCALL_BASE_URL", simulator.url)
    monkeypatch.setenv("DEEPCALL_USER_ID", simulator.user_id)
    monkeypatch.setenv("DEEPCALL_TOKEN", simulator.token)
    monkeypatch.setenv("DEEPCALL_SSID", "")  # so that one which a command sets is taken back too
    monkeypatch.delenv("DEEPCALL_SSID")
    yield simulator
    its_loop.run_until_complete(simulator.__aexit__(None, None, None))


@pytest.fixture
def run_main(server: Simulator, capsys: pytest.CaptureFixture[str]) -> RunMain:  # noqa: ARG001  # it must run
    """Runs `deepcall` with these arguments in a thread; its exit code, stdout and stderr."""

    async def run(*arguments: str) -> tuple[int, str, str]:
        code = await asyncio.to_thread(main, arguments)
        output = capsys.readouterr()
        return code, output.out, output.err

    return run


# --- events -----------------------------------------------------------------------------------


async def test_events_writes_each_transition_as_a_line_of_json(run_main: RunMain) -> None:
    code, out, err = await run_main("events", "--interval=0.1", "--for=1s")
    transitions = [json.loads(line) for line in out.splitlines()]
    assert (code, err) == (0, "")
    assert transitions
    assert all({"kind", "id", "at", "basis", "agent"} <= transition.keys() for transition in transitions)
    assert out.isascii()


async def test_a_label_of_the_account_stands_in_ids_and_title(
    run_main: RunMain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEEPCALL_ACCOUNT", "beta")
    _, out, _ = await run_main("events", "--account=acme", "--interval=0.1", "--for=2s")
    assert all(json.loads(line)["id"].startswith("acme:") for line in out.splitlines())
    for options, label in (("--account=acme",), "acme"), ((), "beta"):
        _, out, _ = await run_main("watch", *options, "--for=2s")
        assert f"deepcall · {label}: " in out.splitlines()[0]


async def test_a_checkpoint_of_another_account_is_not_gone_on_with(run_main: RunMain, tmp_path: Path) -> None:
    kept = tmp_path / "floor.json"
    for account, is_refused in (("acme", False), ("beta", True), ("beta", False)):
        _, _, err = await run_main("events", f"--checkpoint={kept}", f"--account={account}", "--for=2s")
        assert ("made for account 'acme', not 'beta'" in err) == is_refused


async def test_a_command_that_may_wait_outlasts_a_server_that_is_down_at_first(
    server: Simulator, run_main: RunMain
) -> None:
    server.script(*[Fault.gateway(502)] * 2)
    code, _, err = await run_main("live", "--json")
    assert (code, "HTTP 502" in err) == (5, True)
    code, out, _ = await run_main("live", "--json", "--wait=30s")
    assert (code, len(json.loads(out)["agents"])) == (0, 8)


async def test_events_begins_with_the_whole_floor_when_asked_to(run_main: RunMain) -> None:
    _, out, _ = await run_main("events", "--baseline", "--interval=1", "--for=0.5s")
    baseline = json.loads(out.splitlines()[0])
    assert baseline["kind"] == "baseline"
    assert len(baseline["agents"]) == 8


async def test_events_tells_an_outage_and_its_end_on_stderr(server: Simulator, run_main: RunMain) -> None:
    logging.getLogger().handlers[:] = []  # so that --verbose sets the log up
    server.script(None, None, Fault.gateway(502), Fault.gateway(502))
    code, out, err = await run_main("events", "--interval=0.1", "--for=1s")
    lines = err.splitlines()
    assert code == 0
    assert "1 poll has failed" in lines[0]
    assert "not watched for" in lines[1]
    assert "2 failed polls" in lines[1]
    assert len(lines) == 2
    assert all(json.loads(line) for line in out.splitlines())


async def test_a_stream_that_can_only_fail_ends_with_the_error(server: Simulator, run_main: RunMain) -> None:
    running = asyncio.ensure_future(run_main("events", "--interval=0.1"))
    while server.request_count < 3:  # noqa: ASYNC110  # another thread's requests
        await asyncio.sleep(0.01)
    server.expire()
    code, _, err = await running
    assert code == 4
    assert err.splitlines()[-1].startswith("deepcall: API error 1014")


# --- recordings, checkpoints, books -----------------------------------------------------------


async def test_a_replay_prints_to_the_byte_what_was_printed_without_a_server_or_credentials(
    server: Simulator, run_main: RunMain, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "recording"
    server.script(None, None, None, Fault.gateway(502), Fault(body=b"<html>"), None, Fault(body=b"\xff"))
    code, live, told = await run_main(
        "events", "--baseline", f"--record={file}", "--interval=0.1", "--for=1s"
    )
    assert code == 0
    assert "not watched for" in told
    for name in ("DEEPCALL_BASE_URL", "DEEPCALL_USER_ID", "DEEPCALL_TOKEN"):
        monkeypatch.delenv(name)
    requests = server.request_count
    code, replayed, told_again = await run_main("events", "--baseline", f"--replay={file}")
    assert (code, server.request_count) == (0, requests)
    assert replayed == live
    assert len(live.splitlines()) > 5
    assert len(told_again.splitlines()) == len(told.splitlines())


async def test_a_replay_of_a_run_that_went_on_prints_what_that_run_printed(
    run_main: RunMain, tmp_path: Path
) -> None:
    file, checkpoint = tmp_path / "recording", f"--checkpoint={tmp_path / 'checkpoint'}"
    await run_main("events", checkpoint, "--interval=0.1", "--for=0.4s")
    _, live, _ = await run_main("events", checkpoint, f"--record={file}", "--interval=0.1", "--for=0.4s")
    code, replayed, told = await run_main("events", f"--replay={file}")
    assert (code, replayed) == (0, live)
    assert live
    assert "a restart" in told


async def test_a_file_that_is_no_recording_is_a_matter_of_configuration(
    run_main: RunMain, tmp_path: Path
) -> None:
    file = tmp_path / "recording"
    file.write_text("hello\n")
    code, out, err = await run_main("events", f"--replay={file}")
    assert (code, out) == (3, "")
    assert err.startswith(f"deepcall: {file}: line 1 is not of a recording")


async def test_a_run_goes_on_where_the_last_one_with_its_checkpoint_stopped(
    run_main: RunMain, tmp_path: Path
) -> None:
    arguments = ("events", "--baseline", f"--checkpoint={tmp_path / 'c'}", "--interval=0.1", "--for=0.5s")
    _, first, quiet = await run_main(*arguments)
    _, second, told = await run_main(*arguments)
    assert json.loads(first.splitlines()[0])["kind"] == "baseline"
    assert '"baseline"' not in second
    assert quiet == ""
    assert told.startswith("deepcall: not watched for ")
    assert told.endswith(": a restart\n")
    ids = [json.loads(line)["id"] for line in (first + second).splitlines()[1:]]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("content", ["", "{", "[]", '{"deepcall_checkpoint": 99}', '{"other": "file"}'])
async def test_a_checkpoint_that_is_none_gives_a_line_and_a_fresh_start(
    content: str, run_main: RunMain, tmp_path: Path
) -> None:
    file = tmp_path / "checkpoint"
    file.write_text(content)
    arguments = ("events", "--baseline", f"--checkpoint={file}", "--interval=0.1", "--for=0.3s")
    code, out, err = await run_main(*arguments)
    warning, aside, *gap = err.splitlines()
    assert code == 0
    assert json.loads(out.splitlines()[0])["kind"] == "baseline"
    assert "afresh" in warning or "fresh baseline" in warning
    assert all("a restart" in line for line in gap)
    assert aside == f"deepcall: what was in {file} is now in {file}.old"
    _, _, err = await run_main(*arguments)
    assert "a restart" in err


async def test_the_books_are_told_at_the_end_of_a_run_and_of_its_replay(
    run_main: RunMain, tmp_path: Path
) -> None:
    file = tmp_path / "recording"
    _, out, live = await run_main("events", "--ledger", f"--record={file}", "--interval=0.1", "--for=1s")
    _, _, replayed = await run_main("events", "--ledger", f"--replay={file}")
    assert live == replayed
    assert live.startswith("deepcall: books: calls counted ")
    assert "unexplained 0\n" in live
    assert len(live.splitlines()) == 4
    assert "books" not in out


# --- watch ------------------------------------------------------------------------------------


async def test_watch_without_a_terminal_writes_the_totals_and_a_line_per_transition(
    run_main: RunMain,
) -> None:
    code, out, err = await run_main("watch", "--interval=0.1", "--for=1s", "--group=55")
    first, *others = out.splitlines()
    assert (code, err) == (0, "")
    assert "deepcall · 127.0.0.1 · group 55: 8 agents · " in first
    assert any("call began" in line for line in others)
    assert "\x1b" not in out


async def test_watch_without_a_terminal_tells_outages_too(server: Simulator, run_main: RunMain) -> None:
    server.script(None, None, Fault.gateway(502))
    _, _, err = await run_main("watch", "--interval=0.1", "--for=0.6s")
    assert ["1 poll has failed" in line for line in err.splitlines()] == [True, False]


async def test_watch_in_a_pipe_needs_no_rich(run_main: RunMain, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "deepcall_async.cli._screen", None)
    code, _, _ = await run_main("watch", "--for=0.3s")
    assert code == 0


# --- live -------------------------------------------------------------------------------------


async def test_live_prints_every_agent_once(run_main: RunMain) -> None:
    code, out, err = await run_main("live")
    assert (code, err) == (0, "")
    assert out.splitlines()[2].split()[:4] == ["ID", "NAME", "STATE", "FOR"]
    assert len(out.splitlines()) == 3 + 8


async def test_live_as_json_is_one_object(run_main: RunMain) -> None:
    code, out, _ = await run_main("live", "--json", "--status=login")
    snapshot = json.loads(out)
    assert code == 0
    assert {"server_time", "totals", "agents"} <= snapshot.keys()
    assert all(agent["state"] != "logged_out" for agent in snapshot["agents"])


async def test_live_needs_rich_for_its_table_and_says_how_to_get_it(
    run_main: RunMain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "deepcall_async.cli._screen", raising=False)
    monkeypatch.setitem(sys.modules, "rich.console", None)
    code, _, err = await run_main("live")
    assert code == 3
    assert "deepcall-async[cli]" in err


# --- simulate ---------------------------------------------------------------------------------


async def test_simulate_says_how_to_connect_and_what_is_invented(run_main: RunMain) -> None:
    code, out, _ = await run_main("simulate", "--port=0", "--variant=jitter", "--for=0.1s")
    assert code == 0
    assert "export DEEPCALL_BASE_URL=http://127.0.0.1:" in out
    assert "export DEEPCALL_TOKEN=" in out
    assert "invented here" in out


async def test_simulate_refuses_an_unknown_variant_with_the_list_of_all(run_main: RunMain) -> None:
    code, _, err = await run_main("simulate", "--variant=odd")
    assert code == 3
    assert "there is no variant 'odd'; there are: likely, " in err


async def test_simulate_says_when_its_port_is_taken(run_main: RunMain) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        code, _, err = await run_main("simulate", f"--port={taken.getsockname()[1]}")
    assert code == 3
    assert "choose another --port" in err.lower()


# --- failures ---------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["watch", "events", "live"])
async def test_missing_credentials_are_a_matter_of_configuration(
    command: str, run_main: RunMain, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DEEPCALL_SSID", "DEEPCALL_USER_ID", "DEEPCALL_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    code, out, err = await run_main(command)
    assert (code, out) == (3, "")
    assert "DEEPCALL_USER_ID and DEEPCALL_TOKEN" in err


async def test_refused_credentials_have_their_own_exit_code(
    run_main: RunMain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEEPCALL_TOKEN", "wrong-token-of-mine")
    code, out, err = await run_main("live")
    assert (code, out) == (4, "")
    assert "1014" in err
    assert "wrong-token-of-mine" not in err


@pytest.mark.parametrize("fault", [Fault.gateway(502), Fault(body=b"{")])
async def test_no_readable_answer_is_a_matter_of_the_network(
    fault: Fault, server: Simulator, run_main: RunMain
) -> None:
    server.always(fault)
    code, out, err = await run_main("live")
    assert (code, out) == (5, "")
    assert err.count("\n") == 1


async def test_a_server_that_is_not_there_is_a_matter_of_the_network(run_main: RunMain) -> None:
    with reserved_port() as port:
        code, _, err = await run_main("live", f"--base-url=http://127.0.0.1:{port}")
    assert code == 5
    assert f"127.0.0.1:{port}" in err


async def test_an_unknown_group_is_an_error_of_the_api(run_main: RunMain) -> None:
    code, _, err = await run_main("live", "--group=99")
    assert code == 6
    assert "1006" in err


async def test_credentials_are_not_sent_unencrypted_to_another_machine(run_main: RunMain) -> None:
    code, _, err = await run_main("live", "--base-url=http://192.0.2.1")
    assert code == 3
    assert "https" in err


async def test_an_answer_later_than_for_is_a_failure_and_not_an_empty_success(
    server: Simulator, run_main: RunMain
) -> None:
    server.always(Fault(delay=5.0))
    code, _, err = await run_main("events", "--for=0.2s")
    assert code == 5
    assert "--for" in err


# --- credentials ------------------------------------------------------------------------------


async def test_a_file_of_credentials_stands_in_for_the_environment(
    server: Simulator, run_main: RunMain, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DEEPCALL_USER_ID", "99999999")
    monkeypatch.setenv("DEEPCALL_TOKEN", "of-somebody-else")
    file = tmp_path / "credentials"
    file.touch(mode=0o600)
    file.write_text(f"DEEPCALL_SSID={server.ssid}\n")
    code, _, err = await run_main("live", f"--credentials={file}")
    assert (code, err) == (0, "")
    assert server.requests[-1].body is not None
    assert "userId" not in server.requests[-1].body


async def test_secrets_are_in_no_output_however_verbose(
    server: Simulator, run_main: RunMain, tmp_path: Path
) -> None:
    logging.getLogger().handlers[:] = []  # so that --verbose sets the log up
    server.script(None, None, Fault.gateway(502), Fault(reset="before_headers"))
    files = tmp_path / "recording", tmp_path / "checkpoint"
    keeping = [f"--record={files[0]}", f"--checkpoint={files[1]}"]
    for command in (["events", "--baseline", *keeping], ["watch"], ["live"], ["live", "--json"]):
        polled = [] if "live" in command else ["--interval=0.1", "--for=0.5s"]
        code, out, err = await run_main(*command, *polled, "--verbose")
        assert code == 0
        kept = "".join(file.read_text() for file in files)
        for secret in (server.token, server.user_id):
            assert secret not in out + err + kept
        assert "DEBUG" in err
