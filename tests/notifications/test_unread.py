from __future__ import annotations

from sqlalchemy import insert, update

from microblog.accounts.model import Account
from microblog.kernel.clock import now
from microblog.notifications import queries
from microblog.notifications.model import Notification
from microblog.notifications.queries import LOOKED_AT, MANY
from tests.world import Person, World


async def told(world: World, who: Person, by: Person, times: int) -> None:
    rows = [
        {"account_id": who.id, "kind": "follow", "about": f"{by.name}-{n}", "actor_id": by.id}
        for n in range(times)
    ]
    async with world.db.writing() as session:
        await session.execute(insert(Notification), rows)


async def test_unread_news_are_counted_no_further_than_they_are_told_apart(world: World) -> None:
    susan, david = await world.person("susan"), await world.person("david")
    await told(world, susan, david, 3 * MANY)
    await told(world, david, susan, MANY - 1)
    async with world.db.reading() as session:
        assert await queries.unread(session, susan.id) == MANY
        assert await queries.unread(session, david.id) == MANY - 1
    many, fewer = await susan.page("/explore"), await david.page("/explore")
    assert "<title>(99+) " in many
    assert many.count(">99+<") == 1
    assert ">99+ unread<" in many
    assert "<title>(99) " in fewer
    assert ">99 unread<" in fewer


async def test_what_is_not_shown_is_not_counted(world: World) -> None:
    susan, david = await world.person("susan"), await world.person("david")
    await told(world, susan, david, 3)
    async with world.db.writing() as session:
        suspended = update(Account).where(Account.id == david.id).values(suspended_at=now())
        await session.execute(suspended)
    async with world.db.reading() as session:
        assert await queries.unread(session, susan.id) == 0
    assert ">0 unread<" in await susan.page("/explore")


async def test_nobody_walks_past_any_number_of_news_of_the_suspended(world: World) -> None:
    """It is asked with every page, and who sent them may have sent very many."""
    susan, david, eve = [await world.person(name) for name in ("susan", "david", "eve")]
    await told(world, susan, david, 2)
    await told(world, susan, eve, LOOKED_AT - 1)
    async with world.db.writing() as session:
        suspended = update(Account).where(Account.id == eve.id).values(suspended_at=now())
        await session.execute(suspended)
    async with world.db.reading() as session:
        assert await queries.unread(session, susan.id) == 1
