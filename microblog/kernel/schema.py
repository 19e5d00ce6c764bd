"""Bringing a database to the newest schema, and refusing one that is newer than the program.

Precautions on SQLite: a batch rebuild of a parent table with foreign keys on would delete all its
children, so they are off, set before the transaction begins, and checked before it commits.  The
whole upgrade is one transaction under the write lock (PostgreSQL: an advisory lock): cut off
half-way, nothing has happened; started twice at once, the second finds it done.
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, event, inspect, make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from microblog.kernel import sqlite
from microblog.kernel.model import Session

Answer = TypeVar("Answer")

WAIT = 30  # s, for another process that does the same
_LOCK = 7_241_905_117
_VERSIONS = Path(__file__).parent / "migrations" / "versions"


class SchemaError(Exception):
    """The database cannot be used as it is, in one line that says what to do."""


class NewerSchemaError(SchemaError):
    """It was used with a newer version."""


async def upgrade(url: str) -> None:
    """Migrate to the newest revision.  Raises SchemaError if the database is newer."""
    await _with_connection(url, _upgrade)


async def needs_upgrade(url: str) -> bool:
    """Whether `upgrade` would change anything, and Alembic is to be loaded.  Raises SchemaError
    if the database is newer."""
    return await _with_connection(url, _needs_upgrade)


async def is_older(url: str) -> bool:
    """Whether `upgrade` would change what an older version has made."""
    return await _with_connection(url, _is_older)


async def check(url: str) -> None:
    """Raise SchemaError unless the database has exactly the newest revision."""
    await _with_connection(url, _check)


async def serves(session: Session) -> bool:
    """Whether this version can work with what it finds: its own schema, or one of a version it does
    not know.  While hosts are updated one by one, those still to come go on under the newer one."""
    found = await revision(session)
    head, known = _revisions()
    return found == head or (found is not None and found not in known)


async def revision(session: Session) -> str | None:
    """What the database has."""
    return await (await session.connection()).run_sync(_revision)


async def is_newest(session: Session) -> bool:
    return await revision(session) == _revisions()[0]


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    return str(found) if found else None


@cache
def _revisions() -> tuple[str | None, frozenset[str]]:
    """The newest and all that this version knows: their files begin with their number."""
    known = sorted(file.name.partition("_")[0] for file in _VERSIONS.glob("[0-9]*_*.py"))
    return known[-1] if known else None, frozenset(known)


def _upgrade(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
    if not _needs_upgrade(connection):
        return
    importlib.import_module("microblog.kernel.migrating").migrate(connection)
    if connection.dialect.name == "sqlite":
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
        if broken:
            raise SchemaError(
                f"The migration would break {len(broken)} references; nothing was changed."
            )


def _check(connection: Connection) -> None:
    if _needs_upgrade(connection):
        raise SchemaError("The database is older than this version. Run: microblog migrate")


def _is_older(connection: Connection) -> bool:
    return _needs_upgrade(connection) and _revision(connection) is not None


def _needs_upgrade(connection: Connection) -> bool:
    found = _revision(connection)
    if found is not None and found not in _revisions()[1]:
        raise NewerSchemaError(
            f"The database has schema {found}, which this version does not know: it was used with a"
            " newer version of Microblog. Start that version, or move the database away and"
            " restore a backup into a new one."
        )
    return found != _revisions()[0]


async def _with_connection(url: str, work: Callable[[Connection], Answer]) -> Answer:
    engine = create_async_engine(make_url(url))
    _prepare(engine)
    try:
        async with engine.begin() as connection:
            return await connection.run_sync(work)
    finally:
        await engine.dispose()


def _prepare(engine: AsyncEngine) -> None:
    if engine.dialect.name != "sqlite":
        return

    @event.listens_for(engine.sync_engine, "connect")
    def connect(connection: Any, _record: Any) -> None:  # noqa: ANN401 - DBAPI
        def pause(seconds: float) -> None:  # in the event loop's thread, which goes on meanwhile
            connection.run_async(lambda _: asyncio.sleep(seconds))

        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (f"busy_timeout={WAIT * 1000}", "foreign_keys=OFF", "synchronous=FULL"):
            cursor.execute(f"PRAGMA {pragma}")
        sqlite.into_wal(cursor.execute, WAIT, pause)
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
