from __future__ import annotations

import asyncio
import io
from zipfile import ZipFile

import pytest
from sqlalchemy import select

from microblog.archives import queries
from microblog.archives.model import Archive
from microblog.kernel import events
from microblog.kernel.model import Session
from microblog.timelines.audience import Watchers
from microblog.web.showing import messages, shown
from tests.web.test_reauthentication import later
from tests.web.visitor import Visitor
from tests.world import World


@pytest.fixture
async def ada(world: World) -> Visitor:
    visitor = Visitor(world)
    await visitor.registers("ada")
    return visitor


async def made(world: World, visitor: Visitor) -> str:
    """The path of a finished copy."""
    assert (await visitor.submit("/settings/export")).status_code == 303
    assert "It is being made: 0 %" in await visitor.page("/settings/export")
    await world.machinery.builder.step()
    page = await visitor.page("/settings/export")
    return page.split('href="/settings/export/')[1].split('"')[0]


async def test_a_copy_is_asked_for_and_fetched(world: World, ada: Visitor) -> None:
    assert 'href="/settings/export"' in await ada.page("/settings/account")
    path = f"/settings/export/{await made(world, ada)}"
    assert "Let a download that is under way end first." in await ada.page("/settings/export")
    answer = await ada.client.get(path)
    content = await answer.get_data()
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/zip"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="localhost-ada.zip"'
    async with world.db.reading() as session:  # the test's client would write another length
        assert await session.scalar(select(Archive.size)) == len(content)
    assert answer.headers["Cache-Control"] == "no-store"
    assert "index.html" in ZipFile(io.BytesIO(content)).namelist()


async def test_on_a_slow_line_it_arrives_as_well(
    world: World, ada: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, part = f"/settings/export/{await made(world, ada)}", queries.part

    async def slowly(session: Session, archive_id: int, number: int) -> bytes | None:
        await asyncio.sleep(0.1)
        return await part(session, archive_id, number)

    monkeypatch.setattr(queries, "part", slowly)
    monkeypatch.setitem(world.app.config, "RESPONSE_TIMEOUT", 0.05)  # a minute, elsewhere
    answer = await ada.client.get(path)
    assert ZipFile(io.BytesIO(await answer.get_data())).testzip() is None


async def test_a_mail_leads_there(world: World, ada: Visitor) -> None:
    await made(world, ada)
    await world.settle()
    assert "http://localhost/settings/export" in (await world.letters())[-1].text


async def test_only_its_owner_fetches_it_after_a_recent_proof(world: World, ada: Visitor) -> None:
    path = f"/settings/export/{await made(world, ada)}"
    mallory = Visitor(world)
    await mallory.registers("mallory")
    assert (await mallory.client.get(path)).status_code == 404
    for odd in ("x", "-1", "9" * 30, "0"):
        assert (await ada.client.get(f"/settings/export/{odd}")).status_code == 404
    visitor = await Visitor(world).client.get(path)
    assert visitor.headers["Location"].startswith("/login")
    await later(world)
    asked = await ada.client.get(path)
    assert asked.headers["Location"].startswith("/reauthenticate")


async def test_lists_of_people_come_alone(world: World, ada: Visitor) -> None:
    found = await ada.who()
    assert found is not None
    me, bob = world._seated(found.id, "ada", ""), await world.person("bob")
    await me.follows(bob)
    await bob.follows(me)
    for name in ("following", "followers"):
        answer = await ada.client.get(f"/settings/export/{name}.csv")
        assert "bob@localhost" in await answer.get_data(as_text=True)
        assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    await later(world)
    asked = await ada.client.get("/settings/export/followers.csv")
    assert asked.headers["Location"].startswith("/reauthenticate")


async def test_open_pages_hear_how_far_it_is(world: World, ada: Visitor) -> None:
    await made(world, ada)
    async with world.db.reading() as session:
        log = await events.after(session, 0)
        logged = next(each for each in log if each.kind == "ArchiveMoved")
        topic = f"own:{logged.payload['account_id']}"
        told = await shown(session, [logged], Watchers(), {topic}.__contains__)
    (message,) = messages(told[0], "epoch", ["en"])
    said = message["en"].frame.decode(errors="replace")
    assert f'"element":"archive-{logged.payload["archive_id"]}"' in said
    assert "Fetch it" in said
