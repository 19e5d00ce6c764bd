"""Hearing of other processes' commits.  A hint, never the truth: losing a ring costs a second.

On one SQLite file ``PRAGMA data_version`` changes when another connection has committed.  Asked on
a plain connection of its own, outside any transaction, a look costs 4 microseconds, so it is taken
on the event loop every 10 ms: 3 ms median latency between processes.

On PostgreSQL it is LISTEN/NOTIFY, on one direct connection per process (a pool that lends
connections per transaction cannot carry it).  When that breaks, `listen` raises, and the worker
loop starts it again.  On both it rings when it begins, for what was missed.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, cast

from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from microblog.kernel import postgresql
from microblog.kernel.db import Database
from microblog.kernel.worker import Pulse

if TYPE_CHECKING:
    import asyncpg

INTERVAL = 0.01
CHECK = 10.0  # seconds between two looks whether the server is still there
PATIENCE = 5.0


async def listen(db: Database, pulse: Pulse) -> None:
    """Ring `db`'s wakeups whenever another process committed, until cancelled."""
    if db.path is not None:
        await _watch_file(db, db.path, pulse)
    elif not db.is_sqlite:
        await _listen_to_server(db, pulse)


async def _watch_file(db: Database, path: Path, pulse: Pulse) -> None:
    # It waits for no lock: that would hold up the event loop.
    quick = sqlite3.connect(path, isolation_level=None, timeout=0)
    with contextlib.closing(quick) as connection:
        heard = _data_version(connection)
        db.ring()
        while True:
            pulse.beat = time.monotonic()
            pulse.failures = 0  # it does not return, so nobody else takes them back
            await asyncio.sleep(INTERVAL)
            if (version := _data_version(connection)) != heard:
                heard = version
                if _has_news(connection, db.heard):
                    db.ring()


def _data_version(connection: sqlite3.Connection) -> int:
    try:
        return int(connection.execute("PRAGMA data_version").fetchone()[0])
    except sqlite3.OperationalError as error:
        raise postgresql.DatabaseAway(str(error)) from error


def _has_news(connection: sqlite3.Connection, heard: int) -> bool:
    """Whether there are events nobody here has read: our own commits have rung already, and most
    others are of consumers and of mail, which is looked for every second."""
    try:
        latest = connection.execute("SELECT max(id) FROM events").fetchone()[0]
    except sqlite3.OperationalError:
        return True
    return (latest or 0) > heard


async def _listen_to_server(db: Database, pulse: Pulse) -> None:
    lost = asyncio.Event()

    def heard(_connection: object, _pid: int, _channel: str, name: object) -> None:
        if name != db.name:  # our own commits have rung already
            db.ring()

    async with postgresql.faults_told(), _connected(db) as connection:
        connection.add_termination_listener(lambda _connection: lost.set())
        await connection.add_listener("microblog", heard)
        pulse.failures = 0  # it does not return, so nobody else takes them back
        db.ring()
        while not lost.is_set():
            await connection.fetchval("SELECT 1", timeout=PATIENCE)
            pulse.beat = time.monotonic()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CHECK):
                    await lost.wait()
    raise postgresql.DatabaseAway("the database closed the connection of the doorbell")


@contextlib.asynccontextmanager
async def _connected(db: Database) -> AsyncIterator[asyncpg.Connection]:
    known_as = {"application_name": "microblog doorbell"}  # in pg_stat_activity
    engine = create_async_engine(
        db.url, poolclass=NullPool, isolation_level="AUTOCOMMIT",
        connect_args={
            "timeout": PATIENCE, "command_timeout": PATIENCE, "server_settings": known_as,
        },
    )  # fmt: skip
    async with engine.connect() as lent:
        raw = await lent.get_raw_connection()
        connection = cast("asyncpg.Connection", raw.driver_connection)
        try:
            yield connection
        finally:
            connection.terminate()  # a polite goodbye could wait for a server that is gone
