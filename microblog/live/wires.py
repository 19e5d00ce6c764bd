"""Two ways for messages to leave: finished frames into the server's buffer, or one send at a time.

The first costs each socket little more than a buffer write and needs our serving layer
(`microblog.wire` offers it as a scope extension); the second works on any ASGI server.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeAlias

from microblog.live.frames import Message

Send: TypeAlias = Callable[[dict[str, Any]], Awaitable[None]]


class Outlet(Protocol):
    """Where a connection writes its messages.  Nothing here waits but `drained`.

    `write` says how many bytes it took, 0 when the connection is gone; `unsent` counts in the same.
    What the serving layer offers is one: ``scope["extensions"]["microblog.wire"]``.
    """

    def write(self, message: Message) -> int: ...
    def unsent(self) -> int: ...
    async def drained(self) -> None: ...
    def abort(self) -> None: ...


class QueuedOutlet:
    """Keeps messages until `pump`, run beside the receiving loop, has sent them."""

    __slots__ = ("_aborted", "_empty", "_idle", "_send", "_size", "_waiting")

    def __init__(self, send: Send) -> None:
        self._send = send
        self._waiting: deque[str] = deque()
        self._size = 0
        self._idle: asyncio.Future[None] | None = None  # what the pump waits for
        self._empty: asyncio.Event | None = None  # what whoever is catching up waits for
        self._aborted = False

    def write(self, message: Message) -> int:
        if self._aborted:
            return 0
        size = sum(map(len, message.texts))
        self._waiting.extend(message.texts)
        self._size += size
        if (idle := self._idle) is not None and not idle.done():
            idle.set_result(None)
        return size

    def unsent(self) -> int:
        return self._size

    async def drained(self) -> None:
        if self._size:
            self._empty = asyncio.Event()
            await self._empty.wait()

    def abort(self) -> None:
        self._aborted = True

    async def pump(self) -> None:
        waiting, send = self._waiting, self._send
        loop = asyncio.get_running_loop()
        while not self._aborted:
            while waiting:
                text = waiting.popleft()
                await send({"type": "websocket.send", "text": text})
                self._size -= len(text)
            if self._empty is not None:
                self._empty.set()
            self._idle = loop.create_future()
            await self._idle
