"""The session: its settings, its life, what it sends, and what it makes of every kind of answer."""

from __future__ import annotations

import asyncio
import json
import logging
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from importlib import metadata
from itertools import pairwise
from typing import Any

import aiohttp
import pytest
from aioresponses import aioresponses

from deepcall_async._client.credentials import Auth, SsidAuth, TokenAuth
from deepcall_async._client.retry import RetryPolicy
from deepcall_async._client.session import DeepcallSession
from deepcall_async._model.errors import (
    AgentErrorCode,
    ApiError,
    AuthenticationError,
    ConfigurationError,
    DeepcallError,
    InvalidRequest,
    PermissionDenied,
    ReplyError,
    ServerBusy,
    UnexpectedStatus,
    UnknownGroup,
)
from deepcall_async._model.snapshot import ClockSource

from .fake_server import AUTH, GOOD, ONCE, Answer, api_error, floor, http, serving, stall, then_close, until

pytestmark = pytest.mark.looptime  # waiting is measured in virtual time, however busy the machine
URL = "https://v4-api.deepcall.com/api/v2/Agent/live"


# --- settings ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "option",
    [
        {"timeout": 0},
        {"timeout": "30"},
        {"retry": 3},
        {"max_reply_bytes": "1"},
        {"max_reply_bytes": True},
        {"max_reply_bytes": 0},
        {"account": None},
        {"http_session": object()},
        {"ssl": False},
        {"ssl": True},
        {"base_url": ""},
        {"base_url": 7},
    ],
)
def test_a_setting_that_cannot_be_right_is_refused_by_name(option: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match=next(iter(option))):
        DeepcallSession(AUTH, **option)


@pytest.mark.parametrize(
    ("base_url", "told"),
    [
        ("v4-api.deepcall.com", "must be a URL like"),
        ("{{brand}}", "must be a URL like"),
        ("https://{{brand}}", "URL"),
        ("https://", "URL"),
        ("https://host\n", "URL"),
        ("https://ho st", "URL"),
        ("https://host:port", "not a URL"),
        ("ftp://host", "must be a URL like"),
        ("https://user@host", "user, password"),
        ("https://user:s3cret@host", "user, password"),
        ("https://host/?ssid=s3cret", "query or fragment"),
        ("https://host/?", "query or fragment"),
        ("https://host/#s3cret", "query or fragment"),
        ("http://host", "plain http"),
        ("http://10.0.0.1", "plain http"),
        ("http://127.0.0.1.evil.example", "plain http"),
        ("http://localhost.example", "plain http"),
    ],
)
def test_a_base_url_that_cannot_be_right_is_refused_without_being_quoted(base_url: str, told: str) -> None:
    with pytest.raises(ConfigurationError, match=told) as caught:
        DeepcallSession(AUTH, base_url=base_url)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    "base_url", ["http://127.0.0.1:8080", "http://localhost", "http://[::1]:1", "http://127.9.9.9/"]
)
def test_plain_http_is_taken_on_loopback(base_url: str) -> None:
    DeepcallSession(AUTH, base_url=base_url)


def test_plain_http_is_taken_elsewhere_if_the_caller_insists() -> None:
    DeepcallSession(AUTH, base_url="http://host", allow_plain_http=True)


@pytest.mark.parametrize("base_url", ["https://host", "https://host/", "HTTPS://host//"])
async def test_a_trailing_slash_of_the_base_url_does_not_matter(base_url: str) -> None:
    with aioresponses() as server:
        server.post("https://host/api/v2/Agent/live", body=_body(GOOD))
        async with DeepcallSession(AUTH, base_url=base_url):
            pass


async def test_a_base_url_may_have_a_path() -> None:
    async with serving(GOOD) as server, server.session(base_url=f"{server.url}/a%20b/c/"):
        assert server.requests[0].path == "/a%20b/c/api/v2/Agent/live"


