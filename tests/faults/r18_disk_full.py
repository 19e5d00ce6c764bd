"""The disk is full: of the database, of the data directory, and of the log.

A small disk in memory is filled to the last byte while people read and post, and emptied again.
SQLite's process then also meets a limit on the size of files (RLIMIT_FSIZE).
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import os
import resource
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import make_url

from microblog.kernel import schema
from tests.faults.asking import PAGE, POST, Asking
from tests.faults.database import damage
from tests.faults.history import History
from tests.faults.people import KEY, seated
from tests.faults.r01_kill9_writes import kept, wrong_posts
from tests.faults.report import Findings
from tests.faults.scale import Scale
from tests.faults.server import OwnServer, own_server
from tests.process import SiteProcess
from tests.scratch import scratch

ID = "R18"
NAME = "disk full"

FULL = 100.0
SIZE, SERVER_SIZE = "16m", "128m"
SMALLEST_FILE = 64 * 1024  # bytes: below what the database has already


async def run(scale: Scale, database: str) -> Findings:
    findings = Findings(history=History())
    lasts = scale.of(min(30.0, scale.seconds / 3), 0.7)
    is_file = database.startswith("sqlite")
    async with _small_disk(SIZE if is_file else SERVER_SIZE) as disk:
        if is_file:
            copied = disk / "microblog.db"
            shutil.copy(make_url(database).database or "", copied)
            await _try(f"sqlite+aiosqlite:///{copied}", disk, lasts, findings, None)
        else:
            settings = "-c max_wal_size=4MB -c min_wal_size=2MB"
            async with own_server(disk, "--wal-segsize=1", settings=settings) as server:
                await server.execute("CREATE DATABASE site")
                await schema.upgrade(server.url("site"))
                await _try(server.url("site"), disk, lasts, findings, server)
    return findings


async def _try(
    database: str, disk: Path, lasts: float, findings: Findings, server: OwnServer | None
) -> None:
    seats = await seated(database, [f"writer{number}" for number in range(3)])
    site = SiteProcess(disk / "data", database_url=database, secret_key=KEY, confirm_email="off")
    async with site:
        log = findings.history or History()
        asking = Asking(site.port, seats.values(), log)
        task = asyncio.ensure_future(asking.run())
        await asking.under_way()
        await _meanwhile("disk full", _filled(disk), asking, lasts, findings, server)
        if server is None:
            await _meanwhile("file size", _limited(site), asking, lasts, findings, server)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        if site.process is None or site.process.returncode is not None:
            findings.violations.append("the process ended")
    if server is not None:
        await server.ready()
    findings.violations += wrong_posts(log, await kept(database))
    findings.violations += await damage(database)


async def _meanwhile(
    name: str, trouble: contextlib.AbstractAsyncContextManager[None], asking: Asking,
    lasts: float, findings: Findings, server: OwnServer | None,
) -> None:  # fmt: skip
    async with trouble:
        began = time.monotonic()
        await _refused(asking, began, server)
        await asyncio.sleep(lasts)
        if server is not None:
            await server.ended(within=2.0)
        ended = time.monotonic()
        went_down = server is not None and not await server.is_ready()
    if server is not None:  # or it has recovered by itself, now that there is room
        went_down |= await server.restarted_if_down() or server.has_panicked()
    over = time.monotonic()
    posts, pages = asking.between(began, ended, POST), asking.between(began, ended, PAGE)
    refused = [one for one in posts if not one.is_fine]
    so_far = f"{findings.facts}; " if findings.facts else ""
    findings.facts = f"{so_far}{name}: {len(refused)} of {len(posts)} posts refused"
    if went_down:  # it stops itself when it cannot write its log, and reads nothing then
        findings.facts += ", PostgreSQL stopped itself and came back"
    elif unread := [one for one in pages if not one.is_fine]:
        findings.violations.append(f"{name}: {len(unread)} of {len(pages)} pages not shown")
    if not refused:
        findings.violations.append(f"{name}: it was not full enough")
    findings.violations += asking.complaints(name, began, ended)
    findings.figures.append(asking.slowest(name, began, ended))
    findings.figures.append(await asking.well_again(name, over))


async def _refused(asking: Asking, began: float, server: OwnServer | None) -> None:
    """A post, for the first time, or after so long nothing will be."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(15):
            while all(one.is_fine for one in asking.between(began, math.inf, POST)):
                if server is not None:
                    await _use_up_log(server)
                await asyncio.sleep(0.1)


async def _use_up_log(server: OwnServer) -> None:
    """PostgreSQL makes room for its log in advance, which a few posts do not use up."""
    with contextlib.suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        await server.execute("SELECT pg_switch_wal()")


@asynccontextmanager
async def _small_disk(size: str) -> AsyncIterator[Path]:
    with scratch("disk") as disk:
        if await _command("mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(disk)):
            pytest.skip("no small disk can be mounted here (it takes root)")
        disk.chmod(0o755)
        try:
            yield disk
        finally:
            await _command("umount", "--lazy", str(disk))


async def _command(*words: str) -> int:
    try:
        process = await asyncio.create_subprocess_exec(*words, stderr=asyncio.subprocess.DEVNULL)
    except FileNotFoundError:
        return 127
    return await process.wait()


@asynccontextmanager
async def _filled(disk: Path) -> AsyncIterator[None]:
    """To the last byte, and whatever becomes free is taken, too."""
    ballast = disk / "ballast"
    with ballast.open("ab", buffering=0) as file:
        filling = asyncio.ensure_future(_keep_full(file.fileno()))
        try:
            yield
        finally:
            filling.cancel()
            await asyncio.gather(filling, return_exceptions=True)
    ballast.unlink()


async def _keep_full(file: int) -> None:
    while True:
        for size in (1 << 20, 4096, 1):
            with contextlib.suppress(OSError):
                while os.write(file, bytes(size)) == size:
                    await asyncio.sleep(0)
        await asyncio.sleep(0.02)


@asynccontextmanager
async def _limited(site: SiteProcess) -> AsyncIterator[None]:
    """No file of the process may grow, its log included."""
    assert site.process is not None
    before = resource.prlimit(site.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(site.process.pid, resource.RLIMIT_FSIZE, (SMALLEST_FILE, before[1]))
    try:
        yield
    finally:
        resource.prlimit(site.process.pid, resource.RLIMIT_FSIZE, before)
