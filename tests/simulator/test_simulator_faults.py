"""Scripted faults, as a client meets them over real sockets."""

import asyncio
import json
import math
from collections.abc import AsyncIterator

import aiohttp
import pytest
import pytest_asyncio

from deepcall_async.simulator import Fault, Simulator

pytestmark = [pytest.mark.wire, pytest.mark.looptime]


def now() -> float:
    return asyncio.get_running_loop().time()


class Client:
    """Asks one simulator for its floor with good credentials."""

    def __init__(self, http: aiohttp.ClientSession, server: Simulator) -> None:
        self.http = http
        self.server = server

    def ask(self) -> "aiohttp.client._RequestContextManager":
        return self.http.post(f"{self.server.url}/api/v2/Agent/live", json={"ssid": self.server.ssid})

    async def body(self) -> bytes:
        async with self.ask() as answer:
            return await answer.read()

    async def code(self) -> int:
        code: int = json.loads(await self.body())["code"]
        return code


@pytest_asyncio.fixture
async def client() -> AsyncIterator[Client]:
    async with Simulator(agents=10, warp=0.0) as server, aiohttp.ClientSession() as http:
        yield Client(http, server)


async def test_scripted_faults_come_one_a_request_in_order_and_then_no_more(client: Client) -> None:
    client.server.script(Fault(code=1009), None, Fault(code=1010))
    client.server.script(Fault(code=1032))
    assert [await client.code() for _ in range(6)] == [1009, 200, 1010, 1032, 200, 200]


async def test_a_lasting_fault_holds_until_changed_and_scripted_ones_go_before_it(client: Client) -> None:
    client.server.always(Fault(code=1010))
    client.server.script(None)
    assert [await client.code() for _ in range(3)] == [200, 1010, 1010]
    client.server.always(None)
    assert await client.code() == 200


async def test_an_api_error_has_the_vendors_words_or_those_given(client: Client) -> None:
    client.server.script(Fault(code=1015), Fault(code=1015, message="no", status=403), Fault(code=1999))
    assert json.loads(await client.body()) == {
        "status": "error",
        "message": "Permission denied",
        "code": 1015,
    }
    async with client.ask() as answer:
        assert (answer.status, (await answer.json())["message"]) == (403, "no")
    assert json.loads(await client.body())["message"] == "Error"


async def test_a_gateway_answers_in_html_and_without_the_headers_of_the_application(client: Client) -> None:
    client.server.script(Fault.gateway(503, retry_after="7"))
    async with client.ask() as answer:
        assert (answer.status, answer.content_type) == (503, "text/html")
        assert answer.headers["Retry-After"] == "7"
        assert "ETag" not in answer.headers
        assert "503 Service Unavailable" in await answer.text()


async def test_status_headers_content_type_and_body_can_be_replaced(client: Client) -> None:
    client.server.script(
        Fault(status=500), Fault(headers={"X-Test": "1"}, content_type="text/html"), Fault(body=b"\xff{")
    )
    async with client.ask() as answer:
        assert (answer.status, (await answer.json())["code"]) == (500, 200)
    async with client.ask() as answer:
        assert (answer.headers["X-Test"], answer.content_type) == ("1", "text/html")
    async with client.ask() as answer:
        assert (await answer.read(), answer.content_type) == (b"\xff{", "application/json")


async def test_the_content_type_can_be_missing(client: Client) -> None:
    client.server.script(Fault(content_type=""))
    async with client.ask() as answer:
        assert "Content-Type" not in answer.headers


async def test_a_delayed_answer_comes_late(client: Client) -> None:
    client.server.script(Fault(delay=0.05))
    began = now()
    assert await client.code() == 200
    assert now() - began == pytest.approx(0.05, abs=0.01)


async def test_a_truncated_answer_promises_more_than_it_sends(client: Client) -> None:
    client.server.script(Fault(truncate=25))
    async with client.ask() as answer:
        assert answer.content_length is not None
        assert answer.content_length > 1000
        with pytest.raises(aiohttp.ClientPayloadError, match="received 25 of"):
            await answer.read()
    assert await client.code() == 200


async def test_truncating_beyond_the_end_leaves_the_answer_whole(client: Client) -> None:
    client.server.script(Fault(truncate=1_000_000))
    assert await client.code() == 200


async def test_a_reset_before_the_headers_leaves_no_answer(client: Client) -> None:
    client.server.script(Fault(reset="before_headers"))
    with pytest.raises(aiohttp.ClientOSError, match="reset by peer"):
        await client.body()


@pytest.mark.parametrize("sent", [None, 0, 10])
async def test_a_reset_after_the_headers_breaks_the_body_off(client: Client, sent: int | None) -> None:
    client.server.script(Fault(reset="after_headers", truncate=sent))
    async with client.ask() as answer:
        assert answer.status == 200
        with pytest.raises(aiohttp.ClientPayloadError):
            await answer.read()


async def test_a_dripping_body_comes_whole_but_slowly(client: Client) -> None:
    whole = await client.body()
    client.server.script(Fault(drip=len(whole) / 0.3))
    began = now()
    assert await client.body() == whole
    assert now() - began == pytest.approx(0.2, abs=0.01)  # three pieces, a tenth of a second apart


@pytest.mark.parametrize("drip", [None, 1e6], ids=["at once", "dripping"])
async def test_hanging_up_closes_the_connection_without_having_said_so(
    client: Client, drip: float | None
) -> None:
    client.server.always(Fault(hang_up=True, drip=drip))
    async with client.ask() as answer:
        assert answer.headers["Connection"] == "keep-alive"
        assert (await answer.json())["code"] == 200
    reader, writer = await asyncio.open_connection(*client.server.url.removeprefix("http://").split(":"))
    writer.write(b"POST /api/v2/Agent/live HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}")
    assert (await asyncio.wait_for(reader.read(), 5)).endswith(b'"code":1020}')
    writer.close()
    await writer.wait_closed()


async def test_raw_bytes_are_sent_as_they_are(client: Client) -> None:
    good = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}"
    client.server.script(Fault(raw=good), Fault(raw=b"junk\r\n\r\n"))
    assert await client.body() == b"{}"
    with pytest.raises(aiohttp.ClientResponseError, match="Bad status line"):
        await client.body()


@pytest.mark.parametrize("fault", [Fault(delay=math.inf), Fault(drip=1.0)], ids=["stalled", "dripping"])
async def test_closing_the_simulator_ends_a_stalled_answer_at_once(fault: Fault) -> None:
    async with aiohttp.ClientSession() as http:
        async with Simulator(agents=10) as server:
            server.script(fault)
            waiting = asyncio.create_task(Client(http, server).body())
            await asyncio.sleep(0.05)
            assert server.request_count == 1
            began = now()
        assert now() - began < 0.5
        with pytest.raises(aiohttp.ClientError):
            await waiting


async def test_a_client_that_gives_up_ends_its_request(client: Client) -> None:
    client.server.script(Fault(delay=math.inf))
    tasks = asyncio.all_tasks()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.02):
            await client.body()
    await asyncio.sleep(0.02)
    assert await client.code() == 200
    assert len(asyncio.all_tasks() - tasks) <= 1  # the connection just used


def test_a_fault_refuses_what_makes_no_sense() -> None:
    for wrong in ({"delay": -1}, {"drip": 0}, {"truncate": -1}, {"reset": "later"}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            Fault(**wrong)
