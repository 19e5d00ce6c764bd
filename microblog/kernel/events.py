"""The event log: what happened, in the order it was committed.

An action records an event inside its own transaction, so either both are kept or neither.  Events
are thin: ids only.  Whoever reacts loads the present state.  Ids become visible in commit order
(`kernel.order`), so a reader who has seen N has seen everything before N.
"""

from __future__ import annotations

import secrets
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import JSON, String, bindparam, delete, func, insert, select
from sqlalchemy.orm import Mapped, mapped_column

from microblog.kernel.clock import now
from microblog.kernel.model import Base, BigInt, Session
from microblog.kernel.order import recorded_at_commit, ring_at_commit, take_turn
from microblog.kernel.rows import add, fetch

TRIMMED = 2000


@dataclass(frozen=True, slots=True)
class Event:
    """A fact in the past tense.  Subclasses are frozen dataclasses of ids."""

    kinds: ClassVar[dict[str, type[Event]]] = {}

    def __init_subclass__(cls) -> None:
        Event.kinds[cls.__name__] = cls

    @property
    def subject(self) -> str:
        """Under which the bus tells it (`kernel.bus`): words of letters and digits with dots."""
        return f"event.{type(self).__name__}"


class LoggedEvent(Base):
    __tablename__ = "events"
    # Trimming must never let an id be used again: a reader's position would lie.
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    kind: Mapped[str] = mapped_column(String(64))
    payload: Mapped[dict[str, Any]] = mapped_column(JSON)
    at: Mapped[datetime] = mapped_column(default=now)

    def event(self) -> Event | None:
        return fact(self.kind, self.payload)


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the log, as its readers get it."""

    id: int
    kind: str
    payload: dict[str, Any]
    at: datetime

    def event(self) -> Event | None:
        return fact(self.kind, self.payload)


class LogEpoch(Base):
    """One row: which history the ids belong to.  Changes when a backup is restored."""

    __tablename__ = "log_epoch"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    epoch: Mapped[str] = mapped_column(String(16))


@dataclass(frozen=True, slots=True)
class Position:
    """A place in the log, written ``epoch.id``; opaque to clients."""

    epoch: str
    id: int

    def __str__(self) -> str:
        return f"{self.epoch}.{self.id}"

    @classmethod
    def parse(cls, written: str) -> Position | None:
        epoch, dot, digits = written.partition(".")
        if not (dot and digits.isascii() and digits.isdigit() and len(digits) < 19):
            return None
        return cls(epoch, int(digits))


@dataclass(frozen=True, slots=True)
class Reach:
    """From where to where the log tells."""

    epoch: str
    oldest: int | None
    latest: int

    def has_all_since(self, position: Position) -> bool:
        """Whether everything after `position` is still in this log."""
        if position.epoch != self.epoch or position.id > self.latest:
            return False
        return self.oldest is None or position.id >= self.oldest - 1


def fact(kind: str, payload: dict[str, Any]) -> Event | None:
    """None for a kind this version does not know (the log outlives versions)."""
    known = Event.kinds.get(kind)
    return known(**payload) if known else None


# Of the whole log in one statement; a site without an epoch has not been started yet.
EPOCH = select(LogEpoch.epoch).scalar_subquery()
LATEST = select(func.max(LoggedEvent.id)).scalar_subquery()
_OLDEST = select(func.min(LoggedEvent.id)).scalar_subquery()
_ENDS = select(EPOCH, _OLDEST, LATEST)
_PRESENT = select(EPOCH, LATEST)
ENTRIES = select(LoggedEvent.id, LoggedEvent.kind, LoggedEvent.payload, LoggedEvent.at).order_by(
    LoggedEvent.id
)
_EVENTS = insert(LoggedEvent)
_AFTER = ENTRIES.where(LoggedEvent.id > bindparam("after")).limit(bindparam("limit"))


async def record(session: Session, event: Event) -> None:
    """Put a fact into the log, in the caller's transaction."""
    await take_turn(session)
    kind = type(event).__name__
    ring_at_commit(session, kind, event.subject)
    given = {"kind": kind, "payload": asdict(event)}
    recorded_at_commit(session, await add(session, _EVENTS, given))


async def latest_id(session: Session) -> int:
    return await session.scalar(select(func.max(LoggedEvent.id))) or 0


async def oldest_id(session: Session) -> int | None:
    return await session.scalar(select(func.min(LoggedEvent.id)))


async def epoch(session: Session) -> str:
    """The log's epoch; empty before `ensure_epoch` ran."""
    return await session.scalar(select(LogEpoch.epoch)) or ""


async def ensure_epoch(session: Session) -> None:
    if await session.get(LogEpoch, 1) is None:
        session.add(LogEpoch(id=1, epoch=secrets.token_hex(4)))


async def present(session: Session) -> Position:
    """Where the log stands.  Read it before what a page shows, so that nothing falls between."""
    ((epoch, latest),) = await fetch(session, _PRESENT)
    return Position(epoch or "", latest or 0)


async def after(session: Session, event_id: int, limit: int = 100) -> list[Entry]:
    found = await fetch(session, _AFTER, {"after": event_id, "limit": limit})
    return [Entry(*row) for row in found]


async def reach(session: Session) -> Reach:
    ((epoch, oldest, latest),) = await fetch(session, _ENDS)
    return Reach(epoch or "", oldest, latest or 0)


async def trim(session: Session, before: datetime, *, through: int | None = None) -> bool:
    """Forget what happened before `before`, except the newest event, which holds the place, and
    whatever comes after event `through`, which somebody has still to read.

    No more than `TRIMMED` at once, the oldest: whether there may be more.  What comes before an old
    event is old, whatever the clock said then.
    """
    oldest, last = await oldest_id(session), await latest_id(session)
    end = min((oldest or 0) + TRIMMED, last, last if through is None else through + 1)
    old = select(func.max(LoggedEvent.id)).where(LoggedEvent.id < end, LoggedEvent.at < before)
    newest = await session.scalar(old)
    if newest is not None:
        await session.execute(delete(LoggedEvent).where(LoggedEvent.id <= newest))
    return newest is not None
