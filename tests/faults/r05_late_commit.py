"""A transaction that took its place in the log and commits late is not skipped by a reader.

On PostgreSQL numbers are drawn before the commit, so one drawn early could become visible after a
later one; whoever read up to the later would never see it (SECURITY R5).  Two processes write, one
slowly; one reader follows all the time, another comes back in between.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from microblog.kernel import events, ids
from microblog.kernel.db import Database
from microblog.kernel.events import LoggedEvent
from microblog.kernel.model import Session
from microblog.kernel.readers import Subscriber
from microblog.posts.events import PostPublished
from microblog.posts.model import Post
from tests.faults import history
from tests.faults.report import Findings, Size
from tests.faults.scale import Scale

ID = "R5"
NAME = "a late commit is not skipped"
KINDS = ("postgresql",)  # SQLite has one writer
FULL = 60.0

ROUNDS = 100

EARLIER, LATER = 1, 2  # accounts, as payload only


class Readers:
    """One that follows, and one that comes back again and again with its position."""

    def __init__(self, database: str) -> None:
        self.db = Database(database)
        self.followed: list[int] = []
        self.returned: list[int] = []
        self._subscriber = Subscriber(self.db, self._deliver)

    async def start(self) -> None:
        await self._subscriber.start()
        self.returned.append(self._subscriber.seen or 0)

    async def look(self) -> None:
        await self._subscriber.step()
        async with self.db.reading() as session:
            page = await events.after(session, self.returned[-1], 100)
        self.returned += [logged.id for logged in page]

    async def _deliver(self, _session: Session, page: list[LoggedEvent]) -> None:
        self.followed += [logged.id for logged in page]


async def run(scale: Scale, database: str) -> Findings:
    rounds, wrong = 0, []
    async with _writers(database) as (slow, quick):
        readers = Readers(database)
        await readers.start()
        kept: list[int] = []
        for number in scale.rounds(scale.of(ROUNDS, 10), least=scale.of(10, 6)):
            late = number % 2 == 1
            kept += await _round(slow, quick, readers, hold=scale.of(0.25, 0.15), late=late)
            rounds += 1
        await readers.look()
        async with readers.db.reading() as session:
            posts = [logged.id for logged in await events.after(session, 0, 100_000)]
        await readers.db.close()
    wrong += history.feed("the one who follows", posts, readers.followed)
    wrong += history.feed("the one who comes back", posts, readers.returned[1:])
    wrong += history.missing("the log", kept, posts)
    return Findings(f"{len(posts)} events", [Size("rounds", rounds, ROUNDS)], violations=wrong)


@asynccontextmanager
async def _writers(database: str) -> AsyncIterator[tuple[Database, Database]]:
    slow, quick = Database(database), Database(database)
    try:
        async with slow.writing() as session:
            await events.ensure_epoch(session)
        yield slow, quick
    finally:
        await slow.close()
        await quick.close()


async def _round(
    slow: Database, quick: Database, readers: Readers, *, hold: float, late: bool
) -> list[int]:
    """Ids of the two events.  `late`: a transaction beside others, which takes its turn only when
    it records."""
    recorded = asyncio.Event()

    async def linger() -> int:
        async with slow.writing_beside() if late else slow.writing() as session:
            event_id = await _record(session, EARLIER)
            recorded.set()
            await asyncio.sleep(hold)
        return event_id

    async def hurry() -> int:
        await recorded.wait()
        async with quick.writing() as session:
            return await _record(session, LATER)

    async with asyncio.TaskGroup() as group:
        writing = [group.create_task(linger()), group.create_task(hurry())]
        while not all(task.done() for task in writing):
            await readers.look()
            await asyncio.sleep(random.uniform(0, hold / 5))
    return [task.result() for task in writing]


async def _record(session: Session, author_id: int) -> int:
    """Take a place in the log, and a post's number, which is drawn under the same lock."""
    post_id = await ids.next_id(session, Post.id)
    await events.record(session, PostPublished(post_id, author_id, post_id))
    return await events.latest_id(session)