def test_the_environment_gives_credentials_and_base_url(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEEPCALL_SSID", "abc")
    monkeypatch.setenv("DEEPCALL_BASE_URL", "ftp://host")
    with pytest.raises(ConfigurationError, match="base_url"):
        DeepcallSession.from_env()
    DeepcallSession.from_env(base_url="https://host", timeout=5, retry=ONCE)


# --- its life ------------------------------------------------------------------------------


async def test_opening_verifies_the_credentials_with_one_request() -> None:
    async with serving(GOOD) as server, server.session() as session:
        assert len(server.requests) == 1
        assert session.last_success is not None


@pytest.mark.parametrize("auth", [TokenAuth("1", "t"), SsidAuth("s")])
async def test_refused_credentials_fail_at_opening_after_one_request(auth: Auth) -> None:
    async with serving(api_error(1014)) as server:
        with pytest.raises(AuthenticationError) as caught:
            await server.session(auth).open()
        assert caught.value.code == AgentErrorCode.INVALID_TOKEN
        assert len(server.requests) == 1


async def test_a_session_that_failed_to_open_can_be_opened_again() -> None:
    async with serving(http(status=503), GOOD) as server:
        session = server.session(retry=ONCE)
        with pytest.raises(UnexpectedStatus):
            await session.open()
        with pytest.raises(ConfigurationError, match="not open"):
            await session.live()
        async with session:
            assert await session.open() is session
            await session.live()


async def test_use_before_opening_says_so() -> None:
    session = DeepcallSession(AUTH)
    with pytest.raises(ConfigurationError, match="not open"):
        await session.live()
    with pytest.raises(ConfigurationError, match="not open"):
        session.poll_live(1)


async def test_use_after_closing_says_so_and_closing_twice_does_not_matter() -> None:
    async with serving(GOOD) as server:
        async with server.session() as session:
            pass
        await session.aclose()
        for use in (session.live, session.open):
            with pytest.raises(ConfigurationError, match="closed"):
                await use()
        with pytest.raises(ConfigurationError, match="closed"):
            session.poll_live(1)


async def test_closing_ends_what_runs() -> None:
    async with serving(GOOD, stall) as server:
        session = await server.session().open()
        call = asyncio.create_task(session.live())
        await until(lambda: len(server.requests) == 2)
        await session.aclose()
        with pytest.raises(ConfigurationError, match="closed"):
            call.result()


async def test_a_callers_http_session_is_used_and_left_open() -> None:
    async with serving(GOOD) as server, aiohttp.ClientSession(headers={"X-Own": "yes"}) as own:
        async with server.session(http_session=own):
            pass
        assert not own.closed
        assert server.requests[0].headers["x-own"] == "yes"


async def test_a_callers_closed_http_session_is_a_clear_error() -> None:
    async with aiohttp.ClientSession() as own:
        pass
    with pytest.raises(ConfigurationError, match="http_session"):
        await DeepcallSession(AUTH, http_session=own).open()


async def test_a_callers_http_session_does_not_decide_about_status_timeout_or_redirects() -> None:
    settings: Any = {"raise_for_status": True, "timeout": aiohttp.ClientTimeout(total=0.001)}
    async with (
        serving(GOOD, api_error(1015, status=403)) as server,
        aiohttp.ClientSession(**settings) as own,
        server.session(http_session=own) as session,
    ):
        with pytest.raises(PermissionDenied):
            await session.live()


async def test_last_success_is_the_time_of_the_last_good_answer() -> None:
    async with serving(GOOD, http(status=404)) as server, server.session() as session:
        first = session.last_success
        assert first is not None
        assert timedelta(0) <= datetime.now(UTC) - first < timedelta(seconds=5)
        with pytest.raises(UnexpectedStatus):
            await session.live()
        assert session.last_success == first


# --- what is sent --------------------------------------------------------------------------


async def _sent(auth: Auth = AUTH, **parameters: Any) -> Any:
    async with serving(GOOD) as server, server.session(auth) as session:
        await session.live(**parameters)
        return server.requests[-1].json


async def test_a_token_travels_with_its_user_id_and_without_an_ssid() -> None:
    assert await _sent(TokenAuth(70212345, "t")) == {"userId": "70212345", "token": "t", "status": "all"}


async def test_an_ssid_travels_alone() -> None:
    assert await _sent(SsidAuth("abc")) == {"ssid": "abc", "status": "all"}


async def test_every_parameter_of_the_vendors_page_is_sent_in_its_form() -> None:
    filters = [{"a": 1}, {"b": "ß"}]
    sent = await _sent(SsidAuth("abc"), group_id=55, status="login", detail=True, filters=filters)
    assert sent == {"ssid": "abc", "groupid": "55", "status": "login", "A": 1, "filter": filters}


async def test_filters_may_come_from_any_iterable() -> None:
    sent = await _sent(filters=({"a": number} for number in range(3)))
    assert sent["filter"] == [{"a": 0}, {"a": 1}, {"a": 2}]


async def test_the_request_is_a_json_post_to_the_path_without_a_trailing_slash() -> None:
    async with serving(GOOD) as server, server.session():
        request = server.requests[0]
        assert request.path == "/api/v2/Agent/live"
        assert request.headers["content-type"] == "application/json"
        assert request.headers["user-agent"].startswith("deepcall-async/")


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"status": "Login"}, 'status must be "all" or "login", got \'Login\''),
        ({"status": None}, "status"),
        ({"group_id": ""}, "group_id"),
        ({"group_id": " "}, "group_id"),
        ({"group_id": 5.5}, "group_id must be str or int, got float"),
        ({"group_id": True}, "group_id"),
        ({"detail": 1}, "detail must be bool, got int"),
        ({"filters": {"a": 1}}, "filters must be a list of JSON objects"),
        ({"filters": "abc"}, "filters"),
        ({"filters": None}, "filters"),
        ({"filters": ["abc"]}, "filters"),
        ({"filters": [{"a": object()}]}, "filters"),
        ({"filters": [{"a": float("nan")}]}, "filters"),
    ],
)
async def test_a_wrong_parameter_is_refused_by_name_before_anything_is_sent(
    wrong: dict[str, Any], told: str
) -> None:
    async with serving(GOOD) as server, server.session() as session:
        with pytest.raises(ConfigurationError, match=told):
            await session.live(**wrong)
        with pytest.raises(ConfigurationError, match=told):
            session.poll_live(1, **wrong)
        assert len(server.requests) == 1


