from __future__ import annotations

import pytest

from microblog.signin import claims
from tests.web.visitor import FROM_A_SECRET_PAGE, JSON, Visitor
from tests.world import World


@pytest.fixture
async def link(world: World) -> str:
    """What the console prints at the start of a site without an administrator."""
    async with world.db.writing() as session:
        return f"/admin/claim/{await claims.issue_claim(session)}"


async def test_who_is_signed_in_and_has_the_link_becomes_administrator(
    world: World, link: str
) -> None:
    ada = Visitor(world)
    await ada.registers("ada")
    assert "Become administrator" in await ada.page(link)
    before = {cookie.name: cookie.value for cookie in ada.client.cookie_jar}
    answer = await ada.submit(link, FROM_A_SECRET_PAGE)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    found = await ada.who()
    assert found is not None
    assert found.role == "administrator"
    thief = Visitor(world)
    for name, value in before.items():
        thief.client.set_cookie("localhost", name, value)
    assert await thief.who() is None


async def test_the_link_works_once(world: World, link: str) -> None:
    ada, grace = Visitor(world), Visitor(world)
    await ada.registers("ada")
    await grace.registers("grace")
    await ada.submit(link)
    assert (await grace.client.get(link)).status_code == 404
    answer = await grace.submit(link, page="/settings/account")
    assert answer.status_code == 404
    found = await grace.who()
    assert found is not None
    assert found.role == "member"


async def test_a_link_that_was_replaced_or_used_says_how_to_go_on(world: World, link: str) -> None:
    ada = Visitor(world)
    await ada.registers("ada")
    async with world.db.writing() as session:
        newer = f"/admin/claim/{await claims.issue_claim(session)}"
    assert "prints a new one" in await ada.page(link, status=404)
    await ada.submit(newer, FROM_A_SECRET_PAGE)
    assert "admin promote" in await ada.page(newer, status=404)


async def test_a_visitor_is_sent_to_sign_in_and_brought_back(world: World, link: str) -> None:
    page = await Visitor(world).page(link)
    assert f'href="/login?next={link}"' in page
    assert f'href="/register?next={link}"' in page
    answer = await Visitor(world).submit(link, page="/login")
    assert answer.status_code == 401


async def test_nobody_becomes_administrator_by_coming_first(world: World) -> None:
    ada = Visitor(world)
    await ada.registers("ada")
    found = await ada.who()
    assert found is not None
    assert found.role == "member"
    for guess in ("x", "%00", "a" * 3000, "None"):
        assert (await ada.client.get(f"/admin/claim/{guess}")).status_code == 404
        answer = await ada.submit(f"/admin/claim/{guess}", page="/settings/account")
        assert answer.status_code == 404


async def test_its_page_is_not_kept_and_names_no_referrer(world: World, link: str) -> None:
    answer = await world.visitor().get(link)
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"] == "no-store"


async def test_a_script_is_told_in_json(world: World, link: str) -> None:
    ada = Visitor(world)
    await ada.registers("ada")
    answer = await ada.submit("/admin/claim/x", JSON, page="/settings/account")
    assert answer.status_code == 404
    assert "error" in await answer.get_json()
    answer = await ada.submit(link, JSON)
    assert (answer.status_code, await answer.get_json()) == (200, {"url": "/"})
