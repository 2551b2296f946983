"""Credentials: values that never show themselves, renewed once for any number of waiters.

The server takes an `ssid`, or a `userId` with a `token`, in the body of each request. The
two types make it impossible to send both. Neither shows a secret in its repr, and every
text that may repeat one (a message of the server's, a provider's exception) goes through
`Grant.redact` before it becomes part of an error.

A *grant* is what one renewal gave. Each request remembers the grant it was sent with, so
the late failure of an old one is told from a failure of the present one, and renews nothing.
"""

from __future__ import annotations

import asyncio
import json
import os
import traceback
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from attrs import field, frozen

from ._echo import Echo
from ._errors import (
    AgentErrorCode,
    AuthenticationError,
    ConfigurationError,
    DeepcallError,
    RequestTimeout,
    TransportError,
)

RENEWABLE = (AgentErrorCode.INVALID_TOKEN, AgentErrorCode.TOKEN_MISSING)

_Exception = TypeVar("_Exception", bound=BaseException)
_Error = TypeVar("_Error", bound=DeepcallError)


def _hidden(_: object) -> str:
    return "***"


def _fault(**values: object) -> str:
    """What is wrong with a credential, in words that do not show it; empty when nothing is."""
    for name, value in values.items():
        if not isinstance(value, str):
            return f"{name} must be a string, got {type(value).__name__}"
        if not value:
            return f"{name} is empty"
        if not value.isprintable() or " " in value:
            return f"{name} contains a blank, a line break or a control character"
    return ""


@frozen(init=False)
class TokenAuth:
    """A user's id and token. Wire: `userId`, `token`, documented.

    user_id: digits, as a string or an int. token: as the provider's panel shows it.
    Raises `ConfigurationError` when one is empty or contains blanks.
    """

    user_id: str = field(repr=_hidden)
    token: str = field(repr=_hidden)

    def __init__(self, user_id: str | int, token: str) -> None:
        user_id = str(user_id) if type(user_id) is int else user_id
        fault = _fault(user_id=user_id, token=token)
        if fault:
            del user_id, token, self  # a traceback that shows locals must not show them
            raise ConfigurationError(fault)
        self.__attrs_init__(str(user_id), token)


@frozen(init=False)
class SsidAuth:
    """The id of a login session, which expires. Wire: `ssid`, documented.

    Raises `ConfigurationError` when it is empty or contains blanks.
    """

    ssid: str = field(repr=_hidden)

    def __init__(self, ssid: str) -> None:
        fault = _fault(ssid=ssid)
        if fault:
            del ssid, self
            raise ConfigurationError(fault)
        self.__attrs_init__(ssid)


Auth = TokenAuth | SsidAuth
AuthProvider = Callable[[], Awaitable[Auth]]


def auth_from_env() -> Auth:
    """The credentials of the environment. No secret is ever a local variable here."""
    names = ("DEEPCALL_SSID", "DEEPCALL_USER_ID", "DEEPCALL_TOKEN")
    given = [name for name in names if os.environ.get(name)]
    if given == ["DEEPCALL_SSID"]:
        return SsidAuth(os.environ["DEEPCALL_SSID"])
    if given == ["DEEPCALL_USER_ID", "DEEPCALL_TOKEN"]:
        return TokenAuth(os.environ["DEEPCALL_USER_ID"], os.environ["DEEPCALL_TOKEN"])
    told = f"{' and '.join(given)} is set" if given else "none of them is set"
    raise ConfigurationError(
        f"set DEEPCALL_SSID, or DEEPCALL_USER_ID and DEEPCALL_TOKEN, and not both kinds: {told}"
    )


def _wire_fields(auth: Auth) -> dict[str, str]:
    if isinstance(auth, SsidAuth):
        return {"ssid": auth.ssid}
    return {"userId": auth.user_id, "token": auth.token}


def bare(error: _Exception) -> _Exception:
    """The error without traceback and context: their frames hold replies, and memory."""
    error.__context__ = None
    return error.with_traceback(None)


class Grant:
    """Credentials as one renewal gave them."""

    def __init__(self, auth: Auth) -> None:
        fields = _wire_fields(auth)
        self.user_id = fields.get("userId")  # None when the credentials do not tell whose they are
        self.head = json.dumps(fields).encode()[:-1] + b", "  # of a request's JSON object
        self._echo = Echo(fields.values())

    def redact(self, text: str) -> str:
        """A message without the secrets of these credentials: rather too short than with a piece of one."""
        return self._echo.redacted(text)

    def strike_from(self, body: bytes) -> bytes:
        """A reply, or a part of one, without these credentials; the very same if it does not repeat them."""
        return self._echo.struck(body)

    def clean(self, error: _Error) -> _Error:
        """The error, bare, and without the secrets that the reply behind it may have repeated."""
        error.args = tuple(self.redact(part) if isinstance(part, str) else part for part in error.args)
        texts = {name: part for name, part in vars(error).items() if isinstance(part, str)}
        vars(error).update((name, self.redact(text)) for name, text in texts.items())
        return bare(error)


