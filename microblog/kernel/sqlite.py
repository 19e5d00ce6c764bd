"""Engines for an SQLite file: five readers, one writer.

It runs with ``synchronous=FULL``: an answered post survives a power cut (SECURITY R2).  What is
deleted is overwritten (``secure_delete``), not only unlinked.

aiosqlite gives each connection a thread.  A trip there and back costs 0.1 ms of CPU on one core and
0.8 on two, whose caches hand over all that both touch; and SQLAlchemy makes four of a statement and
one each of BEGIN and ROLLBACK.  Here a statement is one trip at most, which begins the transaction
when it is the first, and **a short one is none**: it runs where it was asked.  How long that may
hold up everybody else is bounded: SQLite looks at the clock every `STEPS` of its machine, and what
is not done after `SHORT` seconds is stopped and asked again in the thread, in the same snapshot.
Writing, too, begins where it is asked when nobody has the lock, and goes to the thread to wait for
it.  What waits for the disk (COMMIT), and what may change or add many rows, always goes there.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import Callable, Sequence
from functools import partial
from threading import Thread
from typing import Any

import aiosqlite
from aiosqlite.core import _connection_worker_thread
from sqlalchemy import URL
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine

from microblog.kernel import patience

READERS = 5
SHORT = 0.005  # s in one transaction: as long as any thread may keep the interpreter
STEPS = 2000  # some 0.1 ms
FEW = 100  # values that one INSERT names: nothing else tells how long it takes, or may stop it
# Seconds after which what was not short is tried again, twice as many each time in a row: a process
# that had to wait for a core in the middle of a statement looks as slow as a slow statement.
SOON, LATE = 0.05, 12.8


def engines(
    url: URL,
    wait: float,
    *,
    unhurried: bool = False,  # noqa: ARG001 - no server could keep us waiting
) -> tuple[AsyncEngine, AsyncEngine]:
    """For reading and for writing; a lock is waited for `wait` seconds."""
    reads = partial(_connect, "BEGIN", wait, ("foreign_keys=ON", "query_only=ON"))
    writes = partial(
        _connect,
        "BEGIN IMMEDIATE",
        wait,
        ("foreign_keys=ON", "synchronous=FULL", "secure_delete=ON"),
    )
    # Parameters are texts and secrets of people; errors with them end in the log.
    make = partial(
        create_async_engine, url, hide_parameters=True, max_overflow=0, pool_use_lifo=True
    )
    return (
        make(pool_size=READERS, pool_timeout=10, connect_args={"async_creator_fn": reads}),
        make(pool_size=1, connect_args={"async_creator_fn": writes}),
    )


class Reader(AsyncSession):
    """Its end is a rollback that nobody waits for, so no cancellation can come in between, and it
    needs no task of its own, as SQLAlchemy has it."""

    async def __aexit__(self, *_: object) -> None:
        await self.close()
        await asyncio.sleep(0)  # who reads again and again lets others have a turn


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
    # `Connection` says BEGIN, and sees to it that only one thread is at work.
    made: sqlite3.Connection = sqlite3.connect(
        database, **{**options, "check_same_thread": False}, isolation_level=None
    )
    try:
        into_wal(lambda pragma: made.execute(pragma).close(), options["timeout"], time.sleep)
        for pragma in pragmas:
            made.execute(f"PRAGMA {pragma}").close()
    except sqlite3.Error:
        made.close()
        raise
    return made


def into_wal(
    execute: Callable[[str], object], wait: float, pause: Callable[[float], object]
) -> None:
    """Have the file in write-ahead mode, which lasts.  Two that do so with a new file at the same
    moment refuse each other at once, however long they would wait for a lock."""
    until = time.monotonic() + wait
    while True:
        try:
            execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            pause(0.01)


def _work(trips: Any) -> None:  # noqa: ANN401 - aiosqlite's queue
    """Until the connection is closed, or the event loop is: then nobody waits for an answer."""
    with contextlib.suppress(RuntimeError):
        _connection_worker_thread(trips)


def _keep(
    made: list[sqlite3.Connection], opened: partial[sqlite3.Connection]
) -> sqlite3.Connection:
    made.append(opened())
    return made[0]


def _close(made: list[sqlite3.Connection]) -> None:
    for connection in made:
        connection.close()


class Connection(aiosqlite.Connection):
    """In a transaction from its first statement on, as PEP 249 has it."""

    def __init__(self, opened: partial[sqlite3.Connection], begin: str, wait: float) -> None:
        self._made: list[sqlite3.Connection] = []
        super().__init__(partial(_keep, self._made, opened), iter_chunk_size=64)
        # A daemon, as SQLAlchemy has it with its own.
        self._thread = Thread(target=_work, args=(self._tx,), daemon=True)
        self._begin = begin
        self._begun = False
        self._wait = wait  # for a lock, at most
        self._waits = -1.0  # as the connection knows it
        self._away = False  # the thread may be at work: nobody waited for its last trip
        self._short = _Short(reads=begin == "BEGIN")

    def cursor(self) -> Cursor:  # type: ignore[override]
        return Cursor(self)

    def stop(self) -> asyncio.Future[Any] | None:
        """Closed is also what was only being opened when whoever waited for it was cancelled."""
        self._tx.put_nowait((None, partial(_close, self._made)))
        return super().stop()

    async def run(self, cursor: Cursor, how: str, statement: str, parameters: Any) -> None:  # noqa: ANN401 - DBAPI
        begins, self._begun = not self._begun, True
        work = partial(self._run, cursor, how, statement, parameters)
        if begins:
            self._short.begin()
        may_stay = (
            not self._away
            and how == "execute"
            and self._short.is_likely(statement, len(parameters))
        )
        here = partial(work, 0.0 if begins else None)
        if may_stay and self._short.done(self._conn, statement, here):
            return
        await self._trip(partial(work, patience.at_most(self._wait) if begins else None))

    async def _trip(self, work: Callable[[], None]) -> None:
        self._away = True
        await self._execute(work)  # type: ignore[no-untyped-call]
        self._away = False

    async def commit(self) -> None:
        if self._begun:
            await self._trip(self._conn.commit)
            self._begun = False

    async def rollback(self) -> None:
        """Not waited for: whatever comes next on this connection comes after it in its thread."""
        if not self._begun:
            return
        self._begun = False
        if self._away:
            self._tx.put_nowait((None, self._conn.rollback))
        else:
            self._conn.rollback()

    def _run(
        self,
        into: Cursor,
        how: str,
        statement: str,
        parameters: Any,  # noqa: ANN401
        wait: float | None,
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
        if not self._conn.in_transaction:
            self._conn.execute(self._begin)


class _Short:
    """Which statements of a connection run where they are asked, and that they end soon."""

    def __init__(self, *, reads: bool) -> None:
        self._reads = reads
        self._left = SHORT
        self._stop = 0.0
        self._was_long: dict[str, tuple[float, float]] = {}  # until when, and for how long

    def begin(self) -> None:
        self._left = SHORT

    def is_likely(self, statement: str, values: int) -> bool:
        adds_few = _only_adds(statement) and values <= FEW
        if not (self._reads or adds_few or statement.startswith("SELECT")):
            return False
        until, _ = self._was_long.get(statement, (0.0, 0.0))
        return self._left > 0 and (not until or time.monotonic() > until)

    def done(self, on: sqlite3.Connection, statement: str, work: Callable[[], None]) -> bool:
        """Whether `work` came to its end here; if not, nothing of it happened."""
        began = time.perf_counter()
        self._stop = began + self._left
        # A change that is stopped would take its whole transaction with it.
        on.set_progress_handler(None if _only_adds(statement) else self._is_late, STEPS)
        try:
            work()
        except sqlite3.OperationalError as error:
            code = getattr(error, "sqlite_errorcode", 0)  # what Python itself finds wrong has none
            if code & 0xFF not in (sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_BUSY):
                raise
            self._remember(statement)
            return False
        finally:
            on.set_progress_handler(None, 0)
            self._left -= time.perf_counter() - began
        self._was_long.pop(statement, None)
        return True

    def _is_late(self) -> bool:
        return time.perf_counter() > self._stop

    def _remember(self, statement: str) -> None:
        if len(self._was_long) > 100:
            self._was_long.clear()
        _, before = self._was_long.get(statement, (0.0, SOON / 2))
        pause = min(2 * before, LATE)
        self._was_long[statement] = time.monotonic() + pause, pause


def _only_adds(statement: str) -> bool:
    """The rows it names."""
    return statement.startswith("INSERT") and "SELECT" not in statement


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
