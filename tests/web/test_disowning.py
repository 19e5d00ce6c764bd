from __future__ import annotations

import pytest
from sqlalchemy import update

from microblog.kernel.clock import now
from microblog.signin.events import LoginSessionEnded
from microblog.signin.model import SignInNotice
from tests.signin.people import happened
from tests.web.visitor import FROM_A_SECRET_PAGE, Visitor, newest_link, text
from tests.world import World

FIREFOX = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}


@pytest.fixture
async def ada(world: World) -> Visitor:
    visitor = Visitor(world)
    await visitor.registers("ada")
    return visitor


async def told(world: World) -> int:
    await world.settle()
    return len([one for one in await world.letters() if one.kind == "new_device"])


async def elsewhere(world: World) -> Visitor:
    visitor = Visitor(world)
    await visitor.submit("/login", FIREFOX, login="ada", password="correct horse battery")
    return visitor


async def test_a_sign_in_on_a_new_device_is_told_and_on_a_known_one_is_not(
    world: World, ada: Visitor
) -> None:
    assert await told(world) == 0
    await ada.submit("/logout", page="/settings/account")
    await ada.signs_in("ada")
    assert await told(world) == 0
    other = await elsewhere(world)
    assert await told(world) == 1
    await other.submit("/logout", page="/settings/account")
    await other.signs_in("ada")
    assert await told(world) == 1
    letter = (await world.letters())[-1]
    assert letter.to == "ada@example.org"
    assert "Firefox" in letter.text
    assert "Linux" in letter.text


async def test_a_wrong_password_is_no_sign_in(world: World, ada: Visitor) -> None:
    await Visitor(world).signs_in("ada", "wrong password")
    assert await told(world) == 0


async def test_this_was_not_me_ends_it_and_starts_a_reset(world: World, ada: Visitor) -> None:
    thief = await elsewhere(world)
    session = await thief.who()
    assert session is not None
    link = await newest_link(world, "/not-me/")
    page = await ada.page(link)
    assert "Firefox · Linux" in page
    assert await thief.who() is not None  # looking does nothing
    answer = await ada.submit(link, FROM_A_SECRET_PAGE)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/password/forgot/sent")
    assert "Every device is signed out." in await ada.page("/password/forgot/sent")
    assert await thief.who() is None
    assert LoginSessionEnded(session.session_id, session.id) in await happened(world.db)
    assert (await Visitor(world).signs_in("ada")).status_code == 401
    reset = await newest_link(world, "/password/reset/")
    await ada.submit(reset, FROM_A_SECRET_PAGE, password="another horse staple")
    assert await ada.who() is not None


async def test_the_mail_comes_when_the_thief_is_gone_already(world: World, ada: Visitor) -> None:
    thief = await elsewhere(world)
    await thief.submit("/logout", page="/settings/account")
    link = await newest_link(world, "/not-me/")
    assert (await ada.submit(link, FROM_A_SECRET_PAGE)).status_code == 303


async def test_a_used_late_or_invented_link_says_so(world: World, ada: Visitor) -> None:
    await elsewhere(world)
    used = await newest_link(world, "/not-me/")
    await Visitor(world).submit(used, FROM_A_SECRET_PAGE)
    reset = await newest_link(world, "/password/reset/")
    await ada.submit(reset, FROM_A_SECRET_PAGE, password="correct horse battery")
    await elsewhere(world)
    late = await newest_link(world, "/not-me/")
    async with world.db.writing() as session:
        await session.execute(update(SignInNotice).values(expires_at=now()))
    for link in (used, late, "/not-me/invented"):
        answer = await Visitor(world).submit(link, page="/login")
        assert answer.status_code == 404
        assert "This link no longer works" in await text(answer)
        assert "This link no longer works" in await Visitor(world).page(link, 404)


async def test_the_link_goes_to_nobody(world: World, ada: Visitor) -> None:
    await elsewhere(world)
    answer = await world.visitor().get(await newest_link(world, "/not-me/"))
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"] == "no-store"
