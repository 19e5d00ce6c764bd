"""What a page costs does not grow with what lies behind it or around it.

A plan may be a search in an index and yet go past everything of everybody else; so what is counted
here is what the databases really do: SQLite's steps, and the rows that PostgreSQL looks at, in the
form that is planned without the values, as the site has it.  A place of three people is the hard
case: to each belongs a third of everything, as far as a planner can know.  (Home is made for who
follows ten and more, on a site to match: test_plans.)
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import pytest
from sqlalchemy import Connection, text

from microblog.kernel.db import Database
from microblog.notifications import queries as notifications
from microblog.timelines import queries as timelines
from tests.plans.explain import Question, Sent, literal, nodes, statements
from tests.plans.grown import insert

QUIET, BUSY = 1, 2  # who has few of everything, long ago, and who has many
FEW, MANY = 100, 20_000
OLD, NEW = FEW // 2, MANY // 2  # somewhere in the middle of theirs

_THEIRS = f"CASE WHEN {{n}} <= {FEW} THEN {QUIET} ELSE {BUSY} END"
_TABLES = {
    "accounts (id, name, name_key, email_key, created_at)":
        (3, "{n}, 'p' || {n}, 'p' || {n}, 'p' || {n} || '@example.org', {at}"),
    "follows (follower_id, followed_id, at)": (2, "{n}, 3 - {n}, {at}"),
    "posts (id, author_id, body, created_at, root_id)":
        (MANY, f"{{n}}, {_THEIRS}, 'post', {{at}}, {{n}}"),
    "post_tags (post_id, tag)": (MANY, f"{{n}}, 't' || {_THEIRS}"),
    "notifications (id, account_id, kind, about, actor_id, post_id, at, read_at)":
        (MANY, (f"{{n}}, {_THEIRS}, 'mention', 'post-' || {{n}}, 3, {{n}}, {{at}},"
                " CASE WHEN {n} % 2 = 0 THEN {at} END")),
}  # fmt: skip

# Of who has few, and of who has many.
ASKED: dict[str, tuple[Question, ...]] = {
    "unread": (
        lambda s: notifications.unread(s, QUIET),
        lambda s: notifications.unread(s, BUSY),
    ),
    "notifications": (
        lambda s: notifications.page(s, QUIET),
        lambda s: notifications.page(s, BUSY),
    ),
    "notifications, deep down": (
        lambda s: notifications.page(s, QUIET, before=OLD),
        lambda s: notifications.page(s, BUSY, before=NEW),
    ),
    "an author": (
        lambda s: timelines.by_author(s, QUIET),
        lambda s: timelines.by_author(s, BUSY),
    ),
    "an author, deep down": (
        lambda s: timelines.by_author(s, QUIET, before=OLD),
        lambda s: timelines.by_author(s, BUSY, before=NEW),
    ),
    "a tag": (
        lambda s: timelines.tagged(s, f"t{QUIET}"),
        lambda s: timelines.tagged(s, f"t{BUSY}"),
    ),
}
ENOUGH = {"sqlite": 15_000, "postgresql": 2_000}  # steps, and rows; all would be ten times as many


@pytest.fixture
async def long_used(db: Database) -> Database:
    async with db.writing() as session:
        for into, (rows, values) in _TABLES.items():
            await session.execute(text(insert(into, rows, values, session.get_bind().dialect.name)))
        await session.execute(text("ANALYZE"))
    return db


async def test_a_page_costs_the_same_whatever_has_been_before(long_used: Database) -> None:
    found = {name: [await _work(long_used, ask) for ask in asked] for name, asked in ASKED.items()}
    enough = ENOUGH["sqlite" if long_used.is_sqlite else "postgresql"]
    assert {name: work for name, work in found.items() if max(work) > enough} == {}


async def _work(db: Database, ask: Question) -> int:
    async with db.reading() as session:
        asked = await statements(session, ask)
        if not db.is_sqlite:
            connection = await session.connection()
            return sum([await connection.run_sync(_rows, one) for one in asked])
    return sum(_steps(str(db.path), one) for one in asked)


def _steps(path: str, asked: Sent) -> int:
    steps = 0

    def count() -> None:
        nonlocal steps
        steps += 1

    with closing(sqlite3.connect(path)) as connection:
        connection.set_progress_handler(count, 1)
        connection.execute(asked.sql, asked.values).fetchall()
    return steps


def _rows(connection: Connection, asked: Sent) -> int:
    connection.exec_driver_sql(f"PREPARE asked AS {asked.sql}")
    given = f"({', '.join(map(literal, asked.values))})" if asked.values else ""
    told = connection.exec_driver_sql(
        f"EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE asked{given}"
    ).scalar_one()
    connection.exec_driver_sql("DEALLOCATE asked")
    root = (json.loads(told) if isinstance(told, str) else told)[0]["Plan"]
    return int(sum(
        (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]
        for node in nodes(root)
    ))  # fmt: skip