async def test_a_bundle_without_metadata_has_a_user_agent_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", missing)
    async with serving(GOOD) as server, server.session():
        assert server.requests[0].headers["user-agent"] == "deepcall-async"


async def test_cookies_of_the_server_are_ignored() -> None:
    answer = GOOD.replace(b"HTTP/1.1 200 X\r\n", b"HTTP/1.1 200 X\r\nSet-Cookie: a=b; Path=/\r\n")
    async with serving(answer) as server, server.session() as session:
        await session.live()
        assert "cookie" not in server.requests[-1].headers


# --- what comes back -----------------------------------------------------------------------


async def test_a_good_answer_is_a_snapshot() -> None:
    async with serving(GOOD) as server, server.session() as session:
        snapshot = await session.live()
    assert [*snapshot.agents] == ["1", "2"]
    assert snapshot.server_time == datetime(2024, 11, 16, 12, 19, 25, tzinfo=UTC)
    assert snapshot.clock_source is ClockSource.ROWS
    assert snapshot.received_at is not None
    assert timedelta(0) <= datetime.now(UTC) - snapshot.received_at < timedelta(seconds=5)


@pytest.mark.parametrize(
    ("date", "source"),
    [
        ("Sat, 16 Nov 2024 12:19:25 GMT", ClockSource.DATE),
        ("Sat, 16 Nov 2024 12:19:25 -0000", ClockSource.DATE),
        ("yesterday", ClockSource.LOCAL),
        ("Sat, 99 Nov 2024 12:19:25 GMT", ClockSource.LOCAL),
        ("Sat, 16 Nov 99999 12:19:25 GMT", ClockSource.LOCAL),
        ("", ClockSource.LOCAL),
    ],
)
async def test_the_date_header_is_the_clock_of_a_floor_without_rows(date: str, source: ClockSource) -> None:
    empty = floor().replace(b"\r\n\r\n", f"\r\nDate: {date}\r\n\r\n".encode(), 1)
    async with serving(empty) as server, server.session() as session:
        snapshot = await session.live()
    assert snapshot.clock_source is source
    if source is ClockSource.DATE:
        assert snapshot.server_time == datetime(2024, 11, 16, 12, 19, 25, tzinfo=UTC)


