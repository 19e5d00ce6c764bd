"""The emails this process has leased: enough for its lines, and none it may have lost."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from email.errors import MessageError

from jinja2 import TemplateError

from microblog.kernel.clock import now
from microblog.kernel.db import FAULTS, Database
from microblog.mail import leases
from microblog.mail.answers import LONGEST_REASON
from microblog.mail.composing import MISTAKES, Mistake, Taken, park, take
from microblog.mail.leases import LEASE, RENEW, Lease
from microblog.mail.letters import Compose, Letter, Render
from microblog.mail.waiting import rings
from microblog.mail.watch import Watch

log = logging.getLogger(__name__)

BATCH = 64
LOW = 24
# Seconds for which a lease is trusted: monotonic, and less than it lasts, so that neither a set
# clock nor a process that was stopped for a while (SECURITY R23) sends what others have taken.
TRUSTED = LEASE.total_seconds() - 5.0
WATCHED = TRUSTED  # by whoever wants to take over a lease that has run out

_RENDERING = (*MISTAKES, TemplateError, MessageError, OSError)


class Supply:
    def __init__(
        self, db: Database, compose: Mapping[str, Compose], render: Render, owner: str, hourly: int
    ) -> None:
        self._db = db
        self._compose = compose
        self._render = render
        self._owner = owner
        self._hourly = hourly
        self._ready: deque[Lease] = deque()
        self._in_hand: dict[int, Lease] = {}
        self._trusted_until: dict[int, float] = {}
        self._watch = Watch(WATCHED)

    @property
    def is_low(self) -> bool:
        return len(self._ready) <= LOW

    @property
    def is_empty(self) -> bool:
        return not self._ready

    async def more(self) -> bool:
        """Lease what is due and write it out.  False if there was nothing to do."""
        async with self._db.reading() as session:
            if not await leases.is_due(session, now(), self._watch):
                return False
        began = time.monotonic()
        try:
            taken = await self._leased(carefully=False)
        except Mistake:
            taken = await self._leased(carefully=True)
        self._hold(began, [*taken.ready, *(each for each, _ in taken.letters)])
        self._ready.extend(taken.ready)
        if taken.letters:
            await self._write_out(taken.letters)
        return taken.found

    def take(self) -> Lease | None:
        """The next email to send."""
        while self._ready:
            each = self._ready.popleft()
            if self.holds(each):
                return each
            self.done(each)
        return None

    def holds(self, each: Lease) -> bool:
        return time.monotonic() < self._trusted_until.get(each.id, 0.0)

    def done(self, each: Lease) -> None:
        self._in_hand.pop(each.id, None)
        self._trusted_until.pop(each.id, None)

    async def keep(self, ended: asyncio.Event, beat: Callable[[], None]) -> None:
        """Renew the leases until `ended`."""
        while not await rings(ended, RENEW):
            beat()
            try:
                await self._renew()
            except FAULTS as error:
                log.warning("leases of mail could not be renewed: %s", error)

    async def give_back(self) -> None:
        self._ready.clear()
        self._trusted_until.clear()
        self._watch.of_mine.clear()
        back, self._in_hand = list(self._in_hand.values()), {}
        if back:
            async with self._db.writing_beside() as session:
                await leases.release(session, back)

    async def _leased(self, *, carefully: bool) -> Taken:
        async with self._db.writing_beside() as session:
            return await take(
                session, self._owner, self._compose,
                most=BATCH, hourly=self._hourly, carefully=carefully, watch=self._watch,
            )  # fmt: skip

    async def _write_out(self, letters: list[tuple[Lease, Letter]]) -> None:
        """Render outside any transaction, then fix the bytes."""
        written, failed = [], []
        for each, letter in letters:
            try:
                written.append(self._written(each, letter))
            except _RENDERING as error:
                log.exception("email %d (%s) could not be rendered", each.id, each.kind)
                failed.append((each, f"rendering failed: {error}"[:LONGEST_REASON]))
            await asyncio.sleep(0)  # a page or a socket may be waiting
        async with self._db.writing_beside() as session:
            kept = await leases.store(session, written)
            for each, reason in failed:
                await park(session, each, reason)
        for each in written:
            if each.id in kept:
                self._ready.append(each)
        for each, _ in letters:
            if each.id not in kept:
                self.done(each)

    def _written(self, each: Lease, letter: Letter) -> Lease:
        return replace(each, recipient=letter.to, content=self._render(letter, each.message_id))

    def _hold(self, began: float, taken: list[Lease]) -> None:
        for each in taken:
            self._in_hand[each.id] = each
            self._trusted_until[each.id] = self._watch.of_mine[each.id] = began + TRUSTED

    async def _renew(self) -> None:
        self._in_hand = {i: each for i, each in self._in_hand.items() if self.holds(each)}
        began, asked = time.monotonic(), list(self._in_hand)
        async with self._db.writing_beside() as session:
            kept = await leases.renew(session, asked, self._owner)
        for number in asked:  # more may have been leased meanwhile, and some may be done
            if number in self._in_hand and number in kept:
                self._trusted_until[number] = self._watch.of_mine[number] = began + TRUSTED
            else:
                self._trusted_until.pop(number, None)
