"""Commit order.  Whatever must become visible in the order of its number takes its turn first."""

from __future__ import annotations

from sqlalchemy import text

from microblog.kernel.model import Session

_LOCK = 7_241_905_116
_TURN = "has its turn"
_RINGS = "rings at commit"
_RECORDED = "recorded"


async def take_turn(session: Session) -> None:
    """Wait until every transaction that took its turn earlier has ended.

    On SQLite the writing transaction already holds the only write lock.  On PostgreSQL a number
    drawn early could commit late, and a reader who passed it would never see it; the advisory
    lock is held until the transaction ends.
    """
    if _TURN in session.info:
        return
    await take_turn_at(session, _LOCK)
    session.info[_TURN] = True


async def take_turn_at(session: Session, lock: int) -> None:
    """Only among the transactions that name the same `lock`."""
    if session.get_bind().dialect.name == "postgresql":
        await session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": lock})


def ring_at_commit(session: Session, kind: str, subject: str) -> None:
    """Wake the loops that care for `kind`, here and in other processes, when this transaction
    commits.  The bus tells it under `subject`."""
    session.info.setdefault(_RINGS, set()).add((kind, subject))


def recorded_at_commit(session: Session, event_id: int) -> None:
    """The doorbell need not tell this process of that one."""
    session.info.setdefault(_RECORDED, []).append(event_id)


def recorded(session: Session) -> list[int]:
    """The events of this transaction."""
    found: list[int] = session.info.get(_RECORDED, [])
    return found


def rings(session: Session) -> frozenset[tuple[str, str]]:
    """Of which kinds the commit is told, and under which subjects; empty: it concerns nobody."""
    return frozenset(session.info.get(_RINGS, ()))
