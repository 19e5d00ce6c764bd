from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import update

from microblog.kernel.clock import now
from microblog.settings import Settings
from microblog.signin.model import EmailChange, EmailUndo, LoginSession
from tests.web.visitor import FROM_A_SECRET_PAGE, JSON, PASSWORD, Visitor, newest_link, text
from tests.world import World

NEW = "ada@new.example"
FORM = "/settings/account"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, confirm_email="on")


@pytest.fixture
async def ada(world: World) -> Visitor:
    """Ada, signed in."""
    return await signed_up(world, "ada")


async def signed_up(world: World, name: str) -> Visitor:
    visitor = Visitor(world)
    await visitor.registers(name)
    link = await newest_link(world, "/confirm/")
    await visitor.submit(link, FROM_A_SECRET_PAGE)
    return visitor


async def ask(world: World, ada: Visitor, email: str = NEW) -> str:
    answer = await ada.submit("/settings/email", page=FORM, email=email)
    assert (answer.status_code, answer.headers["Location"]) == (303, FORM)
    return await newest_link(world, "/email/confirm/")


async def address(visitor: Visitor) -> str | None:
    found = await visitor.who()
    assert found is not None
    return found.email


async def test_a_link_at_the_new_address_changes_it(world: World, ada: Visitor) -> None:
    elsewhere = Visitor(world)
    await elsewhere.signs_in("ada")
    link = await ask(world, ada)
    assert (await ada.page(FORM)).count("A link is on its way to ada@new.example.") == 1
    assert await address(ada) == "ada@example.org"
    page = await ada.page(link)
    assert "@ada" in page
    assert NEW in page
    before = ada.session_cookie()
    answer = await ada.submit(link, FROM_A_SECRET_PAGE)
    assert (answer.status_code, answer.headers["Location"]) == (303, FORM)
    assert "Your e-mail address is ada@new.example now." in await ada.page(FORM)
    assert await address(ada) == NEW
    assert ada.session_cookie() != before
    assert await elsewhere.who() is None


async def test_it_is_confirmed_in_a_browser_that_is_not_signed_in(
    world: World, ada: Visitor
) -> None:
    phone = Visitor(world)
    answer = await phone.submit(await ask(world, ada), FROM_A_SECRET_PAGE)
    assert answer.headers["Location"] == "/login"
    assert await phone.who() is None
    assert await address(ada) == NEW


async def test_looking_does_not_use_the_link_up_and_it_goes_to_nobody(
    world: World, ada: Visitor
) -> None:
    link = await ask(world, ada)
    for _ in range(2):
        answer = await world.visitor().get(link)
        assert answer.status_code == 200
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Cache-Control"] == "no-store"
    assert await address(ada) == "ada@example.org"


async def test_a_used_replaced_late_or_invented_link_says_so(world: World, ada: Visitor) -> None:
    replaced, used = await ask(world, ada), await ask(world, ada, "ada@third.example")
    await ada.submit(used, FROM_A_SECRET_PAGE)
    late = await ask(world, ada)
    async with world.db.writing() as session:
        await session.execute(update(EmailChange).values(expires_at=now()))
    for link in (replaced, used, late, "/email/confirm/invented", "/email/undo/invented"):
        assert "This link no longer works" in await Visitor(world).page(link, 404)
        answer = await Visitor(world).submit(link, page="/login")
        assert answer.status_code == 404
    assert await address(ada) == "ada@third.example"


async def test_the_answer_is_the_same_when_somebody_else_has_the_address(
    world: World, ada: Visitor
) -> None:
    await signed_up(world, "grace")
    seen = []
    for email in ("grace@example.org", "grace@free.example"):
        answer = await ada.submit("/settings/email", page=FORM, email=email)
        await world.settle()
        page = (await ada.page(FORM)).replace(email, "(it)")
        seen.append((answer.status_code, answer.headers["Location"], page.count("(it)")))
    assert seen[0] == seen[1]
    letters = [(one.to, one.subject) for one in await world.letters()][-2:]
    assert letters[0] == ("grace@example.org", "You already have an account at Microblog")
    assert letters[1][0] == "grace@free.example"


async def test_the_old_address_takes_the_change_back(world: World, ada: Visitor) -> None:
    await ada.submit(await ask(world, ada), FROM_A_SECRET_PAGE)
    link = await newest_link(world, "/email/undo/")
    assert (await world.letters())[-1].to == "ada@example.org"
    owner = Visitor(world)
    assert "ada@example.org" in await owner.page(link)
    answer = await owner.submit(link, FROM_A_SECRET_PAGE)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/password/forgot/sent")
    page = await owner.page("/password/forgot/sent")
    assert "Your address is ada@example.org again, and every device is signed out." in page
    assert await ada.who() is None
    assert (await Visitor(world).signs_in("ada")).status_code == 401
    reset = await newest_link(world, "/password/reset/")
    await owner.submit(reset, FROM_A_SECRET_PAGE, password="another horse staple")
    assert await address(owner) == "ada@example.org"


