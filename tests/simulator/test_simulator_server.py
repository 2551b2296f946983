"""The simulator over real sockets: it answers as the vendor's server does, as far as that is known."""

import asyncio
import base64
import hashlib
import json
import socket
from collections.abc import AsyncIterator
from email.utils import parsedate_to_datetime
from functools import partial
from itertools import pairwise
from typing import Any

import aiohttp
import looptime
import pytest
import pytest_asyncio

from deepcall_async._wire.decoder import decode_snapshot
from deepcall_async.simulator import DEFAULT_START, INVENTED, SAMPLE, SAMPLE_TIME, Floor, Simulator
from tests.fake_server import reserved_port

pytestmark = pytest.mark.wire

LIVE = "/api/v2/Agent/live"
SAMPLE_HEADERS = {
    "Date": "Sat, 16 Nov 2024 12:19:25 GMT",
    "Content-Type": "application/json; charset=utf-8",
    "Content-Length": "1598",
    "Connection": "keep-alive",
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "POST, GET, OPTIONS, PATCH, DELETE",
    "Access-Control-Allow-Headers": "X-Requested-With, content-type",
    "Access-Control-Allow-Credentials": "true",
    "Vary": "Origin",
    "ETag": 'W/"63e-/9QZd66dA5U3H0/g7We2krINLlM"',
    "Strict-Transport-Security": "max-age=15724800; includeSubDomains",
}


class Client:
    """Posts to one simulator; the answer is (HTTP status, headers, body)."""

    def __init__(self, http: aiohttp.ClientSession, server: Simulator) -> None:
        self.http = http
        self.server = server

    async def send(
        self, body: Any, path: str = LIVE, method: str = "POST", **options: Any
    ) -> tuple[int, dict[str, str], bytes]:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        async with self.http.request(method, self.server.url + path, data=data, **options) as answer:
            return answer.status, dict(answer.headers), await answer.read()

    async def live(self, **parameters: Any) -> dict[str, Any]:
        """The answer to good credentials with these parameters, decoded."""
        _, _, body = await self.send({"ssid": self.server.ssid, **parameters})
        reply: dict[str, Any] = json.loads(body)
        return reply

    async def code(self, body: Any) -> int:
        code: int = json.loads((await self.send(body))[2])["code"]
        return code


@pytest_asyncio.fixture
async def client() -> AsyncIterator[Client]:
    async with Simulator(agents=10) as server, aiohttp.ClientSession() as http:
        yield Client(http, server)


# --- the vendor's sample ------------------------------------------------------------------------


async def test_the_vendors_sample_comes_byte_for_byte_with_all_its_headers_and_no_other() -> None:
    async with Simulator.sample() as server, aiohttp.ClientSession() as http:
        for body in ({"ssid": server.ssid}, {"userId": server.user_id, "token": server.token}):
            status, headers, reply = await Client(http, server).send(body)
            assert (status, reply) == (200, SAMPLE)
            assert {key.lower(): value for key, value in headers.items()} == {
                key.lower(): value for key, value in SAMPLE_HEADERS.items()
            }
        assert server.time == SAMPLE_TIME


