"""The simulator: a real HTTP server that speaks like the vendor's, over a simulated floor."""

from __future__ import annotations

import asyncio
import contextlib
import math
import re
from collections import deque
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from aiohttp import web
from attrs import evolve, frozen

from ._answer import Answer, api_answer, error_answer, not_found, spoil
from ._fault import NO_FAULT, Fault
from ._floor import DEFAULT_START, Floor
from ._pace import Pace
from ._request import Credentials, Door, Refused, parse, read_parameters, without_secrets
from ._sample import SampleFloor
from ._send import finish_headers, reset, send
from ._variant import INVENTED, Variant

HOST = "127.0.0.1"
LIVE_PATH = re.compile(r"/api/v2/agent/live/?", re.IGNORECASE)
REQUESTS_KEPT = 1000


@frozen(kw_only=True)
class ReceivedRequest:
    """A request the simulator got.

    at: the server's time, epoch seconds. path: without a query.
    body: its JSON object, the credentials replaced by "***"; None when it was none.
    """

    at: float
    method: str
    path: str
    content_type: str
    body: Mapping[str, Any] | None


class _Closing(Exception):
    """The simulator ends while an answer is under way."""


class Simulator:
    """A live floor behind a real HTTP server on this machine, to try clients and bots against.

        async with Simulator(agents=20, warp=60.0) as server:
            auth = TokenAuth(server.user_id, server.token)  # or SsidAuth(server.ssid)
            async with DeepcallSession(auth, base_url=server.url) as session: ...
            print(server.floor.history[-1])  # what truly happened

    floor: what to serve; when not given, a `Floor` of so many `agents`, with this `seed`, `start`,
        `variant` and `pace`.
    warp: seconds the server's time moves on in one second of the event loop's time; 0 stands still.
    user_id, token, ssid: the credentials it accepts; made up when not given.
    port: on 127.0.0.1; 0 takes a free one.
    http_status_for_errors: of the API's errors; the real server most likely leaves it at 200.
    announce_inventions: adds a header X-Simulator-Invents that names whatever is not known of the real
        server (see `INVENTED`).
    """

    def __init__(
        self,
        floor: Floor | None = None,
        *,
        agents: int = 50,
        seed: int = 0,
        start: float = DEFAULT_START,
        variant: Variant | None = None,
        pace: Pace | None = None,
        warp: float = 1.0,
        user_id: str | None = None,
        token: str | None = None,
        ssid: str | None = None,
        port: int = 0,
        http_status_for_errors: int = 200,
        announce_inventions: bool = False,
    ) -> None:
        self.floor: Floor = floor or Floor(agents, seed=seed, start=start, variant=variant, pace=pace)
        self.requests: deque[ReceivedRequest] = deque(maxlen=REQUESTS_KEPT)
        self.request_count: int = 0
        self._warp = warp
        self._port = port
        self._http_status_for_errors = http_status_for_errors
        self._extra_headers = {"X-Simulator-Invents": "; ".join(INVENTED)} if announce_inventions else {}
        given = {"user_id": user_id, "token": token, "ssid": ssid}
        self._credentials = Credentials(**{key: value for key, value in given.items() if value is not None})
        self._script: deque[Fault] = deque()
        self._always = NO_FAULT
        self._door = Door(None, None)
        self._runner: web.AppRunner | None = None
        self._is_entered = False
        self.accept()

    @classmethod
    def sample(cls, **options: Any) -> Self:
        """The vendor's sample floor, byte for byte, its time standing still at the sample's `Date`."""
        return cls(SampleFloor(), warp=0.0, **options)

    def __repr__(self) -> str:
        where = self.url if self._runner else "not running"
        return f"<Simulator {where}, {self.request_count} requests, {self.floor!r}>"

    # --- running ------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        if self._is_entered:
            raise RuntimeError("this simulator is running already: leave it first, or make another one")
        self._is_entered = True
        app = web.Application()
        app.on_response_prepare.append(finish_headers)
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._closing = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._opened = self._loop.time(), self.floor.time
        runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.2)
        await runner.setup()
        try:
            await web.TCPSite(runner, HOST, self._port).start()
        except BaseException:
            self._is_entered = False
            await runner.cleanup()
            raise
        self._runner = runner
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        self._is_entered = False
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    @property
    def url(self) -> str:
        """The base URL to give to a client. Raises RuntimeError outside of `async with`."""
        if self._runner is None:
            raise RuntimeError("the simulator is not running: use `async with Simulator(...) as server`")
        return f"http://{HOST}:{self._runner.addresses[0][1]}"

    @property
    def time(self) -> float:
        """The floor's time now, epoch seconds; never behind `floor.time`, which you may advance yourself."""
        if self._runner is None:
            return self.floor.time
        opened, floor_time = self._opened
        return max(self.floor.time, floor_time + (self._loop.time() - opened) * self._warp)

    @property
    def clock(self) -> float:
        """What the server's clock shows: the floor's time, unless it was set."""
        return self.floor.clock_at(self.time)

    # --- credentials --------------------------------------------------------------------------

    @property
    def user_id(self) -> str:
        """The user id it accepts, together with `token`."""
        return self._credentials.user_id

    @property
    def token(self) -> str:
        """The token that belongs to `user_id`."""
        return self._credentials.token

    @property
    def ssid(self) -> str:
        """The session id it accepts."""
        return self._credentials.ssid

    def expire(self) -> None:
        """Let nobody in any more: every request gets 1014, until `accept`."""
        self._door = Door(None, None)

    def accept(
        self, *, ssid: str | None = None, user_id: str | None = None, token: str | None = None
    ) -> None:
        """Let these in from now on, in place of others of their kind; nothing given: the present ones."""
        given = {"user_id": user_id, "token": token, "ssid": ssid}
        changed = {key: value for key, value in given.items() if value is not None}
        now = self._credentials = evolve(self._credentials, **changed)
        if not changed or "ssid" in changed:
            self._door = evolve(self._door, ssid=now.ssid)
        if changed.keys() != {"ssid"}:
            self._door = evolve(self._door, user=(now.user_id, now.token))

    # --- faults -------------------------------------------------------------------------------

    def script(self, *faults: Fault | None) -> None:
        """What goes wrong with the coming requests, one each, after those scripted before; None: nothing."""
        self._script.extend(fault or NO_FAULT for fault in faults)

    def always(self, fault: Fault | None) -> None:
        """What goes wrong with every request that nothing is scripted for, until changed; None: nothing."""
        self._always = fault or NO_FAULT

    # --- answering ----------------------------------------------------------------------------

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        fault = self._script.popleft() if self._script else self._always
        body = parse(await request.read())
        self._note(request, body)
        try:
            await self._pause(fault.delay)
            answer = spoil(self._answer(request, body, fault), fault, self.clock)
            return await send(request, answer, fault, self._pause)
        except _Closing:
            return reset(request.transport)

    def _note(self, request: web.Request, body: dict[str, Any] | None) -> None:
        self.request_count += 1
        received = ReceivedRequest(
            at=self.time,
            method=request.method,
            path=request.path,
            content_type=request.headers.get("Content-Type", ""),
            body=None if body is None else without_secrets(body),
        )
        self.requests.append(received)

    async def _pause(self, seconds: float) -> None:
        """Wait; the simulator's end raises `_Closing`."""
        if seconds > 0:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(None if math.isinf(seconds) else seconds):
                    await self._closing.wait()
                    raise _Closing

    def _answer(self, request: web.Request, body: dict[str, Any] | None, fault: Fault) -> Answer:
        now = self.clock
        if request.method != "POST" or not LIVE_PATH.fullmatch(request.path):
            return not_found(request.method, request.path, now)
        try:
            answer = api_answer(self._reply(body, fault), self.clock)
        except Refused as refused:
            answer = error_answer(refused, now, self._http_status_for_errors)
        return evolve(answer, headers={**answer.headers, **self._extra_headers})

    def _reply(self, body: dict[str, Any] | None, fault: Fault) -> bytes:
        if fault.clock_step:
            self.floor.advance(self.time)
            self.floor.set_clock(fault.clock_step)
        if fault.code is not None:
            raise Refused(fault.code, fault.message)
        if body is None:
            raise Refused(1047)
        self._door.admit(body)
        wanted = read_parameters(body, self.floor.groups)
        reply = self.floor.reply(self.time, status=wanted.status, group=wanted.group)
        return fault.garble(reply, self.clock)
