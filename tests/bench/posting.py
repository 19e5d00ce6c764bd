"""A process of the scale section: `write` posts as fast as it can, `hear` follows the log.

    python -m tests.bench.posting write URL BUS SECONDS AUTHOR...
    python -m tests.bench.posting hear  URL BUS SECONDS AUTHOR...

It prints one JSON line: posts written, or events read and CPU seconds spent.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import time

from microblog.kernel import doorbell, worker
from microblog.kernel.bus import Bus
from microblog.kernel.db import Database
from microblog.kernel.events import LoggedEvent
from microblog.kernel.model import Session
from microblog.kernel.readers import Subscriber
from microblog.kernel.worker import Pulse
from microblog.posts import actions

TASKS = 4


async def write(db: Database, seconds: float, authors: list[int]) -> dict[str, float]:
    ends = time.monotonic() + seconds
    written = 0

    async def one(author: int) -> None:
        nonlocal written
        while time.monotonic() < ends:
            async with db.writing() as session:
                await actions.publish(session, author, f"post {written} of many", limit=500)
            written += 1

    began = time.process_time()
    await asyncio.gather(*(one(authors[n % len(authors)]) for n in range(TASKS)))
    return {"posts": written, "cpu": time.process_time() - began}


async def hear(db: Database, seconds: float) -> dict[str, float]:
    read = steps = 0

    async def deliver(_session: Session, page: list[LoggedEvent]) -> None:
        nonlocal read, steps
        read, steps = read + len(page), steps + 1

    subscriber = Subscriber(db, deliver)
    await subscriber.start()
    began = time.process_time()
    loop = asyncio.ensure_future(worker.run(Pulse("feed", 1.0), subscriber.step, db.follow()))
    await asyncio.sleep(seconds)
    loop.cancel()
    await asyncio.gather(loop, return_exceptions=True)
    return {"events": read, "steps": steps, "cpu": time.process_time() - began}


@contextlib.asynccontextmanager
async def _woken(db: Database, bus_url: str, authors: list[int]):
    """By the broker, for these authors only, or by the database."""

    async def interests() -> set[str]:
        return {f"post.{author}.*" for author in authors}

    if bus_url == "-":
        task = asyncio.ensure_future(doorbell.listen(db, Pulse("doorbell", 60)))
    else:
        bus = Bus(bus_url, db.ring, interests)
        db.tell = bus.tell
        task = asyncio.ensure_future(bus.listen())
        while not bus.is_there:
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.5)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def main() -> None:
    what, url, bus_url, seconds, *authors = sys.argv[1:]
    db = Database(url)
    async with _woken(db, bus_url, [int(each) for each in authors]):
        print("ready", flush=True)
        sys.stdin.readline()  # all begin together
        if what == "write":
            found = await write(db, float(seconds), [int(each) for each in authors])
        else:
            found = await hear(db, float(seconds))
    print(json.dumps(found), flush=True)
    await db.close()


if __name__ == "__main__":
    asyncio.run(main())
