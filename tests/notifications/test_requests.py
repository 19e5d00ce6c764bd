"""Asking to follow, and being let in: told on the page and by mail, and taken back."""

from __future__ import annotations

import pytest

from microblog.notifications import actions
from tests.notifications.conftest import Told
from tests.world import Person, World


@pytest.fixture
async def ada(world: World) -> Person:
    ada = await world.person("ada")
    await ada.goes_private()
    return ada


async def mails(world: World) -> list[tuple[str, str]]:
    return [(letter.to.partition("@")[0], letter.kind) for letter in await world.letters()]


async def test_a_request_is_told_and_so_is_the_answer(
    world: World, told: Told, ada: Person
) -> None:
    bob = await world.person("bob")
    await bob.follows(ada)
    (news,) = await told(ada)
    assert (news.kind, news.actor.name, news.post) == ("request", "bob", None)
    await world.settle()
    await ada.lets_in(bob)
    assert await told(ada) == []  # answered
    (news,) = await told(bob)
    assert (news.kind, news.actor.name) == ("accept", "ada")
    await world.settle()
    assert await mails(world) == [("ada", "request"), ("bob", "accept")]
    asked, granted = await world.letters()
    assert "bob asks to follow you" in asked.subject
    assert "http://localhost/follow-requests" in asked.text
    assert "ada lets you follow them" in granted.subject
    assert "http://localhost/@ada" in granted.text


async def test_a_request_taken_back_or_declined_is_no_news(
    world: World, told: Told, ada: Person
) -> None:
    bob = await world.person("bob")
    for declined in (False, True):
        await bob.follows(ada)
        assert [one.kind for one in await told(ada)] == ["request"]
        if declined:
            await ada.submit("/follow-requests/bob", answer="decline")
        else:
            await bob.unfollows(ada)
        assert await told(ada) == []
        assert await told(bob) == []


async def test_mail_knows_what_was_seen_answered_or_is_not_wanted(
    world: World, told: Told, ada: Person
) -> None:
    bob, cas, dan = [await world.person(name) for name in ("bob", "cas", "dan")]
    for person in (bob, cas):
        await person.follows(ada)
    seen, _ = await told(ada)
    async with world.db.writing() as session:
        await actions.see(session, ada.id, [], [seen.id])
    await ada.lets_in(bob)
    await ada.lets_in(cas)
    async with world.db.writing() as session:
        await actions.mute_mail(session, ada.id, "request")
        await actions.mute_mail(session, bob.id, "accept")
    await dan.follows(ada)
    await world.settle()
    assert await mails(world) == [("cas", "accept")]


async def test_who_is_let_in_again_is_told_again(world: World, told: Told, ada: Person) -> None:
    bob = await world.person("bob")
    for _ in range(2):
        await bob.follows(ada)
        await ada.lets_in(bob)
        assert [one.kind for one in await told(bob)] == ["accept"]
        await bob.unfollows(ada)
        assert await told(bob) == []


async def test_a_private_account_that_follows_somebody_is_told_of(
    world: World, told: Told, ada: Person
) -> None:
    bob = await world.person("bob")
    await ada.follows(bob)
    assert [one.kind for one in await told(bob)] == ["follow"]
