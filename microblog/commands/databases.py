"""The database a command works on: opened, closed, and whether a site uses it."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, closing
from pathlib import Path

from sqlalchemy import make_url, text

from microblog.kernel.db import Database
from microblog.kernel.events import LogEpoch
from microblog.kernel.postgresql import faults_told
from microblog.kernel.readers import ConsumerOffset
from microblog.kernel.transfer import TransferError
from microblog.signin.model import AdminClaim

# What a site writes at its first start, before anybody has come.
_FRESH = {LogEpoch.__tablename__, AdminClaim.__tablename__, ConsumerOffset.__tablename__}

_OTHERS = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    " AND application_name = 'microblog' AND pid <> pg_backend_pid()"
)


def sqlite_url(path: Path) -> str:
    return f"sqlite+aiosqlite:///{path.absolute()}"


def shown(url: str) -> str:
    """For people, without the password."""
    return make_url(url).render_as_string(hide_password=True)


def same(one: str, other: str) -> bool:
    """Whether both name the same database; a file has many paths, each of which would wait for the
    lock of the other."""
    files = [_file(url) for url in (one, other)]
    return one == other or (files[0] is not None and files[0] == files[1])


def _file(url: str) -> Path | None:
    parts = make_url(url)
    is_file = parts.get_backend_name() == "sqlite" and parts.database
    return Path(parts.database or "").resolve() if is_file else None


def must_exist(url: str) -> None:
    """Opening an SQLite file would make it."""
    parts = make_url(url)
    if parts.get_backend_name() == "sqlite" and not Path(parts.database or "").is_file():
        raise TransferError(f"There is no site here: {parts.database} is missing.")


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Database]:
    database = Database(url, unhurried=True)
    try:
        async with faults_told():
            yield database
    finally:
        await database.close()


async def in_use(url: str) -> bool:
    """Whether a process of the site has it open.  One on SQLite keeps the file locked in part; on
    PostgreSQL it names itself."""
    async with opened(url) as database:
        if database.path is None:
            async with database.reading() as session:
                return bool(await session.scalar(_OTHERS))
    return database.path.exists() and _is_held(database.path)


def holds_a_site(tables: Iterable[str]) -> list[str]:
    """Those of the filled tables that people filled."""
    return [name for name in tables if name not in _FRESH]


def _is_held(path: Path) -> bool:
    with closing(sqlite3.connect(path, isolation_level=None, timeout=0.5)) as connection:
        connection.execute("PRAGMA locking_mode=EXCLUSIVE")
        try:
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
                return True
            raise
        connection.execute("ROLLBACK")
    return False
