"""A wire that can be cut, slowed down or swallow everything: a TCP proxy on loopback.

In front of the site, or of PostgreSQL (its target may be the path of a Unix socket).
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

CHUNK = 65_536


class Proxy:
    """Passes everything on, until told otherwise.  What it is told holds for connections that are
    open and for new ones."""

    def __init__(self, target: int | Path) -> None:
        self.port = 0
        self.delay = 0.0  # seconds, each way, for each chunk
        self._target = target
        self._open: set[_Link] = set()
        self._passing = asyncio.Event()
        self._passing.set()
        self._refusing = False
        self._server: asyncio.Server | None = None

    def __len__(self) -> int:
        """How many connections are open."""
        return len(self._open)

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._attend, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        self._passing.set()
        self.cut()

    def black_hole(self) -> None:
        """Take everything and pass nothing on, without a word: half-open connections."""
        self._passing.clear()

    def refuse(self) -> None:
        """Cut what is open, and every new connection at once."""
        self._refusing = True
        self.cut()

    def restore(self) -> None:
        """Pass again.  What a black hole has swallowed is lost: those connections are cut."""
        if not self._passing.is_set():
            self.cut()
        self._refusing, self.delay = False, 0.0
        self._passing.set()

    def cut(self, most: int | None = None) -> int:
        """Reset connections (RST), all or `most` of them; how many."""
        links = list(self._open)[:most]
        for link in links:
            link.reset()
        return len(links)

    async def _attend(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link = _Link(writer)
        self._open.add(link)
        try:
            if not self._refusing:
                await self._join(link, reader, writer)
        except OSError:
            pass
        finally:
            link.reset()
            self._open.discard(link)

    async def _join(
        self, link: _Link, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        if isinstance(self._target, Path):
            there, back = await asyncio.open_unix_connection(str(self._target))
        else:
            there, back = await asyncio.open_connection("127.0.0.1", self._target)
        link.ends.append(back)
        await asyncio.gather(self._pass(reader, back), self._pass(there, writer))

    async def _pass(self, source: asyncio.StreamReader, drain: asyncio.StreamWriter) -> None:
        while data := await source.read(CHUNK):
            if self.delay:
                await asyncio.sleep(self.delay)
            if self._passing.is_set():
                drain.write(data)
                await drain.drain()
        await self._passing.wait()
        drain.write_eof()


class _Link:
    """Both ends of one connection."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self.ends = [writer]

    def reset(self) -> None:
        for end in self.ends:
            sock = end.get_extra_info("socket")
            if sock is not None and sock.fileno() >= 0 and sock.family != socket.AF_UNIX:
                linger = struct.pack("ii", 1, 0)  # close() then resets instead of finishing
                with contextlib.suppress(OSError):
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            end.transport.abort()


@asynccontextmanager
async def proxy(target: int | Path) -> AsyncIterator[Proxy]:
    made = Proxy(target)
    await made.start()
    try:
        yield made
    finally:
        await made.stop()
