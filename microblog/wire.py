"""Hypercorn's connections, made safe against hostile peers, with a straight way to the socket.

Hypercorn 0.18 looks these classes up by name, so `install` puts ours in their places.  A number
(#308) is that of its issue; where none stands, none was filed when this was written.  What an app
sees of it is one extension of a websocket's scope on HTTP/1.1, a `Wire`:

    wire = scope["extensions"].get("microblog.wire")     # None: use send()
    wire.write(message)                                  # anything with a finished `frame`
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from copy import copy
from dataclasses import replace
from functools import lru_cache, partial
from typing import Any, ClassVar

import h11
from hypercorn import protocol as hypercorn_protocol
from hypercorn.asyncio import run as hypercorn_run
from hypercorn.asyncio.tcp_server import TCPServer
from hypercorn.config import Config
from hypercorn.events import Closed, RawData
from hypercorn.events import Event as ServerEvent
from hypercorn.protocol import h2 as hypercorn_h2
from hypercorn.protocol import h11 as hypercorn_h11
from hypercorn.protocol.events import Body, Data, EndData, Event, Request, StreamClosed
from hypercorn.protocol.events import Response as Answer
from hypercorn.protocol.ws_stream import ASGIWebsocketState, WSStream
from hypercorn.typing import AppWrapper, ASGISendEvent, WebsocketAcceptEvent, WebsocketScope
from wsproto.connection import ConnectionState
from wsproto.events import CloseConnection, Message, Ping, TextMessage
from wsproto.events import Event as WebsocketEvent
from wsproto.frame_protocol import CloseReason
from wsproto.utilities import LocalProtocolError

from microblog.live.frames import Frame
from microblog.live.wires import Wire

EXTENSION = "microblog.wire"

UNREAD = 64  # messages an app may leave unread; pages send one a second
SILENT_PINGS = 3  # pings without a byte in answer
FLUSH = 30.0  # seconds a closed connection may take to send its rest
WELCOME = 0.5  # and a first request may take, on one that was taken just before a stop
LINGER = 3.0  # seconds a peer has to take the close frame and to leave
LEFTOVERS = 256 * 1024  # bytes thrown away after the close frame, before reading stops
LEFTOVERS_OF_BODY = 16 * 1024 * 1024  # and after the answer to a request that goes on
PING = Frame(b"\x89\x00")


def install() -> None:
    """Put our classes where Hypercorn looks up its own; fails when a new release has moved them."""
    for module, name, ours in (
        (hypercorn_h11, "WSStream", WireStream),
        (hypercorn_h2, "WSStream", WireStream),
        (hypercorn_protocol, "H11Protocol", PlainProtocol),
        (hypercorn_run, "TCPServer", Connection),
    ):
        if not issubclass(ours, getattr(module, name)):
            raise RuntimeError(f"{module.__name__}.{name} is not the class microblog.wire extends")
        setattr(module, name, ours)


class WireStream(WSStream):
    """One websocket, in which no peer can make memory grow or stay without answering."""

    app_put: Callable[[dict[str, Any]], Awaitable[None]]  # set before the peer's first frame

    def __init__(self, app: AppWrapper, config: Config, *connection: Any) -> None:  # noqa: ANN401
        super().__init__(app, _roomier(config), *connection)
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._heard = 0.0
        self._interval = config.websocket_ping_interval or 20.0
        self._size = 0  # bytes of the message being received
        self._leftovers = LEFTOVERS
        self._finished = False  # our close frame is out: nothing may follow it
        writer = _writer_behind(self.send)
        self.wire = None if writer is None else Wire(writer)
        if self.wire is not None:
            self.app = partial(_offering, app, self.wire)

    async def handle(self, event: Event) -> None:
        if self.closed:
            return
        if isinstance(event, StreamClosed):
            self._end()
        if not isinstance(event, (Body, Data)) or await self._heeds(event.data):
            await super().handle(event)
        if isinstance(event, Request) and self.closed:
            # Hypercorn has refused the handshake, but would keep the connection for ever.
            await self.send(StreamClosed(stream_id=self.stream_id))

    async def _heeds(self, data: bytes) -> bool:
        """Whether bytes from the peer are worth parsing."""
        self._heard = self._loop.time()
        if self._finished:
            self._leftovers -= len(data)
            if self._leftovers < 0 and self.wire is not None:
                self.wire.pause()
            return self._leftovers >= 0
        if self.handshake.accepted:
            return True
        # Hypercorn answers 400 here and never tells the app, which would wait for ever.
        await self._turn_away(400)
        return False

    async def _turn_away(self, status: int) -> None:
        if self.state is ASGIWebsocketState.HANDSHAKE:
            self.state = ASGIWebsocketState.HTTPCLOSED
            await self._send_error_response(status)
            await self.send(StreamClosed(stream_id=self.stream_id))

    def _end(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self.wire is not None:
            self.wire.is_open = False

    async def app_send(self, message: ASGISendEvent | None) -> None:
        if not self._finished:
            await super().app_send(message)
        elif message is None and self.wire is None:
            await self.send(StreamClosed(stream_id=self.stream_id))
        # Else what an app still says is late, and at its end the peer has LINGER to leave: closing
        # a socket with unread bytes resets it, which can take the close frame with it.

    async def _accept(self, message: WebsocketAcceptEvent) -> None:
        if self.context.terminated.is_set():
            # Overtaken by a restart: who closes the open sockets has done so already.
            await self._turn_away(503)
            return
        # permessage-deflate is never agreed: 61 KB can unpack to 60 MiB (SECURITY H3), it costs
        # 2.6 times the CPU and 167 KiB a connection, and no setting turns it off (#307).
        self.handshake.extensions = None
        await super()._accept(message)
        if self.wire is not None:
            self.wire.is_open = not self.closed
            # What spoke HTTP/1.1 has said its last; it would keep 5 KiB of each idle socket's 26,
            # and the headers 1 to 3.
            self.send.__self__.connection.h11_connection = None  # type: ignore[attr-defined]
            self.scope["headers"] = []

    async def _send_pings(self) -> None:
        """A timer instead of Hypercorn's task, which outlives its connection by an interval and
        never looks for an answer (SECURITY H4)."""
        if not self.closed and not self._finished:
            self._heard = self._loop.time()
            self._schedule(self._interval, self._beat)

    def _beat(self) -> None:
        silent = self._loop.time() - self._heard >= SILENT_PINGS * self._interval
        if self.wire is not None:
            self.wire.abort() if silent else self.wire.write(PING)
        elif silent:
            self.task_group.spawn(self.send, StreamClosed(stream_id=self.stream_id))
        else:
            self.task_group.spawn(self._send_wsproto_event, Ping())
        if not silent:
            self._schedule(self._interval, self._beat)

    def _schedule(self, delay: float, action: Callable[[], None]) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_later(delay, action)

    async def _handle_events(self) -> None:
        for event in self.connection.events():
            if isinstance(event, Message) and not self._finished:
                await self._take(event)
            elif isinstance(event, Ping):
                await self._send_wsproto_event(event.response())
            elif isinstance(event, CloseConnection):
                await self._take_close(event)

    async def _take(self, message: Message[Any]) -> None:
        """Count before storing: Hypercorn stores first and goes on reading (SECURITY H2)."""
        data = message.data
        self._size += len(data.encode() if isinstance(message, TextMessage) else data)
        if self._size > self.config.websocket_max_message_size:
            await self._refuse(CloseReason.MESSAGE_TOO_BIG)
        elif self._unread() >= UNREAD:
            await self._refuse(CloseReason.POLICY_VIOLATION)
        else:
            self.buffer.extend(message)
            if message.message_finished:
                await self.app_put(self.buffer.to_message())
                self.buffer.clear()
                self._size = 0

    async def _take_close(self, event: CloseConnection) -> None:
        if self.connection.state is ConnectionState.OPEN:
            await self._refuse(event.code)  # wsproto's way to say that a frame was broken
            return
        if self.connection.state is ConnectionState.REMOTE_CLOSING:
            await self._send_wsproto_event(event.response())
        await self.send(StreamClosed(stream_id=self.stream_id))

    async def _refuse(self, code: int) -> None:
        self._finished = True
        self.state = ASGIWebsocketState.CLOSED
        self.buffer.clear()
        await self.app_put({"type": "websocket.disconnect", "code": int(code)})
        await self._send_wsproto_event(CloseConnection(code=code))
        if self.wire is None:
            await self.send(EndData(stream_id=self.stream_id))

    def _unread(self) -> int:
        queue = getattr(self.app_put, "__self__", None)
        return queue.qsize() if isinstance(queue, asyncio.Queue) else 0

    async def _send_wsproto_event(self, event: WebsocketEvent) -> None:
        """A close frame waits for nobody: at Hypercorn's lock it would, for a stalled peer."""
        if self.wire is None or not isinstance(event, CloseConnection):
            await super()._send_wsproto_event(event)
            return
        with suppress(LocalProtocolError):
            self.wire.finish(self.connection.send(event))
            self._finished = True
            self._schedule(LINGER, self.wire.abort)


