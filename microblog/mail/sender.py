"""Takes due emails from the outbox to the server: lease, send, settle.

Several lanes send at once, each over its own kept connection, from one supply that is filled while
they talk; what became of an email is written down behind them.  A lane that waits ten minutes for a
slow server's last word keeps only itself.
"""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path

from microblog.kernel.db import Database
from microblog.mail.answers import Verdict
from microblog.mail.journal import Journal
from microblog.mail.leases import Lease
from microblog.mail.letters import Compose, Render
from microblog.mail.pause import Pause
from microblog.mail.settling import Settlements
from microblog.mail.supply import Supply
from microblog.mail.transport import Line, Transport
from microblog.mail.waiting import rings

_NO_NAME = re.compile(r"[^A-Za-z0-9._-]")

LOOK_AGAIN = 1.0  # seconds, while a lane still waits for the server
LAST_WORD = 3.0  # seconds for a conversation that was cut short to be written down


class MailSender:
    """`step` for `kernel.worker.run`; `stop` before the end.  Without a transport rows stay queued.

    `beat` may be set: called every few seconds of a long step, as a sign of life.  `journal` is a
    folder on this machine's disk, the same after a restart.
    """

    def __init__(
        self,
        db: Database,
        compose: Mapping[str, Compose],
        render: Render,
        transport: Transport | None,
        *,
        owner: str,
        hourly: int = 10,
        journal: Path | None = None,
    ) -> None:
        self._transport = transport
        mine = f"{_NO_NAME.sub('-', owner)[:48]}-{secrets.token_hex(4)}"
        self._journal = Journal(journal, mine)
        keeps = transport is not None and transport.keeps
        self._settlements = Settlements(db, self._journal, keeps=keeps)
        self._supply = Supply(db, compose, render, mine, hourly)
        self._pause = Pause()
        self._opening = asyncio.Lock()
        self._busy = 0  # lanes with an email
        self._hungry, self._arrived = asyncio.Event(), asyncio.Event()
        self._exhausted = True
        self._at_rest = asyncio.Event()
        self._at_rest.set()
        self._stopping = False
        self.beat: Callable[[], None] = lambda: None

    @property
    def stopped(self) -> str | None:
        """Why the whole queue stands still: the server refuses our sign-in."""
        return self._pause.stopped

    @property
    def trouble(self) -> str | None:
        """Why no server could be talked to at the last try."""
        return self._pause.trouble

    async def step(self) -> None:
        """Send all that is due."""
        if self._transport is None or self._halted:
            return
        self._at_rest.clear()
        try:
            await self._settlements.recover()
            await self._settlements.write()
            if await self._supply.more():
                await self._send_all(self._transport)
            await self._transport.rest()
        finally:
            self._at_rest.set()

    async def stop(self, within: float = 5.0) -> None:
        """Begin no more; let conversations under way end, or cut them after `within` seconds."""
        self._stopping = True
        self._hungry.set()
        self._arrived.set()
        await rings(self._at_rest, within)
        if self._transport is not None:
            await self._transport.close()
        await rings(self._at_rest, LAST_WORD)
        if self._at_rest.is_set():
            self._journal.close()

    @property
    def _halted(self) -> bool:
        return self._stopping or self._pause.lasts

    async def _send_all(self, transport: Transport) -> None:
        self._journal.open()
        self._exhausted = False
        ended = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._supply.keep(ended, self.beat))
            tasks.create_task(self._settlements.run(ended))
            try:
                lanes = (self._lane(line) for line in transport.lines)
                # Gathered, not grouped: one that fails must not cut the others off in mid-sentence.
                results = await asyncio.gather(self._feed(), *lanes, return_exceptions=True)
            finally:
                self._settlements.end(ended)
                await self._supply.give_back()
        for result in results:
            if result is not None:
                raise result

    async def _feed(self) -> None:
        """Lease more in time, until nothing is due and nobody is busy."""
        try:
            while not (self._halted or self._exhausted):
                self._hungry.clear()
                if self._supply.is_low and await self._supply.more():
                    self._arrived.set()
                elif self._busy or not self._supply.is_empty:
                    await rings(self._hungry, LOOK_AGAIN)
                else:
                    break
        finally:
            self._exhausted = True
            self._arrived.set()

    async def _lane(self, line: Line) -> None:
        while (email := await self._next()) is not None:
            try:
                await self._send(line, email)
            finally:
                self._busy -= 1
                if self._supply.is_low:
                    self._hungry.set()

    async def _next(self) -> Lease | None:
        while not self._halted:
            email = self._supply.take()
            if email is not None:
                self._busy += 1
                return email
            if self._exhausted:
                break
            self._hungry.set()
            self._arrived.clear()
            await self._arrived.wait()
        # For all: a pause may be over before the others look, and then nobody would send what the
        # one who feeds us goes on keeping.
        self._exhausted = True
        self._hungry.set()
        return None

    async def _send(self, line: Line, email: Lease) -> None:
        if not line.is_ready:
            # One at a time, so that a server that is away costs one email a try, not one a line.
            async with self._opening:
                if self._halted:
                    return  # given back at the end of the step
                refused = await line.open()
                if refused is not None:
                    await self._heed(email, refused)
                    return
        if self._supply.holds(email):
            await self._heed(email, await line.send(*_envelope(email)))

    async def _heed(self, email: Lease, verdict: Verdict) -> None:
        self._pause.heed(verdict)
        self._supply.done(email)
        await self._settlements.add(email, verdict)


def _envelope(email: Lease) -> tuple[str, bytes]:
    if email.recipient is None or email.content is None:
        raise ValueError(f"email {email.id} is not written yet")
    return email.recipient, email.content
