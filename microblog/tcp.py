"""TCP connections under Hypercorn: known while they last, and they do not last for ever."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any, ClassVar

from hypercorn.asyncio.tcp_server import TCPServer

FLUSH = 30.0  # seconds a closed connection may take to send its rest
WELCOME = 0.5  # seconds for the first request of a connection that was taken just before a stop


class Connection(TCPServer):
    """`wire.install` puts it where Hypercorn looks up its own."""

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
