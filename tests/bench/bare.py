"""What the live socket is measured against, each a process of its own.

- *websockets*: the library's `broadcast()`, no compression, as its documentation recommends;
- *tcp*: finished frames written to asyncio transports, which is the limit in Python.

Both send the text that they are handed on their standard input to everybody, and say when they
began to.  Run: ``python -m tests.bench.bare websockets|tcp``.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import time
from collections.abc import Callable
from typing import Any, TypeAlias

from websockets.asyncio.server import ServerConnection, broadcast, serve

from microblog.live.frames import text_frame

MOST = 1 << 20
SWITCHING = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
)

Tell: TypeAlias = Callable[[str], None]


async def websockets() -> tuple[int, Tell]:
    everybody: set[ServerConnection] = set()

    async def handler(connection: ServerConnection) -> None:
        everybody.add(connection)
        try:
            await connection.wait_closed()
        finally:
            everybody.discard(connection)

    server = await serve(handler, "127.0.0.1", 0, compression=None, backlog=1024)
    return _port(server), lambda text: broadcast(everybody, text)


async def tcp() -> tuple[int, Tell]:
    everybody: set[Any] = set()

    class Peer(asyncio.Protocol):
        def connection_made(self, transport: Any) -> None:
            transport.write(SWITCHING)
            everybody.add(transport)

    def tell(text: str) -> None:
        frame = text_frame(text)
        for transport in everybody:
            transport.write(frame)

    loop = asyncio.get_running_loop()
    return _port(await loop.create_server(Peer, "127.0.0.1", 0, backlog=1024)), tell


KINDS = {"websockets": websockets, "tcp": tcp}


async def run(kind: str) -> None:
    port, tell = await KINDS[kind]()
    gc.freeze()
    gc.set_threshold(100_000, 50, 1000)  # as in microblog.server
    print(port, flush=True)
    lines = asyncio.StreamReader(limit=MOST)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while line := await lines.readline():
        began = time.time()
        tell(line.decode().rstrip("\n"))
        print(began, flush=True)


def _port(server: Any) -> int:
    return int(server.sockets[0].getsockname()[1])


if __name__ == "__main__":
    asyncio.run(run(sys.argv[1]))
