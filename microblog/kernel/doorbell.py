"""Hearing of other processes' commits.  A hint, never the truth: losing a ring costs a second.

On one SQLite file ``PRAGMA data_version`` changes when another connection has committed.  Asked on
a plain connection of its own, outside any transaction, a look costs 4 microseconds, so it is taken
on the event loop every 10 ms: 3 ms median latency between processes.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import time

from microblog.kernel.db import Database
from microblog.kernel.worker import Pulse

INTERVAL = 0.01


async def listen(db: Database, pulse: Pulse) -> None:
    """Ring `db`'s wakeups whenever the file was written to, until cancelled."""
    if db.path is None:
        return
    with contextlib.closing(sqlite3.connect(db.path, isolation_level=None)) as connection:
        heard = _data_version(connection)
        while True:
            await asyncio.sleep(INTERVAL)
            pulse.beat = time.monotonic()
            if (version := _data_version(connection)) != heard:
                heard = version
                db.ring()


def _data_version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA data_version").fetchone()[0])