async def test_header_names_are_written_as_the_vendor_writes_them() -> None:
    async with Simulator.sample() as server:
        reader, writer = await asyncio.open_connection(*server.url.removeprefix("http://").split(":"))
        body = json.dumps({"ssid": server.ssid})
        writer.write(f"POST {LIVE} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        assert {line.partition(":")[0] for line in head.splitlines()[1:-1]} == set(SAMPLE_HEADERS)
        writer.close()
        await writer.wait_closed()


async def test_the_etag_is_made_of_length_and_hash(client: Client) -> None:
    _, headers, body = await client.send({"ssid": client.server.ssid})
    digest = base64.b64encode(hashlib.sha1(body).digest()).decode()[:27]  # noqa: S324
    assert headers["Etag"] == f'W/"{len(body):x}-{digest}"'


async def test_a_client_that_wants_the_connection_closed_is_told_so(client: Client) -> None:
    _, headers, _ = await client.send({}, headers={"Connection": "close"})
    assert headers["Connection"] == "close"


# --- requests -----------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [LIVE, LIVE + "/", "/API/v2/agent/LIVE", LIVE + "?x=1"])
async def test_the_path_may_end_in_a_slash_and_be_of_any_case(client: Client, path: str) -> None:
    status, _, body = await client.send({"ssid": client.server.ssid}, path)
    assert (status, json.loads(body)["status"]) == (200, "success")


@pytest.mark.parametrize(
    "content_type", ["application/json", "text/plain", "application/x-www-form-urlencoded", ""]
)
async def test_the_body_is_read_as_json_whatever_its_content_type(client: Client, content_type: str) -> None:
    headers = {"Content-Type": content_type}
    _, _, body = await client.send({"ssid": client.server.ssid}, headers=headers)
    assert json.loads(body)["code"] == 200


@pytest.mark.parametrize(
    ("method", "path"), [("GET", LIVE), ("POST", "/"), ("POST", LIVE + "//"), ("POST", "/<b>")]
)
async def test_other_methods_and_paths_get_the_html_page_of_express(
    client: Client, method: str, path: str
) -> None:
    status, headers, page = await client.send({"ssid": client.server.ssid}, path, method)
    assert (status, headers["Content-Type"]) == (404, "text/html; charset=utf-8")
    assert f"Cannot {method} /".encode() in page
    assert b"<b>" not in page


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"ssid"', b"\xff", b"ssid=1", b"[" * 100_000])
async def test_a_body_that_is_no_object_gets_1047(client: Client, body: bytes) -> None:
    assert await client.code(body) == 1047


async def test_credentials_are_checked(client: Client) -> None:
    user, token, ssid = client.server.user_id, client.server.token, client.server.ssid
    assert await client.code({"ssid": ssid}) == 200
    assert await client.code({"userId": user, "token": token}) == 200
    assert await client.code({"userId": int(user), "token": token}) == 200
    assert await client.code({"ssid": "wrong"}) == 1014
    assert await client.code({"userId": user, "token": ssid}) == 1014
    assert await client.code({"userId": "1", "token": token}) == 1014
    assert await client.code({"ssid": ["wrong"]}) == 1014
    assert await client.code({}) == 1020
    assert await client.code({"ssid": "", "token": ""}) == 1020
    assert await client.code({"userId": user}) == 1020
    assert await client.code({"token": token}) == 1002
    for more in ({"userId": user, "token": token}, {"userId": user}, {"token": token}):
        assert await client.code({"ssid": ssid, **more}) == 1000


async def test_an_error_comes_in_the_envelope_with_http_200(client: Client) -> None:
    status, headers, body = await client.send({"ssid": "wrong"})
    assert (status, body) == (200, b'{"status":"error","message":"Invalid token","code":1014}')
    assert headers["Content-Type"] == "application/json; charset=utf-8"


async def test_errors_can_come_with_another_http_status() -> None:
    async with Simulator(agents=1, http_status_for_errors=400) as server, aiohttp.ClientSession() as http:
        client = Client(http, server)
        assert (await client.send({}))[0] == 400
        assert (await client.send({"ssid": server.ssid}))[0] == 200


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({"status": "busy"}, 1000),
        ({"status": 1}, 1001),
        ({"A": 2}, 1000),
        ({"A": "1"}, 1001),
        ({"A": True}, 1001),
        ({"filter": {}}, 1502),
        ({"filter": ["x"]}, 1502),
        ({"groupid": "1"}, 1006),
        ({"groupid": 55}, 1001),
        ({"groupId": "1", "groupid": "", "A": 1, "filter": [{"x": 1}], "status": "all"}, 200),
    ],
)
async def test_parameters_are_checked(client: Client, parameters: dict[str, Any], code: int) -> None:
    assert (await client.live(**parameters))["code"] == code


async def test_status_and_group_narrow_the_rows(client: Client) -> None:
    everybody = (await client.live())["message"]["pr"]
    group = (await client.live(groupid="56"))["message"]["pr"]
    logged_in = (await client.live(status="login"))["message"]["pr"]
    assert len(everybody) == 10
    assert 0 < len(group) < 10
    assert logged_in == [row for row in everybody if (row["l"], row["ml"]) != ("No", "No")]


# --- credentials that change --------------------------------------------------------------------


async def test_expired_credentials_get_1014_until_others_are_accepted(client: Client) -> None:
    server = client.server
    old_ssid, pair = server.ssid, {"userId": server.user_id, "token": server.token}
    server.expire()
    assert await client.code({"ssid": old_ssid}) == await client.code(pair) == 1014
    server.accept(ssid="new")
    assert server.ssid == "new"
    assert await client.code({"ssid": "new"}) == 200
    assert await client.code({"ssid": old_ssid}) == await client.code(pair) == 1014
    server.accept(token="renewed")
    assert await client.code(pair | {"token": "renewed"}) == await client.code({"ssid": "new"}) == 200


