"""`deepcall simulate`: a simulated floor for other programs to connect to."""

from __future__ import annotations

import argparse
import asyncio
import sys
from contextlib import AsyncExitStack

from deepcall_async import ConfigurationError
from deepcall_async.simulator import INVENTED, VARIANTS, Simulator, Variant

from ._connection import deadline, time_limit

# The same at every start, so that what was copied once goes on working. They open nothing else.
USER_ID, TOKEN = "10000001", "simulated00000000001"


async def run(args: argparse.Namespace) -> None:
    """Serve until the end: --for or a signal."""
    until, variant = deadline(args), _variant(args.variant)
    server = Simulator(
        agents=args.agents,
        seed=args.seed,
        warp=args.warp,
        port=args.port,
        variant=variant,
        user_id=USER_ID,
        token=TOKEN,
    )
    async with AsyncExitStack() as stack:
        await _start(server, stack, args.port)
        sys.stdout.write(_greeting(server, args))
        sys.stdout.flush()
        async with time_limit(until):
            await asyncio.Event().wait()


async def _start(server: Simulator, stack: AsyncExitStack, port: int) -> None:
    try:
        await stack.enter_async_context(server)
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConfigurationError(f"cannot serve on port {port}: {reason}. Choose another --port") from None


def _variant(name: str) -> Variant:
    if name not in VARIANTS:
        raise ConfigurationError(f"there is no variant {name!r}; there are: {', '.join(VARIANTS)}")
    return VARIANTS[name]


def _greeting(server: Simulator, args: argparse.Namespace) -> str:
    """How to connect, in lines to copy."""
    invented = "\n".join(f"  {what}: {how}" for what, how in INVENTED.items())
    return f"""\
A simulated floor of {args.agents} agents at {server.url}, until Ctrl-C
(seed {args.seed}, {args.warp:g} times real time, variant "{args.variant}"). In another terminal:

export DEEPCALL_BASE_URL={server.url}
export DEEPCALL_USER_ID={server.user_id}
export DEEPCALL_TOKEN={server.token}
deepcall watch

What the real server does beyond its one public reply is invented here:
{invented}
"""
