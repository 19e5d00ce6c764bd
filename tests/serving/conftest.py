"""Our connection classes under Hypercorn in this process, on free ports of loopback."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import hypercorn.asyncio
import pytest
from hypercorn import protocol
from hypercorn.asyncio import run
from hypercorn.config import Config
from hypercorn.protocol import h2, h11

from microblog import wire
from microblog.wire import Connection
from tests.serving.running import another_python

Start = Callable[..., Awaitable[int]]


@pytest.fixture(params=["this Python", "another Python"])
def python(request: pytest.FixtureRequest) -> str:
    """What asyncio's servers wait for changed in 3.12 (Hypercorn #308), so one each if possible."""
    python = sys.executable if request.param == "this Python" else another_python()
    if python is None:
        pytest.skip("no other Python here that can import Quart")
    return python


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ours for one test; afterwards Hypercorn is as it was.  What is to happen at once does not
    happen because somebody has lingered long enough."""
    monkeypatch.setattr(wire, "LINGER", 60.0)
    places = [(h11, "WSStream"), (h2, "WSStream"), (protocol, "H11Protocol"), (run, "TCPServer")]
    for module, name in places:
        monkeypatch.setattr(module, name, getattr(module, name))
    wire.install()


@pytest.fixture
async def start(installed: None) -> AsyncIterator[Start]:
    """Call it with an ASGI app and Hypercorn's settings; it returns the port."""
    async with AsyncExitStack() as stack:

        async def begin(app: Any, **settings: Any) -> int:
            return await stack.enter_async_context(_serving(app, settings))

        yield begin


@asynccontextmanager
async def _serving(app: Any, settings: dict[str, Any]) -> AsyncIterator[int]:
    config = Config.from_mapping(
        {"websocket_max_message_size": 4096, "errorlog": None, "bind": "127.0.0.1:0", **settings}
    )
    (sock,) = config.create_sockets().insecure_sockets
    port = sock.getsockname()[1]
    config.bind = f"fd://{sock.detach()}"
    ready, stop = asyncio.Event(), asyncio.Event()

    async def until_stopped() -> None:
        ready.set()
        await stop.wait()

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(
            hypercorn.asyncio.serve(app, config, shutdown_trigger=until_stopped, mode="asgi")
        )
        await ready.wait()
        try:
            yield port
        finally:
            for connection in tuple(Connection.alive):
                connection.hang_up()
            stop.set()
