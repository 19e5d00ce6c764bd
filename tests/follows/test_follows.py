from __future__ import annotations

import asyncio

import pytest

from microblog.follows import queries
from microblog.follows.events import AccountFollowed, AccountUnfollowed
from microblog.kernel.errors import Invalid
from tests.posts.stage import Stage


async def test_following_twice_is_following_once(stage: Stage) -> None:
    ada, bob = await stage.person("ada"), await stage.person("bob")
    await asyncio.gather(*(stage.follows(ada, bob) for _ in range(5)))
    async with stage.db.reading() as session:
        assert await queries.follows(session, ada, bob)
        assert not await queries.follows(session, bob, ada)
        assert await queries.counts(session, ada) == (1, 0)
        assert await queries.counts(session, bob) == (0, 1)
    assert await stage.log() == [AccountFollowed(ada, bob)]


async def test_unfollowing_twice_is_unfollowing_once(stage: Stage) -> None:
    ada, bob = await stage.person("ada"), await stage.person("bob")
    await stage.unfollows(ada, bob)
    await stage.follows(ada, bob)
    await stage.unfollows(ada, bob)
    await stage.unfollows(ada, bob)
    assert await stage.log() == [AccountFollowed(ada, bob), AccountUnfollowed(ada, bob)]


async def test_nobody_follows_themselves(stage: Stage) -> None:
    ada = await stage.person("ada")
    with pytest.raises(Invalid):
        await stage.follows(ada, ada)
    assert await stage.log() == []


async def test_pages_of_people_go_on_where_the_last_one_ended(stage: Stage) -> None:
    ada = await stage.person("ada")
    others = [await stage.person(f"p{n}") for n in range(7)]
    for other in others:
        await stage.follows(other, ada)
        await stage.follows(ada, other)
    for listed in (queries.followers, queries.following):
        seen: list[int] = []
        async with stage.db.reading() as session:
            while page := await listed(session, ada, before=seen[-1] if seen else None, limit=3):
                seen += page
        assert seen == sorted(others, reverse=True)


async def test_the_followers_among_those_who_watch(stage: Stage) -> None:
    ada = await stage.person("ada")
    others = [await stage.person(f"p{n}") for n in range(4)]
    for other in others[:2]:
        await stage.follows(other, ada)
    async with stage.db.reading() as session:
        for watching in (set(others), set(range(1, 1200)), set(range(1, 5000))):
            assert await queries.followers_among(session, ada, watching) == set(others[:2])
        assert await queries.followers_among(session, ada, {others[3]}) == set()
        assert await queries.followers_among(session, ada, set()) == set()


async def test_whom_someone_follows(stage: Stage) -> None:
    ada, bob, eve = [await stage.person(name) for name in ("ada", "bob", "eve")]
    await stage.follows(ada, bob)
    async with stage.db.reading() as session:
        assert await queries.followed_ids(session, ada) == {bob}
        assert await queries.followed_among(session, ada, {bob, eve}) == {bob}
        assert await queries.followed_among(session, ada, set()) == set()
