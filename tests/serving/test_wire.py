"""The straight way to the socket: order, bounds and ends."""

from __future__ import annotations

import asyncio
from socket import IPPROTO_TCP, TCP_INFO
from typing import Any

import pytest

from microblog import wire
from microblog.live.frames import Frame
from tests.serving.conftest import Start
from tests.serving.held import Held, all_gone
from tests.serving.peer import SOON, TEXT, frame, pour, text_frame, websocket

CLOSE_WAIT = 8  # TCP_INFO's name for "the other side has ended, properly"


async def test_frames_and_sends_arrive_in_the_order_they_were_made(start: Start) -> None:
    held = Held()
    async with websocket(await start(held)) as peer:
        socket = await held.opened.get()

        async def say() -> None:
            for n in range(400):
                if n % 3:
                    assert socket.wire.write(Frame(text_frame(f"{n} {'x' * 20_000}")))
                else:
                    await socket.send_text(f"{n} {'x' * 20_000}")

        # 8 MB, more than the kernel takes: part of it waits in the transport, part in send().
        speaking = asyncio.create_task(say())
        heard = [int((await peer.message()).split()[0]) for _ in range(400)]
        await speaking
    assert heard == list(range(400))


async def test_nothing_can_be_written_before_the_handshake_is_answered(start: Start) -> None:
    taken = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        straight = scope["extensions"]["microblog.wire"]
        taken.append(straight.write(Frame(text_frame("early"))))
        await send({"type": "websocket.accept"})
        taken.append(straight.write(Frame(text_frame("in time"))))
        await send({"type": "websocket.close"})

    async with websocket(await start(app)) as peer:
        assert await peer.message() == b"in time"
    assert taken == [0, len(text_frame("in time"))]


async def test_nothing_can_be_written_after_the_close_frame(start: Start) -> None:
    held = Held()
    async with websocket(await start(held)) as peer:
        socket = await held.opened.get()
        await socket.close(4001)
        assert not socket.wire.write(Frame(text_frame("late")))
        await socket.send_text("late as well")
        assert await peer.close_code() == 4001
        # And the end follows at once, whether or not the peer answers.
        assert await asyncio.wait_for(peer.rest(), SOON) == b""


async def test_nothing_can_be_written_to_a_peer_that_has_left(start: Start) -> None:
    held = Held()
    async with websocket(await start(held)) as peer:
        socket = await held.opened.get()
        peer.writer.transport.abort()
        await asyncio.wait_for(socket.ended, SOON)
        assert not socket.wire.write(Frame(text_frame("gone")))


async def test_nothing_can_be_written_to_a_connection_that_is_just_ending(start: Start) -> None:
    held = Held()
    async with websocket(await start(held)):
        socket = await held.opened.get()
        socket.wire._transport.close()
        assert not socket.wire.write(Frame(text_frame("gone")))
        assert socket.wire.is_open  # nobody has been told yet


async def test_what_a_peer_does_not_read_is_counted_and_aborting_frees_it(start: Start) -> None:
    held = Held()
    port = await start(held)
    before = len(asyncio.all_tasks())
    async with websocket(port, window=4096):
        socket = await held.opened.get()
        assert socket.wire.unsent() == 0
        while socket.wire.unsent() < 512 * 1024:
            assert socket.wire.write(Frame(text_frame("x" * 60_000)))
        stuck = [asyncio.create_task(socket.send_text(f"stuck {n}")) for n in range(3)]
        await asyncio.sleep(0.05)
        assert not any(task.done() for task in stuck)

        socket.wire.abort()
        assert await asyncio.wait_for(socket.ended, SOON) == 1006
        await asyncio.wait_for(asyncio.gather(*stuck), SOON)
        await all_gone()
        assert len(asyncio.all_tasks()) == before


async def test_drained_waits_for_the_reader_and_ends_with_the_connection(start: Start) -> None:
    held = Held()
    async with websocket(await start(held), window=4096) as peer:
        socket = await held.opened.get()
        await asyncio.wait_for(socket.wire.drained(), SOON)
        count = 0
        while socket.wire.unsent() < 128 * 1024:
            socket.wire.write(Frame(text_frame("x" * 60_000)))
            count += 1
        waiting = asyncio.create_task(socket.wire.drained())
        await asyncio.sleep(0.05)
        assert not waiting.done()
        for _ in range(count):
            await peer.message()
        await asyncio.wait_for(waiting, SOON)

        while socket.wire.unsent() < 128 * 1024:
            socket.wire.write(Frame(text_frame("x" * 60_000)))
        waiting = asyncio.create_task(socket.wire.drained())
        await asyncio.sleep(0)
        socket.wire.abort()
        await asyncio.wait_for(waiting, SOON)


async def test_closing_does_not_wait_for_a_peer_that_reads_nothing(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "LINGER", 0.3)
    others = asyncio.Event()
    held = Held()
    async with websocket(await start(held), window=4096):
        socket = await held.opened.get()
        while socket.wire.unsent() < 512 * 1024:
            socket.wire.write(Frame(text_frame("x" * 60_000)))
        asyncio.get_running_loop().call_soon(others.set)
        await socket.close(1013)
        assert not others.is_set(), "somebody else had a turn: it waited"
        await asyncio.wait_for(socket.ended, SOON)
        await all_gone()


async def test_a_peer_still_talking_gets_the_close_frame_and_no_reset(start: Start) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        await receive()
        await send({"type": "websocket.close", "code": 1012})

    async with websocket(await start(app)) as peer:
        talking = asyncio.create_task(pour(peer, frame(TEXT, b"x" * 3000), 8 * 2**20))
        assert await peer.close_code() == 1012
        assert await asyncio.wait_for(peer.reader.read(), SOON) == b""
        # A reset makes other systems forget what they have received but not read; Linux only
        # shows it in the state of the connection.
        await asyncio.sleep(0.2)
        connection = peer.writer.get_extra_info("socket")
        assert connection.getsockopt(IPPROTO_TCP, TCP_INFO, 1)[0] == CLOSE_WAIT
        talking.cancel()


async def test_without_a_way_to_the_socket_apps_send_as_usual(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "_writer_behind", lambda _: None)
    held = Held()
    port = await start(held, websocket_ping_interval=0.5)
    async with websocket(port) as peer:
        socket = await held.opened.get()
        assert "microblog.wire" not in socket.scope["extensions"]
        await socket.send_text("hello")
        assert await peer.message() == b"hello"
        peer.send(TEXT, b"x" * 5000)
        assert await peer.close_code() == 1009
        assert await asyncio.wait_for(socket.ended, SOON) == 1009
    async with websocket(port) as peer:
        socket = await held.opened.get()
        assert await asyncio.wait_for(socket.ended, SOON) == 1006  # no pong
    async with websocket(port) as peer:
        socket = await held.opened.get()
        await socket.close(1012)
        assert await peer.close_code() == 1012
