"""Ids that sort by time: ``max(ms << 16, last + 1)``, drawn inside the writing transaction.

A clock that steps back cannot reorder them, since they never go below the last one.  They fit
a signed 64-bit integer until the year 6429 and travel as strings of digits.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache

from sqlalchemy import Select, func, select
from sqlalchemy.orm import InstrumentedAttribute

from microblog.kernel.clock import now
from microblog.kernel.model import Session
from microblog.kernel.order import take_turn
from microblog.kernel.rows import fetch

LARGEST = 2**63 - 1


async def next_id(session: Session, column: InstrumentedAttribute[int]) -> int:
    await take_turn(session)
    ((last,),) = await fetch(session, _last(column))
    return max(at(now()), (last or 0) + 1)


@cache
def _last(column: InstrumentedAttribute[int]) -> Select[tuple[int | None]]:
    return select(func.max(column))


async def free_id(session: Session, column: InstrumentedAttribute[int], wanted: int) -> int:
    """The first from `wanted` on that nothing has: for what is put among older things."""
    await take_turn(session)
    while await session.scalar(select(column).where(column == wanted)) is not None:
        wanted += 1
    return wanted


def at(moment: datetime) -> int:
    """The first id of a moment."""
    return int(moment.timestamp() * 1000) << 16


def moment(drawn: int) -> datetime:
    """When an id was drawn, as far as it says."""
    return datetime.fromtimestamp((drawn >> 16) / 1000, UTC)
