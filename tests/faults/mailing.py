"""Mails to be sent, the processes that send them, and a server that is hard to send to."""

from __future__ import annotations

import asyncio
import contextlib
import random
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from pathlib import Path

from sqlalchemy import text

from microblog.accounts import actions as accounts
from microblog.kernel.clock import now
from microblog.kernel.db import Database
from microblog.mail import outbox
from tests.faults.database import rows
from tests.faults.people import KEY
from tests.mail.servers import DROP, TAKE_AND_DROP, ScriptedServer
from tests.process import SiteProcess

UNKNOWN_USER = "550 5.1.1 no such user"
NOBODY = "nobody"  # the server refuses people with such names for good
# What a server may do instead of answering a step as it should.
WHIMS: dict[str, Sequence[str]] = {
    "banner": ("421 busy", DROP),
    "MAIL": ("451 not now", DROP),
    "RCPT": ("450 greylisted",),
    "DATA": ("452 no room", DROP),
    "dot": ("451 not now", "421 going down", DROP, TAKE_AND_DROP, "slow", "slow to say so"),
}
HANGS = 1.0  # seconds; then the connection ends


@dataclass
class Whimsical(ScriptedServer):
    """Does one of `WHIMS` with a probability of `whim`, each time it is asked anything."""

    whim: float = 0.0
    sent_to: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    promised: set[str] = field(default_factory=set)  # recipients for whom it has said 250
    unsaid: int = 0  # taken, but the sender was not told

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError):  # the sender was killed
            await super()._talk(reader, writer)

    async def _answer(self, step: str, writer: asyncio.StreamWriter, content: bytes = b"") -> bool:
        whim = self._whim(step)
        if whim.startswith("slow"):
            await asyncio.sleep(HANGS)
            whim = TAKE_AND_DROP if whim != "slow" else DROP
        self.script = {step: whim} if whim else {}
        going_on = await super()._answer(step, writer, content)
        if step == "dot" and (whim == TAKE_AND_DROP or self.last.startswith("250")):
            self._note(content, told=whim != TAKE_AND_DROP)
        return going_on

    def _whim(self, step: str) -> str:
        told = WHIMS.get(step, ())
        return random.choice(told) if told and random.random() < self.whim else ""

    def _note(self, content: bytes, *, told: bool) -> None:
        letter = message_from_bytes(content)
        recipient = str(letter["To"]).partition("<")[2].rstrip(">") or str(letter["To"])
        self.sent_to[recipient].append(str(letter["Message-ID"]))
        if told:
            self.promised.add(recipient)
        else:
            self.unsaid += 1


async def people(database: str, number: int, prefix: str = "p") -> list[int]:
    """Accounts with addresses, without sessions."""
    db = Database(database)
    try:
        async with db.writing() as session:
            made = [
                await accounts.create(
                    session, name=f"{prefix}{n}", email=f"{prefix}{n}@example.org",
                    password_hash=None,
                )
                for n in range(number)
            ]  # fmt: skip
            return [each.id for each in made]
    finally:
        await db.close()


async def write_mails(database: str, account_ids: Sequence[int]) -> None:
    """One each, in one transaction."""
    db = Database(database)
    try:
        async with db.writing() as session:
            await enqueue(session, account_ids)
    finally:
        await db.close()


async def enqueue(session, account_ids: Sequence[int]) -> None:  # type: ignore[no-untyped-def]
    for account_id in account_ids:
        told = {"account_id": account_id, "at": now().isoformat()}
        await outbox.enqueue(session, "password_changed", told)


async def let_waits_end(database: str) -> None:
    """What is deferred is due now, as if its minutes had passed."""
    db = Database(database)
    try:
        async with db.writing_beside() as session:
            await session.execute(
                text("UPDATE emails SET due_at = :moment WHERE state = 'deferred'"),
                {
                    "moment": now()
                    if not db.is_sqlite
                    else now().replace(tzinfo=None).isoformat(" ")
                },
            )
    finally:
        await db.close()


async def states(database: str) -> dict[str, int]:
    found = await rows(database, "SELECT state, count(*) FROM emails GROUP BY state")
    return {row[0]: row[1] for row in found}


@asynccontextmanager
async def working(
    database: str,
    number: int,
    folder: Path,
    smtp_port: int,
    program: str = "microblog",
    python: str = sys.executable,
) -> AsyncIterator[list[SiteProcess]]:
    """`microblog worker`, several times, each with a folder of its own; `program` is the module."""
    workers = [
        SiteProcess(
            folder / f"worker{one}", command="worker", program=program, python=python,
            database_url=database, secret_key=KEY,
            base_url="http://127.0.0.1:8000", mail_hold="0",
            smtp_url=f"smtp://127.0.0.1:{smtp_port}",
        )
        for one in range(number)
    ]  # fmt: skip
    try:
        for worker in workers:
            await worker.start()
        for worker in workers:
            await at_work(worker)
        yield workers
    finally:
        await asyncio.gather(*(worker.kill() for worker in workers))


async def at_work(worker: SiteProcess) -> None:
    async with asyncio.timeout(30):
        while "Working:" not in worker.said():
            await asyncio.sleep(0.02)
