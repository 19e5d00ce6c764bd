"""The database: there, healthy, of this version's schema, and set so that nothing is lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from microblog.commands.checkups.findings import Finding, broken, fine, look
from microblog.commands.databases import opened
from microblog.kernel import schema
from microblog.kernel.clock import now
from microblog.kernel.db import Database
from microblog.kernel.model import Session
from microblog.kernel.postgresql import faults_told
from microblog.kernel.schema import NewerSchemaError, SchemaError
from microblog.settings import Settings

if TYPE_CHECKING:
    import asyncpg

OLDEST = 130_000  # of PostgreSQL, as server_version_num
CONNECTIONS = 10  # that a process of the site may have
HEARD_WITHIN = 3.0
APART, FAR_APART = 2.0, 60.0  # seconds between two clocks

_FACTS = text(
    "SELECT current_setting('server_version_num')::int AS number,"
    " current_setting('server_version') AS version,"
    " (SELECT pg_encoding_to_char(encoding) FROM pg_database WHERE datname = current_database())"
    " AS encoding, current_setting('max_connections')::int AS most,"
    " (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') AS used,"
    " pg_is_in_recovery() AS is_replica, clock_timestamp() AS clock,"
    " current_setting('fsync') AS fsync, current_setting('full_page_writes') AS full_page_writes,"
    " current_setting('synchronous_commit') AS synchronous_commit"
)


async def examine(settings: Settings) -> AsyncIterator[Finding]:
    if not exists(settings):
        yield look("database", "there is none yet", "The first start makes it.")
        return
    async with opened(settings.url) as database:
        look_at = _sqlite if database.is_sqlite else _postgresql
        async for finding in look_at(database):
            yield finding
    try:
        async with faults_told():
            await schema.check(settings.url)
    except NewerSchemaError as error:
        yield broken("schema", str(error), "docs/backup.md says how, and what to expect.")
    except SchemaError as error:
        yield broken("schema", str(error), "Make a backup first: microblog backup FILE")
    else:
        yield fine("schema", "as this version needs it")


def exists(settings: Settings) -> bool:
    """Opening an SQLite file would make it."""
    parts = make_url(settings.url)
    return parts.get_backend_name() != "sqlite" or Path(parts.database or "").exists()


async def _sqlite(database: Database) -> AsyncIterator[Finding]:
    async with database.reading() as session:
        damage = (await session.execute(text("PRAGMA quick_check(1)"))).scalar_one()
        mode = (await session.execute(text("PRAGMA journal_mode"))).scalar_one()
    if damage != "ok":
        yield broken(
            "database", f"{database.path} is damaged: {damage}",
            "Stop the site, move the file away and restore the newest backup: microblog restore",
        )  # fmt: skip
    elif mode != "wal":
        yield broken(
            "database", f"{database.path} has journal mode {mode}", "Its disk must allow WAL."
        )
    else:
        yield fine("database", f"{database.path}, its pages are whole")
    for finding in _rights(cast(Path, database.path)):
        yield finding


def _rights(path: Path) -> Iterator[Finding]:
    """What the directory lets others see is what counts."""
    if path.stat().st_mode & 0o004 and path.parent.stat().st_mode & 0o001:
        yield look("database", f"{path} can be read by others", f"Run: chmod 600 {path}")


async def _postgresql(database: Database) -> AsyncIterator[Finding]:
    async with database.reading() as session:
        facts = await _facts(session)
    yield fine("database", f"PostgreSQL {facts['version']}")
    for finding in (*_usable(facts), *_durable(facts), *_clock(facts["clock"])):
        yield finding
    if await _hears(database):
        yield fine("database", "tells other processes of new events (LISTEN)")
    else:
        yield broken(
            "database", "LISTEN does not work: live pages would be a second late",
            "Connect to PostgreSQL itself, or to a pooler in session mode, not transaction mode.",
        )  # fmt: skip


async def _facts(session: Session) -> dict[str, Any]:
    return dict((await session.execute(_FACTS)).mappings().one())


def _usable(facts: dict[str, Any]) -> Iterator[Finding]:
    if facts["number"] < OLDEST:
        yield broken("database", "PostgreSQL is older than 13", "Upgrade PostgreSQL.")
    if facts["encoding"] != "UTF8":
        yield broken(
            "database", f"its encoding is {facts['encoding']}, so not every text can be kept",
            "Make a new database: CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0",
        )  # fmt: skip
    if facts["is_replica"]:
        yield broken("database", "it is a replica and cannot be written", "Use the primary.")
    left = facts["most"] - facts["used"]
    says = f"{left} of {facts['most']} connections are free; a process of the site needs up to"
    if left < CONNECTIONS:
        yield look("database", f"{says} {CONNECTIONS}", "Raise max_connections.")
    else:
        yield fine("database", f"{says} {CONNECTIONS}")


def _durable(facts: dict[str, Any]) -> Iterator[Finding]:
    for name in ("fsync", "full_page_writes", "synchronous_commit"):
        if facts[name] == "off":
            yield broken(
                "database", f"{name} is off: a power cut loses what people were told is kept",
                f"ALTER SYSTEM SET {name} = on",
            )  # fmt: skip


def _clock(theirs: datetime) -> Iterator[Finding]:
    apart = abs((now() - theirs).total_seconds())
    says = f"this machine and the database are {apart:.1f} s apart"
    if apart > FAR_APART:
        yield broken("clock", says, "Let both machines set their clocks by NTP.")
    elif apart > APART:
        yield look("clock", says, "Let both machines set their clocks by NTP.")
    else:
        yield fine("clock", says)


async def _hears(database: Database) -> bool:
    """Whether a connection that listens hears of what another one says."""
    heard = asyncio.Event()
    engine = create_async_engine(database.url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    try:
        async with engine.connect() as listening, engine.connect() as speaking:
            raw = await listening.get_raw_connection()
            connection = cast("asyncpg.Connection", raw.driver_connection)
            await connection.add_listener("microblog_doctor", lambda *_: heard.set())
            await speaking.execute(text("SELECT pg_notify('microblog_doctor', '')"))
            async with asyncio.timeout(HEARD_WITHIN):
                await heard.wait()
    except TimeoutError:
        return False
    finally:
        await engine.dispose()
    return True
