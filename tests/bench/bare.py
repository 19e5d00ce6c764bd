"""What the live socket is measured against, each a process of its own.

- *tcp*: finished frames written to asyncio transports, which is the limit in Python;
- *websockets*: the library's `broadcast()`, no compression, as its documentation recommends;
- *quart*: a queue and `websocket.send` for each socket, as Quart's documentation has it, on
  Hypercorn.

All send the text that they are handed on their standard input to everybody, and say when they
began to.  Run: ``python -m tests.bench.bare tcp|websockets|quart``.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import time
from collections.abc import Callable
from typing import Any, TypeAlias

import hypercorn.asyncio
from hypercorn.config import Config
from quart import Quart, websocket
from websockets.asyncio.server import ServerConnection, broadcast, serve

from microblog.live.frames import text_frame
from tests.process import free_port

MOST = 1 << 20
BACKLOG = 1024
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

    server = await serve(handler, "127.0.0.1", 0, compression=None, backlog=BACKLOG)
    return _port(server), lambda text: broadcast(everybody, text)


async def tcp() -> tuple[int, Tell]:
    everybody: set[Any] = set()

    class Peer(asyncio.Protocol):
        def connection_made(self, transport: Any) -> None:
            self.transport = transport
            transport.write(SWITCHING)
            everybody.add(transport)

        def connection_lost(self, _error: Exception | None) -> None:
            everybody.discard(self.transport)

    def tell(text: str) -> None:
        frame = text_frame(text)
        for transport in everybody:
            transport.write(frame)

    loop = asyncio.get_running_loop()
    return _port(await loop.create_server(Peer, "127.0.0.1", 0, backlog=BACKLOG)), tell


async def quart() -> tuple[int, Tell]:
    everybody: set[asyncio.Queue[str]] = set()
    app = Quart("naive")

    @app.websocket("/")
    async def live() -> None:
        await websocket.accept()
        queue: asyncio.Queue[str] = asyncio.Queue()
        everybody.add(queue)
        try:
            while True:
                await websocket.send(await queue.get())
        finally:
            everybody.discard(queue)

    def tell(text: str) -> None:
        for queue in everybody:
            queue.put_nowait(text)

    port = free_port()
    config = Config.from_mapping(bind=f"127.0.0.1:{port}", backlog=BACKLOG, loglevel="ERROR")
    serving = asyncio.ensure_future(hypercorn.asyncio.serve(app, config))
    while not await _listens(port):
        await asyncio.sleep(0.03)
    tell.serving = serving  # type: ignore[attr-defined]  # a task nobody holds may vanish
    return port, tell


KINDS = {"tcp": tcp, "websockets": websockets, "quart": quart}


async def run(kind: str) -> None:
    port, tell = await KINDS[kind]()
    gc.freeze()
    gc.set_threshold(10_000, 5, 1000)  # as in microblog.server
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


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


if __name__ == "__main__":
    asyncio.run(run(sys.argv[1]))
