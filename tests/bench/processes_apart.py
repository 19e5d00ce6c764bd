"""How much later a post reaches a page that another process serves.

Two sites share one database, as two `microblog serve` do.  The same post is watched by a socket on
the process that took it and by one on the other.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from statistics import median

from microblog.kernel import schema
from tests.bench.contestants import CAUGHT_UP, LIVE, Author, signed_in
from tests.bench.crowd import Crowd
from tests.bench.plan import Plan
from tests.bench.postgres import postgres
from tests.bench.table import Row, at_most
from tests.person import Person
from tests.process import SiteProcess

REST = 0.15  # seconds in which what follows a post is done


async def run(plan: Plan) -> list[Row]:
    posts = plan.of(100, 15)
    rows = _rows("SQLite", *await _latencies(plan, "sqlite", posts), 20)
    with postgres(plan) as url:
        if url is not None:
            await schema.upgrade(url)
            found = await _latencies(plan, "postgresql", posts, database_url=url)
            rows += _rows("PostgreSQL", *found, 2)
    return rows


def _rows(kind: str, here: list[float], there: list[float], bound: float) -> list[Row]:
    later = median(b - a for a, b in zip(here, there, strict=True))
    peer = "a socket on the process that took it"
    return [
        Row(f"POST → socket on another process, {kind}, p50", "ms", median(there), peer,
            median(here)),
        Row(f"added by the other process, {kind}, p50", "ms", later, goal=at_most(bound)),
    ]  # fmt: skip


async def _latencies(
    plan: Plan, name: str, posts: int, **settings: str
) -> tuple[list[float], list[float]]:
    """Milliseconds from asking for each post to a socket on the same and on the other process."""
    folder = plan.room(f"two-{name}")
    async with contextlib.AsyncExitStack() as stack:
        sites = [
            await stack.enter_async_context(SiteProcess(folder, confirm_email="off", **settings))
            for _ in range(2)
        ]
        david = await stack.enter_async_context(Person(sites[0].url, "david"))
        susan = await stack.enter_async_context(Person(sites[0].url, "susan"))
        for person in (david, susan):
            await person.register()
        await susan.follow("david")
        crowds = [Crowd(site.port, LIVE, [susan.cookies()], CAUGHT_UP) for site in sites]
        for crowd in crowds:
            await crowd.grow(1)
        author = await signed_in(sites[0], david)
        found = [await _watched(author, crowds, number) for number in range(posts + 5)][5:]
    return [here for here, _ in found], [there for _, there in found]


async def _watched(author: Author, crowds: list[Crowd], number: int) -> list[float]:
    for crowd in crowds:
        crowd.expect()
    asked = time.time()
    await author.post(f"Number {number}")
    found = [((await crowd.all_here())[0] - asked) * 1000 for crowd in crowds]
    await asyncio.sleep(REST)
    return found
