"""People and posts in sentences: ``susan = await world.person("susan"); await
susan.follows(david)``.

The app of a world is real, on a real SQLite file, with its loops off: `settle` runs the
consumers and the mail sender until nothing moves, so no test sleeps for background work.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Any

from quart import Quart, Response
from quart_auth import QuartAuth
from sqlalchemy import func, select

from microblog.accounts import actions as accounts
from microblog.app import Machinery
from microblog.follows import actions as follows
from microblog.kernel import tokens
from microblog.kernel.db import Database
from microblog.kernel.events import LoggedEvent
from microblog.mail import queries as mail
from microblog.mail.outbox import Email
from microblog.mail.queries import KeptLetter
from microblog.posts import actions as posts
from microblog.posts import privacy
from microblog.signin import actions as signin
from microblog.site import Site

LIMIT = 500


@dataclass
class Person:
    world: World
    id: int
    name: str
    token: str
    client: Any = field(repr=False)

    @property
    def csrf(self) -> str:
        return tokens.sign(self.world.site.csrf_key, f"session {self.token}")

    async def follows(self, other: Person) -> None:
        async with self.world.db.writing() as session:
            await follows.follow(session, self.id, other.id)

    async def unfollows(self, other: Person) -> None:
        async with self.world.db.writing() as session:
            await follows.unfollow(session, self.id, other.id)

    async def goes_private(self) -> None:
        async with self.world.db.writing() as session:
            await privacy.make_private(session, self.id)

    async def goes_public(self) -> None:
        async with self.world.db.writing() as session:
            await privacy.make_public(session, self.id)

    async def lets_in(self, other: Person) -> None:
        async with self.world.db.writing() as session:
            await follows.accept(session, self.id, other.id)

    async def posts(self, body: str, *, in_reply_to: int | None = None) -> int:
        async with self.world.db.writing() as session:
            post = await posts.publish(session, self.id, body, limit=LIMIT, in_reply_to=in_reply_to)
            return post.id

    async def edits(self, post_id: int, body: str) -> None:
        async with self.world.db.writing() as session:
            await posts.edit(session, self.id, post_id, body, limit=LIMIT)

    async def deletes(self, post_id: int) -> None:
        async with self.world.db.writing() as session:
            await posts.delete(session, self.id, post_id)

    async def get(self, path: str, **headers: str) -> Response:
        return await self.client.get(path, headers=_named(headers))

    async def submit(
        self, path: str, _headers: dict[str, str] | None = None, **fields: str
    ) -> Response:
        """Send a form with this person's token."""
        form = {"csrf_token": self.csrf, **fields}
        return await self.client.post(path, form=form, headers=_headers or {})

    async def page(self, path: str) -> str:
        answer = await self.get(path)
        assert answer.status_code == 200, (path, answer.status_code)
        return await answer.get_data(as_text=True)


class World:
    def __init__(self, app: Quart) -> None:
        self.app = app
        self.site: Site = app.extensions["microblog"]
        self.machinery: Machinery = app.extensions["machinery"]

    @property
    def db(self) -> Database:
        return self.site.db

    def visitor(self) -> Any:
        """Somebody who is not signed in."""
        return self.app.test_client()

    async def person(self, name: str, *, email: str | None = None, **more: Any) -> Person:
        async with self.db.writing() as session:
            account = await accounts.create(
                session, name=name, email=email or f"{name}@example.org", password_hash=None, **more
            )
            token = await signin.open_session(
                session, account.id, remembered=True, user_agent="a test", address="127.0.0.0/24"
            )
            return self._seated(account.id, name, token)

    async def on_another_device(self, person: Person) -> Person:
        async with self.db.writing() as session:
            token = await signin.open_session(
                session, person.id, remembered=True, user_agent="another", address="10.0.0.0/24"
            )
        return self._seated(person.id, person.name, token)

    def _seated(self, account_id: int, name: str, token: str) -> Person:
        client = self.app.test_client()
        auth: QuartAuth = self.app.extensions["QUART_AUTH"][0]
        client.set_cookie("localhost", auth.cookie_name, auth.dump_token(token, self.app))
        return Person(self, account_id, name, token, client)

    async def settle(self) -> None:
        """Run what follows the log, and send what is due, until nothing moves."""
        before = None
        while before != (now := await self._traces()):
            before = now
            for consumer in self.machinery.consumers:
                await consumer.catch_up(self.db)
            await self.machinery.sender.step()

    async def _traces(self) -> tuple[Any, ...]:
        async with self.db.reading() as session:
            last = await session.scalar(select(func.max(LoggedEvent.id)))
            states = (
                await session.execute(select(Email.state, func.count()).group_by(Email.state))
            ).all()
            return last, tuple(sorted(tuple(row) for row in states))

    async def letters(self) -> list[KeptLetter]:
        """Every mail that went out, oldest first."""
        async with self.db.reading() as session:
            kept = [one for one in await mail.kept(session) if one.state == "sent"]
            return [await mail.kept_letter(session, one.id) for one in reversed(kept)]


def new_key() -> str:
    return secrets.token_hex(8)


def _named(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}
