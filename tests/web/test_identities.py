"""The ways of signing in that somebody has: adding, removing, and proving it through one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from microblog.accounts.model import Account
from microblog.demo.pretenders import Pretenders, listening, providers_at
from microblog.identities.model import Identity
from microblog.kernel.clock import now
from microblog.settings import Settings
from microblog.signin.model import LoginSession, Passkey
from tests.web.travelling import confirmed, query, returns_from, sent_to
from tests.web.visitor import FROM_A_SECRET_PAGE, Visitor, newest_link, text
from tests.world import Person, World

PAGE = "/settings/identities"


@pytest.fixture
async def settings(settings: Settings) -> AsyncIterator[Settings]:
    async with listening(Pretenders()) as url:
        yield replace(settings, providers=providers_at(url))


async def identities(world: World) -> list[tuple[int, str]]:
    async with world.db.reading() as session:
        found = await session.scalars(select(Identity).order_by(Identity.id))
        return [(each.account_id, each.issuer.rsplit("/", 1)[1]) for each in found]


async def links(person: Person, provider: str, name: str = "grace") -> str:
    """The page they see at the end."""
    url = await sent_to(await person.submit(PAGE, link=provider))
    answer = await person.get(await confirmed(url, person=name))
    if answer.status_code == 303:
        return await person.page(answer.headers["Location"])
    return await text(answer)


async def removes(person: Person, n: int = 0) -> int:
    """The status of the answer; also where the page offers it no more."""
    mine = select(Identity.id).where(Identity.account_id == person.id).order_by(Identity.id)
    async with person.world.db.reading() as session:
        numbers = list(await session.scalars(mine))
    return (await person.submit(PAGE, unlink=str(numbers[n]))).status_code


async def long_ago(world: World) -> None:
    async with world.db.writing() as session:
        before = now() - timedelta(minutes=11)
        await session.execute(update(LoginSession).values(authenticated_at=before))


@pytest.mark.parametrize("said", ["/not-me/", "/email/undo/"])
async def test_what_a_thief_has_linked_goes_with_them(world: World, said: str) -> None:
    """When the owner says that a sign-in was not theirs, or takes a change of address back."""
    owner, thief = Visitor(world), Visitor(world)
    await owner.registers("ada")
    await thief.signs_in("ada")
    for visitor, provider in ((owner, "github"), (thief, "x")):
        url = await sent_to(await visitor.submit(PAGE, link=provider))
        await visitor.client.get(await confirmed(url, person="grace"))
    async with world.db.writing() as session:
        session.add(
            Passkey(id=1, account_id=1, name="a thief's", credential_id=b"1", public_key=b"1")
        )
    await thief.submit("/settings/email", page="/settings/account", email="mallory@new.example")
    async with world.db.writing() as session:
        long_ago = update(Identity).where(Identity.issuer.endswith("/github"))
        await session.execute(long_ago.values(linked_at=now() - timedelta(days=1)))
    assert [provider for _, provider in await identities(world)] == ["github", "x"]
    await owner.submit(await newest_link(world, said), FROM_A_SECRET_PAGE)
    assert [provider for _, provider in await identities(world)] == ["github"]
    async with world.db.reading() as session:
        assert await session.scalar(select(Passkey)) is None


async def test_a_way_is_added_told_and_opens_the_account(world: World) -> None:
    grace = await world.person("grace")
    page = await links(grace, "github")
    assert "Linked. You can sign in with GitHub now." in page
    assert "· <bdi>grace</bdi>" in page
    assert 'value="github"' not in page
    assert await identities(world) == [(grace.id, "github")]
    await world.settle()
    (letter,) = await world.letters()
    assert letter.to == "grace@example.org"
    assert "opens with GitHub, too: grace" in letter.text
    visitor = Visitor(world)
    url = await sent_to(await visitor.client.get("/login/github"))
    await visitor.client.get(await confirmed(url, person="grace"))
    found = await visitor.who()
    assert found is not None
    assert found.id == grace.id


async def test_anothers_way_is_never_taken(world: World) -> None:
    grace, eve = await world.person("grace"), await world.person("eve")
    await links(grace, "github")
    assert "linked to another account of this site already" in await links(eve, "github")
    assert await identities(world) == [(grace.id, "github")]


async def test_an_answer_to_another_session_links_nothing(world: World) -> None:
    """Not even of the same person: whoever began it is the one who ends it."""
    grace = await world.person("grace")
    url = await sent_to(await grace.submit(PAGE, link="github"))
    journey = next(c for c in grace.client.cookie_jar if c.name == "journey").value
    back = await confirmed(url, person="eve")
    for other in (await world.on_another_device(grace), await world.person("eve")):
        other.client.set_cookie("localhost", "journey", journey or "")
        assert (await other.get(back)).status_code == 400
    visitor = world.visitor()
    visitor.set_cookie("localhost", "journey", journey or "")
    assert (await visitor.get(back)).status_code == 400
    assert await identities(world) == []


async def test_what_one_person_began_another_cannot_end_in_the_same_browser(
    world: World,
) -> None:
    grace, eve = await world.person("grace"), await world.person("eve")
    back = await confirmed(await sent_to(await grace.submit(PAGE, link="github")), person="grace")
    await grace.submit("/logout")
    session = next(c for c in eve.client.cookie_jar if c.name == "session").value
    grace.client.set_cookie("localhost", "session", session or "")
    answer = await grace.get(back)
    assert answer.status_code == 400
    assert "belongs to no sign-in that this browser began" in await text(answer)
    assert await identities(world) == []


async def test_adding_and_removing_ask_who_is_there(world: World) -> None:
    grace = await world.person("grace")
    await links(grace, "github")
    await long_ago(world)
    for fields in ({"link": "x"}, {"unlink": "1"}):
        answer = await grace.submit(PAGE, **fields)
        assert answer.status_code == 403
        assert "Confirm that it is you" in await text(answer)
    assert await identities(world) == [(grace.id, "github")]


async def test_a_form_of_another_site_adds_nothing(world: World) -> None:
    grace = await world.person("grace")
    answer = await grace.client.post(PAGE, form={"link": "github", "csrf_token": "x"})
    assert answer.status_code == 403
    assert (await grace.get("/login/github")).headers["Location"] == "/"


async def test_the_last_way_in_cannot_be_removed(world: World) -> None:
    grace = await world.person("grace")  # without a password
    await links(grace, "github")
    page = await grace.page(PAGE)
    assert "Your only way in" in page
    assert 'name="unlink"' not in page
    assert await removes(grace) == 403
    await links(grace, "x")
    page = await grace.page(PAGE)
    assert "Your only way in" not in page
    assert page.count('name="unlink"') == 2
    assert await removes(grace) == 303
    assert await identities(world) == [(grace.id, "x")]
    assert await removes(grace) == 403
    async with world.db.writing() as session:
        await session.execute(update(Account).values(password_hash="$argon2id$not a real one"))
    world.site.settings = replace(world.site.settings, passwords="off")
    assert await removes(grace) == 403  # a password that nobody asks for is no way in
    world.site.settings = replace(world.site.settings, passwords="on")
    assert await removes(grace) == 303
    assert await identities(world) == []
    await links(grace, "x")
    async with world.db.writing() as session:
        await session.execute(update(Account).values(password_hash=None))
    assert await removes(grace) == 403
    async with world.db.writing() as session:
        session.add(Passkey(
            id=1, account_id=grace.id, credential_id=b"1", public_key=b"2", sign_count=0, name="",
        ))  # fmt: skip
    assert await removes(grace) == 303
    await world.settle()
    kinds = [letter.subject for letter in await world.letters()]
    assert len([subject for subject in kinds if "removed" in subject]) == 3


async def test_nobody_removes_anothers(world: World) -> None:
    grace, eve = await world.person("grace"), await world.person("eve")
    await links(grace, "github")
    for written in ("1", "0", "-1", "x", "9" * 30):
        assert (await eve.submit(PAGE, unlink=written)).status_code == 404
    assert await identities(world) == [(grace.id, "github")]


async def test_who_may_not_have_been_asked_proves_nothing(world: World) -> None:
    """GitHub, Facebook and X let in whoever sits where a session of theirs is open."""
    grace = await world.person("grace")
    await links(grace, "github")
    await long_ago(world)
    page = await text(await grace.submit(PAGE, link="x"))
    assert "Confirm that it is you" in page
    assert "/reauthenticate/through" not in page
    assert "Send a code to grace@example.org" in page
    for provider in ("github", "x"):
        answer = await grace.submit("/reauthenticate/through", provider=provider, next=PAGE)
        assert answer.status_code == 404
    assert (await grace.get("/login/github")).headers["Location"] == "/"
    assert (await grace.submit(PAGE, link="x")).status_code == 403


async def test_nor_do_they_who_come_in_like_that(world: World) -> None:
    """Signed out and in again by whoever sits there, that is; unless there is no other proof."""
    grace = await world.person("grace")
    await links(grace, "github")
    for email, status in (("grace@example.org", 403), (None, 200)):
        async with world.db.writing() as session:
            await session.execute(update(Account).values(email=email))
        again = Visitor(world)
        answer = await returns_from(again, "github", person="grace")
        assert (answer.status_code, answer.headers["Location"]) == (303, "/")
        assert (await again.submit(PAGE, page="/settings/account", link="x")).status_code == status


async def test_the_page_that_leads_away_is_no_form(world: World) -> None:
    """Chromium would stop a form's redirect to another site (form-action)."""
    grace = await world.person("grace")
    answer = await grace.submit(PAGE, link="github")
    assert answer.status_code == 200
    assert "form-action 'self'" in answer.headers["Content-Security-Policy"]
    asked = query(await sent_to(answer))
    assert asked["redirect_uri"] == "http://localhost/login/github/callback"
