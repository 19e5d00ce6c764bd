"""Commit order.  Whatever must become visible in the order of its number takes its turn first."""

from __future__ import annotations

from sqlalchemy import text

from microblog.kernel.model import Session

_LOCK = 7_241_905_116


async def take_turn(session: Session) -> None:
    """Wait until every transaction that took a number earlier has ended.

    On SQLite the writing transaction already holds the only write lock.  On PostgreSQL a number
    drawn early could commit late, and a reader who passed it would never see it; the advisory
    lock is held until the transaction ends.
    """
    if session.get_bind().dialect.name == "postgresql":
        await session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
