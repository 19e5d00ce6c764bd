"""Rows that workers borrow.  A lease is a promise with an end: `due_at` of a leased row.

Each lease raises the row's `fence`; whatever is written about a row names the fence and the owner,
so a worker that was away for longer than its lease can change nothing any more.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime
from typing import Any, Protocol, TypeVar, cast

from sqlalchemy import CursorResult, Executable, Table, bindparam, update

from microblog.kernel.db import Database
from microblog.kernel.model import Session

Work = TypeVar("Work")


class Borrowed(Protocol):
    """What its borrower knows of a row."""

    @property
    def id(self) -> int: ...
    @property
    def fence(self) -> int: ...
    @property
    def owner(self) -> str: ...


class Leasing:
    """The statements of one table, built once.  It has the columns id, state ("leased" while it is
    one), due_at, lease_owner and fence."""

    def __init__(self, table: Table) -> None:
        self._table, column = table, table.c
        self.mine = (column.lease_owner == bindparam("owner"), column.state == "leased")
        self.held = (
            column.id == bindparam("the_id"), column.fence == bindparam("the_fence"), *self.mine,
        )  # fmt: skip
        self._take = update(table).where(column.id.in_(bindparam("ids", expanding=True)))

    async def take(
        self, session: Session, ids: Iterable[int], owner: str, until: datetime, **values: object
    ) -> None:
        """Of rows that the caller has locked."""
        fence = self._table.c.fence + 1
        leased = {"state": "leased", "lease_owner": owner, "fence": fence, "due_at": until}
        await session.execute(self._take.values(**leased, **values), {"ids": list(ids)})

    async def change(self, session: Session, each: Borrowed, **values: object) -> bool:
        """Change a row and end its lease.  False if it is no longer ours."""
        statement = update(self._table).where(*self.held).values(lease_owner=None, **values)
        return await changed(session, statement, names(each)) == 1


async def borrowed(
    db: Database,
    is_waiting: Callable[[Session], Awaitable[bool]],
    lease: Callable[[Session], Awaitable[Work | None]],
) -> Work | None:
    """The next piece of work, leased; None if there is none.  Where nothing waits, nothing is
    written."""
    async with db.reading() as session:
        if not await is_waiting(session):
            return None
    async with db.writing() as session:
        return await lease(session)


def names(each: Borrowed) -> dict[str, object]:
    """What `Leasing.held` asks for."""
    return {"the_id": each.id, "the_fence": each.fence, "owner": each.owner}


async def changed(session: Session, statement: Executable, given: dict[str, object]) -> int:
    """How many rows it changed."""
    result = cast(CursorResult[Any], await session.execute(statement, given))
    return result.rowcount
