"""Another process holds the lock that every writer needs, for longer than anybody waits.

SQLite's write lock, or the advisory lock of PostgreSQL that writers take turns with.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import make_url

from microblog.kernel import order
from tests.faults import report
from tests.faults.asking import PAGE, Asking
from tests.faults.database import damage
from tests.faults.history import History
from tests.faults.people import seated
from tests.faults.postgres import connect
from tests.faults.r01_kill9_writes import kept, wrong_posts
from tests.faults.report import Findings, Size
from tests.faults.scale import Scale
from tests.faults.serving import serving

ID = "R15b"
NAME = "write lock held by another process"
FULL = 25.0
SHORT_KINDS = ("postgresql",)  # on SQLite it is what a frozen process does, R23b

LASTS = 10.0  # seconds


async def run(scale: Scale, database: str) -> Findings:
    log, lasts = History(), scale.of(LASTS, 4.4)  # longer than a request waits
    seats = await seated(database, [f"writer{number}" for number in range(4)])
    async with serving(database) as site:
        asking = Asking(site.port, seats.values(), log)
        task = asyncio.ensure_future(asking.run())
        await asking.under_way()
        async with _locked(database):
            began = time.monotonic()
            await asyncio.sleep(lasts)
        ended = time.monotonic()
        again = await asking.well_again("afterwards", ended)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    pages = [one.took for one in asking.between(began, ended, PAGE)]
    return Findings(
        f"{len(pages)} pages read meanwhile",
        [Size("seconds locked", lasts, LASTS)],
        [
            asking.slowest("meanwhile", began, ended), again,
            report.time("slowest page", max(pages, default=99), 1),
        ],
        [
            *asking.complaints("locked", began, ended),
            *asking.health_not(200, "locked", began, ended),
            *(f"a page was answered {one.status}" for one in asking.between(began, ended, PAGE)
              if not one.is_fine),
            *wrong_posts(log, await kept(database)), *await damage(database),
        ],
        history=log,
    )  # fmt: skip


@asynccontextmanager
async def _locked(database: str) -> AsyncIterator[None]:
    if database.startswith("sqlite"):
        path = make_url(database).database or ""
        with contextlib.closing(sqlite3.connect(path, isolation_level=None, timeout=20)) as holder:
            holder.execute("BEGIN IMMEDIATE")
            yield
            holder.execute("ROLLBACK")
        return
    connection = await connect(database)
    async with connection.transaction():
        await connection.execute(f"SELECT pg_advisory_xact_lock({order._LOCK})")
        yield
    await connection.close()
