"""Two kinds of reader follow the log.

A *subscriber* starts at the present and forgets (live pages).  A *consumer* keeps its offset in a
row that moves in the same transaction as its effects: each event has its effect once, in order,
with any number of processes.  A handler that keeps failing parks the event in the dead letters
with its traceback, and the consumer goes on.
"""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import datetime
from types import TracebackType
from typing import Any, TypeAlias

from sqlalchemy import String, Text, bindparam, case, func, select, update
from sqlalchemy.orm import Mapped, mapped_column

from microblog.kernel import events
from microblog.kernel.clock import now
from microblog.kernel.db import FAULTS, Database
from microblog.kernel.events import ENTRIES, Entry, Event, LoggedEvent
from microblog.kernel.model import Base, BigInt, Session
from microblog.kernel.rows import change, fetch

log = logging.getLogger(__name__)

BATCH = 50
PAGE = 100
TRIES = 5
NOTE_EVERY = 10.0  # seconds
SPAN = 20_000  # events looked at in one statement: one that is new begins at the first of all

Deliver: TypeAlias = Callable[[Session, list[Entry]], Awaitable[None]]
Handler: TypeAlias = Callable[[Session, Any], Awaitable[None]]


class ConsumerOffset(Base):
    __tablename__ = "consumer_offsets"

    consumer: Mapped[str] = mapped_column(String(64), primary_key=True)
    event_id: Mapped[int] = mapped_column(BigInt, default=0)


class DeadLetter(Base):
    """An event whose handler kept failing."""

    __tablename__ = "dead_letters"

    consumer: Mapped[str] = mapped_column(String(64), primary_key=True)
    event_id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    traceback: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(default=now)


_KINDS = LoggedEvent.kind.in_(bindparam("kinds", expanding=True))
_OFFSET = (
    select(ConsumerOffset.event_id)
    .where(ConsumerOffset.consumer == bindparam("consumer"))
    .scalar_subquery()
)
_OF = ConsumerOffset.consumer == bindparam("of")
_LOCKED = select(ConsumerOffset.event_id).where(_OF).with_for_update()
_MOVE = update(ConsumerOffset).where(_OF).values(event_id=bindparam("reached"))
# Where a consumer stands; the first event of its kinds within the next SPAN, and the last of any.
_PASSED = bindparam("passed", type_=LoggedEvent.id.type)
_STANDS = select(
    case((_OFFSET > _PASSED, _OFFSET), else_=_PASSED).label("at")
).subquery()  # fmt: skip
_AHEAD = select(
    _STANDS.c.at,
    select(func.min(LoggedEvent.id))
    .where(LoggedEvent.id > _STANDS.c.at, LoggedEvent.id <= _STANDS.c.at + SPAN, _KINDS)
    .scalar_subquery(),
    select(func.max(LoggedEvent.id)).scalar_subquery(),
)
_MINE = ENTRIES.where(LoggedEvent.id > _PASSED, _KINDS).limit(bindparam("limit"))


async def read_by_all(session: Session, names: Iterable[str]) -> int:
    """The last event that every one of these consumers has dealt with."""
    wanted = list(names)
    rows = select(ConsumerOffset.event_id).where(ConsumerOffset.consumer.in_(wanted))
    found = list(await session.scalars(rows))
    return min(found) if len(found) == len(wanted) else 0


class _Failures:
    """Counts how often the same event failed, by watching a block rather than catching."""

    def __init__(self) -> None:
        self.event_id = 0
        self.tries = 0
        self.story = ""
        self._watched = 0

    def watching(self, event_id: int) -> _Failures:
        self._watched = event_id
        return self

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        _tb: TracebackType | None,
    ) -> None:
        # A database that is away or full is no fault of the event.
        if not isinstance(error, Exception) or isinstance(error, FAULTS):
            return
        self.tries = self.tries + 1 if self.event_id == self._watched else 1
        self.event_id = self._watched
        self.story = "".join(traceback.format_exception(error))

    def given_up(self, event_id: int) -> bool:
        return self.event_id == event_id and self.tries >= TRIES


