"""The home timeline by size: how many people are followed, how many posts there are, which page.

What is timed is the product's own query in a session of its own `Database`, so the way through
SQLAlchemy and the driver is in every figure; the tutorial's query (posts joined to authors and
follows, grouped, sorted) goes the same way.  Authors write at random, so the newest posts of those
who follow few lie far apart.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, TypeAlias

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import aliased

from microblog.accounts.model import Account
from microblog.follows.model import Follow
from microblog.kernel import schema
from microblog.kernel.db import Database
from microblog.kernel.model import Session
from microblog.posts.model import Post
from microblog.timelines import queries
from tests.bench import filling
from tests.bench.plan import Plan
from tests.bench.postgres import postgres
from tests.bench.table import Goal, Row, at_most, times

PAGE = 25
DEEP = 20  # the page that is asked for beside the first
PEER = "the tutorial's join"
PATIENCE = 2.0  # seconds for one figure; the join takes that for one answer


Ask: TypeAlias = Callable[[Session], Awaitable[object]]


@dataclass(frozen=True)
class Timed:
    """Milliseconds, by how many are followed."""

    posts: int
    first: dict[int, float]
    deep: dict[int, float]  # where there is such a page
    joined: dict[int, float]


async def run(plan: Plan) -> list[Row]:
    sizes = plan.of((10_000, 100_000, 1_000_000), (10_000, 50_000))
    file = plan.room("timelines") / "microblog.db"
    rows = await _on("SQLite", f"sqlite+aiosqlite:///{file}", sizes, plan)
    with postgres(plan) as url:
        if url is not None:
            rows += await _on("PostgreSQL", url, sizes, plan)
    return rows


async def _on(kind: str, url: str, sizes: Sequence[int], plan: Plan) -> list[Row]:
    await schema.upgrade(url)
    await filling.people(url)
    database = Database(url)
    found: list[Timed] = []
    rounds = plan.of(200, 20)
    for before, size in zip((0, *sizes), sizes, strict=False):
        plan.say(f"{kind}, {size:,} posts")
        await filling.posts(url, before, size)
        found.append(await _timed(database, size, rounds))
    await database.close()
    return _rows(kind, found)


async def _timed(database: Database, size: int, rounds: int) -> Timed:
    found = Timed(size, {}, {}, {})
    for reader, followed in filling.READERS.items():
        before = await _start_of_page(database, reader)
        found.first[followed] = await _median(database, rounds, _home(reader, None))
        if before is not None:
            found.deep[followed] = await _median(database, rounds, _home(reader, before))
        found.joined[followed] = await _median(database, max(3, rounds // 40), _join(reader))
    return found


async def _start_of_page(database: Database, reader: int) -> int | None:
    """The post before which page `DEEP` begins; None where there are too few."""
    async with database.reading() as session:
        above = await queries.home(session, reader, limit=PAGE * DEEP)
    return above[PAGE * (DEEP - 1) - 1] if len(above) == PAGE * DEEP else None


def _home(reader: int, before: int | None) -> Ask:
    return lambda session: queries.home(session, reader, before=before, limit=PAGE + 1)


def _join(reader: int) -> Ask:
    author, follow = aliased(Account), aliased(Follow)
    wanted: Select[Any] = (
        select(Post.id)
        .join(author, Post.author_id == author.id)
        .outerjoin(follow, follow.followed_id == author.id)
        .where(or_(follow.follower_id == reader, author.id == reader), Post.deleted_at.is_(None))
        .group_by(Post.id)
        .order_by(Post.created_at.desc())
        .limit(PAGE)
    )
    return lambda session: session.scalars(wanted)


async def _median(database: Database, rounds: int, ask: Ask) -> float:
    """In milliseconds; fewer rounds than asked for when they take too long."""
    found: list[float] = []
    async with database.reading() as session:
        await ask(session)  # compiles, and reads what is cold
        ending = time.perf_counter() + PATIENCE
        while len(found) < rounds and (began := time.perf_counter()) < ending:
            await ask(session)
            found.append((time.perf_counter() - began) * 1000)
    return median(found) if found else PATIENCE * 1000


def _rows(kind: str, found: list[Timed]) -> list[Row]:
    rows: list[Row] = []
    for timed in found:
        for followed, ours in timed.first.items():
            name = f"{kind}, {timed.posts:,} posts, {followed:,} followed"
            goal = _goal(timed.posts, followed)
            rows.append(Row(f"{name}, p50", "ms", ours, PEER, timed.joined[followed], goal))
    largest = found[-1]
    for followed, deep in largest.deep.items():
        name = f"{kind}, {largest.posts:,} posts, {followed:,} followed, page {DEEP}"
        rows.append(Row(name, "ms", deep, "page 1", largest.first[followed], times(1.5)))
    name = f"{kind}, 1,000 followed, {largest.posts:,} posts"
    peer = f"{found[0].posts:,} posts"
    return [
        *rows, Row(name, "ms", largest.first[1000], peer, found[0].first[1000], times(3)),
    ]  # fmt: skip


def _goal(posts: int, followed: int) -> Goal | None:
    bounds = {1000: at_most(2), 5000: at_most(7)}
    return bounds.get(followed) if posts == 1_000_000 else None