class PlainProtocol(hypercorn_h11.H11Protocol):
    """HTTP/1 and nothing else: HTTP/2 is agreed within TLS or not at all (SECURITY H7)."""

    def __init__(self, *connection: Any) -> None:  # noqa: ANN401
        super().__init__(*connection)
        # Cancelled when the peer has left or has said too much: an event takes 0.7 KiB of a socket.
        self._is_over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._leftovers: int | None = None  # bytes that are still thrown away, once answered

    async def _check_protocol(self, event: h11.Request) -> None:
        """Leave an `Upgrade: h2c` unanswered, as RFC 9110 §7.8 allows."""

    async def _create_stream(self, request: h11.Request) -> None:
        if request.http_version not in (b"1.0", b"1.1"):
            await self._refuse(505)
        elif _has_two_lengths(request):
            await self._refuse(400)
        else:
            await super()._create_stream(request)

    async def _refuse(self, status: int) -> None:
        await self._send_error_response(status)
        await self.send(Closed())

    async def handle(self, event: ServerEvent) -> None:
        if isinstance(event, Closed):
            self._is_over.cancel()
        if not isinstance(event, RawData) or self._leftovers is None:
            await super().handle(event)
            return
        self._leftovers -= len(event.data)
        if self._leftovers < 0:
            self._is_over.cancel()

    async def stream_send(self, event: Event) -> None:
        if isinstance(event, Answer) and self.connection.their_state is h11.SEND_BODY:
            event = replace(event, headers=[*event.headers, (b"connection", b"close")])
        await super().stream_send(event)

    async def _maybe_recycle(self) -> None:
        """An answer such as 413 comes before its request has ended.  Closing with unread bytes
        resets the connection, which can take the answer with it: so the rest is thrown away."""
        if self.connection.their_state is h11.SEND_BODY and self._leftovers is None:
            await self._close_stream()
            self._leftovers = LEFTOVERS_OF_BODY
            await asyncio.wait([self._is_over], timeout=LINGER)
        await super()._maybe_recycle()


