"""Somebody who asks for pages as fast as they are answered, with as little of Python as it takes:
the server is to be what is measured."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from urllib.parse import urlencode

PATIENCE = 60.0  # seconds for an answer
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes
    location: str = ""  # where a redirect leads


class Visitor:
    """One connection, kept as long as the server keeps it."""

    def __init__(self, port: int, cookie: str = "") -> None:
        self._port = port
        self._cookie = f"Cookie: {cookie}\r\n" if cookie else ""
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def get(self, path: str) -> Answer:
        return await self._asked(f"GET {path} HTTP/1.1\r\n{self._head()}\r\n".encode())

    async def submit(self, path: str, **fields: str) -> Answer:
        body = urlencode(fields)
        length = f"Content-Type: {FORM}\r\nContent-Length: {len(body)}\r\n"
        return await self._asked(
            f"POST {path} HTTP/1.1\r\n{self._head()}{length}\r\n{body}".encode()
        )

    def _head(self) -> str:
        return f"Host: 127.0.0.1:{self._port}\r\nAccept-Language: en\r\n{self._cookie}"

    async def _asked(self, request: bytes) -> Answer:
        async with asyncio.timeout(PATIENCE):
            for fresh in (False, True):  # a kept connection may have ended meanwhile
                reader, writer = await self._connected(fresh=fresh)
                writer.write(request)
                try:
                    return await self._answer(reader)
                except (asyncio.IncompleteReadError, ConnectionError):
                    self.close()
        raise SystemExit(f"Port {self._port} hangs up instead of answering.")

    async def _connected(self, *, fresh: bool) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if fresh or self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port, limit=1 << 20)
        return self._streams

    async def _answer(self, reader: asyncio.StreamReader) -> Answer:
        start, *lines = (await reader.readuntil(b"\r\n\r\n")).split(b"\r\n")
        named = (line.split(b": ", 1) for line in lines if line)
        headers = {name.lower(): value for name, value in named}
        if b"content-length" in headers:
            body = await reader.readexactly(int(headers[b"content-length"]))
        elif headers.get(b"transfer-encoding") == b"chunked":
            body = await _chunks(reader)
        else:
            body = await reader.read()
        if headers.get(b"connection", b"").lower() == b"close":
            self.close()
        location = headers.get(b"location", b"").decode("latin-1")
        return Answer(int(start.split()[1]), body, location)

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    found = b""
    while size := int(await reader.readuntil(b"\r\n"), 16):
        found += (await reader.readexactly(size + 2))[:-2]
    await reader.readexactly(2)
    return found


@dataclass
class Visits:
    """How long each answer took, and how long all of it did."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)  # ms

    def add(self, other: Visits) -> None:
        self.seconds += other.seconds
        self.latencies += other.latencies

    @property
    def per_second(self) -> float:
        return len(self.latencies) / self.seconds


async def visits(
    ask: Callable[[int], Awaitable[Answer]], visitors: int, seconds: float, wanted: int
) -> Visits:
    """Everybody asks (`ask(number of the visitor)`) again and again until the time is over; an
    answer that is not `wanted` ends the bench."""
    found, began = Visits(), time.perf_counter()

    async def one(number: int) -> None:
        while (asked := time.perf_counter()) < began + seconds:
            answer = await ask(number)
            if answer.status != wanted:
                raise SystemExit(f"{answer.status} instead of {wanted}: {answer.body[:500]!r}")
            found.latencies.append((time.perf_counter() - asked) * 1000)

    await asyncio.gather(*(one(number) for number in range(visitors)))
    found.seconds = time.perf_counter() - began
    return found
