"""More of PostgreSQL than one database on the server that all tests share."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
from sqlalchemy import URL, make_url

from tests.faults.proxy import Proxy


def socket_of(database: str) -> Path:
    return Path(str(make_url(database).query["host"])) / ".s.PGSQL.5432"


def through(database: str, wire: Proxy) -> str:
    """The same database behind a proxy."""
    return f"postgresql+asyncpg://postgres@127.0.0.1:{wire.port}/{make_url(database).database}"


async def connect(database: str) -> asyncpg.Connection:
    url = make_url(database)
    return await asyncpg.connect(
        host=str(url.query["host"]), user="postgres", database=url.database
    )


@asynccontextmanager
async def copy_of(database: str) -> AsyncIterator[str]:
    """A database with the same content.  Nobody may be connected to the first while it is made."""
    url = make_url(database)
    name = f"copy_{secrets.token_hex(6)}"
    await execute(url, f'CREATE DATABASE {name} TEMPLATE "{url.database}" STRATEGY FILE_COPY')
    try:
        yield url.set(database=name).render_as_string(hide_password=False)
    finally:
        await execute(url, f"DROP DATABASE {name} WITH (FORCE)")


async def execute(url: URL, statement: str) -> None:
    """As the operator of the server, beside the database of that URL."""
    connection = await connect(url.set(database="postgres").render_as_string(hide_password=False))
    with contextlib.suppress(asyncpg.InvalidCatalogNameError):
        await connection.execute(statement)
    await connection.close()
