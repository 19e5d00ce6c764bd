"""Engines for an SQLite file: five readers, one writer.

It runs with ``synchronous=FULL``: an answered post survives a power cut (SECURITY R2).  What is
deleted is overwritten (``secure_delete``), not only unlinked.

aiosqlite gives each connection a thread.  A trip there and back costs 0.1 ms of CPU, and SQLAlchemy
makes four of a statement and one each of BEGIN and ROLLBACK; here a statement is one trip, which
begins the transaction when it is the first.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Sequence
from functools import partial
from threading import Thread
from typing import Any

import aiosqlite
from aiosqlite.core import _connection_worker_thread
from sqlalchemy import URL
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from microblog.kernel import patience

READERS = 5


def engines(
    url: URL,
    wait: float,
    *,
    unhurried: bool = False,  # noqa: ARG001 - no server could keep us waiting
) -> tuple[AsyncEngine, AsyncEngine]:
    """For reading and for writing; a lock is waited for `wait` seconds."""
    shared = ("journal_mode=WAL", "foreign_keys=ON")
    reads = partial(_connect, "BEGIN", wait, (*shared, "query_only=ON"))
    writes = partial(
        _connect, "BEGIN IMMEDIATE", wait, (*shared, "synchronous=FULL", "secure_delete=ON")
    )
    # Parameters are texts and secrets of people; errors with them end in the log.
    make = partial(
        create_async_engine, url, hide_parameters=True, max_overflow=0, pool_use_lifo=True
    )
    return (
        make(pool_size=READERS, pool_timeout=10, connect_args={"async_creator_fn": reads}),
        make(pool_size=1, connect_args={"async_creator_fn": writes}),
    )


def _connect(
    begin: str,
    wait: float,
    pragmas: Sequence[str],
    database: str,
    **options: Any,  # noqa: ANN401 - sqlite3's
) -> Connection:
    """What SQLAlchemy awaits for a connection."""
    opened = partial(_opened, database, pragmas, {"timeout": wait, **options})
    return Connection(opened, begin, wait)


def _opened(database: str, pragmas: Sequence[str], options: dict[str, Any]) -> sqlite3.Connection:
    # `Connection` says BEGIN.
    made: sqlite3.Connection = sqlite3.connect(database, **options, isolation_level=None)
    for pragma in pragmas:
        made.execute(f"PRAGMA {pragma}").close()
    return made


def _work(trips: Any) -> None:  # noqa: ANN401 - aiosqlite's queue
    """Until the connection is closed, or the event loop is: then nobody waits for an answer."""
    with contextlib.suppress(RuntimeError):
        _connection_worker_thread(trips)


class Connection(aiosqlite.Connection):
    """In a transaction from its first statement on, as PEP 249 has it."""

    def __init__(self, opened: partial[sqlite3.Connection], begin: str, wait: float) -> None:
        super().__init__(opened, iter_chunk_size=64)
        # A daemon, as SQLAlchemy has it with its own.
        self._thread = Thread(target=_work, args=(self._tx,), daemon=True)
        self._begin = begin
        self._begun = False
        self._wait = self._waits = wait  # for a lock: at most, and now

    def cursor(self) -> Cursor:  # type: ignore[override]
        return Cursor(self)

    async def run(self, cursor: Cursor, how: str, statement: str, parameters: Any) -> None:  # noqa: ANN401 - DBAPI
        begin, self._begun = not self._begun, True
        wait = patience.at_most(self._wait) if begin else None
        trip: Any = self._execute
        await trip(self._run, wait, cursor, how, statement, parameters)

    async def commit(self) -> None:
        if self._begun:
            await super().commit()
            self._begun = False

    async def rollback(self) -> None:
        """Not waited for: whatever comes next on this connection comes after it in its thread."""
        if self._begun:
            self._begun = False
            self._tx.put_nowait((None, self._conn.rollback))

    def _run(
        self,
        wait: float | None,
        into: Cursor,
        how: str,
        statement: str,
        parameters: Any,  # noqa: ANN401
    ) -> None:
        if wait is not None:
            self._begin_within(wait)
        cursor = getattr(self._conn, how)(statement, parameters)
        into.description = cursor.description
        into.rows = cursor.fetchall() if cursor.description else []
        into.rowcount, into.lastrowid = cursor.rowcount, cursor.lastrowid
        cursor.close()

    def _begin_within(self, wait: float) -> None:
        if wait != self._waits:
            self._conn.execute(f"PRAGMA busy_timeout={int(wait * 1000)}")
            self._waits = wait
        self._conn.execute(self._begin)


class Cursor:
    """What SQLAlchemy asks of a cursor.  All rows are there as soon as it has executed."""

    arraysize = 1

    def __init__(self, connection: Connection) -> None:
        self.description: Any = None
        self.rows: list[Any] = []
        self.rowcount = -1
        self.lastrowid: int | None = None
        self._connection = connection

    async def __aenter__(self) -> Cursor:
        return self

    async def execute(self, statement: str, parameters: Sequence[Any] = ()) -> None:
        await self._connection.run(self, "execute", statement, parameters)

    async def executemany(self, statement: str, parameters: Sequence[Sequence[Any]]) -> None:
        await self._connection.run(self, "executemany", statement, parameters)

    async def fetchall(self) -> list[Any]:
        rows, self.rows = self.rows, []
        return rows

    async def close(self) -> None:
        """It was closed in its trip."""
