"""Mail leaves once, whatever the server answers and however its senders die.

First in peace: each mail exactly once.  Then with a server that defers, drops before and after it
has taken a mail, hangs, and is away for a while, and with workers that are killed.  A mail may come
twice only where a server took it without saying so, or a worker was killed between the server's 250
and its own commit; and then under the same Message-ID.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from microblog.kernel.db import Database
from tests.faults import report
from tests.faults.database import rows
from tests.faults.mailing import (
    Whimsical,
    enqueue,
    let_waits_end,
    people,
    states,
    working,
    write_mails,
)
from tests.faults.report import Findings, Size
from tests.faults.scale import Scale
from tests.process import SiteProcess, free_port

ID = "R8"
NAME = "outbox chaos, workers killed"
FULL = 500.0

MAILS, KILLS = 10_000, 200
UNSETTLED = ("queued", "deferred", "leased")
SETTLING = 60.0


@dataclass
class _Run:
    database: str
    server: Whimsical
    workers: list[SiteProcess] = field(default_factory=list)
    kills: int = 0
    in_window: int = 0  # taken with a 250 and not yet written down when a worker was killed
    findings: Findings = field(default_factory=Findings)


async def run(scale: Scale, database: str) -> Findings:
    number = scale.of(max(400, int(MAILS * scale.share)), 60)
    ids = await people(database, number)
    port = free_port()
    run = _Run(database, Whimsical())
    with tempfile.TemporaryDirectory() as folder:
        await _rolled_back(database, ids[:5])
        # A kill proves little while the workers wait for a server that was away.
        program = scale.of("microblog", "tests.faults.short_waits")
        async with working(database, 2, Path(folder), port, program) as run.workers:
            peaceful = ids[: number // 3]
            async with run.server.open(port):
                rate = await _in_peace(run, peaceful)
            run.server.whim = scale.of(0.05, 0.2)
            await _in_chaos(run, ids[len(peaceful) :], port, scale)
    _judge(run, number)
    run.findings.facts = (
        f"{run.in_window} mails in a window, {run.server.unsaid} taken without a word,"
        f" {rate:.0f} a second in peace"
    )
    run.findings.sizes = [Size("mails", number, MAILS), Size("kills", run.kills, KILLS)]
    return run.findings


async def _rolled_back(database: str, ids: list[int]) -> None:
    """Written in a transaction that fails: never to be sent."""
    db = Database(database)
    with contextlib.suppress(ZeroDivisionError):
        async with db.writing() as session:
            await enqueue(session, ids)
            raise ZeroDivisionError
    await db.close()


async def _in_peace(run: _Run, ids: list[int]) -> float:
    began = time.monotonic()
    await write_mails(run.database, ids)
    await _settled(run)
    rate = len(ids) / (time.monotonic() - began)
    again = {to: taken for to, taken in run.server.sent_to.items() if len(taken) != 1}
    if again or len(run.server.sent_to) != len(ids):
        run.findings.violations.append(
            f"in peace {len(run.server.sent_to)} of {len(ids)} got mail, {len(again)} repeatedly"
        )
    return rate


async def _in_chaos(run: _Run, ids: list[int], port: int, scale: Scale) -> None:
    step = scale.of(36, 14)  # and so two hundred kills in the end
    batches = [ids[start : start + step] for start in range(0, len(ids), step)]
    aging = asyncio.ensure_future(_age(run.database))
    try:
        for number, batch in enumerate(batches):
            await write_mails(run.database, batch)
            if number % 10 == 2:  # nobody listens for a while
                await asyncio.sleep(0.5)
                await _killed(run)
            async with run.server.open(port):
                await _some_taken(run)
                await asyncio.sleep(random.uniform(0, 0.1))
                await _killed(run)
        run.server.whim = 0.0
        async with run.server.open(port):
            await _settled(run)
    finally:
        aging.cancel()
        await asyncio.gather(aging, return_exceptions=True)


async def _some_taken(run: _Run) -> None:
    """A kill proves little while nothing is sent."""
    before = len(run.server.taken)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(4):
            while len(run.server.taken) < before + 2:
                await asyncio.sleep(0.005)


async def _age(database: str) -> None:
    while True:
        await asyncio.sleep(0.5)
        await let_waits_end(database)


async def _killed(run: _Run) -> None:
    """One of the workers, while it works; it is started again at once, on the same folder."""
    worker = random.choice(run.workers)
    await worker.kill()
    run.kills += 1
    unwritten = await rows(
        run.database, "SELECT recipient FROM emails WHERE state <> 'sent' AND recipient IS NOT NULL"
    )
    run.in_window += len({row[0] for row in unwritten} & run.server.promised)
    await worker.start()


async def _settled(run: _Run) -> None:
    deadline = time.monotonic() + SETTLING
    while time.monotonic() < deadline:
        found = await states(run.database)
        if found and not set(found) & set(UNSETTLED):
            return
        await asyncio.sleep(0.1)
    run.findings.violations.append(f"after {SETTLING:.0f} s mails still wait: {found}")


def _judge(run: _Run, number: int) -> None:
    sent, found = run.server.sent_to, run.findings.violations
    if len(sent) < number:
        found.append(f"{number - len(sent)} mails are lost")
    repeats = sum(len(taken) - 1 for taken in sent.values())
    # One mail for each kill that fell between the server's 250 and a note of it: what was noted in
    # the journal by then is no window any more.
    allowed = min(run.in_window, run.kills) + run.server.unsaid
    run.findings.figures.append(report.bound("repeated", repeats, allowed, "mails"))
    found += [
        f"{to} got it under different ids: {taken}"
        for to, taken in sent.items()
        if len(set(taken)) > 1
    ]
