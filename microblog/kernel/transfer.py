"""Every row of one database into another, of either kind, and proof that it arrived.

It knows no table by name.  What makes two databases equal is worked out here from the rows as
Python sees them, so that a copy on PostgreSQL can be held against its source on SQLite.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any, TypeAlias

from sqlalchemy import Select, Table, delete, func, insert, literal, select, text, tuple_
from sqlalchemy.exc import DBAPIError

from microblog.kernel.db import FAULTS, Database
from microblog.kernel.model import Base, Session

BATCH = 1000

Row: TypeAlias = dict[str, Any]
Tell: TypeAlias = Callable[[str, int, int], None]  # table, rows done, rows in all


class TransferError(Exception):
    """Nothing was copied; why, in one line."""


@dataclass(frozen=True, slots=True)
class Sum:
    """What a table holds.  `digest` adds up its rows, so their order does not matter: databases
    disagree about the order of texts."""

    rows: int
    digest: str


Sums: TypeAlias = dict[str, Sum]


def quietly(_table: str, _done: int, _total: int) -> None:
    pass


def tables() -> list[Table]:
    """Each after those it refers to.  A table that refers to itself does so to lower ids."""
    return Base.metadata.sorted_tables


@asynccontextmanager
async def snapshot(db: Database) -> AsyncIterator[Session]:
    """One moment of the database, read for as long as it takes, while others go on writing."""
    async with db.reading() as session:
        await _without_hurry(session)
        yield session


@asynccontextmanager
async def held_still(db: Database) -> AsyncIterator[Session]:
    """The same while nobody else can write."""
    async with db.writing() as turn:
        await turn.execute(select(1))  # SQLite is locked by the first statement, not before
        await _without_hurry(turn)
        if not db.is_sqlite:  # mail is written beside whoever has the turn
            names = ", ".join(f'"{table.name}"' for table in tables())
            await turn.execute(text(f"LOCK TABLE {names} IN SHARE MODE"))
        async with snapshot(db) as session:
            yield session


async def filled(session: Session) -> list[str]:
    """Names of the tables that hold anything."""
    asked = [(t.name, await session.scalar(select(1).select_from(t).limit(1))) for t in tables()]
    return [name for name, found in asked if found]


async def sums(session: Session, tell: Tell = quietly) -> Sums:
    found = {}
    for table in tables():
        adding = _Adding()
        async for rows in _batches(session, table, tell):
            adding.add(rows)
        found[table.name] = adding.sum
    return found


async def replace(source: Session, target: Session, tell: Tell = quietly) -> Sums:
    """Make `target` hold what `source` holds and nothing else; what that is.

    Read back and compared before the caller commits.  Raises TransferError.
    """
    await _without_hurry(target)
    await _clear(target)
    copied = {table.name: await _copy(source, target, table, tell) for table in tables()}
    for table in tables():
        await _count_on(target, table, await _last_id(source, table))
    arrived = await sums(target)
    if wrong := [name for name in copied if copied[name] != arrived[name]]:
        raise TransferError(f"What arrived differs from what was sent: {', '.join(wrong)}.")
    return copied


def as_json(found: Sums) -> dict[str, dict[str, Any]]:
    return {name: asdict(each) for name, each in found.items()}


def from_json(written: dict[str, dict[str, Any]]) -> Sums:
    return {name: Sum(**each) for name, each in written.items()}


# -- rows --------------------------------------------------------------------------------------


async def _copy(source: Session, target: Session, table: Table, tell: Tell) -> Sum:
    adding, statement = _Adding(), insert(table)
    async for rows in _batches(source, table, tell):
        if _is_postgresql(target):
            rows = [_without_nul(row) for row in rows]  # noqa: PLW2901
        try:
            await target.execute(statement, rows)
        except FAULTS:
            raise
        except DBAPIError as error:
            raise TransferError(f"A row of {table.name} is refused: {error.orig}") from error
        adding.add(rows)
    return adding.sum


async def _batches(session: Session, table: Table, tell: Tell) -> AsyncIterator[list[Row]]:
    """Page by page along the primary key; aiosqlite has no cursor that could be left open."""
    total = await session.scalar(select(func.count()).select_from(table)) or 0
    key = list(table.primary_key)
    page = select(table).order_by(*key).limit(BATCH)
    done, rows = 0, await _rows(session, page)
    while rows:
        yield rows
        done += len(rows)
        tell(table.name, done, total)
        last = tuple_(*(literal(rows[-1][column.name], column.type) for column in key))
        rows = await _rows(session, page.where(tuple_(*key) > last))


async def _rows(session: Session, page: Select[Any]) -> list[Row]:
    found = await session.execute(page)
    names = tuple(found.keys())
    return [dict(zip(names, row, strict=True)) for row in found]


def _without_nul(row: Row) -> Row:
    """PostgreSQL keeps no NUL in a text.  None gets in through a form, but maybe in a traceback."""
    return {k: v.replace("\0", "") if isinstance(v, str) else v for k, v in row.items()}


def _as_text(value: object) -> str:
    match value:
        case datetime():
            return value.astimezone(UTC).isoformat(timespec="microseconds")
        case bytes():
            return value.hex()
    raise TypeError(f"a column of {type(value)} needs a line here")


# The same text for the same values, whatever database, Python or machine.
_written = json.JSONEncoder(default=_as_text, sort_keys=True).encode


class _Adding:
    def __init__(self) -> None:
        self._rows = 0
        self._total = 0

    def add(self, rows: list[Row]) -> None:
        self._rows += len(rows)
        for row in rows:
            self._total += int.from_bytes(blake2b(_written(row).encode(), digest_size=16).digest())

    @property
    def sum(self) -> Sum:
        return Sum(self._rows, f"{self._total % 2**128:032x}")


async def _clear(session: Session) -> None:
    if _is_postgresql(session):
        names = ", ".join(f'"{table.name}"' for table in tables())
        await session.execute(text(f"TRUNCATE {names}"))
    else:
        for table in reversed(tables()):
            await session.execute(delete(table))


# -- numbers that are drawn --------------------------------------------------------------------


async def _last_id(session: Session, table: Table) -> int:
    """The highest that was ever drawn, although its row may be gone."""
    column = table.autoincrement_column
    if column is None:
        return 0
    highest = await session.scalar(select(func.max(column))) or 0
    if not _is_postgresql(session):
        kept = text("SELECT seq FROM sqlite_sequence WHERE name = :name")
        return max(highest, await session.scalar(kept, {"name": table.name}) or 0)
    if sequence := await _sequence(session, table):
        asked = text(f"SELECT last_value FROM {sequence} WHERE is_called")  # noqa: S608 - its name
        highest = max(highest, await session.scalar(asked) or 0)
    return highest


async def _count_on(session: Session, table: Table, last: int) -> None:
    """Draw numbers after `last` from now on."""
    if not last:
        return
    if _is_postgresql(session):
        setting = text("SELECT setval(CAST(:sequence AS regclass), :last)")
        if sequence := await _sequence(session, table):
            await session.execute(setting, {"sequence": sequence, "last": last})
    elif table.dialect_options["sqlite"]["autoincrement"]:
        row = {"name": table.name, "last": last}
        await session.execute(text("DELETE FROM sqlite_sequence WHERE name = :name"), row)
        await session.execute(text("INSERT INTO sqlite_sequence VALUES (:name, :last)"), row)


async def _sequence(session: Session, table: Table) -> str | None:
    column = table.autoincrement_column
    if column is None:
        return None
    asked = select(func.pg_get_serial_sequence(table.name, column.name))
    found: str | None = await session.scalar(asked)
    return found


def _is_postgresql(session: Session) -> bool:
    return session.get_bind().dialect.name == "postgresql"


async def _without_hurry(session: Session) -> None:
    """While rows go one way, the connection at the other end waits."""
    if _is_postgresql(session):
        await session.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
