"""Writing down what became of each email, as soon as it is known.

Lines do not wait for it, so what comes in during one commit is written with the next: a durable
commit costs more than a message.  What a server has taken is in the journal meanwhile.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass

from microblog.kernel import events
from microblog.kernel.clock import believed, now
from microblog.kernel.db import FAULTS, Database
from microblog.kernel.model import Session
from microblog.mail import leases, schedule
from microblog.mail.answers import Outcome, Verdict
from microblog.mail.composing import SETTLED
from microblog.mail.events import MailRefused
from microblog.mail.journal import Journal
from microblog.mail.leases import Lease
from microblog.mail.waiting import rings

log = logging.getLogger(__name__)

MOST_WAITING = 64
GATHER = 0.05  # seconds: what comes in them is written together
TRY_AGAIN = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class _Settlement:
    lease: Lease
    verdict: Verdict


class Settlements:
    def __init__(self, db: Database, journal: Journal, *, keeps: bool) -> None:
        self._db = db
        self._journal = journal
        self._keeps = keeps
        self._waiting: list[_Settlement] = []
        self._some, self._room = asyncio.Event(), asyncio.Event()
        self._room.set()

    async def add(self, lease: Lease, verdict: Verdict) -> None:
        """Returns at once, unless very much is waiting already."""
        if verdict.outcome is Outcome.SENT:
            self._journal.note(lease.id, lease.fence)
        self._waiting.append(_Settlement(lease, verdict))
        self._some.set()
        if len(self._waiting) >= MOST_WAITING:
            self._room.clear()
        await self._room.wait()

    async def run(self, ended: asyncio.Event) -> None:
        """Write whatever comes, until `ended` and nothing is left."""
        while self._waiting or not ended.is_set():
            await self._some.wait()
            self._some.clear()
            if not ended.is_set():
                await rings(ended, GATHER if self._journal.is_kept else 0)
            try:
                await self.write()
            except FAULTS as error:
                log.warning("what became of mail cannot be written down yet: %s", error)
                await asyncio.sleep(TRY_AGAIN)
                self._some.set()

    def end(self, ended: asyncio.Event) -> None:
        ended.set()
        self._some.set()

    async def write(self) -> None:
        if not self._waiting:
            return
        batch = list(self._waiting)
        async with self._db.writing_beside() as session:
            await leases.lock(session, (each.lease.id for each in batch))
            await self._write_sent(session, batch)
            for each in batch:
                await _apply(session, each.lease, each.verdict)
        del self._waiting[: len(batch)]
        if not self._waiting:
            self._journal.clear()
        self._room.set()

    async def recover(self) -> None:
        """Settle what dead processes of this machine had sent, and end their leases."""
        for owner, notes in self._journal.left_behind():
            log.warning("a mail sender died: %d mails it had sent are settled", len(notes))
            async with self._db.writing_beside() as session:
                if notes:
                    await leases.sent(session, notes, owner, keep_content=self._keeps)
                await leases.release_all(session, owner)

    async def _write_sent(self, session: Session, batch: list[_Settlement]) -> None:
        sent = [each.lease for each in batch if each.verdict.outcome is Outcome.SENT]
        if not sent:
            return
        pairs = [(each.id, each.fence) for each in sent]
        ours = await leases.sent(session, pairs, sent[0].owner, keep_content=self._keeps)
        if ours < len(sent):
            log.warning("%d emails were sent after their lease had passed on", len(sent) - ours)


async def _apply(session: Session, lease: Lease, verdict: Verdict) -> None:
    if verdict.outcome is Outcome.STOP_QUEUE:
        await leases.release(session, [lease])
    elif verdict.outcome in (Outcome.DEFER, Outcome.UNKNOWN):
        await _defer(session, lease, verdict)
    elif verdict.outcome is not Outcome.SENT:
        await _bury(session, lease, verdict)


async def _defer(session: Session, lease: Lease, verdict: Verdict) -> None:
    tries = lease.tries + 1
    wait = schedule.wait(tries)
    if believed() + wait >= lease.give_up_at:
        given_up = Verdict(Outcome.DEAD_MESSAGE, f"given up: {verdict.reason}")
        await _bury(session, lease, given_up)
        return
    log.info("email %d (%s) waits after try %d: %s", lease.id, lease.kind, tries, verdict.reason)
    await leases.change(
        session, lease, state="deferred", tries=tries, due_at=now() + wait, reason=verdict.reason
    )


async def _bury(session: Session, lease: Lease, verdict: Verdict) -> None:
    log.error("email %d (%s) is dead: %s", lease.id, lease.kind, verdict.reason)
    tries, reason = lease.tries + 1, verdict.reason
    ours = await leases.change(session, lease, state="dead", tries=tries, reason=reason, **SETTLED)
    if ours and verdict.outcome is Outcome.DEAD_RECIPIENT:
        await events.record(session, MailRefused(lease.id, lease.account_id))
