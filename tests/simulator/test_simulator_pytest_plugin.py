"""The pytest fixture for users' own tests, tried in a test suite of a user's."""

import pytest

pytest_plugins = ["pytester"]

SETTINGS = """
[pytest]
asyncio_mode = strict
asyncio_default_fixture_loop_scope = function
addopts = --strict-markers
"""
TESTS = """
import aiohttp
import pytest

from deepcall_async.simulator import DEFAULT_START, Simulator


@pytest.mark.asyncio
async def test_the_fixture_is_a_running_simulator(deepcall_simulator: Simulator) -> None:
    url = f"{deepcall_simulator.url}/api/v2/Agent/live"
    async with aiohttp.ClientSession() as http:
        async with http.post(url, json={"ssid": deepcall_simulator.ssid}) as answer:
            assert len((await answer.json())["message"]["pr"]) == 50


@pytest.mark.asyncio
@pytest.mark.deepcall_simulator(agents=3, warp=0.0)
async def test_the_marker_gives_the_simulators_arguments(deepcall_simulator: Simulator) -> None:
    assert deepcall_simulator.time == DEFAULT_START
    assert "Floor of 3 agents" in repr(deepcall_simulator)
"""


def test_the_fixture_and_its_marker_work_as_documented(pytester: pytest.Pytester) -> None:
    pytester.makeini(SETTINGS)
    pytester.makeconftest('pytest_plugins = ["deepcall_async.simulator.pytest_plugin"]')
    pytester.makepyfile(TESTS)
    pytester.runpytest_inprocess("-p", "no:cacheprovider").assert_outcomes(passed=2)