async def test_accepting_nothing_new_makes_the_present_credentials_good_again(client: Client) -> None:
    client.server.expire()
    client.server.accept()
    assert (await client.live())["code"] == 200


async def test_credentials_can_be_chosen_and_are_never_shown() -> None:
    async with Simulator(agents=1, user_id="chosen-u", token="chosen-t", ssid="chosen-s") as server:
        assert (server.user_id, server.token, server.ssid) == ("chosen-u", "chosen-t", "chosen-s")
        for shown in (repr(server), repr(vars(server))):
            assert "chosen" not in shown


async def test_made_up_credentials_differ_from_one_simulator_to_the_next() -> None:
    assert Simulator(agents=0).ssid != Simulator(agents=0).ssid


async def test_received_requests_are_kept_without_their_secrets(client: Client) -> None:
    server = client.server
    bodies: list[Any] = [
        {"ssid": server.ssid, "A": 1},
        {"userId": server.user_id, "token": server.token},
        {"SSID": server.ssid, "Token": server.token},
        f'{{"ssid": "{server.ssid}", '.encode(),
    ]
    for body in bodies:
        await client.send(body, f"{LIVE}?token={server.token}")
    assert [request.body for request in server.requests] == [
        {"ssid": "***", "A": 1},
        {"userId": "***", "token": "***"},
        {"SSID": "***", "Token": "***"},
        None,
    ]
    assert server.request_count == 4
    first = server.requests[0]
    assert (first.method, first.path) == ("POST", LIVE)
    kept = repr(server.requests)
    assert not any(secret in kept for secret in (server.ssid, server.token, server.user_id))


# --- time -----------------------------------------------------------------------------------------


def test_the_servers_time_runs_warped_on_the_loops_clock() -> None:
    async def run() -> None:
        async with Simulator(agents=5, warp=60.0) as server, aiohttp.ClientSession() as http:
            client = Client(http, server)
            for second in (0, 1, 10, 3600):
                await asyncio.sleep(second - (server.time - DEFAULT_START) / 60)
                _, headers, body = await client.send({"ssid": server.ssid})
                seen = decode_snapshot(body).server_time
                assert seen.timestamp() == pytest.approx(DEFAULT_START + 60 * second, abs=10)
                assert parsedate_to_datetime(headers["Date"]) == seen

    with asyncio.Runner(loop_factory=partial(looptime.new_event_loop, _enabled=True)) as runner:
        runner.run(run())


async def test_a_floor_that_stands_still_moves_when_it_is_advanced_by_hand() -> None:
    async with Simulator(agents=1, warp=0.0) as server:
        server.floor.advance(server.time + 600)
        assert server.time == DEFAULT_START + 600


async def test_a_floor_that_has_lived_goes_on_from_where_it_is() -> None:
    floor = Floor(3)
    floor.advance(floor.start + 1000)
    async with Simulator(floor, warp=0.0) as server:
        assert server.time == DEFAULT_START + 1000


async def test_the_servers_time_never_decreases(client: Client) -> None:
    times = [client.server.time for _ in range(100)]
    assert all(earlier <= later for earlier, later in pairwise(times))


# --- running --------------------------------------------------------------------------------------


async def test_outside_of_its_block_it_has_no_url_and_answers_nobody() -> None:
    with reserved_port() as port:
        server = Simulator(agents=1, port=port)
        assert "not running" in repr(server)
        assert server.time == DEFAULT_START
        with pytest.raises(RuntimeError, match="async with"):
            _ = server.url
        async with server:
            assert server.url in repr(server)
            assert server.url.endswith(f":{port}")
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port))


async def test_a_port_in_use_is_an_error_and_leaves_nothing_open(client: Client) -> None:
    port = int(client.server.url.rpartition(":")[2])
    with pytest.raises(OSError, match="address already in use"):
        await Simulator(agents=1, port=port).__aenter__()


async def test_what_is_invented_can_be_told_in_a_header() -> None:
    async with Simulator(agents=1, announce_inventions=True) as server, aiohttp.ClientSession() as http:
        _, headers, _ = await Client(http, server).send({"ssid": server.ssid})
    assert headers["X-Simulator-Invents"].split("; ") == list(INVENTED)
