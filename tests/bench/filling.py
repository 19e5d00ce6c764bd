"""A database filled fast: 5,200 people, of whom four follow 10, 100, 1,000 and 5,000, and posts."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta

import asyncpg
from sqlalchemy import make_url

PEOPLE = 5200
READERS = {1: 10, 2: 100, 3: 1000, 4: 5000}  # account: how many it follows
SPACING = timedelta(seconds=20)  # between posts
START = datetime(2025, 1, 1, tzinfo=UTC)
BODY = "It weaves algebraical patterns just as the loom weaves flowers and leaves. #engine"

ACCOUNTS = ("id", "name", "name_key", "created_at")
FOLLOWS = ("follower_id", "followed_id", "at")
POSTS = ("id", "author_id", "body", "created_at", "root_id")


async def people(url: str) -> None:
    await _insert(url, "accounts", ACCOUNTS, _accounts())
    await _insert(url, "follows", FOLLOWS, _follows())


async def posts(url: str, first: int, end: int) -> None:
    """Those from number `first` up to `end`, newer than what is there; then let the database know
    what it holds, as its own housekeeping does after a while."""
    await _insert(url, "posts", POSTS, _posts(first, end))
    await _analyzed(url)


def _accounts() -> Iterator[tuple[object, ...]]:
    for number in range(1, PEOPLE + 1):
        yield number, f"person{number}", f"person{number}", START


def _follows() -> Iterator[tuple[object, ...]]:
    drawn = random.Random(5)
    for reader, many in READERS.items():
        for other in drawn.sample(range(len(READERS) + 1, PEOPLE + 1), many):
            yield reader, other, START


def _posts(first: int, end: int) -> Iterator[tuple[object, ...]]:
    drawn = random.Random(first)
    for number in range(first, end):
        at = START + number * SPACING
        post_id = int(at.timestamp() * 1000) << 16  # as microblog.kernel.ids draws them
        author = drawn.randrange(len(READERS) + 1, PEOPLE + 1)
        yield post_id, author, f"{BODY} {number}", at, post_id


async def _insert(
    url: str, table: str, columns: tuple[str, ...], rows: Iterator[tuple[object, ...]]
) -> None:
    if url.startswith("sqlite"):
        names, marks = ", ".join(columns), ", ".join("?" * len(columns))
        with closing(_sqlite(url)) as db, db:
            db.executemany(
                f"INSERT INTO {table} ({names}) VALUES ({marks})", (_plain(row) for row in rows)
            )
    else:
        server = await _postgresql(url)
        await server.execute("SET session_replication_role = replica")  # no look for each parent
        await server.copy_records_to_table(table, records=rows, columns=columns)
        await server.close()


async def _analyzed(url: str) -> None:
    if url.startswith("sqlite"):
        with closing(_sqlite(url)) as db:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    else:
        server = await _postgresql(url)
        await server.execute("VACUUM ANALYZE")
        await server.close()


def _plain(row: tuple[object, ...]) -> tuple[object, ...]:
    """With moments as SQLAlchemy writes them into SQLite."""
    return tuple(
        one.strftime("%Y-%m-%d %H:%M:%S.%f") if isinstance(one, datetime) else one for one in row
    )


def _sqlite(url: str) -> sqlite3.Connection:
    connection = sqlite3.connect(make_url(url).database or "")
    connection.execute("PRAGMA synchronous = OFF")  # of this connection: nothing here is precious
    connection.execute("PRAGMA cache_size = -200000")
    return connection


async def _postgresql(url: str) -> asyncpg.Connection:
    return await asyncpg.connect(
        host=str(make_url(url).query["host"]), user="postgres", database="postgres"
    )
