"""One database, two ways in: `reading()` and `writing()`.

A writing block is one transaction.  It takes its turn when it opens, commits when it closes, and
then wakes whoever follows the event log, if it recorded something.  No network call, template or
sleep belongs inside one.

Writers take turns, on both databases: rules that ask before they act hold, numbers become visible
in the order they were drawn, and no two can wait for each other.  In a process the turn is
`_turn`, first come first served; SQLite's own waiting is polling and unfair (with 20 writers the
lock brought the 99th percentile from 448 to 64 ms).  Between processes it is SQLite's write lock
or an advisory lock of PostgreSQL (`kernel.order`).  Nobody waits longer for a turn than for the
lock: while another process holds that, each would wait for all those before.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext
from pathlib import Path

from sqlalchemy import make_url, text
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from microblog.kernel import order, patience, postgresql, sqlite
from microblog.kernel.metrics import DATABASE_ERRORS

# The database is away, locked or full: nobody's mistake, and to be tried again.
FAULTS: tuple[type[Exception], ...] = (
    OperationalError, InterfaceError, PoolTimeout, postgresql.DatabaseAway,
)  # fmt: skip

SPARE = 8  # readers
_ERRORS = {access: DATABASE_ERRORS.labels(access) for access in ("reading", "writing")}
_NOTIFY = text("SELECT pg_notify('microblog', :name)")


class _Writer(AsyncSession):
    """It ends in the task that commits, which no cancellation cuts off, and needs none of its own,
    as SQLAlchemy has it."""

    async def __aexit__(self, *_: object) -> None:
        await self.close()


class Database:
    def __init__(self, url: str, *, busy_timeout: float = 5.0, unhurried: bool = False) -> None:
        self.url = make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.name = secrets.token_hex(4)  # of this process among those that use the database
        self._busy_timeout = busy_timeout
        dialect = sqlite if self.is_sqlite else postgresql
        self._read_engine, self._write_engine = dialect.engines(
            self.url, busy_timeout, unhurried=unhurried
        )
        self._faults_told = nullcontext if self.is_sqlite else postgresql.faults_told
        reader = sqlite.Reader if self.is_sqlite else AsyncSession
        self._readers = async_sessionmaker(self._read_engine, class_=reader, expire_on_commit=False)
        self._writers = async_sessionmaker(
            self._write_engine, class_=_Writer, expire_on_commit=False
        )
        self._spare: list[AsyncSession] = []  # closed readers: making one costs half a statement
        self._turn = asyncio.Lock()
        self._wakeups: dict[asyncio.Event, frozenset[str] | None] = {}
        self.heard = 0  # the last event that somebody here has read, or all were rung for
        # Tells other processes of a commit, in place of the database's own doorbell.
        self.tell: Callable[[frozenset[str]], None] | None = None

    @property
    def path(self) -> Path | None:
        """The SQLite file, or None on a database server."""
        return Path(self.url.database) if self.is_sqlite and self.url.database else None

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        """One moment of the database; nothing can be written."""
        reader = self._spare.pop() if self._spare else self._readers()
        with _counted("reading"):
            async with self._faults_told(), reader as session:
                yield session
        if len(self._spare) < SPARE:
            self._spare.append(reader)

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncSession]:
        """One transaction, alone."""
        with _counted("writing"):
            async with self._faults_told(), self._my_turn(), self._transaction() as session:
                await order.take_turn(session)
                yield session

    @asynccontextmanager
    async def writing_beside(self) -> AsyncIterator[AsyncSession]:
        """One transaction beside others, for rows that are locked one by one (mail).

        What it records takes its turn late, so it must not touch rows that those in their turn
        change, other than those it has locked.  On SQLite there is only one writer anyway.
        """
        alone = self._my_turn() if self.is_sqlite else nullcontext()
        with _counted("writing"):
            async with self._faults_told(), alone, self._transaction() as session:
                yield session

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[AsyncSession]:
        async with self._writers.begin() as session:
            yield session
            rings, recorded = order.rings(session), order.recorded(session)
            if rings and not (self.is_sqlite or self.tell):
                await session.execute(_NOTIFY, {"name": self.name})
        if recorded and recorded[0] == self.heard + 1:  # nobody else's is in between
            self.heard = recorded[-1]
        if rings:
            self.ring(frozenset(kind for kind, _ in rings))
            if self.tell:
                self.tell(frozenset(subject for _, subject in rings))

    @asynccontextmanager
    async def _my_turn(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(patience.at_most(self._busy_timeout)):
                await self._turn.acquire()
        except TimeoutError:
            raise PoolTimeout("too many are waiting to write") from None
        try:
            yield
        finally:
            self._turn.release()

    def ring(self, kinds: frozenset[str] | None = None) -> None:
        """Wake whoever cares for any of `kinds`, or, when they are not known, for any at all.  A
        hint: followers look for themselves."""
        for wakeup, wanted in self._wakeups.items():
            if wanted is None or (wanted and (kinds is None or wanted & kinds)):
                wakeup.set()

    def follow(self, kinds: frozenset[str] | None = None) -> asyncio.Event:
        """A wakeup that rings after commits of these `kinds` (all, if none are named) made by this
        process, and after all that are heard of by it.  Of no kinds: never."""
        wakeup = asyncio.Event()
        self._wakeups[wakeup] = kinds
        return wakeup

    async def close(self) -> None:
        await self._read_engine.dispose()
        await self._write_engine.dispose()


@contextmanager
def _counted(access: str) -> Iterator[None]:
    """A block: its faults, and the seconds of the request that it takes."""
    try:
        with patience.counted():
            yield
    except FAULTS:
        _ERRORS[access].inc()
        raise
