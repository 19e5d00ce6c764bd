"""The wire does what it is told: else nothing that was tried over it has been tried."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from tests.faults.proxy import Proxy, proxy

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
MOMENT = 0.1


@pytest.fixture
async def wire() -> AsyncIterator[Proxy]:
    """To a server that says again what it hears."""
    server = await asyncio.start_server(_echo, "127.0.0.1", 0)
    async with server, proxy(server.sockets[0].getsockname()[1]) as made:
        yield made


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(100):
            writer.write(data)
    except ConnectionError:
        pass
    finally:
        writer.close()


async def opened(wire: Proxy) -> Streams:
    streams = await asyncio.open_connection("127.0.0.1", wire.port)
    await said(streams, b"hello")
    return streams


async def said(streams: Streams, word: bytes) -> None:
    reader, writer = streams
    writer.write(word)
    async with asyncio.timeout(5):
        assert await reader.readexactly(len(word)) == word


async def test_it_passes_everything_on_and_the_end_too(wire: Proxy) -> None:
    reader, writer = await opened(wire)
    writer.write(b"goodbye")
    writer.write_eof()
    assert await reader.read() == b"goodbye"
    writer.close()


async def test_cut_connections_are_reset_and_others_go_on(wire: Proxy) -> None:
    streams = [await opened(wire) for _ in range(4)]
    assert wire.cut(2) == 2
    await asyncio.sleep(MOMENT)
    endings = [
        await asyncio.gather(said(one, b"still?"), return_exceptions=True) for one in streams
    ]
    broken = [one for (one,) in endings if one is not None]
    assert len(broken) == 2
    assert all(isinstance(one, ConnectionResetError) for one in broken)
    for _, writer in streams:
        writer.close()


async def test_a_black_hole_says_nothing_until_it_is_restored_and_then_cuts(wire: Proxy) -> None:
    reader, writer = await opened(wire)
    wire.black_hole()
    writer.write(b"anybody?")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(MOMENT):
            await reader.read(1)
    wire.restore()
    with pytest.raises(ConnectionResetError):
        await reader.readexactly(1)
    (await opened(wire))[1].close()
    writer.close()


async def test_it_refuses_and_delays(wire: Proxy) -> None:
    wire.refuse()
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await opened(wire)
    wire.restore()
    wire.delay = MOMENT
    began = time.monotonic()
    (await opened(wire))[1].close()
    assert time.monotonic() - began >= 2 * MOMENT