CLASS_OF_CODE: dict[type[ApiError], tuple[int, ...]] = {
    AuthenticationError: (1014, 1020, 1039),
    PermissionDenied: (1015,),
    UnknownGroup: (1006,),
    ServerBusy: (1009, 1010, 1032, 1501),
    InvalidRequest: (1000, 1001, 1002, 1003, 1004, 1005, 1047, *range(1502, 1531)),
    ApiError: (1043, 1499, 9999),
}


def _body(answer: bytes) -> bytes:
    return answer.partition(b"\r\n\r\n")[2]


async def _answered(body: Any, status: int = 200, **more: Any) -> DeepcallError | None:
    """What one `live()` raises when the server answers so."""
    with aioresponses() as server:
        server.post(URL, body=_body(GOOD))
        async with DeepcallSession(AUTH, retry=ONCE) as session:
            server.post(
                URL, body=body if isinstance(body, bytes) else json.dumps(body), status=status, **more
            )
            try:
                await session.live()
            except DeepcallError as error:
                return error
    return None


@pytest.mark.parametrize("status", [200, 400, 500])
@pytest.mark.parametrize(
    ("kind", "code"), [(kind, code) for kind, codes in CLASS_OF_CODE.items() for code in codes]
)
async def test_every_code_of_the_error_table_is_its_typed_error_whatever_the_http_status(
    kind: type[ApiError], code: int, status: int
) -> None:
    error = await _answered({"status": "error", "message": "words", "code": code}, status)
    assert type(error) is kind
    assert isinstance(error, ApiError)
    assert (error.code, error.message, error.http_status) == (code, "words", status)


HTML = b"<html><body>502 Bad Gateway</body></html>"


@pytest.mark.parametrize(
    ("body", "status", "kind", "told"),
    [
        ({"status": "error", "message": "x", "errCode": 1015}, 200, PermissionDenied, "1015"),
        ({"status": "error", "message": "x", "code": "1015"}, 200, PermissionDenied, "1015"),
        ({"status": "success", "message": "x", "code": 1015}, 200, PermissionDenied, "1015"),
        ({"status": "error", "message": "x"}, 200, ApiError, "without a code"),
        ({"status": "failed", "msg": "x", "code": 0}, 200, ApiError, "0"),
        (
            {"status": "success", "message": "Invalid token", "code": 200},
            200,
            ReplyError,
            "message: expected",
        ),
        ({"status": "success", "message": None, "code": 200}, 200, ReplyError, "message"),
        ({"status": "success", "message": [], "code": 200}, 200, ReplyError, "message"),
        ({"status": "success", "message": {}, "code": 200}, 200, ReplyError, "message.pr"),
        ({}, 200, ReplyError, "no answer of the API"),
        ([], 200, ReplyError, "expected an object"),
        (b"", 200, ReplyError, "not JSON"),
        (b"", 204, ReplyError, "not JSON"),
        (HTML, 200, ReplyError, "HTML"),
        (HTML, 502, UnexpectedStatus, "HTTP 502"),
        (HTML, 404, UnexpectedStatus, "HTTP 404"),
        (b"", 500, UnexpectedStatus, "HTTP 500"),
        ({}, 500, UnexpectedStatus, "HTTP 500"),
        ({"status": "success", "message": {"pr": []}, "code": 200}, 500, UnexpectedStatus, "HTTP 500"),
        ({"error": "nope"}, 401, UnexpectedStatus, "HTTP 401"),
    ],
)
async def test_every_form_of_envelope_is_told_apart(
    body: Any, status: int, kind: type[DeepcallError], told: str
) -> None:
    error = await _answered(body, status)
    assert type(error) is kind
    assert told in str(error)


