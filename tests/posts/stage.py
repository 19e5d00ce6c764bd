"""A database of its own for each test, with people who write and follow."""

from __future__ import annotations

from dataclasses import dataclass

from microblog.accounts.model import Account
from microblog.follows import actions as following
from microblog.kernel import events
from microblog.kernel.db import Database
from microblog.kernel.events import Event
from microblog.posts import actions, queries
from microblog.posts.model import Post
from microblog.posts.queries import PostView

LIMIT = 500


@dataclass
class Stage:
    db: Database

    async def person(self, name: str, **more: object) -> int:
        async with self.db.writing() as session:
            account = Account(name=name, name_key=name.lower(), **more)
            session.add(account)
            await session.flush()
            return account.id

    async def says(self, author_id: int, body: str = "hello", **more: object) -> Post:
        async with self.db.writing() as session:
            return await actions.publish(session, author_id, body, limit=LIMIT, **more)

    async def edits(self, author_id: int, post_id: int, body: str) -> Post:
        async with self.db.writing() as session:
            return await actions.edit(session, author_id, post_id, body, limit=LIMIT)

    async def deletes(self, author_id: int, post_id: int) -> None:
        async with self.db.writing() as session:
            await actions.delete(session, author_id, post_id)

    async def follows(self, follower_id: int, followed_id: int) -> None:
        async with self.db.writing() as session:
            await following.follow(session, follower_id, followed_id)

    async def unfollows(self, follower_id: int, followed_id: int) -> None:
        async with self.db.writing() as session:
            await following.unfollow(session, follower_id, followed_id)

    async def view(self, post_id: int) -> PostView:
        async with self.db.reading() as session:
            return await queries.view(session, post_id)

    async def log(self) -> list[Event | None]:
        async with self.db.reading() as session:
            return [logged.event() for logged in await events.after(session, 0, 10_000)]
