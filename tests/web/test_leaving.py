"""Deleting one's account from the settings, and coming back."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from sqlalchemy import select, update

from microblog.accounts import actions as accounts
from microblog.accounts.model import Account
from microblog.departures.model import Departure
from microblog.kernel.clock import now
from microblog.media import actions as pictures
from microblog.media import store
from microblog.signin.model import Passkey
from tests.web.test_reauthentication import later
from tests.web.visitor import FROM_A_SECRET_PAGE, PASSWORD, Visitor, newest_link, text
from tests.world import World


@pytest.fixture
async def ada(world: World) -> Visitor:
    visitor = Visitor(world)
    await visitor.registers("ada")
    return visitor


async def leaves(visitor: Visitor, password: str = PASSWORD) -> int:
    answer = await visitor.submit("/settings/leave", current_password=password)
    return int(answer.status_code)


async def test_the_password_is_asked_for(ada: Visitor) -> None:
    assert 'href="/settings/leave"' in await ada.page("/settings/account")
    assert await leaves(ada, "not hers at all") == 422
    assert await ada.who() is not None
    assert await leaves(ada) == 303
    assert await ada.who() is None
    assert "will be deleted in 7 days" in await ada.page("/")


async def test_a_passkey_does_instead_of_the_password(world: World, ada: Visitor) -> None:
    """That was shown within ten minutes, as every page of this kind asks for."""
    async with world.db.writing() as session:
        session.add(Passkey(id=1, account_id=1, name="key", credential_id=b"1", public_key=b"1"))
    assert 'name="current_password"' not in await ada.page("/settings/leave")
    await later(world)
    page = await ada.page("/settings/account")
    assert (await ada.sends(page, "/settings/leave")).status_code == 403
    await later(world, 1)
    assert await leaves(ada, "") == 303
    assert await ada.who() is None


async def test_no_password_is_asked_for_where_the_site_goes_without(
    world: World, ada: Visitor
) -> None:
    world.site.settings = replace(world.site.settings, passwords="off")
    assert 'name="current_password"' not in await ada.page("/settings/leave")
    assert await leaves(ada, "") == 303


async def test_an_old_sign_in_is_not_enough(world: World, ada: Visitor) -> None:
    page = await ada.page("/settings/leave")
    await later(world)
    answer = await ada.sends(page, "/settings/leave", current_password=PASSWORD)
    assert answer.status_code == 403
    asked = await ada.client.get("/settings/leave")
    assert asked.headers["Location"] == "/reauthenticate?next=/settings/leave"
    assert await ada.who() is not None


async def test_the_only_administrator_is_told_why_not(world: World, ada: Visitor) -> None:
    async with world.db.writing() as session:
        found = await session.scalar(select(Account.id))
        await accounts.promote(session, found or 0)
    page = await ada.page("/settings/leave")
    assert "only administrator" in page
    assert 'name="current_password"' not in page
    form = await ada.page("/settings/account")
    answer = await ada.sends(form, "/settings/leave", current_password=PASSWORD)
    assert answer.status_code == 409
    assert await ada.who() is not None


async def test_the_mailed_link_brings_the_account_back(world: World, ada: Visitor) -> None:
    await leaves(ada)
    link = await newest_link(world, "/leave/undo/")
    browser = Visitor(world)
    page = await browser.page(link)
    assert "@ada" in page
    assert "no-referrer" in page
    assert (await browser.client.get(link)).headers["Referrer-Policy"] == "no-referrer"
    await browser.page("/@ada", 404)  # looking changes nothing
    answer = await browser.sends(page, link, FROM_A_SECRET_PAGE)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/login")
    await browser.page("/@ada")
    await browser.page(link, 404)
    await browser.signs_in("ada")
    assert await browser.who() is not None


async def test_signing_in_offers_the_way_back(world: World, ada: Visitor) -> None:
    await leaves(ada)
    browser = Visitor(world)
    wrong = await browser.signs_in("ada", "not her password")
    assert wrong.status_code == 401
    right = await browser.signs_in("ada")
    link = right.headers["Location"]
    assert link.startswith("/leave/undo/")
    assert await browser.who() is None
    assert (await browser.submit(link, FROM_A_SECRET_PAGE)).status_code == 303
    await browser.signs_in("ada")
    assert await browser.who() is not None


async def surfaces(world: World, name: str, post: int, thread: int) -> dict[str, str]:
    """What a member sees on every page that could show somebody."""
    reader = Visitor(world)
    await reader.signs_in("bob")
    paths = (
        "/", "/explore", "/tags/bees", "/notifications", "/@bob", "/@bob/followers",
        "/@bob/following", f"/@bob/{thread}", f"/@{name}", f"/@{name}/followers",
        f"/@{name}/{post}", f"/@{name}/{post}/history",
    )  # fmt: skip
    found = {}
    for path in paths:
        answer = await reader.client.get(path)
        found[path] = f"{answer.status_code} {await text(answer)}"
    return found


async def test_who_left_is_on_no_page_though_all_were_looked_at(world: World) -> None:
    """R24, with everything that pages keep warm."""
    ada, bob = Visitor(world), Visitor(world)
    await ada.registers("ada")
    await bob.registers("bob")
    async with world.db.reading() as session:
        rows = await session.execute(select(Account.name, Account.id))
        ids = {row.name: row.id for row in rows}
    hers, his = (world._seated(ids[name], name, "") for name in ("ada", "bob"))
    post = await hers.posts("humming about #bees, says @bob")
    await hers.edits(post, "humming more about #bees, says @bob")
    thread = await his.posts("bob asks")
    await hers.posts("humming an answer", in_reply_to=thread)
    await his.posts("bob answers her", in_reply_to=post)
    await hers.follows(his)
    await his.follows(hers)
    await world.settle()
    before = await surfaces(world, "ada", post, thread)
    assert all(page.startswith("200") for page in before.values())
    shown_before = [path for path, page in before.items() if "humming" in page]
    assert {"/", "/explore", "/tags/bees", "/notifications", f"/@bob/{thread}"} <= set(shown_before)
    await leaves(ada)
    after = await surfaces(world, "ada", post, thread)
    for path, page in after.items():
        assert "humming" not in page, path
        assert 'href="/@ada' not in page, path
        assert page.startswith("404" if path.startswith("/@ada") else "200"), path
    anybody = Visitor(world)
    assert "humming" not in await anybody.page("/")


async def test_the_picture_of_who_left_is_not_found(world: World, ada: Visitor) -> None:
    picture = "0123456789abcdef" * 2
    where = store.folder(world.site.settings.data_dir)
    where.mkdir(parents=True)
    (where / f"{picture}-96.webp").write_bytes(b"a picture")
    path = f"/media/{picture}-96.webp"
    await ada.page(path, 404)  # nobody's
    async with world.db.writing() as session:
        await session.execute(update(Account).values(avatar=picture))
    assert await ada.page(path) == "a picture"
    await leaves(ada)
    await Visitor(world).page(path, 404)


async def test_the_picture_of_who_is_deleted_is_gone_from_the_disk(
    world: World, ada: Visitor
) -> None:
    """With the account, not with the next sweep: files this young are not even swept."""
    picture = "0123456789abcdef" * 2
    where = store.folder(world.site.settings.data_dir)
    where.mkdir(parents=True)
    for name in pictures.files("avatar", picture):
        (where / name).write_bytes(b"a picture")
    async with world.db.writing() as session:
        await session.execute(update(Account).values(avatar=picture))
    await leaves(ada)
    await world.machinery._let_go()
    assert len(list(where.iterdir())) == 4  # it can be taken back
    async with world.db.writing() as session:
        await session.execute(update(Departure).values(due_at=now()))
    began = time.perf_counter()
    await world.machinery._let_go()
    assert list(where.iterdir()) == []
    async with world.db.reading() as session:
        assert await session.scalar(select(Account.avatar)) is None
        assert await session.scalar(select(Departure)) is None
    print(f"gone in {time.perf_counter() - began:.2f} s of 2 s")
    assert world.machinery.steps()["departures"][1] < 2