@pytest.mark.parametrize(
    "content_type", ["text/html", "text/plain", "application/json; charset=utf-16", "?", ""]
)
async def test_the_content_type_of_a_good_answer_does_not_matter(content_type: str) -> None:
    assert await _answered(_body(GOOD), content_type=content_type) is None


@pytest.mark.parametrize(
    ("status", "is_transient"),
    [
        (301, False),
        (400, False),
        (404, False),
        (408, True),
        (425, True),
        (429, True),
        (500, True),
        (504, True),
    ],
)
async def test_an_http_status_says_whether_it_may_pass(status: int, *, is_transient: bool) -> None:
    bare = await _answered(HTML, status)
    assert isinstance(bare, UnexpectedStatus)
    assert (bare.status, bare.is_transient) == (status, is_transient)
    unknown = await _answered({"status": "error", "message": "slow down", "code": 7}, status)
    assert type(unknown) is ApiError
    assert unknown.is_transient is is_transient


@pytest.mark.parametrize(
    ("content_type", "shown"),
    [
        ("text/html", "(text/html)"),
        ("", "(no content type)"),
        ("x" * 100, f"({'x' * 60})"),
        ("\u2028", "(\\u2028)"),
    ],
)
async def test_an_unexpected_status_tells_the_content_type(content_type: str, shown: str) -> None:
    error = await _answered(HTML, 502, content_type=content_type)
    assert str(error) == f"HTTP 502 {shown} instead of an answer of the API"


async def test_no_answer_for_lack_of_data_is_an_empty_floor() -> None:
    assert await _answered({"status": "error", "message": "no data", "code": 1012}) is None


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("7", 7.0),
        ("0", 0.0),
        ("9" * 400, 999_999_999.0),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("", None),
        ("٣", None),
    ],
)
@pytest.mark.parametrize("body", [HTML, b'{"status": "error", "message": "slow down", "code": 7}'])
async def test_retry_after_is_read_as_seconds_and_nonsense_ignored(
    text: str, wanted: float | None, body: bytes
) -> None:
    headers = {"Date": "Sat, 16 Nov 2024 12:19:25 GMT", "Retry-After": text}
    error = await _answered(body, 429, headers=headers)
    assert getattr(error, "retry_after", ...) == wanted


async def _asked_for(server_is: timedelta, until: timedelta) -> float:
    """The wait that a server asks for by an HTTP date. Both are from now on this machine's clock."""
    date, retry_after = (
        format_datetime(datetime.now(UTC) + ahead, usegmt=True) for ahead in (server_is, until)
    )
    error = await _answered(HTML, 429, headers={"Date": date, "Retry-After": retry_after})
    assert error is not None
    assert error.retry_after is not None
    return error.retry_after


@pytest.mark.parametrize("ahead", [timedelta(0), timedelta(hours=-20), timedelta(hours=20)])
async def test_a_date_to_retry_after_is_read_on_the_servers_clock(ahead: timedelta) -> None:
    minute = timedelta(minutes=1)
    assert await _asked_for(ahead, ahead + minute) == 60
    assert await _asked_for(ahead, ahead - minute) == 0


