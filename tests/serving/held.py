"""An ASGI app that accepts every websocket and leaves the rest to the test."""

from __future__ import annotations

import asyncio
from typing import Any

from microblog.wire import Connection
from tests.serving.peer import SOON


async def all_gone() -> None:
    """Wait until the server has let go of every connection."""
    if tasks := {connection.task for connection in Connection.alive}:
        _, staying = await asyncio.wait(tasks, timeout=SOON)
        assert not staying


class Socket:
    def __init__(self, scope: Any, send: Any) -> None:
        self.scope = scope
        self.send = send
        self.received: asyncio.Queue[Any] = asyncio.Queue()
        self.ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    @property
    def wire(self) -> Any:
        return self.scope["extensions"]["microblog.wire"]

    async def send_text(self, text: str) -> None:
        await self.send({"type": "websocket.send", "text": text})

    async def close(self, code: int) -> None:
        await self.send({"type": "websocket.close", "code": code})


class Held:
    def __init__(self) -> None:
        self.opened: asyncio.Queue[Socket] = asyncio.Queue()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        assert scope["type"] == "websocket", "no lifespan here"
        await receive()
        await send({"type": "websocket.accept"})
        socket = Socket(scope, send)
        self.opened.put_nowait(socket)
        while (event := await receive())["type"] == "websocket.receive":
            socket.received.put_nowait(event)
        socket.ended.set_result(event["code"])
