"""Rows of columns, fetched, added and changed without the ORM.

`Session.execute` prepares for entities even where none is asked for, which costs as much as the
statement.  Statements stay what they are, built once in their module; only the way is shorter.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from sqlalchemy import Executable, Insert, Row
from sqlalchemy.orm import Session as OrmSession

from microblog.kernel.model import Session

Values: TypeAlias = Mapping[str, Any]


async def fetch(
    session: Session, statement: Executable, values: Values | None = None
) -> Sequence[Row[*tuple[Any, ...]]]:
    """All rows that `statement` finds."""
    return await session.run_sync(_rows, statement, values)


async def fetch_column(
    session: Session, statement: Executable, values: Values | None = None
) -> list[Any]:
    """The first value of each row."""
    return [row[0] for row in await fetch(session, statement, values)]


async def add(session: Session, statement: Insert, values: Values) -> int:
    """The number that the new row has got."""
    return await session.run_sync(_added, statement, values)


async def change(session: Session, statement: Executable, values: Values) -> None:
    """What is loaded of those rows stays as it was."""
    await session.run_sync(_changed, statement, values)


def _changed(session: OrmSession, statement: Executable, values: Values) -> None:
    session.flush()
    session.connection().execute(statement, values)


def _added(session: OrmSession, statement: Insert, values: Values) -> int:
    session.flush()
    key = session.connection().execute(statement, values).inserted_primary_key
    return int(key[0]) if key else 0


def _rows(
    session: OrmSession, statement: Executable, values: Values | None
) -> Sequence[Row[*tuple[Any, ...]]]:
    session.flush()  # costs nothing where nothing was changed
    return session.connection().execute(statement, values).all()
