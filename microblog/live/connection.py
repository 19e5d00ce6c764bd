"""One open socket: what it listens to, what it has been sent, and how it ends.

While a connection catches up, live messages are held; afterwards those that the catching up
already covered are dropped.  So each message leaves once and in order, and none is missed.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import dataclass

from microblog.kernel.metrics import LIVE_CLOSES
from microblog.live.frames import MOST_TOGETHER, Burst, Message
from microblog.live.wires import Outlet, Send

# Bytes for what a reader has not taken yet.  SECURITY R12 allows 512 KiB, but the memory that keeps
# them is half as large again: 200 stalled readers cost 114 MiB then, and 81 with this.
ROOM = 320 * 1024
MOST_UNSENT = ROOM - MOST_TOGETHER  # before one more write
WRITE_DEADLINE = 10.0
CLOSE_PATIENCE = 2.0

FLOOD = 1008
TOO_BIG = 1009
RESTART = 1012
TOO_SLOW = 1013
SIGNED_OUT = 4001


@dataclass(frozen=True, slots=True)
class Listener:
    """Who is on the other end, and for what."""

    topics: tuple[str, ...]
    language: str
    account_id: int | None = None
    login_session_id: int | None = None
    address: str = ""


class Connection:
    __slots__ = (
        "_closed", "_held", "_held_size", "_is_past", "_progress", "_send", "_through", "_written",
        "ending", "listener", "outlet", "spoke_at",
    )  # fmt: skip

    def __init__(self, listener: Listener, outlet: Outlet, send: Send) -> None:
        self.listener = listener
        self.outlet = outlet
        self.ending: int | None = None  # the close code, once it is to end
        self.spoke_at = time.monotonic()
        self._send = send
        self._closed = False
        self._held: list[tuple[int, Message]] | None = []
        self._held_size = 0
        self._through = 0  # live are events after this one
        self._is_past = False  # all that comes now is: one look at a thing that all share
        self._written = 0  # bytes, of messages before which others waited
        # While something waits: how much of those had left, and since when no more has.
        self._progress: tuple[int, float] | None = None

    def deliver(self, burst: Burst, moment: float) -> None:
        """Live messages, at a `moment` of the monotonic clock: written now, or held while catching
        up."""
        if self._is_past:
            self._put(burst.message, moment)
        elif self.ending is None:
            self._deliver_first(burst, moment)

    def _deliver_first(self, burst: Burst, moment: float) -> None:
        if self._held is not None:
            self._held.extend(burst.each)
            self._held_size += len(burst.message.frame)
            if self._held_size > MOST_UNSENT:
                self.end(TOO_SLOW)
        elif burst.first > self._through:
            self._is_past = True
            self._put(burst.message, moment)
        else:
            for event_id, message in burst.each:
                if event_id > self._through:
                    self.write(message)

    def write(self, message: Message) -> None:
        """Unless it is to end: nothing after the first message left out may be shown, or the next
        catching up, which starts from the last position shown, would skip it."""
        if self.ending is None:
            self._put(message, time.monotonic())

    def _put(self, message: Message, moment: float) -> None:
        waiting = self.outlet.unsent()
        if waiting > MOST_UNSENT:
            self.end(TOO_SLOW)
        elif size := self.outlet.write(message):
            self.spoke_at = moment
            if waiting:
                self._written += size
            else:
                self._progress = None

    async def write_patiently(self, message: Message) -> None:
        """For catching up: wait for the reader, but not for ever."""
        self.write(message)
        try:
            async with asyncio.timeout(WRITE_DEADLINE):
                await self.outlet.drained()
        except TimeoutError:
            self.end(TOO_SLOW)

    def caught_up(self, through: int) -> None:
        """Everything up to event `through` has been written; go on live."""
        held, self._held = self._held or [], None
        self._through = through
        for event_id, message in held:
            if event_id > through:
                self.write(message)

    @property
    def is_live(self) -> bool:
        """Whether it has caught up and is not ending."""
        return self._held is None and self.ending is None

    def end(self, code: int) -> None:
        if self.ending is None:
            self.ending, self._is_past = code, False

    def stalled(self, moment: float) -> bool:
        """Whether nothing has left for the write deadline although something waits."""
        unsent = self.outlet.unsent()
        if not unsent:
            self._progress = None
            return False
        gone = self._written - unsent
        if self._progress is None or gone > self._progress[0]:
            self._progress = (gone, moment)
            return False
        return moment - self._progress[1] > WRITE_DEADLINE

    async def close(self) -> None:
        """Say why, then drop the connection whether or not the other end listens."""
        if self._closed:
            return
        self._closed = True
        LIVE_CLOSES.labels(self.ending or RESTART).inc()
        with contextlib.suppress(TimeoutError, OSError):
            async with asyncio.timeout(CLOSE_PATIENCE):
                await self._send({"type": "websocket.close", "code": self.ending or RESTART})
                return
        self.outlet.abort()
