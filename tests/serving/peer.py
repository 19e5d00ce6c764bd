"""A websocket client that does exactly what it is told, polite or not."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
PATIENCE = 10.0
SOON = 10.0  # for what happens at once, on a busy machine: far under wire.LINGER in tests


def frame(opcode: int, payload: bytes = b"", *, fin: bool = True, rsv1: bool = False) -> bytes:
    """As a client frames it, under a mask of zeros, which leaves the payload as it is."""
    return header(opcode, len(payload), fin=fin, rsv1=rsv1) + payload


def header(opcode: int, length: int, *, fin: bool = True, rsv1: bool = False) -> bytes:
    first = opcode | (0x80 if fin else 0) | (0x40 if rsv1 else 0)
    if length < 126:
        size = struct.pack("!BB", first, 0x80 | length)
    elif length < 65536:
        size = struct.pack("!BBH", first, 0x80 | 126, length)
    else:
        size = struct.pack("!BBQ", first, 0x80 | 127, length)
    return size + bytes(4)


def text_frame(text: str) -> bytes:
    """As a server frames it: unmasked."""
    payload = text.encode()
    assert len(payload) < 65536
    size = struct.pack("!BH", 126, len(payload)) if len(payload) > 125 else bytes([len(payload)])
    return b"\x81" + size + payload


def upgrade(path: str = "/", extra: str = "") -> bytes:
    return (
        f"GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
        f"{extra}\r\n"
    ).encode()


class Peer:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.status = 0
        self.headers: dict[str, str] = {}

    async def read_head(self) -> None:
        async with asyncio.timeout(PATIENCE):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode()
        first, *lines = head.split("\r\n")
        self.status = int(first.split()[1])
        self.headers = {k.lower(): v for k, v in (line.split(": ", 1) for line in lines if line)}

    async def rest(self) -> bytes:
        """Everything until the server ends the connection, which it must."""
        async with asyncio.timeout(PATIENCE):
            try:
                return await self.reader.read()
            except ConnectionError:
                return b""

    def send(self, opcode: int, payload: bytes = b"", *, fin: bool = True) -> None:
        self.writer.write(frame(opcode, payload, fin=fin))

    async def receive(self) -> tuple[int, bytes]:
        async with asyncio.timeout(PATIENCE):
            first, size = await self.reader.readexactly(2)
            if size == 126:
                (size,) = struct.unpack("!H", await self.reader.readexactly(2))
            elif size == 127:
                (size,) = struct.unpack("!Q", await self.reader.readexactly(8))
            return first & 0x0F, await self.reader.readexactly(size)

    async def message(self) -> bytes:
        """The next that is no ping."""
        while (received := await self.receive())[0] == PING:
            pass
        assert received[0] in (TEXT, BINARY), received
        return received[1]

    async def close_code(self) -> int | None:
        """What the server says when it closes; None when it only hangs up."""
        try:
            while True:
                opcode, payload = await self.receive()
                if opcode == CLOSE:
                    return int(struct.unpack("!H", payload[:2])[0])
        except (asyncio.IncompleteReadError, ConnectionError):
            return None

    async def polite_close_code(self) -> int | None:
        code = await self.close_code()
        self.writer.close()
        return code


async def pour(peer: Peer, chunk: bytes, limit: int, *, patience: float = PATIENCE) -> int:
    """Send up to `limit` bytes until the server or our patience ends it; returns what went out."""
    sent = 0
    with suppress(ConnectionError, TimeoutError):
        async with asyncio.timeout(patience):
            while sent < limit:
                peer.writer.write(chunk)
                await peer.writer.drain()
                sent += len(chunk)
    return sent


@asynccontextmanager
async def connected(port: int, *, window: int | None = None) -> AsyncIterator[Peer]:
    """A bare connection; with a small receive `window` one that is soon full."""
    sock = socket.socket()
    if window is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
    sock.setblocking(False)
    await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", port))
    reader, writer = await asyncio.open_connection(sock=sock, limit=1024)
    try:
        yield Peer(reader, writer)
    finally:
        writer.transport.abort()
        await asyncio.sleep(0)


@asynccontextmanager
async def websocket(
    port: int, path: str = "/", *, extra: str = "", window: int | None = None
) -> AsyncIterator[Peer]:
    async with connected(port, window=window) as peer:
        peer.writer.write(upgrade(path, extra))
        await peer.read_head()
        yield peer
