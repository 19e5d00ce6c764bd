"""Somebody whose posts may be copied to a pretend X and to a Page of a pretend Facebook."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from sqlalchemy import func, select

from microblog.crossposts import actions, places
from microblog.crossposts.keys import PURPOSE, Keys
from microblog.crossposts.model import Crosspost, Place
from microblog.crossposts.places import Offer
from microblog.crossposts.sender import CrosspostSender
from microblog.demo.pretenders import Grant, Pretenders, listening, number, pages_of, providers_at
from microblog.identities.model import Identity
from microblog.kernel import tokens
from microblog.kernel.sealing import Seal
from microblog.outbound.client import Outbound
from microblog.posts import actions as posts
from microblog.settings import Settings
from tests.world import LIMIT, Person, World

SCOPE = "tweet.read tweet.write users.read offline.access"


@pytest.fixture
async def pretenders() -> Pretenders:
    return Pretenders()


@pytest.fixture
async def settings(settings: Settings, pretenders: Pretenders) -> AsyncIterator[Settings]:
    async with listening(pretenders) as url:
        yield replace(settings, providers=providers_at(url), reachable=(urlsplit(url).netloc,))


@dataclass
class Author:
    """`place` is where the next posts are copied to."""

    person: Person
    pretenders: Pretenders
    place: int = 0
    kind: str = "x"
    _identities: dict[str, int] = field(default_factory=dict)

    @property
    def world(self) -> World:
        return self.person.world

    @property
    def seal(self) -> Seal:
        return Seal.of(PURPOSE, self.world.site.settings.secret_key)

    def access(self, kind: str) -> tuple[str, str]:
        """What the pretenders take, as if somebody had been there."""
        page = str(number(pages_of(self.person.name)[0])) if kind == "facebook" else ""
        grant = Grant(kind, self.person.name, "", "", SCOPE, page)
        access, refresh = tokens.new_token(), tokens.new_token()
        self.pretenders.access[access] = grant
        if kind == "x":
            self.pretenders.refresh[refresh] = grant
        return access, refresh

    async def connects(self, kind: str = "x", **keys: object) -> int:
        access, refresh = self.access(kind)
        where = pages_of(self.person.name)[0] if kind == "facebook" else self.person.name
        async with self.world.db.writing() as session:
            identity = Identity(account_id=self.person.id, issuer=kind, subject="1")
            found = await session.scalar(
                select(Identity.id).where(Identity.issuer == kind, Identity.subject == "1")
            )
            if found is None:
                session.add(identity)
                await session.flush()
                found = identity.id
            made = Keys(access, refresh) if not keys else replace(Keys(access, refresh), **keys)
            offer = Offer(str(number(where)), f"@{where}", made)
            await places.connect(session, self.seal, self.person.id, found, kind, [offer])
            mine = select(Place.id).where(Place.account_id == self.person.id, Place.kind == kind)
            self.place = await session.scalar(mine) or 0
        return self.place

    async def posts(self, body: str, *, to: set[int] | None = None) -> int:
        async with self.world.db.writing() as session:
            post = await posts.publish(session, self.person.id, body, limit=LIMIT)
            wanted = {self.place} if to is None else to
            await actions.share(session, post, wanted, "https://here.example")
            return post.id

    async def deletes(self, post_id: int, *, everywhere: bool = True) -> None:
        async with self.world.db.writing() as session:
            await posts.delete(session, self.person.id, post_id)
            await actions.withdraw(session, post_id, everywhere=everywhere)

    async def retries(self, crosspost_id: int) -> None:
        async with self.world.db.writing() as session:
            await actions.retry(session, self.person.id, crosspost_id)

    async def sent(self, *, patience: float = 10.0) -> Crosspost | None:
        """Work on all that is due; how the last one stands then."""
        await self.sender(patience=patience).step()
        return await self.last()

    def sender(self, *, patience: float = 10.0, watched: float = 0.0) -> CrosspostSender:
        settings = self.world.site.settings
        outbound = Outbound(reachable=settings.reachable, patience=patience)
        return CrosspostSender(
            self.world.db, self.seal, settings.providers, outbound, owner="a test", watched=watched
        )  # fmt: skip

    async def last(self) -> Crosspost | None:
        async with self.world.db.reading() as session:
            mine = select(Crosspost).where(Crosspost.account_id == self.person.id)
            return await session.scalar(mine.order_by(Crosspost.id.desc()).limit(1))

    async def later(self, **passed: float) -> None:
        """Let time pass for all that waits."""
        by = timedelta(**passed)
        async with self.world.db.writing() as session:
            for one in (await session.scalars(select(Crosspost))).all():
                one.due_at, one.give_up_at = one.due_at - by, one.give_up_at - by

    async def place_is_sealed(self) -> bool:
        async with self.world.db.reading() as session:
            mine = select(func.count(Place.sealed)).where(Place.account_id == self.person.id)
            return await session.scalar(mine) == 1

    def there(self) -> list[str]:
        return self.pretenders.feeds.at(self.kind)

    async def is_there(self) -> None:
        """Wait until something is."""
        async with asyncio.timeout(10):
            while not self.there():
                await asyncio.sleep(0.01)


@pytest.fixture
async def author(world: World, pretenders: Pretenders) -> Author:
    """Connected to X."""
    found = Author(await world.person("ada"), pretenders)
    await found.connects()
    return found


@pytest.fixture
async def page(world: World, pretenders: Pretenders) -> Author:
    """Connected to a Page."""
    found = Author(await world.person("bea"), pretenders, kind="facebook")
    await found.connects("facebook")
    return found


async def count(world: World) -> int:
    async with world.db.reading() as session:
        return await session.scalar(select(func.count()).select_from(Crosspost)) or 0
