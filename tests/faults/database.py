"""The database of a site from outside: one more process that reads and writes it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import text

from microblog.kernel.db import Database
from microblog.kernel.model import Session

PATIENCE = 30.0  # seconds: whoever waits for SQLite's lock from outside may wait long


@asynccontextmanager
async def writing(database: str) -> AsyncIterator[Session]:
    db = Database(database, busy_timeout=PATIENCE)
    try:
        async with db.writing() as session:
            yield session
    finally:
        await db.close()


async def rows(database: str, statement: str, **values: Any) -> list[Any]:
    db = Database(database)
    try:
        async with db.reading() as session:
            return list((await session.execute(text(statement), values)).all())
    finally:
        await db.close()


async def scalar(database: str, statement: str, **values: Any) -> Any:
    return (await rows(database, statement, **values))[0][0]


async def damage(database: str) -> list[str]:
    """What the database itself finds wrong with its file."""
    if not database.startswith("sqlite"):
        return []
    said = [row[0] for row in await rows(database, "PRAGMA integrity_check")]
    return [] if said == ["ok"] else [f"the database file is damaged: {line}" for line in said]
