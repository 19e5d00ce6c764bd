"""Engines for an SQLite file: five readers, one writer.

It runs with ``synchronous=FULL``: an answered post survives a power cut (SECURITY R2).  What is
deleted is overwritten (``secure_delete``), not only unlinked.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from sqlalchemy import URL, Connection, event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

READERS = 5


def engines(url: URL, patience: float) -> tuple[AsyncEngine, AsyncEngine]:
    """For reading and for writing; a lock is waited for `patience` seconds."""
    # Parameters are texts and secrets of people; errors with them end in the log.
    make = partial(create_async_engine, url, hide_parameters=True, max_overflow=0)
    reader = make(pool_size=READERS, pool_timeout=10)
    writer = make(pool_size=1)
    _prepare(reader, patience, ("query_only=ON",), "BEGIN")
    _prepare(writer, patience, ("synchronous=FULL", "secure_delete=ON"), "BEGIN IMMEDIATE")
    return reader, writer


def _prepare(engine: AsyncEngine, patience: float, pragmas: tuple[str, ...], begin: str) -> None:
    wait = f"busy_timeout={int(patience * 1000)}"
    shared = ("journal_mode=WAL", wait, "foreign_keys=ON")

    def connect(connection: Any, _record: Any) -> None:  # noqa: ANN401 - DBAPI
        connection.isolation_level = None  # we say BEGIN ourselves
        cursor = connection.cursor()
        for pragma in (*shared, *pragmas):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    def start(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    event.listen(engine.sync_engine, "connect", connect)
    event.listen(engine.sync_engine, "begin", start)
