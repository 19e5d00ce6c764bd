"""The database of a site from outside: one more process that reads and writes it."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import make_url, text

from microblog.kernel.db import Database
from microblog.kernel.model import Session
from tests.faults.postgres import execute

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


@asynccontextmanager
async def empty_beside(database: str) -> AsyncIterator[str]:
    """Another database of the same kind, in which there is nothing yet."""
    url = make_url(database)
    if database.startswith("sqlite"):
        yield url.set(database=f"{url.database}.empty").render_as_string(hide_password=False)
        return
    name = f"empty_{secrets.token_hex(6)}"
    await execute(url, f"CREATE DATABASE {name}")
    try:
        yield url.set(database=name).render_as_string(hide_password=False)
    finally:
        await execute(url, f"DROP DATABASE {name} WITH (FORCE)")
