"""What administrators set for the site, from the form to every page and process."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import select, update

from microblog.app import create_app
from microblog.commands.serving import follow_settings
from microblog.kernel.clock import now
from microblog.kernel.db import Database
from microblog.live.hub import Hub
from microblog.moderation.model import Entry
from microblog.settings import Settings
from microblog.signin.model import LoginSession
from microblog.site import Site
from tests.moderation.conftest import with_role
from tests.web.visitor import Visitor, text
from tests.world import Person, World

FIELDS = {
    "name": "Our street", "description": "Between the bakery\nand the river.",
    "rules": "Be kind.\nNo <b>adverts</b>.", "sign_up": "closed", "inviters": "staff",
    "invitations_each": "3", "post_limit": "140", "contact_name": "Ada", "contact_email":
    "ada@street.example",
}  # fmt: skip


async def administrator(world: World) -> Person:
    return await with_role(world, "ada", "administrator")


async def test_everything_is_shown_where_it_belongs(world: World) -> None:
    ada = await administrator(world)
    answer = await ada.submit("/admin/settings", **FIELDS)
    assert answer.status_code == 303, await text(answer)
    page = await ada.page("/admin/settings")
    assert 'value="Our street"' in page
    assert "The environment says: Microblog" in page
    about = await Visitor(world).page("/about")
    for shown in (
        "Our street", "Between the bakery", "Be kind.", "&lt;b&gt;adverts", "mailto:ada@street.ex",
        "No new accounts are taken at present.",
    ):  # fmt: skip
        assert shown in about, shown
    front = await Visitor(world).page("/")
    assert "Between the bakery" in front
    assert 'href="/register"' not in front
    david = await world.person("david")
    assert "Be kind." in await david.page("/@ada/report")
    assert 'data-limit="140"' in await david.page("/")
    answer = await david.submit("/posts", body="x" * 141, idempotency_key="k" * 20)
    assert answer.status_code == 422


async def test_members_read_in_the_log_what_was_changed(world: World) -> None:
    ada = await administrator(world)
    await ada.submit("/admin/settings", **FIELDS)
    david = await world.person("david")
    page = await david.page("/about/moderation")
    assert "The site settings were changed: name, description, rules" in page
    assert "Microblog → Our street" not in page
    log = await ada.page("/admin/log")
    assert "Microblog → Our street" in log
    assert "who may sign up: Open → Closed" in log
    spanish = {"Accept-Language": "es"}
    log = await text(await ada.get("/admin/log", **spanish))
    assert "Abierto → Cerrado" in log
    await ada.submit("/admin/settings", **FIELDS)  # the same again is no change
    async with world.db.reading() as session:
        (entry,) = await session.scalars(select(Entry))
    assert (entry.act, entry.is_public, entry.actor_id) == ("change_settings", True, ada.id)
    assert (entry.before["sign_up"], entry.after["sign_up"]) == ("open", "closed")


async def test_what_is_refused_comes_back_as_typed(world: World) -> None:
    ada = await administrator(world)
    answer = await ada.submit("/admin/settings", **FIELDS | {"post_limit": "9", "name": ""})
    page = await text(answer)
    assert answer.status_code == 422
    assert "A site needs a name." in page
    assert "Write a number between 50 and 5,000." in page
    assert "Between the bakery" in page
    assert world.site.chosen.description == ""


async def test_only_administrators_who_proved_it_lately(world: World) -> None:
    mo = await with_role(world, "mo", "moderator")
    assert (await mo.get("/admin/settings")).status_code == 404
    assert (await mo.submit("/admin/settings", **FIELDS)).status_code == 404
    assert "/admin/settings" not in await mo.page("/admin")
    ada = await administrator(world)
    async with world.db.writing() as session:
        long_ago = now() - timedelta(minutes=11)
        await session.execute(update(LoginSession).values(authenticated_at=long_ago))
    answer = await ada.submit("/admin/settings", **FIELDS)
    assert answer.status_code == 403
    assert world.site.chosen.name == "Microblog"


async def test_other_processes_hear_of_it_within_two_seconds(
    world: World, settings: Settings
) -> None:
    ada = await administrator(world)
    other = create_app(replace(settings, site_name="Of the environment"))
    async with other.test_app():
        there = other.extensions["microblog"]
        assert there.chosen.name == "Of the environment"
        await ada.submit("/admin/settings", **FIELDS)
        async with asyncio.timeout(5 * 2.0):  # on a busy machine
            while there.chosen.name != "Our street":
                await asyncio.sleep(0.02)
        assert there.chosen.post_limit == 140
        answer = await other.test_client().get("/about")
        assert "Our street" in await answer.get_data(as_text=True)


async def test_a_process_without_pages_hears_of_it(world: World, settings: Settings) -> None:
    ada = await administrator(world)
    worker = Site(settings, Database(settings.url), Hub())
    heard: list[str] = []
    worker.on_change.append(lambda: heard.append(worker.chosen.name))
    following = await follow_settings(worker)
    await ada.submit("/admin/settings", **FIELDS)
    await following.step()
    await worker.db.close()
    assert heard == ["Microblog", "Our street"]


async def test_a_process_that_starts_knows_it(world: World, settings: Settings) -> None:
    ada = await administrator(world)
    await ada.submit("/admin/settings", **FIELDS)
    later = create_app(settings)
    async with later.test_app():
        assert later.extensions["microblog"].chosen.name == "Our street"


async def test_mail_goes_on_under_the_new_name(world: World) -> None:
    ada = await administrator(world)
    await ada.submit("/admin/settings", **FIELDS | {"sign_up": "open"})
    await Visitor(world).submit("/password/forgot", email="ada@example.org")
    await world.settle()
    letter = (await world.letters())[-1]
    assert "Our street" in letter.subject
    assert "Microblog" not in letter.text


async def test_a_page_asks_the_database_for_none_of_it(world: World) -> None:
    world.site.chosen = replace(world.site.chosen, name="Remembered")
    assert "Remembered" in await Visitor(world).page("/about")


async def test_the_overview_shows_how_the_site_stands(world: World) -> None:
    ada = await administrator(world)
    await ada.posts("A word.")
    page = await ada.page("/admin")
    for shown in (
        "People", "Posts", "Reading live", "Mail waiting", "Disk", "GB free of", "Sign-up",
        "Anybody can create an account.", "Rate limits are off.",
    ):  # fmt: skip
        assert shown in page, shown
