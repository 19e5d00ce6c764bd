"""What strangers send to a websocket, and that it costs us nothing but a constant."""

from __future__ import annotations

import asyncio
import struct
import zlib
from typing import Any

import pytest
from quart import Quart
from quart import websocket as quart_websocket

from microblog import wire
from tests.serving.conftest import Start
from tests.serving.held import Held, all_gone
from tests.serving.peer import (
    BINARY,
    CLOSE,
    PING,
    PONG,
    SOON,
    TEXT,
    connected,
    frame,
    header,
    pour,
    upgrade,
    websocket,
)

DEFLATE = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"


async def echo(scope: Any, receive: Any, send: Any) -> None:
    assert scope["type"] == "websocket"
    await receive()
    await send({"type": "websocket.accept"})
    while (event := await receive())["type"] == "websocket.receive":
        await send({**event, "type": "websocket.send"})


async def deaf(scope: Any, receive: Any, send: Any) -> None:
    """Accepts and never listens, until it is woken."""
    assert scope["type"] == "websocket"
    await send({"type": "websocket.accept"})
    await asyncio.sleep(0.5)
    while (await receive())["type"] != "websocket.disconnect":
        pass


# Size


async def test_a_message_of_the_allowed_size_passes_and_one_byte_more_does_not(
    start: Start,
) -> None:
    async with websocket(await start(echo)) as peer:
        peer.send(TEXT, b"x" * 4096)
        assert await peer.message() == b"x" * 4096
        peer.send(BINARY, b"x" * 4097)
        assert await peer.close_code() == 1009


async def test_the_limit_counts_bytes_not_characters(start: Start) -> None:
    async with websocket(await start(echo)) as peer:
        peer.send(TEXT, "€".encode() * 1365)
        assert len(await peer.message()) == 4095
        peer.send(TEXT, "€".encode() * 1366)
        assert await peer.close_code() == 1009


async def test_a_message_in_pieces_is_counted_as_a_whole(start: Start) -> None:
    async with websocket(await start(echo)) as peer:
        for _ in range(2):  # the count begins anew with each message
            peer.send(TEXT, b"x" * 2000, fin=False)
            peer.send(0, b"x" * 2000)
            assert len(await peer.message()) == 4000
        peer.send(TEXT, b"x" * 2000, fin=False)
        peer.send(0, b"x" * 2000, fin=False)
        peer.send(0, b"x" * 97)
        assert await peer.close_code() == 1009


async def test_a_huge_message_is_cut_off_at_its_beginning(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "LINGER", 0.3)
    held = Held()
    async with websocket(await start(held)) as peer:
        peer.writer.write(header(BINARY, 300 * 2**20))
        socket = await held.opened.get()
        sending = asyncio.create_task(pour(peer, bytes(2**16), 300 * 2**20))
        assert await peer.close_code() == 1009
        assert await asyncio.wait_for(socket.ended, SOON) == 1009
        # What the kernels hold between us, not what the peer wants to send.
        assert await asyncio.wait_for(sending, 5) < 20 * 2**20


# Compression


async def test_compression_is_declined(start: Start) -> None:
    async with websocket(await start(echo), extra=DEFLATE) as peer:
        assert peer.status == 101
        assert "sec-websocket-extensions" not in peer.headers
        peer.send(TEXT, b"x" * 4000)
        assert await peer.message() == b"x" * 4000  # and it comes back uncompressed


async def test_a_compressed_bomb_is_a_broken_frame(start: Start) -> None:
    packer = zlib.compressobj(9, wbits=-15)
    bomb = packer.compress(bytes(3 * 2**20)) + packer.flush(zlib.Z_SYNC_FLUSH)
    assert len(bomb) < 4096
    held = Held()
    async with websocket(await start(held), extra=DEFLATE) as peer:
        peer.writer.write(frame(BINARY, bomb, rsv1=True))
        assert await peer.close_code() == 1002
    assert (await held.opened.get()).received.empty()


# Floods


async def test_messages_an_app_does_not_take_end_the_connection(start: Start) -> None:
    async with websocket(await start(deaf)) as peer:
        for _ in range(wire.UNREAD + 1):
            peer.send(TEXT, b"x" * 4000)
        assert await peer.close_code() == 1008


async def test_as_many_messages_as_may_wait_are_all_received(start: Start) -> None:
    async with websocket(await start(echo)) as peer:
        for _ in range(5):
            for n in range(wire.UNREAD):
                peer.send(TEXT, str(n).encode())
            for n in range(wire.UNREAD):
                assert await peer.message() == str(n).encode()


async def test_a_flood_that_goes_on_after_the_close_frame_is_not_read(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "LINGER", 0.3)
    async with websocket(await start(deaf)) as peer:
        sending = asyncio.create_task(pour(peer, frame(TEXT, b"x" * 4000), 80 * 2**20))
        assert await peer.close_code() == 1008
        assert await asyncio.wait_for(sending, 5) < 20 * 2**20


# Garbage


