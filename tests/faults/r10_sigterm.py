"""SIGTERM with many pages open and people posting: out in ten seconds, every page told why, and
what was answered is kept."""

from __future__ import annotations

import asyncio
import time
from collections import Counter

from tests.faults import report
from tests.faults.crowd import crowd, files_for
from tests.faults.database import damage
from tests.faults.history import History
from tests.faults.people import Seat, seated
from tests.faults.r01_kill9_writes import LEAST, kept, some_work, write, wrong_posts
from tests.faults.report import Findings, Size
from tests.faults.scale import Scale
from tests.faults.serving import serving, tracebacks
from tests.process import SiteProcess

ID = "R10"
NAME = "SIGTERM with sockets open"
SHORT_KINDS = ("sqlite",)  # draining asks nothing of the database that R4 does not

WRITERS = 4
SOCKETS = 1000
RESTART = 1012


async def run(scale: Scale, database: str) -> Findings:
    sockets = scale.of(SOCKETS, 100)
    if unable := files_for(2 * sockets):
        return Findings(not_run=unable)
    log, wrong, exits = History(), list[str](), list[float]()
    seats = await seated(database, [f"writer{number}" for number in range(WRITERS)])
    for _ in scale.rounds(scale.of(20, 1)):
        async with serving(database) as site:
            took, trouble = await _stopped(site, log, list(seats.values()), sockets)
            exits.append(took)
            wrong += trouble
    wrong += [*wrong_posts(log, await kept(database)), *await damage(database)]
    done = len(log.acknowledged("post"))
    return Findings(
        f"{len(exits)} stops, {done} posts acknowledged",
        [Size("sockets", sockets, SOCKETS)],
        [report.time("slowest exit", max(exits), 10)],
        wrong,
        history=log,
    )


async def _stopped(
    site: SiteProcess, log: History, seats: list[Seat], sockets: int
) -> tuple[float, list[str]]:
    async with crowd(site, seats, sockets) as pages, asyncio.TaskGroup() as group:
        writing = [group.create_task(write(log, site.port, seat)) for seat in seats]
        await some_work(log, LEAST)
        began = time.monotonic()
        status = await site.stop()
        took = time.monotonic() - began
        for task in writing:
            task.cancel()
        codes = Counter([await page.until_closed() for page in pages])
    wrong = tracebacks(site)
    if status:
        wrong.append(f"it ended with {status}:\n{site.said()[-2000:]}")
    if set(codes) != {RESTART}:
        wrong.append(f"sockets were closed with {dict(codes)}, not all with {RESTART}")
    return took, wrong
