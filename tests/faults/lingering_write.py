"""A process that writes, and takes its time in its transaction.

    python -m tests.faults.lingering_write URL NAME

It waits for a line, says "in" when it has the turn that all writers share, and "out" when it has
committed.
"""

from __future__ import annotations

import asyncio
import sys

from sqlalchemy import text

from microblog.kernel.db import Database

LINGERS = 1.0  # seconds

_WRITE = text("INSERT INTO consumer_offsets (consumer, event_id) VALUES (:name, 1)")


async def linger(url: str, name: str) -> None:
    db = Database(url)
    async with db.writing() as session:
        await session.execute(_WRITE, {"name": name})
        print("in", flush=True)
        await asyncio.sleep(LINGERS)
    print("out", flush=True)
    await db.close()


if __name__ == "__main__":
    if sys.stdin.readline():  # whoever started it is still there
        asyncio.run(linger(sys.argv[1], sys.argv[2]))
