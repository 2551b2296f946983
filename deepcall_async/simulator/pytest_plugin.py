"""A pytest fixture: a running simulator, a fresh one for each test.

In your `conftest.py`:

    pytest_plugins = ["deepcall_async.simulator.pytest_plugin"]

and in a test (it needs pytest-asyncio):

    @pytest.mark.deepcall_simulator(agents=5, warp=60.0)  # optional: arguments of Simulator
    async def test_my_bot(deepcall_simulator: Simulator) -> None:
        auth = TokenAuth(deepcall_simulator.user_id, deepcall_simulator.token)
        async with DeepcallSession(auth, base_url=deepcall_simulator.url) as session:
            ...
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from ._server import Simulator

try:
    import pytest_asyncio
except ImportError as error:  # pragma: no cover
    raise ImportError("the deepcall_simulator fixture needs pytest-asyncio: install it") from error


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line(
        "markers", "deepcall_simulator(**options): arguments of the Simulator behind `deepcall_simulator`"
    )


@pytest_asyncio.fixture
async def deepcall_simulator(request: pytest.FixtureRequest) -> AsyncIterator[Simulator]:
    """A running `Simulator`, with the arguments of the marker of the same name."""
    marker = request.node.get_closest_marker("deepcall_simulator")
    args, options = (marker.args, marker.kwargs) if marker else ((), {})
    async with Simulator(*args, **options) as server:
        yield server
