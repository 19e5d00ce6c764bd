"""Authors post at one host while pages are open at another; what is between them is troubled."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tests.faults import history, report
from tests.faults.client import Client, Unanswered
from tests.faults.history import History
from tests.faults.log import logged
from tests.faults.page import Page
from tests.faults.people import Seat, seated
from tests.faults.r01_kill9_writes import kept, wrong_posts
from tests.faults.report import Figure
from tests.faults.serving import several_serving

AUTHORS = [f"author{number}" for number in range(3)]
READERS = [f"reader{number}" for number in range(4)]
PAUSE = 0.1  # seconds between two posts of one author
SETTLING = 30.0
ENOUGH = 10  # posts, to say how long they take


async def people(database: str) -> dict[str, Seat]:
    """Every reader follows every author."""
    follows = [(reader, author) for reader in READERS for author in AUTHORS]
    return await seated(database, [*AUTHORS, *READERS], following=follows)


class TwoHosts:
    def __init__(self, name: str, database: str, seats: dict[str, Seat]) -> None:
        self.name = name
        self.database = database
        self.log = History()
        self.pages: list[Page] = []
        self.port = 0  # of the host that is posted at
        self._ending = asyncio.Event()
        self._seats = seats

    @asynccontextmanager
    async def at_work(self, **settings: Any) -> AsyncIterator[None]:
        """Posting until the block ends; then everybody's list can be judged."""
        async with several_serving(self.database, 2, **settings) as (here, there):
            self.port = here.port
            self.pages = [await Page(there.port, self._seats[name]).open() for name in READERS]
            posting = [
                asyncio.ensure_future(self._post(Client(here.port, self._seats[name])))
                for name in AUTHORS
            ]
            try:
                await self.enough_posted(time.monotonic())  # nothing is as slow as the first
                yield
            finally:
                # Not cancelled: a post that nobody waits for may still be written after we looked.
                self._ending.set()
                await asyncio.gather(*posting, return_exceptions=True)
                await self._settled()
                for page in self.pages:
                    page.leave()

    async def _post(self, client: Client) -> None:
        assert client.seat is not None
        with contextlib.closing(client):
            while not self._ending.is_set():
                key = secrets.token_hex(8)
                asked = self.log.invoke(client.seat.name, "post", key)
                with contextlib.suppress(Unanswered):
                    answer = await client.post(f"{key} says {client.seat.name}", key)
                    if answer.status == 303:
                        asked.ok(answer.post_id)
                await asyncio.sleep(PAUSE)

    async def enough_posted(self, since: float) -> None:
        """On a machine that is busy with other things a post takes seconds."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SETTLING):
                while len(self._took(since, time.monotonic())) < ENOUGH:
                    await asyncio.sleep(0.02)

    async def caught_up(self) -> Figure:
        """Seconds until every page has what is in the log now."""
        began, due = time.monotonic(), set((await logged(self.database)).posts)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SETTLING):
                while any(due - set(page.told) for page in self.pages):
                    await asyncio.sleep(0.02)
        return report.time(f"{self.name}: all caught up", time.monotonic() - began, 5)

    async def _settled(self) -> None:
        await self.caught_up()

    def slowest(self, began: float, ended: float) -> float:
        """The 99th percentile of posts acknowledged that were asked for meanwhile, seconds."""
        took = self._took(began, ended)
        return took[int(len(took) * 0.99)] if took else 99.0

    def _took(self, began: float, ended: float) -> list[float]:
        return sorted(
            (one.completed_at or 0) - one.invoked_at
            for one in self.log.acknowledged("post")
            if began <= one.invoked_at < ended
        )

    async def wrong(self) -> list[str]:
        """Loss, repeats, order: of posts, and of what each page was told.  After the block."""
        due = (await logged(self.database)).posts
        found = wrong_posts(self.log, await kept(self.database))
        for number, page in enumerate(self.pages):
            found += history.feed(f"{self.name}: page {number}", due, page.told)
            if page.closes or page.connections != 1:
                found.append(f"{self.name}: page {number} was closed: {page.closes}")
        return found
