"""From the log to open pages: live, for everyone watching, and catching up, for one who was
away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from microblog.follows.events import AccountUnfollowed
from microblog.kernel import events, metrics
from microblog.kernel.db import Database
from microblog.kernel.events import Entry, Position
from microblog.kernel.model import Session
from microblog.kernel.readers import Subscriber
from microblog.kernel.sqlite import READERS
from microblog.live.connection import SIGNED_OUT, Connection, Listener
from microblog.live.frames import Message
from microblog.live.hub import Hub, Telling
from microblog.notifications import queries as notifications
from microblog.signin import queries as logins
from microblog.signin.events import LoginSessionEnded
from microblog.site_settings.events import SiteSettingsChanged
from microblog.timelines.audience import Watchers
from microblog.timelines.streams import home_of
from microblog.web.showing import Shown, count_message, messages, shown

_PAGE = 200
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
        self._parted = _parted(self._parted, page, homes)
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

    async def catch_up(self, connection: Connection, start: Start) -> None:
        """Write hello, what happened since, and caught_up; then let the connection go on live.

        It listens already, so whatever is taken from the log from now on comes to it live.
        """
        until = max(self._taken, start.present.id)
        begin = await self._begin(start)
        # A page whose cookie has come to be another person's notices by the account.
        account = str(connection.listener.account_id or "")
        position = str(begin or start.present)
        due = [Message(type="hello", position=position, account=account)]
        if begin is None:
            due.append(Message(type="reset", position=position))
        through = (begin or start.present).id
        async for reached, told in self._missed(connection, through, until):
            if told:
                for message in (*due, *told):
                    await connection.write_patiently(message)
                due = []
            through = reached
        due += await self._settled(connection, start, through)
        due.append(Message(type="caught_up", position=str(Position(self.epoch, through))))
        connection.write(Message.joined(due))  # most have missed nothing: one write for all of it
        connection.caught_up(through)

    async def _begin(self, start: Start) -> Position | None:
        """Where the page stands; None if the log does not reach back to there."""
        if start.since is None or start.since == start.present:
            return start.present
        async with self.reading() as session:
            known = await events.reaches_back_to(session, start.since)
        return start.since if known else None

    async def _missed(
        self, connection: Connection, after: int, until: int
    ) -> AsyncIterator[tuple[int, list[Message]]]:
        """Page by page, how far it goes and what it shows; nothing is open while it is written."""
        topics = frozenset(connection.listener.topics)
        parted: dict[int, set[int]] = {}
        while after < until and connection.ending is None:
            async with self.reading() as session:
                page = await events.after(session, after, _PAGE)
                watchers = _alone(connection.listener)
                watchers.parted = parted = _parted(parted, page, watchers.homes)
                found = await shown(session, page, watchers, topics.__contains__)
            if not page:
                return
            after = page[-1].id
            yield after, [m for what in found for m in self._for(connection, what)]

    def _for(self, connection: Connection, what: Shown) -> list[Message]:
        language = connection.listener.language
        told = messages(replace(what, unread=None), self.epoch, [language])  # it follows at the end
        return [by_language[language] for by_language in told]

    async def _settled(self, connection: Connection, start: Start, through: int) -> list[Message]:
        """The count to be told.  Has the session ended since the look at the handshake, it ends."""
        listener = connection.listener
        if listener.account_id is None:
            return []
        if listener.login_session_id in self._ended:
            connection.end(SIGNED_OUT)
            self.hub.attention.set()
        unread = start.unread
        if through > start.present.id:
            async with self.reading() as session:
                unread = await notifications.unread(session, listener.account_id)
        return [count_message(through, str(Position(self.epoch, through)), unread)]


def settings_changed(page: list[Entry]) -> bool:
    return any(isinstance(logged.event(), SiteSettingsChanged) for logged in page)


def _parted(known: dict[int, set[int]], page: list[Entry], homes: set[int]) -> dict[int, set[int]]:
    """`known` and those who unfollow in `page`, as far as their home page is open: it still shows
    posts of that author, and what is deleted is to go from every screen."""
    found = {author: still for author, who in known.items() if (still := who & homes)}
    for logged in page:
        event = logged.event()
        if isinstance(event, AccountUnfollowed) and event.follower_id in homes:
            found.setdefault(event.followed_id, set()).add(event.follower_id)
    return found


def _alone(listener: Listener) -> Watchers:
    """One connection as the only one watching."""
    home = {home_of(listener.account_id)} if listener.account_id else set()
    homes = {listener.account_id} if listener.account_id and home & set(listener.topics) else set()
    tags = {topic for topic in listener.topics if topic.startswith("tag:")}
    return Watchers(homes, tags, set(listener.topics))