class Connection(TCPServer):
    """One over TCP: known while it lasts, and it does not last for ever."""

    alive: ClassVar[set[Connection]] = set()
    task: asyncio.Task[Any]
    _is_cut = False
    _is_new = True

    @classmethod
    async def take_no_more(cls) -> None:
        """Refuse handshakes under way; Hypercorn itself gets to that some turns later."""
        for connection in tuple(cls.alive):
            await connection.context.terminated.set()

    async def run(self) -> None:
        self.task = asyncio.current_task()  # type: ignore[assignment]
        self.alive.add(self)
        try:
            await super().run()
        except asyncio.CancelledError:
            if not self._is_cut:  # Hypercorn's gather() would pass it on to the whole server
                raise
        finally:
            self.alive.discard(self)

    async def _idle_timeout(self) -> None:
        """As Hypercorn's, but whoever has just connected may still ask, and gets its answer."""
        is_new, self._is_new = self._is_new, False
        with suppress(TimeoutError):
            async with asyncio.timeout(self.config.keep_alive_timeout):
                await self.context.terminated.wait()
                await asyncio.sleep(WELCOME if is_new else 0)
        await asyncio.shield(self._initiate_server_close())

    async def _close(self) -> None:
        # Hypercorn waits for ever for a peer that reads nothing (SECURITY H4), and lets escape
        # EHOSTUNREACH (#361) and "SSL shutdown timed out" (#202, #264), all of which are OSErrors.
        last = self.loop.call_later(FLUSH, self.writer.transport.abort)
        try:
            with suppress(OSError):
                await super()._close()
        finally:
            last.cancel()

    def hang_up(self) -> None:
        self.writer.transport.abort()

    def cut(self) -> None:
        """Cancel what an app still does after `hang_up`."""
        self._is_cut = True
        self.task.cancel()


async def _offering(
    app: AppWrapper, wire: Wire, scope: WebsocketScope, *rest: Any,  # noqa: ANN401
) -> None:  # fmt: skip
    scope["extensions"][EXTENSION] = wire  # type: ignore[assignment]
    await app(scope, *rest)


def _writer_behind(send: Callable[..., Any]) -> asyncio.StreamWriter | None:
    """The one look into Hypercorn's insides; anything unexpected means no `Wire`, only slower."""
    protocol = getattr(send, "__self__", None)
    server = getattr(getattr(protocol, "send", None), "__self__", None)
    writer = getattr(server, "writer", None)
    if isinstance(protocol, hypercorn_h11.H11Protocol) and isinstance(writer, asyncio.StreamWriter):
        return writer
    return None


@lru_cache(maxsize=8)
def _roomier(config: Config) -> Config:
    """With room for `UNREAD`, what opens and what ends a websocket.

    At ten unread messages Hypercorn would stop reading and see neither a close nor an abort.
    """
    roomier = copy(config)
    roomier.max_app_queue_size = UNREAD + 3
    return roomier


def _has_two_lengths(request: h11.Request) -> bool:
    """Content-Length beside Transfer-Encoding: h11 takes the latter, a proxy may take the other,
    and then one's body is the other's next request (RFC 9112 §6.1)."""
    names = {name for name, _ in request.headers}
    return {b"content-length", b"transfer-encoding"} <= names
