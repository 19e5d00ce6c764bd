"""An open page, as cheap as Python allows: what `static/js/lib/live.js` and `connection.js` do.

It keeps its position, drops what it has applied, and comes back with the same pauses as the script
unless told to hurry.  One event may come as several messages, so only the next one proves the last
complete: a page asks once more for the last event it was told of.
"""

from __future__ import annotations

import asyncio
import json
import random
import struct
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from tests.faults.people import Seat
from tests.frames import ACCEPTED, CLOSE, PING, PONG, TEXT, frame, handshake, read_frames

GONE = 0  # no close frame: cut, refused or killed
SIGNED_OUT = 4001
OPENING = 20.0  # seconds a handshake may take


class Page:
    """`silence`: seconds without a word after which the connection is taken for dead; `hurry`: the
    longest pause before it comes back, instead of the script's."""

    def __init__(
        self, port: int, seat: Seat | None = None, *, stream: str = "home", via: int | None = None,
        since: str | None = None, silence: float = 60.0, hurry: float | None = None,
        source: str | None = None,
    ) -> None:  # fmt: skip
        self.seat = seat
        self.port = port
        self.via = via or port
        self.stream = stream
        self.position = since  # up to which nothing is missing
        self.told: list[int] = []  # ids of events about posts, each once
        self.shown: list[int] = []  # ids of posts, as they were inserted
        self.repeats = 0  # messages that came again
        self.resets = 0
        self.connections = 0
        self.accepted = 0  # the same, and those that ended before they had caught up
        self.closes: list[int] = []
        self.refusals: list[int] = []  # statuses of refused handshakes
        self.arrived: Callable[[dict[str, Any]], None] = _nothing
        self.socket: Socket | None = None
        self._silence = silence
        self._hurry = hurry
        self._source = source
        self._attempts = 0
        self._last = 0
        self._newest = since
        self._applied: set[tuple[str, str]] = set()

    def __str__(self) -> str:
        """How it stands, for whoever looks for the cause of something missing."""
        if self.socket is None or self.socket.closed.done():
            state = (
                f"away since {time.monotonic() - self.socket.closed_at:.1f} s"
                if self.socket
                else "new"
            )
        else:
            state = "caught up" if self.is_caught_up else f"opening, {self.socket.status}"
        name = self.seat.name if self.seat else "somebody"
        ends = f"closed with {self.closes[-3:]}, refused with {self.refusals[-3:]}"
        return f"{name} is {state}, at {self.position}; was {ends}"

    @property
    def is_caught_up(self) -> bool:
        return self.socket is not None and self.socket.caught_up.done()

    async def run(self) -> None:
        """Until cancelled, or told that it is signed out."""
        try:
            while (code := await self.once()) != SIGNED_OUT:
                await asyncio.sleep(self._pause(code))
        finally:
            self.leave()

    async def once(self) -> int:
        """Connect unless it is connected, listen until it ends; the close code."""
        with suppress(OSError, TimeoutError):
            if self.socket is None or self.socket.closed.done():
                await self.open()
            return await self.until_closed()
        self.leave()
        return GONE

    async def open(self) -> Page:
        """Connected and caught up.  Raises OSError when refused or cut off before."""
        loop = asyncio.get_running_loop()
        since = f"&since={self.position}" if self.position else ""
        cookie = self.seat.cookie if self.seat else ""
        request = handshake(self.port, f"/live?stream={self.stream}{since}", cookie=cookie)
        async with asyncio.timeout(OPENING):
            _, self.socket = await loop.create_connection(
                lambda: Socket(request, self._hear), "127.0.0.1", self.via,
                local_addr=(self._source, 0) if self._source else None,
            )  # fmt: skip
            try:
                await self.socket.caught_up
            except OSError:
                self.refusals.append(self.socket.status)
                raise
            finally:
                self.accepted += self.socket.status == ACCEPTED
        self.connections += 1
        self._attempts = 0
        return self

    async def until_closed(self) -> int:
        assert self.socket is not None
        open_socket = self.socket
        while not open_socket.closed.done():
            quiet = time.monotonic() - open_socket.heard_at
            if quiet > self._silence:
                open_socket.abort()
            wait = max(0.05, min(self._silence - quiet, 5.0))
            await asyncio.wait([open_socket.closed], timeout=wait)
        code = await open_socket.closed
        self.closes.append(code)
        return code

    def leave(self) -> None:
        if self.socket is not None:
            self.socket.abort()

    def _pause(self, code: int) -> float:
        attempts, self._attempts = self._attempts, self._attempts + 1
        if self._hurry is not None:
            return random.uniform(0, self._hurry)
        if code == 1012 and not attempts:
            return random.uniform(0.1, 2)
        return random.uniform(0.5, min(30, 2**attempts))

    def _hear(self, said: dict[str, Any]) -> None:
        match said["type"]:
            case "event" | "count":
                self._apply(said)
            case "reset":
                self.resets += 1
                self._last = 0
                self._reached(said["position"])
            case "hello" if self.position:
                pass
            case _:
                self._reached(said["position"])

    def _apply(self, said: dict[str, Any]) -> None:
        if said["type"] == "count":
            return
        what = (said["action"], said["element"])
        if said["id"] < self._last or (said["id"] == self._last and what in self._applied):
            self.repeats += 1
            return
        if said["id"] > self._last:
            self.position, self._last = self._newest, said["id"]
            self._applied.clear()
        self._newest = said["position"]
        self._applied.add(what)
        if said["target"] == "timeline":
            self.told.append(said["id"])
            if said["action"] == "insert":
                self.shown.append(int(said["element"].split("-")[1]))
        self.arrived(said)

    def _reached(self, position: str) -> None:
        self.position = self._newest = position


class Socket(asyncio.Protocol):
    """One connection: the handshake, frames, pongs."""

    def __init__(self, request: bytes, hear: Callable[[dict[str, Any]], None]) -> None:
        loop = asyncio.get_running_loop()
        self.caught_up: asyncio.Future[None] = loop.create_future()
        self.closed: asyncio.Future[int] = loop.create_future()
        self.heard_at = self.closed_at = time.monotonic()
        self.status = 0
        self._request = request
        self._hear = hear
        self._rest = b""
        self._code = GONE

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        transport.write(self._request)

    def connection_lost(self, _error: Exception | None) -> None:
        self.closed_at = time.monotonic()
        if not self.closed.done():
            self.closed.set_result(self._code)
        if not self.caught_up.done():
            self.caught_up.set_exception(ConnectionError(f"refused with {self.status}"))
            self.caught_up.exception()  # whether or not anybody waits for it

    def abort(self) -> None:
        self.transport.abort()

    def data_received(self, data: bytes) -> None:
        self.heard_at = time.monotonic()
        data = self._rest + data if self._rest else data
        if self.status != ACCEPTED:
            head, end, rest = data.partition(b"\r\n\r\n")
            if not end:
                self._rest = data
                return
            self.status, data = int(head.split(b" ", 2)[1]), rest
            if self.status != ACCEPTED:
                self.transport.close()
                return
        self._rest = read_frames(data, self._take)

    def _take(self, head: int, payload: bytes) -> None:
        if head == TEXT:
            said = json.loads(payload)
            self._hear(said)
            if said["type"] == "caught_up" and not self.caught_up.done():
                self.caught_up.set_result(None)
        elif head == PING:
            self.transport.write(frame(PONG, payload))
        elif head == CLOSE:
            self._code = struct.unpack("!H", payload[:2])[0] if payload else 1005
            self.transport.write(frame(CLOSE, payload))
            self.transport.close()


def _nothing(_said: dict[str, Any]) -> None:
    pass
