from __future__ import annotations

import asyncio

import pytest

from microblog.follows import actions, lists, queries
from microblog.follows.actions import Answer
from microblog.follows.events import (
    AccountFollowed,
    AccountUnfollowed,
    FollowAccepted,
    FollowRequested,
    FollowRequestEnded,
)
from microblog.follows.lists import Outcome
from microblog.kernel.clock import now
from tests.posts.stage import Stage
from tests.world import World


async def follow(stage: Stage, follower: int, followed: int) -> Answer:
    async with stage.db.writing() as session:
        return await actions.follow(session, follower, followed)


async def test_a_private_account_is_asked_and_lets_in(stage: Stage) -> None:
    ada = await stage.person("ada", private_at=now())
    bob = await stage.person("bob")
    assert await follow(stage, bob, ada) is Answer.REQUESTED
    assert await follow(stage, bob, ada) is Answer.ALREADY
    async with stage.db.reading() as session:
        assert await queries.tie(session, bob, ada) == "requested"
        assert await queries.ties_among(session, bob, {ada}) == {ada: "requested"}
        assert not await queries.follows(session, bob, ada)
        assert await queries.waiting(session, ada) == [bob]
        assert await queries.how_many_wait(session, ada) == 1
    for _ in range(2):
        async with stage.db.writing() as session:
            await actions.accept(session, ada, bob)
    async with stage.db.reading() as session:
        assert await queries.tie(session, bob, ada) is True
        assert await queries.ties_among(session, bob, {ada}) == {ada: True}
        assert await queries.how_many_wait(session, ada) == 0
    assert await follow(stage, bob, ada) is Answer.ALREADY
    assert await stage.log() == [FollowRequested(bob, ada), FollowAccepted(bob, ada)]


async def test_a_request_is_declined_or_taken_back_and_may_come_again(stage: Stage) -> None:
    ada = await stage.person("ada", private_at=now())
    bob = await stage.person("bob")
    for end in (actions.decline, actions.unfollow):
        assert await follow(stage, bob, ada) is Answer.REQUESTED
        for _ in range(2):
            async with stage.db.writing() as session:
                pair = (ada, bob) if end is actions.decline else (bob, ada)
                await end(session, *pair)
        async with stage.db.reading() as session:
            assert await queries.tie(session, bob, ada) is False
    assert await stage.log() == [FollowRequested(bob, ada), FollowRequestEnded(bob, ada)] * 2


async def test_nobody_is_let_in_who_has_not_asked(stage: Stage) -> None:
    ada = await stage.person("ada", private_at=now())
    bob = await stage.person("bob")
    async with stage.db.writing() as session:
        await actions.accept(session, ada, bob)
        await actions.accept(session, bob, ada)
    async with stage.db.reading() as session:
        assert await queries.counts(session, ada) == (0, 0)
    assert await stage.log() == []


async def test_two_at_once_are_one_request(stage: Stage) -> None:
    ada = await stage.person("ada", private_at=now())
    bob = await stage.person("bob")
    answers = await asyncio.gather(*(follow(stage, bob, ada) for _ in range(4)))
    assert sorted(answers) == [Answer.ALREADY] * 3 + [Answer.REQUESTED]


async def test_followers_stay_and_new_ones_ask(world: World) -> None:
    ada, bob, eve = [await world.person(name) for name in ("ada", "bob", "eve")]
    await bob.follows(ada)
    await ada.goes_private()
    await eve.follows(ada)
    async with world.db.reading() as session:
        assert await queries.followers(session, ada.id) == [bob.id]
        assert await queries.waiting(session, ada.id) == [eve.id]


async def test_whoever_waits_is_let_in_when_the_account_is_public(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(actions, "BITE", 2)
    ada = await world.person("ada")
    await ada.goes_private()
    others = [await world.person(f"p{n}") for n in range(5)]
    for other in others:
        await other.follows(ada)
    await ada.goes_public()
    await world.settle()
    async with world.db.reading() as session:
        assert await queries.how_many_wait(session, ada.id) == 0
        assert await queries.followers(session, ada.id) == [one.id for one in reversed(others)]


async def test_who_thinks_better_of_it_lets_nobody_in(world: World) -> None:
    ada, bob = await world.person("ada"), await world.person("bob")
    await ada.goes_private()
    await bob.follows(ada)
    await ada.goes_public()
    await ada.goes_private()
    await world.settle()
    async with world.db.reading() as session:
        assert await queries.tie(session, bob.id, ada.id) == "requested"


async def test_a_request_from_before_does_not_outlast_a_follow(world: World) -> None:
    ada, bob = await world.person("ada"), await world.person("bob")
    await ada.goes_private()
    await bob.follows(ada)
    await ada.goes_public()
    await bob.follows(ada)  # before the consumer came
    await world.settle()
    async with world.db.reading() as session:
        assert await queries.tie(session, bob.id, ada.id) is True
        assert await queries.how_many_wait(session, ada.id) == 0


async def test_removing_a_follower_is_their_unfollowing(world: World, stage: Stage) -> None:
    ada, bob = await world.person("ada"), await world.person("bob")
    await bob.follows(ada)
    answer = await ada.submit("/followers/bob/remove")
    assert answer.status_code == 303
    kinds = [type(event) for event in await stage.log()]
    assert kinds[-2:] == [AccountFollowed, AccountUnfollowed]


async def test_a_list_asks_where_it_has_to(stage: Stage) -> None:
    ada, _bob = await stage.person("ada"), await stage.person("bob")
    await stage.person("carol", private_at=now())
    for followed, requested, known in ((["bob"], ["carol"], 0), ([], [], 2)):
        outcome = Outcome()
        async with stage.db.writing() as session:
            await lists.follow_some(
                session, ada, ["bob", "carol@here"], hosts={"here"}, outcome=outcome
            )
        assert (outcome.followed, outcome.requested, outcome.known) == (
            followed, requested, known,
        )  # fmt: skip


async def test_pages_of_requests_go_on_where_the_last_one_ended(stage: Stage) -> None:
    ada = await stage.person("ada", private_at=now())
    others = [await stage.person(f"p{n}") for n in range(7)]
    for other in others:
        await stage.follows(other, ada)
    seen: list[int] = []
    async with stage.db.reading() as session:
        while page := await queries.waiting(session, ada, before=(seen or [None])[-1], limit=3):
            seen += page
    assert seen == others[::-1]
