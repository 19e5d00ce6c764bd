"""From the log to open pages: live, for everyone watching, and catching up, for one who was
away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from microblog.kernel import events, metrics
from microblog.kernel.db import Database
from microblog.kernel.events import Entry, Position
from microblog.kernel.model import Session
from microblog.kernel.readers import Subscriber
from microblog.kernel.sqlite import READERS
from microblog.live.connection import SIGNED_OUT, TOO_SLOW, Connection
from microblog.live.frames import MOST_TOGETHER, Message, packed
from microblog.live.hub import Hub, Telling
from microblog.signin import queries as logins
from microblog.signin.events import LoginSessionEnded
from microblog.site_settings.events import SiteSettingsChanged
from microblog.timelines.audience import Watchers
from microblog.web.missed import Behind, Missed, parted
from microblog.web.showing import count_message, messages, shown

_ENDED = 10_000  # many more than can end during one handshake


@dataclass(frozen=True, slots=True)
class Start:
    """Where an opening page stands, and how things stood when its cookie was looked at."""

    since: Position | None
    present: Position
    unread: int = 0


async def _unheeded(_session: Session) -> None:
    pass


class Feed:
    """`refresh` is called when what administrators set has changed."""

    def __init__(
        self, db: Database, hub: Hub, refresh: Callable[[Session], Awaitable[None]] = _unheeded
    ) -> None:
        self.db = db
        self.hub = hub
        self._refresh = refresh
        self.epoch = ""
        self.subscriber = Subscriber(db, self._deliver)
        self._parted: dict[int, set[int]] = {}
        self._room = asyncio.Semaphore(READERS - 2)
        self._taken = 0  # the last event that those who listened by then are told of
        self._missed = Missed(self.reading)
        self._ended: dict[int, None] = {}  # login sessions, those that ended last

    async def start(self) -> None:
        async with self.db.reading() as session:
            self.epoch = await events.epoch(session)
        await self.subscriber.start()
        self._taken = self.subscriber.seen or 0

    @property
    def started(self) -> bool:
        return bool(self.epoch) and self.subscriber.seen is not None

    async def _deliver(self, session: Session, page: list[Entry]) -> None:
        self._taken = page[-1].id
        self._end_sessions(page)
        if settings_changed(page):
            await self._refresh(session)
        if not self.hub:
            return
        homes = self.hub.accounts_on("home:")
        self._parted = parted(self._parted, page, homes)
        topics = self.hub.topics_with("")
        watchers = Watchers(homes, self.hub.topics_with("tag:"), topics, self._parted)
        found = await shown(session, page, watchers, self.hub.listening)
        # All is drawn before the first leaves: what fails is told again, and whole.
        drawn = [(w, messages(w, self.epoch, self.hub.languages(w.topics))) for w in found]
        self.hub.deliver(
            Telling(tuple(sorted(what.topics)), what.id, by_language)
            for what, told in drawn
            for by_language in told
        )
        told_ids = {what.id for what in found}
        metrics.delivered(logged.at for logged in page if logged.id in told_ids)

    def _end_sessions(self, page: list[Entry]) -> None:
        ended = {
            event.login_session_id
            for logged in page
            if isinstance(event := logged.event(), LoginSessionEnded)
        }
        if ended:
            self.hub.end_sessions(ended.__contains__, SIGNED_OUT)
            self._ended |= dict.fromkeys(ended)
            while len(self._ended) > _ENDED:
                del self._ended[next(iter(self._ended))]

    async def sweep(self) -> None:
        position = Position(self.epoch, self.subscriber.seen or 0)
        await self.hub.sweep(Message(type="tick", position=str(position)))

    async def recheck_sessions(self) -> None:
        """End the sockets of sessions that ended without an event (expiry, suspension)."""
        if watched := self.hub.login_sessions():
            async with self.db.reading() as session:
                alive = await logins.alive(session, watched)
            self.hub.end_sessions(lambda session_id: session_id not in alive, SIGNED_OUT)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Session]:
        """For sockets.  After a restart everybody comes back at once; pages must not wait for all
        of them."""
        async with self._room, self.db.reading() as session:
            yield session

    def greet(self, connection: Connection, start: Start) -> bool:
        """Let a page that has missed nothing go on live at once: whether it was one.

        It listens already, as where it catches up: what it might miss while nobody looks, it hears.
        """
        begin = start.since or start.present
        if begin != start.present or self._taken > begin.id or connection.ending is not None:
            return False
        self._finish(connection, begin, start.unread, [_hello(connection, begin)])
        return True

    async def catch_up(self, connection: Connection, start: Start) -> None:
        """Write hello, what happened since, and caught_up; then let the connection go on live.

        It listens already, so whatever is taken from the log from now on comes to it live.
        """
        begin = start.since or start.present
        until = max(self._taken, start.present.id)
        behind = Behind(connection.listener, begin, until, start.present.id, start.unread)
        told = await self._missed.read_on(behind) if begin != start.present else []
        if told is None:  # the log does not reach back to there
            behind.at = begin = start.present
            told = [Message(type="reset", position=str(begin))]
        due = [_hello(connection, begin), *told]
        while behind.at.id < behind.until and connection.ending is None:
            due = await _kept(connection, due)
            due += await self._more(connection, behind)
        self._finish(connection, behind.at, behind.unread, await _kept(connection, due))

    def _finish(
        self, connection: Connection, at: Position, unread: int, due: list[Message]
    ) -> None:
        """All that is left to say, in one write."""
        due += self._settled(connection, at, unread)
        due.append(Message(type="caught_up", position=str(at)))
        connection.write(Message.joined(due))
        connection.caught_up(at.id)

    async def _more(self, connection: Connection, behind: Behind) -> list[Message]:
        told = await self._missed.read_on(behind)
        if told is None:  # trimmed meanwhile: it comes back, and learns that
            connection.end(TOO_SLOW)
        return told or []

    def _settled(self, connection: Connection, at: Position, unread: int) -> list[Message]:
        """The count to be told.  Has the session ended since the look at the handshake, it ends."""
        listener = connection.listener
        if listener.account_id is None:
            return []
        if listener.login_session_id in self._ended:
            connection.end(SIGNED_OUT)
            self.hub.attention.set()
        return [count_message(at.id, str(at), unread)]


def _hello(connection: Connection, begin: Position) -> Message:
    """With the account: a page whose cookie has come to be another person's notices by it."""
    account = str(connection.listener.account_id or "")
    return Message(type="hello", position=str(begin), account=account)


async def _kept(connection: Connection, due: list[Message]) -> list[Message]:
    """What may wait to leave with the rest; what is too much for that is written."""
    if sum(len(message.frame) for message in due) <= MOST_TOGETHER:
        return due
    for message in packed(due):
        await connection.write_patiently(message)
    return []


def settings_changed(page: list[Entry]) -> bool:
    return any(isinstance(logged.event(), SiteSettingsChanged) for logged in page)