class Subscriber:
    """Looks at every event from now on, in order, and forgets where it was when the process ends.

    An event that keeps failing is passed over: one post that cannot be drawn must not stop the
    live pages of everybody.
    """

    def __init__(self, db: Database, deliver: Deliver) -> None:
        self._db = db
        self._deliver = deliver
        self._failures = _Failures()
        self._careful = 0  # after a failure, go one by one until past this event
        self.seen: int | None = None

    async def start(self) -> None:
        async with self._db.reading() as session:
            self.seen = await events.latest_id(session)

    async def step(self) -> None:
        if self.seen is None:
            await self.start()
        while await self._page():
            pass

    async def _page(self) -> bool:
        """Whether there may be more: what is committed from now on rings again."""
        seen = self.seen or 0
        limit = 1 if seen < self._careful else PAGE
        async with self._db.reading() as session:
            page = await events.after(session, seen, limit)
            if page:
                self._db.heard = max(self._db.heard, page[-1].id)
            if page and not self._passed_over(page[0].id):
                self._careful = page[-1].id
                with self._failures.watching(page[0].id):
                    await self._deliver(session, page)
                self.seen = page[-1].id
        return len(page) == limit

    def _passed_over(self, event_id: int) -> bool:
        if not self._failures.given_up(event_id):
            return False
        log.error("event %d was shown to nobody: %s", event_id, self._failures.story)
        self.seen = event_id
        return True


class Consumer:
    """Runs handlers once per event, advancing its offset in the same transaction.

    Events of other kinds are passed over without writing; from time to time that is noted too, so
    that the log can be trimmed.
    """

    def __init__(self, name: str, handlers: Mapping[type[Event], Handler]) -> None:
        self.name = name
        self.handlers = handlers
        self.kinds = frozenset(kind.__name__ for kind in handlers)
        self._asked = {"consumer": name, "kinds": sorted(self.kinds)}
        self._log: Database | None = None
        self._passed = 0  # nothing of those kinds waits up to here in that log
        self._noted_at = -NOTE_EVERY
        self._failures = _Failures()
        self._careful = 0  # after a failure, go one by one until past this event

    async def catch_up(self, db: Database) -> None:
        if db is not self._log:
            self._log, self._passed, self._noted_at = db, 0, -NOTE_EVERY
        waiting = await self._waiting(db)
        while waiting:
            async with db.writing() as session:
                waiting = await self._batch(session)

    async def _waiting(self, db: Database) -> bool:
        """Whether there is something to handle, or to note."""
        while True:
            async with db.reading() as session:
                asked = self._asked | {"passed": self._passed}
                ((stands, first, latest),) = await fetch(session, _AHEAD, asked)
            if first is not None or latest is None or latest <= stands + SPAN:
                break
            self._passed = stands + SPAN
        if (latest or 0) > db.heard:
            # The doorbell will find it read, but the live pages may not have seen it.
            db.heard = latest
            db.ring()
        if first is None and latest is not None:
            self._passed = latest
            return time.monotonic() - self._noted_at > NOTE_EVERY
        return first is not None

    async def _batch(self, session: Session) -> bool:
        """Handle some; whether there may be more."""
        at = await self._offset(session)
        size = 1 if at < self._careful else BATCH
        passed = max(at, self._passed)
        asked = self._asked | {"passed": passed, "limit": size}
        page = [Entry(*row) for row in await fetch(session, _MINE, asked)]
        for logged in page:
            await self._handle(session, logged)
        moved = {"of": self.name, "reached": page[-1].id if page else passed}
        await change(session, _MOVE, moved)
        self._noted_at = time.monotonic()
        return len(page) == size

    async def _offset(self, session: Session) -> int:
        """Its row is ours until the end of the transaction."""
        for (event_id,) in await fetch(session, _LOCKED, {"of": self.name}):
            return int(event_id)
        session.add(ConsumerOffset(consumer=self.name, event_id=0))
        return 0

    async def _handle(self, session: Session, logged: Entry) -> None:
        event = logged.event()
        handler = self.handlers.get(type(event)) if event else None
        if handler is None:
            return
        if self._failures.given_up(logged.id):
            story = self._failures.story
            session.add(DeadLetter(consumer=self.name, event_id=logged.id, traceback=story))
            return
        self._careful = max(self._careful, logged.id)
        with self._failures.watching(logged.id):
            await handler(session, event)
