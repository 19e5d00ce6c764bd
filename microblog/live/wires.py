"""Two ways for messages to leave: finished frames into the server's buffer, or one send at a time.

The first costs each socket little more than a buffer write and needs our serving layer, where
`microblog.wire` offers it as an extension of the scope; the second works on any ASGI server.
"""

from __future__ import annotations

import asyncio
from asyncio import _enter_task, _leave_task  # in its documentation: Extending
from collections import deque
from collections.abc import Awaitable, Callable, Generator
from contextlib import suppress
from contextvars import Context, copy_context
from functools import partial
from typing import Any, Protocol, TypeAlias

from microblog.live.frames import Frame, Message

Send: TypeAlias = Callable[[dict[str, Any]], Awaitable[None]]
Steps: TypeAlias = Generator[Any, Any, None]


class Outlet(Protocol):
    """Where a connection writes its messages.  Nothing here waits but `drained`.

    `write` says how many bytes it took, 0 when the connection is gone; `unsent` counts in the same.
    """

    def write(self, message: Message) -> int: ...
    def unsent(self) -> int: ...
    async def drained(self) -> None: ...
    def abort(self) -> None: ...


class Wire:
    """Straight to one websocket's socket: no task, no lock, no copy (4-5 times cheaper than send).

    Frames and finished `send` calls reach the peer in the order they were made.  A delivery looks
    at this object and the transport alone: each further one is fetched from memory anew when
    thousands of sockets are written to in turn.
    """

    __slots__ = ("_transport", "_writer", "is_open")

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self._transport: asyncio.Transport = writer.transport  # type: ignore[assignment]
        self.is_open = False  # from the handshake's answer to the close frame

    def write(self, message: Message | Frame) -> int:
        """Hand over frames; how many bytes, 0 when nobody will get them."""
        transport = self._transport
        if not self.is_open or transport.is_closing():
            return 0
        frame = message.frame
        transport.write(frame)
        return len(frame)

    def unsent(self) -> int:
        """Bytes that the kernel has not taken."""
        return self._transport.get_write_buffer_size()

    async def drained(self) -> None:
        """Wait until the peer has taken most of it, or is gone."""
        with suppress(OSError):
            await self._writer.drain()

    def abort(self) -> None:
        """Drop the connection and what is unsent; the app receives websocket.disconnect."""
        self.is_open = False
        self._transport.abort()

    def finish(self, close_frame: bytes) -> None:
        """Write the last frame and half-close, so that the peer leaves and is not waited for."""
        if self.write(Frame(close_frame)) and self._transport.can_write_eof():
            self._transport.write_eof()
        self.is_open = False

    def pause(self) -> None:
        """Stop reading: what the peer goes on sending stays with it."""
        self._transport.pause_reading()


class QueuedOutlet:
    """Calls the server's `send` from `pump`, a task that is run beside the receiving loop.

    While the pump has nothing to do, `write` takes the first step of `send` in its name: on most
    servers that is the whole of it, and no task has to be woken (a tenth of what a delivery costs).
    The server finds the pump as the current task, so that a time limit it sets strikes the pump.
    """

    __slots__ = (
        "_aborted", "_begun", "_context", "_empty", "_is_idle", "_loop", "_pump", "_send", "_size",
        "_waiting", "_work",
    )  # fmt: skip

    def __init__(self, send: Send) -> None:
        self._send = send
        self._waiting: deque[str] = deque()
        self._size = 0
        self._begun: _Begun | None = None
        self._loop: asyncio.AbstractEventLoop
        self._context: Context
        self._pump: asyncio.Task[Any]
        self._work: asyncio.Future[None]  # what the pump waits for
        self._is_idle = False  # it does: a look at this is cheaper than one at the future
        self._empty: asyncio.Event | None = None  # what whoever is catching up waits for
        self._aborted = False

    def write(self, message: Message) -> int:
        if self._aborted:
            return 0
        for text in message.texts:
            if not self._is_idle:
                self._waiting.append(text)
                self._size += len(text)
            elif (begun := self._begin(text)) is not None:
                self._begun = begun
                self._size += begun.size
                self._wake()
        return message.length

    def _begin(self, text: str) -> _Begun | None:
        """Take the first step of sending; what is left of it."""
        loop, pump, context = self._loop, self._pump, self._context
        caller = asyncio.current_task(loop)
        if caller is not None:
            _leave_task(loop, caller)
        _enter_task(loop, pump)
        try:
            steps = self._send({"type": "websocket.send", "text": text}).__await__()
            return _Begun(steps, context, context.run(next, steps), len(text))
        except StopIteration:
            return None
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - the pump raises it
            return _Begun(_raising(error), context, None, len(text))
        finally:
            _leave_task(loop, pump)
            if caller is not None:
                _enter_task(loop, caller)

    def _wake(self) -> None:
        self._is_idle = False
        if not self._work.done():  # unless it was cancelled just now
            self._work.set_result(None)

    def unsent(self) -> int:
        return self._size

    async def drained(self) -> None:
        if self._size and not self._aborted:
            self._empty = asyncio.Event()
            await self._empty.wait()

    def abort(self) -> None:
        self._aborted = True
        if self._empty is not None:
            self._empty.set()

    async def pump(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._pump = asyncio.current_task()  # type: ignore[assignment]
        self._context = copy_context()
        try:
            while not self._aborted:
                await self._send_all()
                if self._empty is not None:
                    self._empty.set()
                self._work = self._loop.create_future()
                self._is_idle = True
                await self._work
        finally:
            self._is_idle = False

    async def _send_all(self) -> None:
        if (begun := self._begun) is not None:
            self._begun = None
            await begun
            self._size -= begun.size
        while self._waiting:
            text = self._waiting.popleft()
            await self._send({"type": "websocket.send", "text": text})
            self._size -= len(text)


class _Begun:
    """What is left of an awaitable after its first step, which ended in waiting for `awaited`.

    Every step of it is taken in `context`: what it sets there it can set back (PEP 567).
    """

    __slots__ = ("_awaited", "_context", "_steps", "size")

    def __init__(self, steps: Steps, context: Context, awaited: object, size: int) -> None:
        self._steps = steps
        self._context = context
        self._awaited = awaited
        self.size = size
        _mark(awaited, blocking=False)  # others may await it meanwhile

    def __await__(self) -> Steps:
        """As ``yield from`` would go on (PEP 380)."""
        awaited = self._awaited
        while True:
            _mark(awaited, blocking=True)
            try:
                yield awaited
            except BaseException as error:  # noqa: BLE001 - handed on, whatever it is
                step: Callable[[], object] = partial(self._steps.throw, error)
            else:
                step = partial(next, self._steps)
            try:
                awaited = self._context.run(step)
            except StopIteration:
                return


def _mark(awaited: object, *, blocking: bool) -> None:
    """How a task tells a future that somebody awaits from one that was yielded by mistake."""
    if asyncio.isfuture(awaited):
        awaited._asyncio_future_blocking = blocking  # noqa: SLF001


def _raising(error: BaseException) -> Steps:
    raise error
    yield