async def test_a_thief_who_is_disowned_gets_no_address_in_afterwards(
    world: World, ada: Visitor
) -> None:
    thief = Visitor(world)
    await thief.signs_in("ada")
    not_me = await newest_link(world, "/not-me/")
    theirs = await ask(world, thief, "thief@new.example")
    await ada.submit(not_me, FROM_A_SECRET_PAGE)
    assert (await thief.submit(theirs, page="/login")).status_code == 404


async def test_an_address_that_a_thief_changed_is_back_when_they_are_disowned(
    world: World, ada: Visitor
) -> None:
    thief = Visitor(world)
    await thief.signs_in("ada")
    not_me = await newest_link(world, "/not-me/")
    for email in ("thief@new.example", "thief@newer.example"):
        await thief.submit(await ask(world, thief, email), FROM_A_SECRET_PAGE)
    owner = Visitor(world)
    await owner.submit(not_me, FROM_A_SECRET_PAGE)
    reset = await newest_link(world, "/password/reset/")
    assert (await world.letters())[-1].to == "ada@example.org"
    await owner.submit(reset, FROM_A_SECRET_PAGE, password="another horse staple")
    assert await address(owner) == "ada@example.org"


async def test_an_address_taken_since_cannot_come_back_and_the_page_says_so(
    world: World, ada: Visitor
) -> None:
    await ada.submit(await ask(world, ada), FROM_A_SECRET_PAGE)
    link = await newest_link(world, "/email/undo/")
    await world.person("grace", email="ada@example.org")
    answer = await Visitor(world).submit(link, FROM_A_SECRET_PAGE)
    assert answer.status_code == 409
    assert "By now another account has this address." in await text(answer)
    assert await address(ada) == NEW


@pytest.mark.parametrize("email", ["ada", "", "ADA@EXAMPLE.ORG", "a@b"])
async def test_what_is_no_new_address_comes_back_as_typed(ada: Visitor, email: str) -> None:
    answer = await ada.submit("/settings/email", page=FORM, email=email)
    assert answer.status_code == 422
    assert f'value="{email}"' in await text(answer)


async def test_it_needs_a_recent_proof(world: World, ada: Visitor) -> None:
    async with world.db.writing() as session:
        long_ago = now() - timedelta(hours=1)
        await session.execute(update(LoginSession).values(authenticated_at=long_ago))
    answer = await ada.submit("/settings/email", page=FORM, email=NEW)
    assert answer.status_code == 403
    assert f'name="kept_email" value="{NEW}"' in await text(answer)
    kept = {"next": "/settings/email", "kept_email": NEW}
    page = await text(await ada.submit("/reauthenticate", password=PASSWORD, **kept))
    answer = await ada.sends(page, "/settings/email", email=NEW)
    assert answer.headers["Location"] == FORM
    assert (await ada.client.get("/settings/email")).headers["Location"] == FORM


async def test_a_script_asks_in_json(ada: Visitor) -> None:
    answer = await ada.submit("/settings/email", JSON, page=FORM, email=NEW)
    assert await answer.get_json() == {"url": FORM}
    answer = await ada.submit("/settings/email", JSON, page=FORM, email="x")
    assert (await answer.get_json())["fields"] == {
        "email": "That does not look like an e-mail address."
    }


class TestWithoutConfirmation:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return replace(settings, confirm_email="off")

    @pytest.fixture
    async def ada(self, world: World) -> Visitor:
        visitor = Visitor(world)
        await visitor.registers("ada")
        return visitor

    async def test_it_changes_at_once_and_can_be_taken_back(
        self, world: World, ada: Visitor
    ) -> None:
        await ada.submit("/settings/email", page=FORM, email=NEW)
        assert await address(ada) == NEW
        await Visitor(world).submit(await newest_link(world, "/email/undo/"), FROM_A_SECRET_PAGE)
        assert await ada.who() is None
        async with world.db.reading() as session:
            assert await session.get(EmailUndo, 1) is None

    async def test_a_known_address_is_refused(self, world: World, ada: Visitor) -> None:
        await world.person("grace")
        answer = await ada.submit("/settings/email", page=FORM, email="grace@example.org")
        assert answer.status_code == 409
        assert "An account has that address." in await text(answer)


class TestLimits:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return replace(settings, limits="default", confirm_email="off")

    async def test_ten_an_hour(self, world: World) -> None:
        ada = Visitor(world)
        await ada.registers("ada")
        answers = [await ada.submit("/settings/email", page=FORM, email="x") for _ in range(11)]
        assert [answer.status_code for answer in answers] == [422] * 10 + [429]
