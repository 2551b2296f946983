"""Accounts never mix: ids, checkpoints and log lines tell two of them apart without the user's help."""

from __future__ import annotations

import logging
import re
import subprocess
import sys
from typing import Any

import pytest

from deepcall_async._client.credentials import Auth, AuthProvider, SsidAuth, TokenAuth
from deepcall_async._client.log import AccountLog
from deepcall_async._client.renewal import Grant
from deepcall_async._client.scope import AccountName
from deepcall_async._client.session import DeepcallSession

from .fake_server import AUTH, GOOD, START, FakeServer, api_error, floor, row, serving

LATER = floor(row(1, logged_in=True, now=START + 60), row(2, now=START + 60, logged_in=True))
OTHER = TokenAuth("70212346", "tok3nTok3nTok3nTok3n")


async def _first(server: FakeServer, auth: Auth | AuthProvider = AUTH, **options: Any) -> tuple[str, str]:
    """The account of a session, and the id of the first transition it tells."""
    server.script = [GOOD, GOOD, LATER]
    async with server.session(auth, **options) as session, session.poll_live(0.1) as stream:
        await anext(stream)
        return session.account, (await anext(stream)).transitions[0].id


async def _provided() -> Auth:
    return AUTH


async def test_two_accounts_on_one_host_have_ids_of_their_own_without_a_label() -> None:
    async with serving(GOOD) as server:
        mine, again, theirs = [await _first(server, auth) for auth in (AUTH, AUTH, OTHER)]
    assert mine == again
    assert mine[1].startswith(f"{mine[0]}:2:logged_in:")
    assert theirs[1].startswith(f"{theirs[0]}:2:logged_in:")
    assert mine[0] != theirs[0]


async def test_a_name_is_a_digest_and_the_server_and_shows_no_user_id() -> None:
    async with serving(GOOD) as server:
        account, _ = await _first(server)
        assert re.fullmatch(rf"[0-9a-f]{{12}}@127\.0\.0\.1:{server.port}", account)
        assert AUTH.user_id not in account


async def test_the_name_of_an_account_never_changes_from_version_to_version() -> None:
    name = AccountName("", "v4-api.deepcall.com")
    name.grant = Grant(TokenAuth(70212345, "any"))
    assert name() == "057262a38173@v4-api.deepcall.com"


@pytest.mark.parametrize(
    ("base_url", "server"),
    [
        ("https://Host.example", "host.example"),
        ("https://host.example:443/path", "host.example"),
        ("https://host.example:8443", "host.example:8443"),
        ("http://127.0.0.1:80", "127.0.0.1"),
        ("http://[::1]:8055", "[::1]:8055"),
    ],
)
def test_a_server_is_a_host_and_a_port_that_is_not_the_usual_one(base_url: str, server: str) -> None:
    assert DeepcallSession(AUTH, base_url=base_url).account == server


async def test_a_label_is_the_name_whatever_the_credentials() -> None:
    async with serving(GOOD) as server:
        told = [await _first(server, auth, account="north") for auth in (AUTH, SsidAuth("abc"), _provided)]
    assert {account for account, _ in told} == {"north"}
    assert len({fact for _, fact in told}) == 1


async def test_what_a_provider_gives_names_the_account_as_if_it_were_fixed() -> None:
    async with serving(GOOD) as server:
        assert await _first(server, _provided) == await _first(server)


async def test_the_environment_gives_a_label_unless_the_caller_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEEPCALL_SSID", "abc")
    monkeypatch.setenv("DEEPCALL_ACCOUNT", "north")
    assert DeepcallSession.from_env().account == "north"
    assert DeepcallSession.from_env(account="south").account == "south"


async def test_an_ssid_without_a_label_is_named_by_the_server_and_warned_of_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with serving(GOOD) as server, server.session(SsidAuth("abc")) as session:
        assert session.account == f"127.0.0.1:{server.port}"
        for _ in range(2):
            session.poll_live(1)
    async with serving(GOOD) as server, server.session(SsidAuth("abc"), account="north") as session:
        session.poll_live(1)
    (line,) = caplog.records
    assert line.levelno == logging.WARNING
    assert "pass account=" in line.getMessage()


async def test_a_checkpoint_of_another_account_on_the_same_host_is_refused_with_what_to_do() -> None:
    async with serving(GOOD) as server:
        async with server.session() as session:
            checkpoint = (await anext(session.poll_live(1))).checkpoint
        async with server.session(OTHER) as session:
            with pytest.warns(UserWarning, match="for another account, or by an earlier version"):
                stream = session.poll_live(1, resume_from=checkpoint)
            assert (await anext(stream)).is_baseline


async def test_a_checkpoint_of_an_earlier_version_goes_on_with_the_account_its_warning_names() -> None:
    async with serving(GOOD) as server:
        async with server.session(account="127.0.0.1") as session:  # as it was named then
            checkpoint = (await anext(session.poll_live(1))).checkpoint
        async with server.session() as session:
            with pytest.warns(UserWarning, match='account="127.0.0.1"'):
                session.poll_live(1, resume_from=checkpoint)
        async with server.session(account="127.0.0.1") as session:
            assert not (await anext(session.poll_live(1, resume_from=checkpoint))).is_baseline


# --- the log -------------------------------------------------------------------------------


async def test_every_line_of_a_session_names_its_account(caplog: pytest.LogCaptureFixture) -> None:
    given = [TokenAuth("1", "old"), TokenAuth("1", "new")]

    async def provider() -> Auth:
        return given.pop(0)

    with caplog.at_level(logging.DEBUG, logger="deepcall_async"):
        async with (
            serving(GOOD, api_error(1009), api_error(1014), GOOD) as server,
            server.session(provider, account="north") as session,
        ):
            await session.live()
    ours = [record for record in caplog.records if record.name == "deepcall_async"]
    lines = [record.getMessage() for record in ours]
    assert all(line.startswith("[north] ") for line in lines)
    assert {record.account for record in ours} == {"north"}  # type: ignore[attr-defined]
    assert [line for line in lines if "HTTP" not in line] == [
        next(line for line in lines if "attempt 1 failed: API error 1009" in line),
        "[north] credentials renewed",
    ]


def test_an_account_is_asked_for_its_name_only_when_a_line_is_written(
    caplog: pytest.LogCaptureFixture,
) -> None:
    asked: list[str] = []

    def name() -> str:
        asked.append("once")
        return "100 % mine"

    log = AccountLog(name)
    with caplog.at_level(logging.INFO, logger="deepcall_async"):
        log(logging.DEBUG, "nothing %s", 1)
        assert not asked
        log(logging.INFO, "something %s", 1, failures=2)
    (record,) = caplog.records
    assert record.getMessage() == "[100 % mine] something 1"
    assert record.failures == 2  # type: ignore[attr-defined]
    assert record.funcName == "test_an_account_is_asked_for_its_name_only_when_a_line_is_written"


def test_without_logging_set_up_nothing_is_printed() -> None:
    code = (
        "import logging, deepcall_async._client.log as log\n"
        "log.AccountLog(lambda: 'north')(logging.ERROR, 'all is lost')\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)  # noqa: S603  # our own
    assert (run.stdout, run.stderr) == (b"", b"")
