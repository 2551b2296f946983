"""Credentials in use: renewed once for any number of waiters, and struck out of whatever repeats them.

A *grant* is what one renewal gave. Each request remembers the grant it was sent with, so
the late failure of an old one is told from a failure of the present one, and renews nothing.
Every text that may repeat a secret (a message of the server's, a provider's exception) goes
through `Grant.redact` before it becomes part of an error.
"""

from __future__ import annotations

import asyncio
import json
import traceback
from collections.abc import Coroutine
from typing import Any, TypeVar

from deepcall_async._model import (
    AgentErrorCode,
    AuthenticationError,
    ConfigurationError,
    DeepcallError,
    RequestTimeout,
    TransportError,
    bare,
)

from .credentials import Auth, AuthProvider, SsidAuth, TokenAuth, wire_fields
from .redaction import Echo

RENEWABLE = (AgentErrorCode.INVALID_TOKEN, AgentErrorCode.TOKEN_MISSING)

_Error = TypeVar("_Error", bound=DeepcallError)


class Grant:
    """Credentials as one renewal gave them."""

    def __init__(self, auth: Auth) -> None:
        fields = wire_fields(auth)
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
