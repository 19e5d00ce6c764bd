"""A process that freezes in the middle of a writing transaction, in everybody's turn.

SQLite: nobody can take its lock on the file from it.  Posts are refused meanwhile, within seconds
and in words; pages are read.  Revived, it goes on as if nothing had been, since nobody came in
between; killed, its lock is gone with it and what it wrote was never there.

PostgreSQL takes the turn away from whoever is silent in it, so posts wait a moment and are taken;
the revived one cannot commit any more.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.faults.asking import PAGE, POST, Asking
from tests.faults.database import damage, rows
from tests.faults.history import History
from tests.faults.people import seated
from tests.faults.r01_kill9_writes import kept, wrong_posts
from tests.faults.report import Findings
from tests.faults.scale import Scale
from tests.faults.serving import serving
from tests.process import ROOT

ID = "R23b"
NAME = "frozen in a transaction"
FULL = 40.0

REVIVED, KILLED = "revived", "killed"
LONGER = 4.4  # seconds, than a request waits (microblog.web.errors.PATIENCE)
OUT = b"out\n"
WRITTEN = "SELECT consumer FROM consumer_offsets WHERE consumer IN ('revived', 'killed')"


async def run(scale: Scale, database: str) -> Findings:
    findings = Findings(history=History())
    seats = await seated(database, ["writer0", "writer1"])
    async with (
        _lingering(database, REVIVED) as revived,
        _lingering(database, KILLED) as killed,
        serving(database) as site,
    ):
        asking = Asking(site.port, seats.values(), findings.history or History())
        task = asyncio.ensure_future(asking.run())
        await asking.under_way()
        await _frozen(REVIVED, revived, database, asking, scale.of(10.0, LONGER), findings)
        await _frozen(KILLED, killed, database, asking, scale.of(10.0, 0.7), findings)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    findings.violations += wrong_posts(asking.log, await kept(database))
    findings.violations += await damage(database)
    there = {row[0] for row in await rows(database, WRITTEN)}
    # On SQLite it has kept the lock all the time, so that its commit comes between no two others.
    if there != ({REVIVED} if database.startswith("sqlite") else set()):
        findings.violations.append(f"in the end there is what these had written: {there}")
    return findings


async def _frozen(
    end: str, process: asyncio.subprocess.Process, database: str, asking: Asking, lasts: float,
    findings: Findings,
) -> None:  # fmt: skip
    began = time.monotonic()
    await _go_in(process)
    process.send_signal(signal.SIGSTOP)
    await asyncio.sleep(lasts)
    ended = time.monotonic()
    process.send_signal(signal.SIGCONT if end == REVIVED else signal.SIGKILL)
    findings.figures.append(await asking.well_again(end, ended))
    assert process.stdout is not None
    out = await process.stdout.read() == OUT
    if out is not (end == REVIVED and database.startswith("sqlite")):
        findings.violations.append(f"{end}: it {'could' if out else 'could not'} commit")
    posts, pages = asking.between(began, ended, POST), asking.between(began, ended, PAGE)
    findings.facts += f"{'; ' if findings.facts else ''}{end} after {lasts:g} s:"
    findings.facts += f" {sum(not one.is_fine for one in posts)} of {len(posts)} posts refused"
    findings.figures.append(asking.slowest(end, began, ended))
    findings.violations += asking.complaints(end, began, ended)
    if unread := sum(not one.is_fine for one in pages):
        findings.violations.append(f"{end}: {unread} of {len(pages)} pages not shown")


async def _go_in(process: asyncio.subprocess.Process) -> None:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(b"go\n")
    assert await process.stdout.readline() == b"in\n"


@asynccontextmanager
async def _lingering(database: str, name: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Ready to write when it is told to."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.faults.lingering_write", database, name, cwd=ROOT,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
