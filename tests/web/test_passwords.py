from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import update

from microblog.kernel.clock import now
from microblog.settings import Settings
from microblog.signin.events import LoginSessionEnded
from microblog.signin.model import PasswordReset
from tests.signin.people import happened
from tests.web.visitor import FROM_A_SECRET_PAGE, JSON, PASSWORD, Visitor, emails, newest_link, text
from tests.world import World

NEW = "another horse staple"


@pytest.fixture
async def ada(world: World) -> Visitor:
    """Ada, signed in."""
    visitor = Visitor(world)
    await visitor.registers("ada")
    return visitor


async def ask(world: World, email: str = "ada@example.org") -> str:
    """Ask for a link; its path."""
    answer = await Visitor(world).submit("/password/forgot", email=email)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/password/forgot/sent")
    return await newest_link(world, "/password/reset/")


async def test_a_mailed_link_sets_the_password_and_ends_every_session(
    world: World, ada: Visitor
) -> None:
    before = await ada.who()
    assert before is not None
    link = await ask(world)
    visitor = Visitor(world)
    answer = await visitor.submit(link, FROM_A_SECRET_PAGE, password=NEW)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    assert await ada.who() is None
    assert LoginSessionEnded(before.session_id, before.id) in await happened(world.db)
    assert await visitor.who() is not None
    assert (await Visitor(world).signs_in("ada", PASSWORD)).status_code == 401
    assert (await Visitor(world).signs_in("ada", NEW)).status_code == 303


async def test_the_answer_is_the_same_whether_or_not_the_address_is_known(
    world: World, ada: Visitor
) -> None:
    seen = []
    for email in ("ada@example.org", "nobody@example.org"):
        answer = await Visitor(world).submit("/password/forgot", email=email)
        seen.append((answer.status_code, answer.headers["Location"], await text(answer)))
    assert seen[0] == seen[1]
    assert [email.kind for email in await emails(world)] == ["password_reset"] * 2
    await world.settle()
    assert [letter.to for letter in await world.letters()] == ["ada@example.org"]
    assert "a link is on its way" in await Visitor(world).page("/password/forgot/sent")


async def test_what_is_no_address_is_refused(world: World) -> None:
    answer = await Visitor(world).submit("/password/forgot", email="ada")
    assert answer.status_code == 422
    assert 'value="ada"' in await text(answer)


async def test_looking_at_the_link_does_not_use_it_up(world: World, ada: Visitor) -> None:
    link = await ask(world)
    for _ in range(3):
        answer = await world.visitor().get(link)
        assert answer.status_code == 200
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Cache-Control"] == "no-store"
    assert (await Visitor(world).submit(link, password=NEW)).status_code == 303


async def test_a_used_replaced_expired_or_invented_link_says_so(world: World, ada: Visitor) -> None:
    replaced, used = await ask(world), await ask(world)
    assert (await Visitor(world).submit(used, password=NEW)).status_code == 303
    late = await ask(world)
    async with world.db.writing() as session:
        await session.execute(update(PasswordReset).values(expires_at=now()))
    for link in (replaced, used, late, "/password/reset/invented"):
        assert "This link no longer works" in await Visitor(world).page(link, 404)
        answer = await Visitor(world).submit(link, page="/login", password="yet another horse")
        assert answer.status_code == 404
        assert "This link no longer works" in await text(answer)
    assert (await Visitor(world).signs_in("ada", NEW)).status_code == 303


@pytest.mark.parametrize("password", ["short", "password1", "ada@example.org", "x" * 1025])
async def test_a_weak_password_is_refused_and_the_link_kept(
    world: World, ada: Visitor, password: str
) -> None:
    link = await ask(world)
    answer = await Visitor(world).submit(link, password=password)
    page = await text(answer)
    assert answer.status_code == 422
    assert "Choose a new password" in page
    assert f'value="{password}"' not in page
    assert (await Visitor(world).submit(link, JSON, password=password)).status_code == 422
    assert (await Visitor(world).submit(link, password=NEW)).status_code == 303


async def test_the_owner_is_told_by_mail(world: World, ada: Visitor) -> None:
    await Visitor(world).submit(await ask(world), password=NEW)
    await world.settle()
    assert [letter.kind for letter in await world.letters()] == [
        "password_reset",
        "password_changed",
    ]


async def test_the_session_of_somebody_else_in_this_browser_ends(
    world: World, ada: Visitor
) -> None:
    grace = Visitor(world)
    await grace.registers("grace")
    before = await grace.who()
    assert before is not None
    await grace.submit(await ask(world), password=NEW)
    found = await grace.who()
    assert found is not None
    assert found.name == "ada"
    assert LoginSessionEnded(before.session_id, before.id) in await happened(world.db)


class TestLimits:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return replace(settings, limits="default")

    @pytest.mark.parametrize("email", ["ada@example.org", "nobody@example.org"])
    async def test_five_an_hour_for_an_address_known_or_not(
        self, world: World, ada: Visitor, email: str
    ) -> None:
        answers = [
            await Visitor(world).submit("/password/forgot", email=typed)
            for typed in [email, email.upper(), f" {email}", email, email, email]
        ]
        assert [answer.status_code for answer in answers] == [303] * 5 + [429]

    async def test_twenty_an_hour_for_a_network(self, world: World) -> None:
        for n in range(20):
            answer = await Visitor(world).submit("/password/forgot", email=f"a{n}@example.org")
            assert answer.status_code == 303
        answer = await Visitor(world).submit("/password/forgot", email="b@example.org")
        assert answer.status_code == 429
