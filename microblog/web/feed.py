"""From the log to open pages: live, for everyone watching, and catching up, for one who was
away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

from microblog.follows.events import AccountUnfollowed
from microblog.kernel import events, metrics
from microblog.kernel.db import Database
from microblog.kernel.events import LoggedEvent, Position
from microblog.kernel.model import Session
from microblog.kernel.readers import Subscriber
from microblog.kernel.sqlite import READERS
from microblog.live.connection import SIGNED_OUT, Connection, Listener
from microblog.live.frames import Message
from microblog.live.hub import Hub
from microblog.notifications import queries as notifications
from microblog.signin import queries as logins
from microblog.signin.events import LoginSessionEnded
from microblog.timelines.audience import Watchers
from microblog.timelines.streams import home_of
from microblog.web.showing import Shown, count_message, messages, shown

_PAGE = 200


class Feed:
    def __init__(self, db: Database, hub: Hub) -> None:
        self.db = db
        self.hub = hub
        self.epoch = ""
        self.subscriber = Subscriber(db, self._deliver)
        self._parted: dict[int, set[int]] = {}
        # After a restart everybody comes back at once; pages must not wait for all of them.
        self._catching_up = asyncio.Semaphore(READERS - 2)

    async def start(self) -> None:
        async with self.db.reading() as session:
            self.epoch = await events.epoch(session)
        await self.subscriber.start()

    @property
    def started(self) -> bool:
        return bool(self.epoch) and self.subscriber.seen is not None

    async def _deliver(self, session: Session, page: list[LoggedEvent]) -> None:
        self._end_sessions(page)
        if not self.hub:
            return
        homes = self.hub.accounts_on("home:")
        self._parted = _parted(self._parted, page, homes)
        watchers = Watchers(homes, self.hub.topics_with("tag:"), self._parted)
        found = await shown(session, page, watchers, self.hub.listening)
        # All is drawn before the first leaves: what fails is told again, and whole.
        drawn = [(w, messages(w, self.epoch, self.hub.languages(w.topics))) for w in found]
        for what, told in drawn:
            for each in told:
                self.hub.deliver(what.topics, what.id, each)
        told_ids = {what.id for what in found}
        metrics.delivered(logged.at for logged in page if logged.id in told_ids)

    def _end_sessions(self, page: list[LoggedEvent]) -> None:
        ended = {
            event.login_session_id
            for logged in page
            if isinstance(event := logged.event(), LoginSessionEnded)
        }
        if ended:
            self.hub.end_sessions(ended.__contains__, SIGNED_OUT)

    async def sweep(self) -> None:
        position = Position(self.epoch, self.subscriber.seen or 0)
        await self.hub.sweep(Message(type="tick", position=str(position)))

    async def recheck_sessions(self) -> None:
        """End the sockets of sessions that ended without an event (expiry, suspension)."""
        if watched := self.hub.login_sessions():
            async with self.db.reading() as session:
                alive = await logins.alive(session, watched)
            self.hub.end_sessions(lambda session_id: session_id not in alive, SIGNED_OUT)

    async def catch_up(self, connection: Connection, since: Position | None) -> None:
        """Write hello, what happened since, and caught_up; then let the connection go on live."""
        async with self._catching_up, self.db.reading() as session:
            present = await events.present(session)
            known = since is None or await events.reaches_back_to(session, since)
        start = since if since is not None and known else present
        # A page whose cookie has come to be another person's notices by the account.
        account = str(connection.listener.account_id or "")
        connection.write(Message(type="hello", position=str(start), account=account))
        if not known:
            connection.write(Message(type="reset", position=str(present)))
        through = start.id
        async for reached, told in self._missed(connection, start.id):
            for message in told:
                await connection.write_patiently(message)
            through = reached
        await self._settle(connection, through)
        position = str(Position(self.epoch, through))
        connection.write(Message(type="caught_up", position=position))
        connection.caught_up(through)

    async def _missed(
        self, connection: Connection, after: int
    ) -> AsyncIterator[tuple[int, list[Message]]]:
        """Page by page, how far it goes and what it shows; nothing is open while it is written."""
        topics = frozenset(connection.listener.topics)
        parted: dict[int, set[int]] = {}
        while connection.ending is None:
            async with self._catching_up, self.db.reading() as session:
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

    async def _settle(self, connection: Connection, through: int) -> None:
        """Count, and look once more whether the session lasts: between the handshake's look and the
        hub's list it could end unheard."""
        listener = connection.listener
        if (account_id := listener.account_id) is None or listener.login_session_id is None:
            return
        async with self._catching_up, self.db.reading() as session:
            unread = await notifications.unread(session, account_id)
            alive = await logins.alive(session, {listener.login_session_id})
        if not alive:
            connection.end(SIGNED_OUT)
            self.hub.attention.set()
        position = str(Position(self.epoch, through))
        connection.write(count_message(through, position, unread))


def _parted(
    known: dict[int, set[int]], page: list[LoggedEvent], homes: set[int]
) -> dict[int, set[int]]:
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
    return Watchers(homes, {topic for topic in listener.topics if topic.startswith("tag:")})