class _Renewal:
    """One question to the provider, for any number of waiters; given up when the last of them is."""

    def __init__(self, answer: Coroutine[Any, Any, Grant | DeepcallError]) -> None:
        self.task = asyncio.create_task(answer)
        self._waiters = 0

    @property
    def is_under_way(self) -> bool:
        return not self.task.done() and not self.task.cancelling()

    async def result(self) -> Grant:
        self._waiters += 1
        try:
            await asyncio.wait({self.task})  # a waiter's cancellation does not reach the task
        finally:
            self._waiters -= 1
            if not self._waiters:
                self.task.cancel()  # which does nothing when it is done
        outcome = self.task.result()
        if isinstance(outcome, Grant):
            return outcome
        raise outcome.with_traceback(None)


class FixedCredentials:
    """The credentials of a session that stay as they are."""

    def __init__(self, auth: Auth) -> None:
        self._grant = Grant(auth)

    async def current(self) -> Grant:
        """The grant to send the next request with."""
        return self._grant

    async def renewed(self, _stale: Grant, refusal: AuthenticationError) -> Grant:
        """Raise the refusal: nothing follows."""
        raise refusal

    async def aclose(self) -> None:
        """Nothing to end."""


class ProvidedCredentials:
    """The credentials of a session that a provider gives and renews. timeout: seconds it may take."""

    def __init__(self, provider: AuthProvider, *, timeout: float) -> None:
        self._provider = provider
        self._timeout = timeout
        self._grant: Grant | None = None
        self._renewals: list[_Renewal] = []

    async def current(self) -> Grant:
        """The grant to send the next request with."""
        return self._grant or await self._renew(None)

    async def renewed(self, stale: Grant, refusal: AuthenticationError) -> Grant:
        """The grant that follows one the server refused. Raises the refusal when there can be none."""
        if refusal.code not in RENEWABLE:
            raise refusal
        if self._grant is not None and self._grant is not stale:
            return self._grant  # renewed while that request was under way
        return await self._renew(refusal)

    async def aclose(self) -> None:
        """End what is left of renewals."""
        tasks = {renewal.task for renewal in self._renewals if renewal.task.cancel()}
        if tasks:
            await asyncio.wait(tasks)

    async def _renew(self, refusal: AuthenticationError | None) -> Grant:
        """Ask the provider, or wait for the answer to another waiter's question."""
        self._renewals = [renewal for renewal in self._renewals if not renewal.task.done()]
        for renewal in self._renewals:
            if renewal.is_under_way:
                return await renewal.result()
        renewal = _Renewal(self._ask(refusal))
        self._renewals.append(renewal)
        return await renewal.result()

    async def _ask(self, refusal: AuthenticationError | None) -> Grant | DeepcallError:
        """A new grant, or the error to raise in every waiter."""
        task = asyncio.current_task()
        try:
            async with asyncio.timeout(self._timeout):
                auth = await self._provider()
        except TransportError as error:
            return self._grant.clean(error) if self._grant else bare(error)
        except TimeoutError:
            return RequestTimeout(f"the auth provider timed out: it may take {self._timeout:g} s")
        except (Exception, asyncio.CancelledError) as error:  # whatever a stranger's code may raise
            if task is not None and task.cancelling():
                raise
            return self._failed(error, refusal)
        if not isinstance(auth, TokenAuth | SsidAuth):
            kind = type(auth).__name__
            return ConfigurationError(f"the auth provider must return TokenAuth or SsidAuth, got {kind}")
        self._grant = Grant(auth)
        return self._grant

    def _failed(self, error: BaseException, refusal: AuthenticationError | None) -> AuthenticationError:
        """The provider's error as ours; it stays chained unless it shows the old credentials."""
        redact = self._grant.redact if self._grant else str
        told = redact(f"{type(error).__name__}: {error}")
        failure = AuthenticationError(refusal.code if refusal else None, f"the auth provider failed: {told}")
        whole = "".join(traceback.format_exception(error))
        failure.__cause__ = error if redact(whole) == whole else None
        return failure


def credentials_from(
    source: Auth | AuthProvider, *, timeout: float
) -> FixedCredentials | ProvidedCredentials:
    """What `DeepcallSession` was given as `auth`, checked."""
    if isinstance(source, TokenAuth | SsidAuth):
        return FixedCredentials(source)
    if isinstance(source, type) or not callable(source):
        kind = type(source).__name__
        raise ConfigurationError(f"auth must be TokenAuth, SsidAuth or an async callable, got {kind}")
    return ProvidedCredentials(source, timeout=timeout)
