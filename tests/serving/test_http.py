"""Requests that are not what they seem, and peers that are slow on purpose."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from microblog import wire
from tests.serving.conftest import Start
from tests.serving.held import all_gone
from tests.serving.peer import SOON, connected

HOST = b"Host: localhost\r\n"


async def app(scope: Any, receive: Any, send: Any) -> None:
    assert scope["type"] == "http"
    body = b""
    while (message := await receive()).get("more_body"):
        body += message["body"]
    headers = [(b"content-type", b"text/plain"), (b"content-length", b"%d" % (len(body) + 3))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"ok " + body})


async def test_an_honest_request_is_answered(start: Start) -> None:
    async with connected(await start(app, include_server_header=False)) as peer:
        peer.writer.write(b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 3\r\n\r\nabc")
        await peer.read_head()
        assert peer.status == 200
        assert "server" not in peer.headers
        assert await peer.reader.readexactly(6) == b"ok abc"


@pytest.mark.parametrize(
    "request_",
    [
        b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
        b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: +3\r\n\r\nabc",
        b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 4\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\n" + HOST + b"Host: other.example\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost : localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET /\xe9 HTTP/1.1\r\n" + HOST + b"\r\n",
        b"nonsense\r\n\r\n",
    ],
)
async def test_an_ambiguous_request_is_refused_and_its_connection_closed(
    start: Start, request_: bytes
) -> None:
    async with connected(await start(app)) as peer:
        peer.writer.write(request_)
        await peer.read_head()
        assert peer.status == 400
        assert await peer.rest() == b""


async def test_a_transfer_coding_nobody_offered_is_refused(start: Start) -> None:
    async with connected(await start(app)) as peer:
        peer.writer.write(
            b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: gzip, chunked\r\n\r\n"
        )
        await peer.read_head()
        assert peer.status == 501


async def test_headers_are_limited(start: Start) -> None:
    async with connected(await start(app, h11_max_incomplete_size=16384)) as peer:
        peer.writer.write(b"GET / HTTP/1.1\r\n" + HOST + b"X: " + b"x" * 17_000)
        await peer.read_head()
        assert peer.status == 431


async def test_an_upgrade_to_http_2_is_left_unanswered(start: Start) -> None:
    async with connected(await start(app)) as peer:
        peer.writer.write(
            b"GET / HTTP/1.1\r\n" + HOST + b"Connection: Upgrade, HTTP2-Settings\r\n"
            b"Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n\r\n"
        )
        await peer.read_head()
        assert peer.status == 200
        assert await peer.reader.readexactly(3) == b"ok "


async def test_http_2_without_asking_is_refused(start: Start) -> None:
    async with connected(await start(app)) as peer:
        peer.writer.write(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0")
        await peer.read_head()
        assert peer.status == 505
        assert await peer.rest() == b""


async def test_headers_that_never_end_are_cut_off(start: Start) -> None:
    async with connected(await start(app, keep_alive_timeout=0.2)) as peer:
        peer.writer.write(b"GET / HTTP/1.1\r\n")
        dripping = asyncio.create_task(_drip(peer.writer))
        assert await asyncio.wait_for(peer.rest(), SOON) == b""
        dripping.cancel()


async def test_a_response_that_nobody_reads_does_not_keep_its_connection(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "FLUSH", 0.2)

    async def generous(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        try:
            async with asyncio.timeout(0.1):  # as Quart's RESPONSE_TIMEOUT
                while True:
                    more = {"type": "http.response.body", "body": bytes(60_000), "more_body": True}
                    await send(more)
        except TimeoutError:
            pass

    async with connected(await start(generous), window=4096) as peer:
        peer.writer.write(b"GET / HTTP/1.1\r\n" + HOST + b"\r\n")
        await peer.read_head()
        await all_gone()


async def _drip(writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"X: y\r\n")
        await asyncio.sleep(0.02)


async def refusing(scope: Any, receive: Any, send: Any) -> None:
    await receive()
    headers = [(b"content-length", b"5")]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": b"large"})


async def test_an_early_answer_reaches_a_peer_that_goes_on_sending(start: Start) -> None:
    """Closed with unread bytes the connection would be reset, and the answer with it."""
    async with connected(await start(refusing)) as peer:
        peer.writer.write(b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 8000000\r\n\r\n")
        for _ in range(40):
            peer.writer.write(b"x" * 100_000)
            await peer.writer.drain()
            await asyncio.sleep(0.001)
        await peer.read_head()
        assert (peer.status, peer.headers["connection"]) == (413, "close")
        assert await peer.reader.readexactly(5) == b"large"
    await all_gone()
