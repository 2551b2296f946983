"""Credentials: what they refuse, what they never show, and how they are renewed."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import Awaitable, Callable

import pytest

from deepcall_async._client.credentials import Auth, SsidAuth, TokenAuth, auth_from_env
from deepcall_async._client.renewal import Grant, ProvidedCredentials, credentials_from
from deepcall_async._model.errors import (
    ApiError,
    AuthenticationError,
    ConfigurationError,
    ReplyError,
    RequestTimeout,
    TransportError,
    api_error,
)

from .dump import dump

pytestmark = pytest.mark.looptime  # waiting is measured in virtual time, however busy the machine
REFUSED = AuthenticationError(1014, "Invalid token")


class Provider:
    """An async callable that counts how often it was asked."""

    def __init__(self, answer: Callable[[int], Awaitable[Auth]] | None = None) -> None:
        self.asked = 0
        self._answer = answer

    async def __call__(self) -> Auth:
        self.asked += 1
        if self._answer is None:
            await asyncio.sleep(0.01)
            return SsidAuth(f"ssid-{self.asked}")
        return await self._answer(self.asked)


def provided(provider: Callable[[], Awaitable[Auth]]) -> ProvidedCredentials:
    return ProvidedCredentials(provider, timeout=1.0)


def test_a_user_id_may_be_an_int() -> None:
    assert TokenAuth(70212345, "t0ken") == TokenAuth("70212345", "t0ken")


def test_credentials_are_frozen_and_compare_by_value() -> None:
    auth = SsidAuth("abc")
    with pytest.raises(AttributeError):
        auth.ssid = "other"  # type: ignore[misc]
    assert auth == SsidAuth("abc") != SsidAuth("abd")
    assert pickle.loads(pickle.dumps(auth)) == auth  # noqa: S301


@pytest.mark.parametrize("auth", [TokenAuth("70212345", "s3cret"), SsidAuth("s3cret")])
def test_neither_repr_nor_str_shows_a_secret(auth: Auth) -> None:
    shown = f"{auth!r} {auth} {[auth]} {credentials_from(auth, timeout=1)!r} {Grant(auth)!r}"
    assert "s3cret" not in shown
    assert "70212345" not in shown
    assert "***" in repr(auth)


@pytest.mark.parametrize(
    "bad", ["", " ", "a b", "abc\n", "\tabc", "a\x00b", None, 7.5, True, b"abc", "\ud800"]
)
def test_a_credential_that_cannot_be_one_is_refused_without_being_shown(bad: object) -> None:
    for make in (
        lambda: SsidAuth(bad),  # type: ignore[arg-type]
        lambda: TokenAuth("1", bad),  # type: ignore[arg-type]
        lambda: TokenAuth(bad, "1"),  # type: ignore[arg-type]
    ):
        with pytest.raises(ConfigurationError, match=r"^(ssid|token|user_id) ") as caught:
            make()
        assert "abc" not in str(caught.value)


def test_a_traceback_with_locals_does_not_show_a_refused_credential() -> None:
    with pytest.raises(ConfigurationError, match="user_id is empty") as caught:
        TokenAuth("", "s3cr" + "et")
    assert "fault = 'user_id is empty'" in dump(caught.value)
    assert "s3cret" not in dump(caught.value)


@pytest.mark.parametrize("auth", ["abc", None, {"ssid": "x"}, TokenAuth, 7])
def test_anything_but_credentials_or_a_provider_is_refused(auth: object) -> None:
    with pytest.raises(ConfigurationError, match="auth must be"):
        credentials_from(auth, timeout=1)  # type: ignore[arg-type]


# --- texts that repeat a secret ------------------------------------------------------------


def test_a_secret_in_a_text_is_masked_also_in_its_escaped_forms() -> None:
    grant = Grant(TokenAuth("70212345", 'pä"ss'))
    assert grant.redact('a 70212345 b p\\xe4"ss c p\\u00e4\\"ss d pä"ss') == "a *** b *** c *** d ***"


def test_the_beginning_of_a_secret_in_a_text_that_was_cut_is_masked() -> None:
    grant = Grant(SsidAuth("0123456789abcdef"))
    assert grant.redact("got 0123456789ab") == "got ***"
    assert grant.redact("got '0123456789ab...', and 01234567 before") == "got '***...', and *** before"
    assert grant.redact("got 012") == "got 012"


def test_a_secret_shorter_than_a_piece_is_masked_too() -> None:
    assert Grant(SsidAuth("*x")).redact("*x x*x") == "*** x***"


def test_an_error_is_cleaned_in_all_its_texts_and_loses_its_frames() -> None:
    grant = Grant(SsidAuth("s3cret-ssid"))
    try:
        raise api_error(1014, "no such s3cret-ssid")
    except ApiError as error:
        cleaned = grant.clean(error)
    assert cleaned.message == "no such ***"
    assert cleaned.code == 1014
    assert cleaned.__traceback__ is None
    assert "s3cret" not in f"{cleaned} {cleaned!r} {vars(cleaned)}"
    assert (
        str(grant.clean(ReplyError("got s3cret-ssid", path="message.s3cret-ssid"))) == "message.***: got ***"
    )


# --- fixed credentials ---------------------------------------------------------------------


async def test_fixed_credentials_are_never_renewed() -> None:
    credentials = credentials_from(SsidAuth("abc"), timeout=1)
    grant = await credentials.current()
    with pytest.raises(AuthenticationError) as caught:
        await credentials.renewed(grant, REFUSED)
    assert caught.value is REFUSED
    await credentials.aclose()


# --- providers -----------------------------------------------------------------------------


async def test_a_provider_is_asked_at_first_use_and_its_answer_kept() -> None:
    provider = Provider()
    credentials = provided(provider)
    assert await credentials.current() is await credentials.current()
    assert provider.asked == 1


async def test_a_hundred_waiters_cause_one_renewal() -> None:
    provider = Provider()
    credentials = provided(provider)
    stale = await credentials.current()
    grants = await asyncio.gather(*(credentials.renewed(stale, REFUSED) for _ in range(100)))
    assert provider.asked == 2
    assert len(set(map(id, grants))) == 1
    assert grants[0] is not stale


async def test_the_late_failure_of_an_old_credential_renews_nothing() -> None:
    provider = Provider()
    credentials = provided(provider)
    stale = await credentials.current()
    fresh = await credentials.renewed(stale, REFUSED)
    assert await credentials.renewed(stale, REFUSED) is fresh
    assert provider.asked == 2


@pytest.mark.parametrize("code", [1039, None, 1000])
async def test_a_code_that_a_renewal_cannot_cure_never_renews(code: int | None) -> None:
    provider = Provider()
    credentials = provided(provider)
    stale = await credentials.current()
    with pytest.raises(AuthenticationError):
        await credentials.renewed(stale, AuthenticationError(code, "no"))
    assert provider.asked == 1


async def test_a_missing_token_renews_as_an_invalid_one_does() -> None:
    credentials = provided(Provider())
    stale = await credentials.current()
    assert await credentials.renewed(stale, AuthenticationError(1020, "")) is not stale


async def test_the_cancellation_of_one_waiter_leaves_the_renewal_to_the_others() -> None:
    provider = Provider()
    credentials = provided(provider)
    first, second = (asyncio.create_task(credentials.current()) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    assert isinstance(await second, Grant)
    assert first.cancelled()
    assert provider.asked == 1


async def test_a_renewal_ends_with_its_last_waiter_and_the_next_one_starts_anew() -> None:
    stopped: list[int] = []

    async def slow(count: int) -> Auth:
        try:
            await asyncio.sleep(0.05)
        except asyncio.CancelledError:
            stopped.append(count)
            raise
        return SsidAuth("abc")

    provider = Provider(slow)
    credentials = provided(provider)
    waiters = [asyncio.create_task(credentials.current()) for _ in range(3)]
    await asyncio.sleep(0.01)
    for waiter in waiters:
        waiter.cancel()
    await asyncio.gather(*waiters, return_exceptions=True)
    assert isinstance(await credentials.current(), Grant)
    assert (provider.asked, stopped) == (2, [1])


async def test_closing_ends_a_renewal_that_is_slow_to_give_up() -> None:
    async def stubborn(_: int) -> Auth:
        try:
            await asyncio.sleep(10)
        finally:
            await asyncio.sleep(0.01)
        return SsidAuth("abc")

    credentials = provided(Provider(stubborn))
    waiter = asyncio.create_task(credentials.current())
    await asyncio.sleep(0.01)
    waiter.cancel()
    await asyncio.gather(waiter, return_exceptions=True)
    await credentials.aclose()
    assert len(asyncio.all_tasks()) == 1


async def test_a_failing_provider_is_an_authentication_error_with_its_exception_chained() -> None:
    async def fail(_: int) -> Auth:
        raise LookupError("the vault is sealed")

    with pytest.raises(AuthenticationError, match="LookupError: the vault is sealed") as caught:
        await provided(Provider(fail)).current()
    assert isinstance(caught.value.__cause__, LookupError)
    assert caught.value.ends_stream


async def test_a_provider_that_shows_the_old_secret_is_neither_quoted_nor_chained() -> None:
    async def fail(count: int) -> Auth:
        secret = "ssid-" + "number-one"
        if count == 1:
            return SsidAuth(secret)
        raise LookupError(f"cannot renew {secret}")

    credentials = provided(Provider(fail))
    stale = await credentials.current()
    with pytest.raises(AuthenticationError, match=r"LookupError: cannot renew \*\*\*") as caught:
        await credentials.renewed(stale, REFUSED)
    assert caught.value.code == 1014
    assert caught.value.__cause__ is None


async def test_waiters_of_a_failing_provider_each_get_the_error_of_one_question() -> None:
    async def fail(_: int) -> Auth:
        await asyncio.sleep(0.01)
        raise LookupError("no")

    provider = Provider(fail)
    credentials = provided(provider)
    outcomes = await asyncio.gather(*(credentials.current() for _ in range(20)), return_exceptions=True)
    assert provider.asked == 1
    assert all(isinstance(outcome, AuthenticationError) for outcome in outcomes)


async def test_a_provider_may_say_that_its_failure_passes() -> None:
    async def fail(_: int) -> Auth:
        raise TransportError("the vault is away")

    with pytest.raises(TransportError, match="the vault is away") as caught:
        await provided(Provider(fail)).current()
    assert caught.value.is_transient


async def test_a_passing_failure_of_a_provider_does_not_show_the_old_secret_either() -> None:
    async def fail(count: int) -> Auth:
        if count == 1:
            return SsidAuth("ssid-number-one")
        raise TransportError("no successor to ssid-number-one")

    credentials = provided(Provider(fail))
    stale = await credentials.current()
    with pytest.raises(TransportError, match=r"no successor to \*\*\*"):
        await credentials.renewed(stale, REFUSED)


async def test_a_provider_that_hangs_is_given_up_after_the_timeout() -> None:
    async def hang(_: int) -> Auth:
        await asyncio.sleep(60)
        return SsidAuth("abc")

    with pytest.raises(RequestTimeout, match=r"it may take 0\.01 s"):
        await ProvidedCredentials(Provider(hang), timeout=0.01).current()


async def test_a_provider_that_cancels_itself_fails_and_cancels_nobody() -> None:
    async def cancel(_: int) -> Auth:
        raise asyncio.CancelledError

    with pytest.raises(AuthenticationError, match="CancelledError"):
        await provided(Provider(cancel)).current()


async def test_a_provider_that_returns_something_else_is_a_configuration_error() -> None:
    async def wrong() -> Auth:
        return "abc"  # type: ignore[return-value]

    with pytest.raises(ConfigurationError, match="must return TokenAuth or SsidAuth, got str"):
        await provided(wrong).current()


async def test_a_provider_that_is_not_async_is_an_authentication_error() -> None:
    with pytest.raises(AuthenticationError, match="await"):
        await provided(lambda: SsidAuth("abc")).current()  # type: ignore[arg-type, return-value]


# --- the environment -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "auth"),
    [
        ({"DEEPCALL_SSID": "abc"}, SsidAuth("abc")),
        ({"DEEPCALL_USER_ID": "1", "DEEPCALL_TOKEN": "t"}, TokenAuth("1", "t")),
        ({"DEEPCALL_USER_ID": "1", "DEEPCALL_TOKEN": "t", "DEEPCALL_SSID": ""}, TokenAuth("1", "t")),
    ],
)
def test_the_environment_gives_either_kind(
    names: dict[str, str], auth: Auth, monkeypatch: pytest.MonkeyPatch
) -> None:
    _set_only(names, monkeypatch)
    assert auth_from_env() == auth


@pytest.mark.parametrize(
    ("names", "told"),
    [
        ({}, "none of them is set"),
        ({"DEEPCALL_TOKEN": "s3cret"}, "DEEPCALL_TOKEN is set"),
        (
            {"DEEPCALL_SSID": "s3cret", "DEEPCALL_TOKEN": "s3cret"},
            "DEEPCALL_SSID and DEEPCALL_TOKEN is set",
        ),
    ],
)
def test_an_environment_without_one_whole_kind_is_refused_by_name(
    names: dict[str, str], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _set_only(names, monkeypatch)
    with pytest.raises(ConfigurationError, match=told) as caught:
        auth_from_env()
    assert "DEEPCALL_USER_ID" in str(caught.value)
    assert "s3cret" not in str(caught.value)


def _set_only(names: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DEEPCALL_SSID", "DEEPCALL_USER_ID", "DEEPCALL_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name, value in names.items():
        monkeypatch.setenv(name, value)


# --- what a good reply says back ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (b'{"token":"tok3nTok3n"}', b'{"token":"***"}'),
        (b'{"next":"https://host/?token=tok3nTok3n&p=2"}', b'{"next":"https://host/?token=***&p=2"}'),
        (b'{"userId":"70212345"}', b'{"userId":"99999999"}'),
        (b'{"userId": 70212345}', b'{"userId": 99999999}'),
        (b'{"I":"70212345","nm":"Asha"}', b'{"I":"70212345","nm":"Asha"}'),
        (b'{"I": 70212345}', b'{"I": 70212345}'),
        (b'{"cNumber":"91702123450"}', b'{"cNumber":"91702123450"}'),
    ],
)
def test_a_good_reply_loses_its_echoes_of_credentials_and_no_data(said: bytes, kept: bytes) -> None:
    assert Grant(TokenAuth("70212345", "tok3nTok3n")).strike_from(said) == kept


def test_a_reply_without_echoes_is_the_very_same() -> None:
    body = b'{"message":{"pr":[]}}'
    assert Grant(TokenAuth("70212345", "tok3nTok3n")).strike_from(body) is body
    assert Grant(SsidAuth("No")).strike_from(b'{"l":"No"}') == b'{"l":"No"}'  # too short to be meant