@pytest.mark.parametrize("ahead", [timedelta(days=-400), timedelta(days=400)])
async def test_of_two_clocks_days_apart_the_one_with_the_shorter_wait_counts(
    ahead: timedelta,
) -> None:
    assert await _asked_for(ahead, timedelta(minutes=1)) <= 60
    assert await _asked_for(ahead, ahead + timedelta(minutes=1)) <= 60


async def test_a_failure_without_retry_after_asks_for_none() -> None:
    assert getattr(await _answered(HTML, 503), "retry_after", ...) is None


async def test_a_message_that_repeats_a_secret_is_redacted() -> None:
    for body in (
        {"status": "error", "message": f"Invalid token {AUTH.token} of {AUTH.user_id}", "code": 1014},
        {"status": "error", "message": "x" * 195 + AUTH.token, "code": 1014},
        {"status": "success", "message": f"Invalid token {AUTH.token}, tell no one", "code": 200},
        {"status": "success", "message": "x" * 50 + AUTH.token, "code": 200},
    ):
        error = await _answered(body)
        assert error is not None
        assert AUTH.token[:8] not in str(error)
        assert AUTH.user_id not in str(error)
        assert "***" in str(error)


# --- trying again --------------------------------------------------------------------------


async def test_passing_failures_are_tried_again() -> None:
    answers = [GOOD, http(HTML, 502), api_error(1501), GOOD]
    async with serving(*answers) as server, server.session() as session:
        await session.live()
        assert len(server.requests) == 4


async def test_a_reply_that_cannot_be_read_is_tried_again() -> None:
    async with serving(GOOD, http("oops"), GOOD) as server, server.session() as session:
        await session.live()


async def test_permanent_failures_are_not_tried_again() -> None:
    for code in (1000, 1006, 1014, 1015, 1020, 1039, 1502):
        async with serving(GOOD, api_error(code)) as server, server.session() as session:
            with pytest.raises(ApiError):
                await session.live()
            assert len(server.requests) == 2


async def test_retry_after_is_waited_for_within_the_policy() -> None:
    answers = [GOOD, http(HTML, 429, retry_after="12"), GOOD]
    async with serving(*answers) as server, server.session(retry=RetryPolicy()) as session:
        await session.live()
        assert server.requests[2].at - server.requests[1].at == pytest.approx(12, abs=0.1)


async def test_a_kept_alive_connection_that_the_server_closed_is_replaced_at_once() -> None:
    # closed when the second request arrives: the client cannot have known
    policy = RetryPolicy(first_wait=30, max_wait=30)
    async with serving(GOOD, then_close(), GOOD) as server, server.session(retry=policy) as session:
        async with asyncio.timeout(5):
            await session.live()
        assert len(server.requests) == 3
        assert server.accepted == 2


async def test_a_connection_is_reused() -> None:
    async with serving(GOOD) as server, server.session() as session:
        for _ in range(5):
            await session.live()
        assert server.accepted == 1


# --- waiting for a server that is down -----------------------------------------------------


@pytest.mark.looptime
async def test_opening_waits_for_a_server_that_is_down_for_a_while(caplog: pytest.LogCaptureFixture) -> None:
    down = [http(HTML, 502)] * 6
    async with serving(*down, api_error(1009), GOOD) as server:
        session = server.session(retry=RetryPolicy(), account="north")
        async with await session.open(wait=600):
            assert len(server.requests) == 8
    waits = [later.at - earlier.at for earlier, later in pairwise(server.requests)]
    assert all(wait >= 0.5 for wait in waits)
    assert waits[5] > 4
    (line,) = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert line.getMessage().startswith("[north] attempt 1 to open failed: HTTP 502")


