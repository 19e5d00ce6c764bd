"""Private profiles through pages as a browser without script shows them."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import update

from microblog.accounts.model import Account
from tests.web.visitor import JSON, text
from tests.world import Person, World


@pytest.fixture
async def ada(world: World) -> Person:
    ada = await world.person("ada")
    await ada.submit("/settings/profile", display_name="Ada", bio="Counts engines.")
    await ada.posts("before #bees")
    assert (await ada.submit("/settings/privacy", audience="followers")).status_code == 303
    return ada


async def test_a_profile_is_asked_opened_and_closed_again(world: World, ada: Person) -> None:
    bob = await world.person("bob")
    await ada.posts("after #bees")
    visitor = await text(await world.visitor().get("/@ada"))
    assert "These posts are for followers" in visitor
    assert "Counts engines." in visitor
    assert "#bees" not in visitor
    assert "Sign in to follow" in visitor
    page = await bob.page("/@ada")
    assert "Ask to follow Ada" in page
    assert 'data-following="false"' in page
    assert (await bob.submit("/@ada/follow")).status_code == 303
    page = await bob.page("/@ada")
    assert 'data-following="requested"' in page
    assert 'action="/@ada/unfollow"' in page
    assert "Ada sees that you asked" in page
    assert "#bees" not in page
    await world.settle()
    assert 'href="/follow-requests"' in await ada.page("/notifications")
    assert "@bob" in await ada.page("/follow-requests")
    answer = await ada.submit("/follow-requests/bob", answer="accept")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/follow-requests")
    page = await ada.page("/follow-requests")
    assert "@bob follows you now." in page
    assert "Nobody is waiting" in page
    page = await bob.page("/@ada")
    assert page.count('<article id="post-') == 2
    assert 'data-following="true"' in page
    assert "Remove this follower" in await ada.page("/@bob")
    assert (await ada.submit("/followers/bob/remove", next="/@bob")).status_code == 303
    assert "does not follow you any more" in await ada.page("/@bob")
    assert "These posts are for followers" in await bob.page("/@ada")


async def test_the_lists_of_a_private_account_are_for_its_followers(
    world: World, ada: Person
) -> None:
    bob, eve = await world.person("bob"), await world.person("eve")
    await bob.follows(ada)
    await ada.lets_in(bob)
    await ada.follows(eve)
    for path, name in (("/@ada/followers", "@bob"), ("/@ada/following", "@eve")):
        assert name in await ada.page(path)
        assert name in await bob.page(path)
        for page in (await eve.page(path), await text(await world.visitor().get(path))):
            assert "Only those who follow Ada see this list" in page
            assert f'href="/{name}"' not in page.split("<main")[1].split("</main")[0]
    assert 'action="/followers/bob/remove"' in await ada.page("/@ada/followers")
    assert "/remove" not in await bob.page("/@ada/followers")


async def test_a_script_is_told_how_it_stands(world: World, ada: Person) -> None:
    bob = await world.person("bob")
    for path, stands in (
        ("/@ada/follow", "requested"), ("/@ada/follow", "requested"), ("/@ada/unfollow", False),
    ):  # fmt: skip
        said = json.loads(await (await bob.submit(path, JSON)).get_data())
        assert (said["following"], said["followers"]) == (stands, 0)


async def test_the_switch_says_what_it_does_and_lets_in_who_waits(
    world: World, ada: Person
) -> None:
    bob = await world.person("bob")
    await bob.follows(ada)
    page = await ada.page("/settings/privacy")
    assert "Those who wait for your answer follow you at once." in page
    assert 'value="followers" checked' in page
    assert '<span class="tag">1</span>' in page
    assert (await ada.submit("/settings/privacy", audience="everybody")).status_code == 303
    await world.settle()
    assert "@bob" in await ada.page("/@ada/followers")
    assert "before" in await text(await world.visitor().get("/explore"))


@pytest.mark.parametrize("sent", ["", "nobody", "public"])
async def test_another_audience_is_refused(world: World, ada: Person, sent: str) -> None:
    answer = await ada.submit("/settings/privacy", audience=sent)
    assert answer.status_code == 422
    assert "Choose one of the list." in await text(answer)


async def test_another_answer_is_refused_and_a_second_one_changes_nothing(
    world: World, ada: Person
) -> None:
    bob = await world.person("bob")
    await bob.follows(ada)
    assert (await ada.submit("/follow-requests/bob", answer="perhaps")).status_code == 422
    assert (await ada.submit("/follow-requests/nobody", answer="accept")).status_code == 404
    for answer in ("decline", "accept", "decline"):
        assert (await ada.submit("/follow-requests/bob", answer=answer)).status_code == 303
    assert 'data-following="false"' in await bob.page("/@ada")


async def test_moderators_see_what_was_reported_and_no_more(world: World, ada: Person) -> None:
    bob = await world.person("bob")
    await bob.follows(ada)
    await ada.lets_in(bob)
    post = await ada.posts("something rude")
    mo = await world.person("mo")
    await _promote(world, mo)
    assert (await mo.get(f"/@ada/{post}")).status_code == 404
    await bob.submit(f"/posts/{post}/report", category="harassment", words="Rude.")
    page = await mo.page("/admin/reports/1")
    assert "something rude" in page
    assert f'href="/@ada/{post}"' not in page
    assert 'value="delete_post"' in page
    assert (await mo.get(f"/@ada/{post}")).status_code == 404
    answer = await mo.submit("/admin/reports/1", outcome="delete_post", reason="Rude.")
    assert answer.status_code == 303
    assert (await bob.get(f"/@ada/{post}")).status_code == 404


async def test_pages_say_it_in_spanish(world: World, ada: Person) -> None:
    visitor = await world.visitor().get("/@ada", headers={"Accept-Language": "es"})
    assert "Estas publicaciones son para quienes siguen" in await text(visitor)


async def _promote(world: World, person: Person) -> None:
    async with world.db.writing() as session:
        await session.execute(
            update(Account).where(Account.id == person.id).values(role="moderator")
        )
