from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from random import Random

import pytest
from sqlalchemy import func, select, update

from microblog.accounts.model import Account
from microblog.demo import cast as playing
from microblog.demo import cleaning
from microblog.demo.acts import OURS, Stage
from microblog.demo.words import Words
from microblog.demo.world import seed
from microblog.kernel.events import LoggedEvent
from microblog.kernel.readers import DeadLetter
from microblog.posts import actions as posts
from microblog.posts.model import Post
from tests.world import World


@pytest.fixture
async def seeded(world: World) -> World:
    await seed(world.db, world.site.settings)
    return world


async def stage(world: World, luck: int = 1) -> Stage:
    chance = Random(luck)
    return Stage(world.db, await playing._players(world.db), Words(chance), chance, 500)


async def kinds(world: World) -> Counter[str]:
    async with world.db.reading() as session:
        return Counter(await session.scalars(select(LoggedEvent.kind)))


async def test_the_cast_does_everything_people_do(seeded: World) -> None:
    susan = await seeded.person("susan")
    play = await stage(seeded)
    for _ in range(150):
        await play.act()
    await seeded.settle()

    happened = await kinds(seeded)
    assert happened["PostPublished"] > 90
    assert {"PostEdited", "PostDeleted", "AccountFollowed", "NotificationAdded"} <= set(happened)
    async with seeded.db.reading() as session:
        assert await session.scalar(select(func.count()).select_from(DeadLetter)) == 0
        ours = select(Post.author_id).where(Post.idempotency_key.startswith(OURS))
        assert susan.id not in set(await session.scalars(ours))


async def test_a_newcomer_gets_an_answer(seeded: World) -> None:
    susan = await seeded.person("susan")
    hello = await susan.posts("Hello, is anybody here?")
    play = await stage(seeded)
    for _ in range(20):
        await play.act()

    async with seeded.db.reading() as session:
        answers = list(await session.scalars(select(Post).where(Post.in_reply_to_id == hello)))
    assert answers
    assert "@susan" in answers[0].body


async def test_the_cast_moves_by_itself_until_it_is_cancelled(
    seeded: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(playing, "PAUSE", (0.01, 0.02))
    task = asyncio.ensure_future(playing.cast(seeded.db, seeded.site.settings))
    async with asyncio.timeout(20):
        while not (await kinds(seeded))["PostPublished"]:
            await asyncio.sleep(0.02)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    assert task.cancelled()


async def test_real_people_are_never_played(seeded: World) -> None:
    async with seeded.db.writing() as session:
        await session.execute(
            update(Account).where(Account.name == "nora").values(password_hash="a real one")
        )
        await session.execute(
            update(Account).where(Account.name == "omar").values(email="omar@example.org")
        )
    players = {person.name for person in (await playing._players(seeded.db)).values()}
    assert len(players) == 13
    assert not {"nora", "omar", "demo"} & players


async def test_without_a_world_there_is_nothing_to_play(world: World) -> None:
    await world.person("nora")
    async with asyncio.timeout(5):
        await playing.cast(world.db, world.site.settings)
    assert (await kinds(world))["PostPublished"] == 0


async def test_the_oldest_of_the_cast_go_and_what_people_wrote_stays(seeded: World) -> None:
    susan = await seeded.person("susan")
    async with seeded.db.reading() as session:
        before = await session.scalar(select(func.count(Post.id)))
        nora = await session.scalar(select(Account.id).where(Account.name == "nora"))
    made = []
    for n in range(12):
        async with seeded.db.writing() as session:
            post = await posts.publish(
                session, nora, f"number {n} @susan", limit=500, idempotency_key=f"{OURS}{n}"
            )
            made.append(post.id)
    answer = await susan.posts("I say", in_reply_to=made[0])

    for _ in range(3):
        await seeded.settle()
        await cleaning.clean(seeded.db, OURS, kept=5)
    await seeded.settle()

    async with seeded.db.reading() as session:
        left = {post.id: post for post in await session.scalars(select(Post))}
    assert [one in left for one in made] == [True] + [False] * 6 + [True] * 5
    assert left[made[0]].deleted_at is not None  # holds the answer
    assert left[answer].deleted_at is None
    assert len(left) == before + 7
