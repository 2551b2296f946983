"""Where the floor comes from: the real server, or a simulated one that lives as long as the command."""

from __future__ import annotations

import argparse
import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, TextIO
from urllib.parse import urlsplit

from attrs import frozen

from deepcall_async import (
    DeepcallSession,
    LiveStream,
    RequestTimeout,
    Snapshot,
    TokenAuth,
    _lazy,
)

from ._credentials import use_credentials


@frozen
class Connection:
    """An open session, and what the arguments say about its use.

    title: names the floor to a person. rate: how fast the server's time runs.
    """

    session: DeepcallSession
    args: argparse.Namespace
    title: str
    rate: float = 1.0

    def poll(
        self, *, resume_from: Mapping[str, Any] | None = None, record_to: TextIO | None = None
    ) -> LiveStream:
        """The stream the arguments ask for."""
        return self.session.poll_live(
            self.args.interval,
            group_id=self.args.group_id,
            status=self.args.status,
            resume_from=resume_from,
            record_to=record_to,
        )

    async def snapshot(self) -> Snapshot:
        """The floor now."""
        return await self.session.live(group_id=self.args.group_id, status=self.args.status)


def deadline(args: argparse.Namespace) -> float | None:
    """When --for is over, on the loop's clock."""
    return None if args.duration is None else asyncio.get_running_loop().time() + args.duration


@asynccontextmanager
async def time_limit(until: float | None) -> AsyncIterator[None]:
    """Leave the block at `until` without an error."""
    limit = asyncio.timeout_at(until)
    try:
        async with limit:
            yield
    except TimeoutError:
        if not limit.expired():
            raise


@asynccontextmanager
async def answer_within(until: float | None) -> AsyncIterator[None]:
    """Raise `RequestTimeout` at `until`: a command that saw nothing has not done what it was asked to."""
    limit = asyncio.timeout_at(until)
    try:
        async with limit:
            yield
    except TimeoutError:
        if limit.expired():
            raise RequestTimeout("the server did not answer within the time of --for") from None
        raise


@asynccontextmanager
async def connect(args: argparse.Namespace, until: float | None) -> AsyncIterator[Connection]:
    """The session the arguments ask for, its credentials verified before `until`."""
    async with AsyncExitStack() as stack:
        async with answer_within(until):
            connection = await (_open_demo if args.demo else _open_real)(args, stack)
        yield connection


async def _open_real(args: argparse.Namespace, stack: AsyncExitStack) -> Connection:
    if args.credentials is not None:
        use_credentials(args.credentials)
    given = {"base_url": args.base_url, "account": args.account}  # the environment has the others
    session = DeepcallSession.from_env(**{name: value for name, value in given.items() if value})
    await stack.enter_async_context(await session.open(wait=args.wait or 0))
    return Connection(session, args, _title(args, _where(args)))


async def _open_demo(args: argparse.Namespace, stack: AsyncExitStack) -> Connection:
    simulator = _lazy.load("deepcall_async.simulator")  # a web server: only the demo needs it
    floor = simulator.Simulator(agents=args.agents, seed=args.seed, warp=args.warp)
    server = await stack.enter_async_context(floor)
    auth = TokenAuth(server.user_id, server.token)
    session = await stack.enter_async_context(DeepcallSession(auth, base_url=server.url))
    pace = "" if args.warp == 1 else f", {args.warp:g} times real time"
    return Connection(session, args, _title(args, f"simulated floor{pace}"), rate=args.warp)


def _where(args: argparse.Namespace) -> str | None:
    """The account's label, or else the host, unless it is the vendor's own."""
    base_url = args.base_url or os.environ.get("DEEPCALL_BASE_URL")
    label = args.account or os.environ.get("DEEPCALL_ACCOUNT")
    return label or (urlsplit(base_url).hostname if base_url else None)


def _title(args: argparse.Namespace, where: str | None) -> str:
    group = None if args.group_id is None else f"group {args.group_id}"
    return " · ".join(filter(None, ("deepcall", where, group)))
