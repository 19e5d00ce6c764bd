"""Writing down what became of each email, as soon as it is known.

Between the server's 250 and this commit lies the one window in which a crash means a duplicate, so
a line waits for it before it goes on.  Lines that wait together are written together: whoever has
the turn writes for all.  What could not be written is kept and comes first in the next step.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass

from microblog.kernel import events
from microblog.kernel.clock import now
from microblog.kernel.db import Database
from microblog.kernel.model import Session
from microblog.mail import leases, schedule
from microblog.mail.answers import Outcome, Verdict
from microblog.mail.composing import SETTLED
from microblog.mail.events import MailRefused
from microblog.mail.leases import Lease

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class _Settlement:
    lease: Lease
    verdict: Verdict


class Settlements:
    def __init__(self, db: Database, *, keeps: bool) -> None:
        self._db = db
        self._keeps = keeps
        self._turn = asyncio.Lock()
        self._waiting: list[_Settlement] = []

    async def settle(self, lease: Lease, verdict: Verdict) -> None:
        """Returns when it is committed."""
        mine = _Settlement(lease, verdict)
        self._waiting.append(mine)
        async with self._turn:
            if mine in self._waiting:
                await self._write()

    async def flush(self) -> None:
        async with self._turn:
            if self._waiting:
                await self._write()

    async def _write(self) -> None:
        batch = list(self._waiting)
        sent = [each.lease for each in batch if each.verdict.outcome is Outcome.SENT]
        async with self._db.writing() as session:
            if sent and await leases.sent(session, sent, keep_content=self._keeps) < len(sent):
                log.warning("an email was sent after its lease had passed to another")
            for each in batch:
                await _apply(session, each.lease, each.verdict)
        self._waiting = [each for each in self._waiting if each not in batch]


async def _apply(session: Session, lease: Lease, verdict: Verdict) -> None:
    if verdict.outcome is Outcome.STOP_QUEUE:
        await leases.release(session, [lease])
    elif verdict.outcome in (Outcome.DEFER, Outcome.UNKNOWN):
        await _defer(session, lease, verdict)
    elif verdict.outcome is not Outcome.SENT:
        await _bury(session, lease, verdict)


async def _defer(session: Session, lease: Lease, verdict: Verdict) -> None:
    tries = lease.tries + 1
    due_at = now() + schedule.wait(tries)
    if due_at >= lease.give_up_at:
        given_up = Verdict(Outcome.DEAD_MESSAGE, f"given up: {verdict.reason}")
        await _bury(session, lease, given_up)
        return
    log.info("email %d (%s) waits after try %d: %s", lease.id, lease.kind, tries, verdict.reason)
    await leases.change(
        session, lease, state="deferred", tries=tries, due_at=due_at, reason=verdict.reason
    )


async def _bury(session: Session, lease: Lease, verdict: Verdict) -> None:
    log.error("email %d (%s) is dead: %s", lease.id, lease.kind, verdict.reason)
    tries, reason = lease.tries + 1, verdict.reason
    ours = await leases.change(session, lease, state="dead", tries=tries, reason=reason, **SETTLED)
    if ours and verdict.outcome is Outcome.DEAD_RECIPIENT:
        await events.record(session, MailRefused(lease.id, lease.account_id))