@pytest.mark.looptime
async def test_opening_waits_no_longer_than_it_is_told_and_raises_the_last_failure() -> None:
    async with serving(http(HTML, 503), http(HTML, 502)) as server:
        started = asyncio.get_running_loop().time()
        with pytest.raises(UnexpectedStatus, match="502"):
            await server.session(retry=RetryPolicy()).open(wait=timedelta(seconds=30))
        assert 20 < asyncio.get_running_loop().time() - started <= 30
        assert len(server.requests) > 5


async def test_opening_waits_for_a_server_that_refuses_connections() -> None:
    async with serving(GOOD) as gone:
        pass
    session = gone.session(retry=RetryPolicy(first_wait=0.05, max_wait=0.05))
    opening = asyncio.create_task(session.open(wait=60))
    await asyncio.sleep(0.2)
    assert not opening.done()
    async with serving(GOOD, port=gone.port):
        await opening
        await session.aclose()


@pytest.mark.parametrize("answer", [api_error(1014), api_error(1015), http(HTML, 404)])
async def test_what_a_person_must_mend_is_not_waited_for(answer: Answer) -> None:
    async with serving(answer) as server:
        with pytest.raises(DeepcallError):
            await server.session().open(wait=60)
        assert len(server.requests) == 1


async def test_opening_that_waits_ends_at_once_when_the_session_is_closed() -> None:
    async with serving(http(HTML, 503)) as server:
        session = server.session(retry=RetryPolicy(first_wait=30, max_wait=30))
        opening = asyncio.create_task(session.open(wait=3600))
        await until(lambda: len(server.requests) == 1)
        await session.aclose()
        with pytest.raises(ConfigurationError, match="closed"):
            await opening


@pytest.mark.parametrize("bad", [-1, "5", None, float("inf")])
async def test_a_wait_that_is_none_is_refused(bad: Any) -> None:
    with pytest.raises(ConfigurationError, match="wait must be"):
        await DeepcallSession(AUTH).open(wait=bad)


# --- renewal -------------------------------------------------------------------------------


class Account:
    """A server side that takes one ssid at a time, and the provider that knows the next one."""

    def __init__(self) -> None:
        self.valid = "ssid-1"
        self.given = 0

    async def provider(self) -> Auth:
        self.given += 1
        await asyncio.sleep(0.01)
        return SsidAuth(f"ssid-{self.given}")

    async def answer(self, connection: Any) -> None:
        good = connection.request.json["ssid"] == self.valid
        connection.writer.write(GOOD if good else api_error(1014))


async def test_a_hundred_calls_with_expired_credentials_cause_one_renewal_and_all_succeed() -> None:
    account = Account()
    async with serving(account.answer) as server, server.session(account.provider) as session:
        account.valid = "ssid-2"
        await asyncio.gather(*(session.live() for _ in range(100)))
        assert account.given == 2
        assert len(server.requests) <= 1 + 200


async def test_credentials_refused_after_their_renewal_are_an_authentication_error() -> None:
    account = Account()
    async with serving(account.answer) as server, server.session(account.provider) as session:
        account.valid = "gone"
        with pytest.raises(AuthenticationError):
            await session.live()
        assert account.given == 2
        assert len(server.requests) == 3


async def test_a_suspended_account_renews_nothing() -> None:
    account = Account()
    answers: list[Answer] = [account.answer, api_error(1039)]
    async with serving(*answers) as server, server.session(account.provider) as session:
        with pytest.raises(AuthenticationError) as caught:
            await session.live()
        assert (caught.value.code, account.given) == (1039, 1)


async def test_closing_mid_renewal_leaves_nothing_behind() -> None:
    async def provider() -> Auth:
        await asyncio.sleep(0 if not asked else 60)
        asked.append(1)
        return SsidAuth("abc")

    asked: list[int] = []
    async with serving(GOOD, api_error(1014)) as server:
        session = await server.session(provider).open()
        call = asyncio.create_task(session.live())
        await until(lambda: len(server.requests) == 2)
        await asyncio.sleep(0.05)
        await session.aclose()
        with pytest.raises(ConfigurationError, match="closed"):
            call.result()
