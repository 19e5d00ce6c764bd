"""How far each reader of the log is behind, and what it has given up: questions of operators."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass

from sqlalchemy import func, select

from microblog.kernel import events
from microblog.kernel.clock import now
from microblog.kernel.events import LoggedEvent
from microblog.kernel.model import Session
from microblog.kernel.readers import ConsumerOffset, DeadLetter


@dataclass(frozen=True, slots=True)
class Lag:
    """`behind`: at most so many events to read; `seconds`: age of the first of them, or 0."""

    behind: int
    seconds: float


async def lag(session: Session, through: int, kinds: Set[str] = frozenset()) -> Lag:
    """Of somebody who has read up to event `through`, and for whom only these `kinds` are, or
    all."""
    latest = await events.latest_id(session)
    first = select(LoggedEvent.at).where(LoggedEvent.id > through).order_by(LoggedEvent.id)
    theirs = first.where(LoggedEvent.kind.in_(kinds)) if kinds else first
    at = await session.scalar(theirs.limit(1))
    if at is None:
        return Lag(0, 0.0)
    return Lag(max(0, latest - through), max(0.0, (now() - at).total_seconds()))


async def of_consumers(session: Session, consumers: Mapping[str, Set[str]]) -> dict[str, Lag]:
    """Of each by its name, with the kinds of events that are for it: that it has passed over
    others it notes only from time to time.  One that has never run is behind by the whole log."""
    rows = await session.execute(select(ConsumerOffset.consumer, ConsumerOffset.event_id))
    offsets = dict(rows.all())
    return {
        name: await lag(session, offsets.get(name, 0), kinds) for name, kinds in consumers.items()
    }


async def dead_letters(session: Session, names: Iterable[str]) -> dict[str, int]:
    """Events that each consumer has given up."""
    rows = await session.execute(
        select(DeadLetter.consumer, func.count()).group_by(DeadLetter.consumer)
    )
    found = dict(rows.all())
    return {name: found.get(name, 0) for name in names}
