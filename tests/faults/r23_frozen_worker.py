"""A process that freezes and is revived when others have long taken over its work.

Four mail workers (two in the short run), of which one is stopped (SIGSTOP) between what it leased
and what it would write down; its leases pass on; then it goes on.
"""

from __future__ import annotations

import asyncio
import signal
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import select, update

from microblog.kernel.db import FAULTS, Database
from microblog.mail.outbox import Email
from tests.faults import report
from tests.faults.database import rows
from tests.faults.mailing import Whimsical, people, states, working, write_mails
from tests.faults.report import Findings
from tests.faults.scale import Scale
from tests.process import SiteProcess, free_port

ID = "R23a"
NAME = "a frozen worker revived"

WORKERS, SHORT_WORKERS = 4, 2
LINES = 4  # of one worker: a mail on each may be under way
LEASE, SHORT_LEASE = 30.0, 3.0  # seconds; microblog.mail.leases, tests.faults.short_waits
HELD = 0.05  # seconds in which the server is slow to say 250, so that the freeze falls in there


async def run(scale: Scale, database: str) -> Findings:
    findings = Findings()
    await _frozen_sender(scale, database, findings)
    return findings


class _Deliberate(Whimsical):
    """Takes its time before each 250."""

    async def _answer(self, step: str, writer: asyncio.StreamWriter, content: bytes = b"") -> bool:
        if step == "dot":
            await asyncio.sleep(HELD)
        return await super()._answer(step, writer, content)


async def _frozen_sender(scale: Scale, database: str, findings: Findings) -> None:
    ids = await people(database, scale.of(400, 80))
    server, port = _Deliberate(), free_port()
    number = scale.of(WORKERS, SHORT_WORKERS)
    with tempfile.TemporaryDirectory() as folder:
        program = scale.of("microblog", "tests.faults.short_waits")
        async with (
            server.open(port),
            working(database, number, Path(folder), port, program) as workers,
        ):
            await write_mails(database, ids)
            await _until(lambda: len(server.taken) > len(ids) // 8)
            frozen, owner = await _freeze_one_that_leased(database, workers)
            in_window = LINES + await _unwritten(database, owner, server)
            began = time.monotonic()
            await _done_without_the_frozen(database, began)
            took = time.monotonic() - began
            before = await _written(database)
            frozen.send_signal(signal.SIGCONT)
            await asyncio.sleep(scale.of(10.0, 1.0))
            changed = sum(one != before[key] for key, one in (await _written(database)).items())
    lease, slack = scale.of(LEASE, SHORT_LEASE), scale.of(2.0, 5.0)  # of a busy machine
    repeats = sum(len(taken) - 1 for taken in server.sent_to.values())
    findings.facts = f"{len(ids)} mails, {number} workers, {len(server.sent_to)} got theirs"
    findings.figures += [
        report.bound("nothing waited longer than", took, 2 * lease + slack, "s"),
        # It was stopped between the server's 250 and its own commit, for these.
        report.bound("repeated", repeats, in_window, "mails"),
        report.bound("changed by the revived", changed, 0, "mails"),
    ]
    if len(server.sent_to) != len(ids):
        findings.violations.append(f"{len(ids) - len(server.sent_to)} mails are lost")
    different = [to for to, taken in server.sent_to.items() if len(set(taken)) > 1]
    findings.violations += [f"{to} got it under different ids" for to in different]


async def _freeze_one_that_leased(
    database: str, workers: list[SiteProcess]
) -> tuple[asyncio.subprocess.Process, str]:
    """SIGSTOP while it has leases, and outside a transaction: frozen inside one on SQLite it would
    keep the lock on the file, which nobody can take from it.  The process, and its name as owner.
    """
    async with asyncio.timeout(20):
        while True:
            for worker in workers:
                owner, process = _owner(worker), worker.process
                assert process is not None
                process.send_signal(signal.SIGSTOP)
                if owner and await _has_leases(database, owner):
                    return process, owner
                process.send_signal(signal.SIGCONT)
                await asyncio.sleep(0.02)


def _owner(worker: SiteProcess) -> str:
    """Its journal has its name."""
    return next((path.stem for path in (worker.data_dir / "mail").glob("*.sent")), "")


async def _unwritten(database: str, owner: str, server: Whimsical) -> int:
    """Mails of the owner that the server has taken and the database does not know of."""
    theirs = "SELECT recipient FROM emails WHERE state = 'leased' AND lease_owner = :owner"
    found = await rows(database, theirs, owner=owner)
    return len({row[0] for row in found} & server.promised)


async def _has_leases(database: str, owner: str) -> bool:
    """Known by changing them, which shows that others can write."""
    db = Database(database, busy_timeout=0.2)
    try:
        async with db.writing_beside() as session:
            theirs = update(Email).where(Email.lease_owner == owner, Email.state == "leased")
            return bool(
                (await session.scalars(theirs.values(reason=None).returning(Email.id))).all()
            )
    except FAULTS:
        return False
    finally:
        await db.close()


async def _done_without_the_frozen(database: str, began: float) -> None:
    """Until everything is settled."""
    while set(await states(database)) - {"sent"} and time.monotonic() - began < 90:
        await asyncio.sleep(0.1)


async def _written(database: str) -> dict[int, tuple[object, ...]]:
    db = Database(database)
    async with db.reading() as session:
        found = await session.execute(
            select(Email.id, Email.state, Email.fence, Email.tries, Email.sent_at)
        )
        written = {row[0]: tuple(row) for row in found}
    await db.close()
    return written


async def _until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not true():
            await asyncio.sleep(0.01)
