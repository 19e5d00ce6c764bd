"""Many sockets in one process, read as cheaply as Python can: the server is to be the bottleneck.

Of each frame only the header is looked at, and whether its text begins as an event's does.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from array import array
from collections.abc import Iterator, Sequence
from typing import Any

from tests.frames import PING, PONG, frame, handshake, read_frames
from tests.process import open_files

AT_ONCE = 50  # handshakes under way
PATIENCE = 60.0  # seconds
REST = 1.0
EVENT = b'{"type":"event"'
DEFLATE = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"


class Crowd:
    """Everyone connected to one server, and when each event reached each of them."""

    def __init__(
        self, port: int, path: str = "/", cookies: Sequence[str] = ("",),
        greeting: bytes = b"", *, offers: str = "",
    ) -> None:  # fmt: skip
        """`greeting` begins the message after which a socket only waits for events; `offers` is a
        header line of each handshake."""
        self.greeting = greeting
        self.path = path
        self.arrivals: array[float] = array("d")  # seconds since 1970
        self.text = b""  # of the newest event
        self.gone = 0
        self._port = port
        self._offers = offers
        self._cookies = cookies
        self._sockets: list[_Socket] = []
        self._due: Sequence[float] = ()
        self._wanted = 0
        self._all_here = asyncio.Event()

    def __len__(self) -> int:
        return len(self._sockets)

    async def grow(self, size: int) -> float:
        """Open sockets until there are `size`, and let the server come to rest; how many seconds
        it took until the last was in."""
        began, wanted = time.perf_counter(), iter(range(len(self), size))
        await asyncio.gather(*(self._join_each(wanted) for _ in range(AT_ONCE)))
        took = time.perf_counter() - began
        await asyncio.sleep(REST)
        return took

    async def _join_each(self, numbers: Iterator[int]) -> None:
        for number in numbers:
            await self._join(number)

    def expect(self, due: Sequence[float] = ()) -> None:
        """One event is about to be sent to everybody; or one at each of the moments `due`, and then
        what is kept of an arrival is how much later it was."""
        self.arrivals = array("d")
        self._due = due
        self._wanted = len(self) * max(1, len(due))
        for socket in self._sockets:
            socket.got = 0
        self._all_here.clear()

    async def all_here(self) -> array[float]:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                await self._all_here.wait()
        if self.gone or len(self.arrivals) < self._wanted:
            raise SystemExit(
                f"Port {self._port}: {len(self.arrivals)} of {self._wanted} sockets have it after"
                f" {PATIENCE:g} s at most; {self.gone} were dropped."
            )
        return self.arrivals

    def arrived(self, text: bytes, before: int) -> None:
        """At a socket that has had `before` events."""
        self.text = text
        self.arrivals.append(time.time() - (self._due[before] if self._due else 0.0))
        if len(self.arrivals) == self._wanted:
            self._all_here.set()

    async def leave(self) -> None:
        """Everybody hangs up at once."""
        for socket in self._sockets:
            socket.leaves = True
            socket.transport.abort()
        self._sockets.clear()
        await asyncio.sleep(REST)

    async def _join(self, number: int) -> None:
        loop = asyncio.get_running_loop()
        cookie = self._cookies[number % len(self._cookies)]
        request = handshake(self._port, self.path, cookie=cookie, offers=self._offers)
        _, socket = await loop.create_connection(
            lambda: _Socket(self, request), "127.0.0.1", self._port
        )
        async with asyncio.timeout(PATIENCE):
            await socket.ready
        self._sockets.append(socket)


class _Socket(asyncio.Protocol):
    __slots__ = ("_accepted", "_crowd", "_request", "_rest", "got", "leaves", "ready", "transport")

    def __init__(self, crowd: Crowd, request: bytes) -> None:
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.got = 0
        self.leaves = False
        self._accepted = False
        self._crowd = crowd
        self._request = request
        self._rest = b""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        transport.write(self._request)

    def connection_lost(self, _error: Exception | None) -> None:
        self._crowd.gone += not self.leaves
        if not self.ready.done():
            self.ready.set_exception(ConnectionError(self._rest[:200]))

    def data_received(self, data: bytes) -> None:
        data = self._rest + data if self._rest else data
        if not self._accepted:
            head, end, rest = data.partition(b"\r\n\r\n")
            self._accepted = bool(end) and head.startswith(b"HTTP/1.1 101")
            if not self._accepted:
                self._rest = data
                return
            data = rest
            self._greeted(b"")
        self._rest = read_frames(data, self._take)

    def _take(self, head: int, text: bytes) -> None:
        if text.startswith(EVENT):
            self._crowd.arrived(text, self.got)
            self.got += 1
        elif head == PING:
            self.transport.write(frame(PONG, text))
        else:
            self._greeted(text)

    def _greeted(self, text: bytes) -> None:
        if not self.ready.done() and text.startswith(self._crowd.greeting):
            self.ready.set_result(None)


def allow_files(wanted: int) -> None:
    """End with a sentence if a process, and those it starts, may not open so many."""
    if unable := open_files(wanted):
        raise SystemExit(f"It {unable}.")