@pytest.mark.parametrize(
    ("garbage", "code"),
    [
        (b"\x81\x05hello", 1002),  # not masked
        (frame(3, b"x"), 1002),  # no such opcode
        (frame(0, b"x"), 1002),  # the rest of nothing
        (frame(PING, b"x" * 126), 1002),  # control frames are short
        (frame(PING, b"x", fin=False), 1002),  # and whole
        (frame(TEXT, b"\xff\xfe"), 1007),  # not UTF-8
        (frame(CLOSE, b"\x03"), 1002),  # half a code
        (frame(CLOSE, struct.pack("!H", 1006)), 1002),  # a code never sent
        (b"GET / HTTP/1.1\r\n\r\n", 1002),
    ],
)
async def test_a_broken_frame_is_answered_and_ends_the_connection(
    start: Start, garbage: bytes, code: int
) -> None:
    held = Held()
    async with websocket(await start(held)) as peer:
        socket = await held.opened.get()
        peer.writer.write(garbage)
        assert await peer.close_code() == code
        assert await peer.rest() == b""
        assert await asyncio.wait_for(socket.ended, SOON) == code


async def test_a_close_is_answered_with_its_own_code(start: Start) -> None:
    async with websocket(await start(echo)) as peer:
        peer.send(CLOSE, struct.pack("!H", 1001) + b"bye")
        assert await peer.close_code() == 1001
        assert await peer.rest() == b""


async def test_empty_messages_are_messages(start: Start) -> None:
    async with websocket(await start(echo)) as peer:
        for opcode in (TEXT, BINARY):
            peer.send(opcode)
            assert await peer.receive() == (opcode, b"")


async def test_an_empty_binary_message_does_not_end_a_quart_handler(start: Start) -> None:
    app = Quart(__name__)

    @app.websocket("/")
    async def listen() -> None:
        for _ in range(2):
            await quart_websocket.send(repr(await quart_websocket.receive()))

    async with websocket(await start(app)) as peer:
        peer.send(BINARY)
        assert await peer.message() == b"None"  # Quart's mistake (SECURITY H9), and only that
        peer.send(TEXT, b"on")
        assert await peer.message() == b"'on'"


# Silence


async def test_a_peer_that_answers_nothing_is_dropped(start: Start) -> None:
    held = Held()
    async with websocket(await start(held, websocket_ping_interval=0.5)) as peer:
        socket = await held.opened.get()
        assert await asyncio.wait_for(socket.ended, SOON) == 1006
        # All of them, unless the machine stood still.
        assert 0 < (await peer.rest()).count(wire.PING.frame) < wire.SILENT_PINGS


async def test_a_peer_that_answers_pings_stays(start: Start) -> None:
    held = Held()
    async with websocket(await start(held, websocket_ping_interval=0.5)) as peer:
        socket = await held.opened.get()
        for _ in range(wire.SILENT_PINGS + 1):
            assert await peer.receive() == (PING, b"")
            peer.send(PONG)
        assert not socket.ended.done()


async def test_pings_are_answered(start: Start) -> None:
    async with websocket(await start(echo)) as peer:
        peer.send(PING, b"are you there")
        assert await peer.receive() == (PONG, b"are you there")


async def test_one_that_neither_answers_the_close_nor_leaves_is_dropped(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "LINGER", 0.2)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.close", "code": 4001})

    async with websocket(await start(app, websocket_ping_interval=20)):
        await all_gone()


# Handshakes


@pytest.mark.parametrize("status", [401, 403, 503])
async def test_an_app_can_refuse_the_handshake_with_a_status(start: Start, status: int) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        assert "websocket.http.response" in scope["extensions"]
        headers = [(b"content-length", b"2"), (b"x-why", b"you")]
        head = {"type": "websocket.http.response.start", "status": status, "headers": headers}
        await send(head)
        await send({"type": "websocket.http.response.body", "body": b"no"})

    async with websocket(await start(app)) as peer:
        assert (peer.status, peer.headers["x-why"]) == (status, "you")
        assert await peer.rest() == b"no"


async def test_an_app_that_closes_instead_of_accepting_refuses_with_403(start: Start) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "websocket.close"})

    async with websocket(await start(app)) as peer:
        assert peer.status == 403


async def test_frames_before_the_answer_end_the_connection_and_the_app_learns_of_it(
    start: Start,
) -> None:
    learned: asyncio.Queue[str] = asyncio.Queue()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(0.05)  # asks the database who this is
        await send({"type": "websocket.accept"})
        while (event := await receive())["type"] != "websocket.disconnect":
            pass
        learned.put_nowait(event["type"])

    async with connected(await start(app)) as peer:
        peer.writer.write(upgrade() + frame(TEXT, b"early"))
        await peer.read_head()
        assert peer.status == 400
        assert await peer.rest() == b""
    assert await asyncio.wait_for(learned.get(), SOON) == "websocket.disconnect"


async def test_a_bad_handshake_does_not_keep_its_connection(start: Start) -> None:
    async with connected(await start(echo)) as peer:
        peer.writer.write(upgrade().replace(b"Version: 13", b"Version: 12"))
        await peer.read_head()
        assert peer.status == 400
        assert await peer.rest() == b""
