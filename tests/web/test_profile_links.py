"""Links of a profile that link back: what everybody sees of them, and what their owner does."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
from quart import Response
from sqlalchemy import update

from microblog.archives import queries as archived
from microblog.backlinks.model import Backlink
from microblog.kernel.clock import now
from microblog.settings import Settings
from tests.outbound.elsewhere import Elsewhere, elsewhere
from tests.web.visitor import Visitor
from tests.world import Person, World

PAGE = "/settings/profile"
SHOWN = "Verified: this page links back"


@pytest.fixture
async def there() -> AsyncIterator[Elsewhere]:
    async with elsewhere() as site:
        site.pages["/"] = Response('<a rel="me" href="http://localhost/@ada">')
        yield site


@pytest.fixture
def settings(settings: Settings, there: Elsewhere) -> Settings:
    return replace(settings, reachable=(there.place,))


@pytest.fixture
async def ada(world: World, there: Elsewhere) -> Person:
    ada = await world.person("ada")
    answer = await ada.submit(
        PAGE, link_label_1="Home", link_url_1=f"{there.url}/", link_url_2=f"{there.url}/lost"
    )
    assert answer.status_code == 303
    return ada


async def test_saving_asks_nobody_and_the_worker_does(
    world: World, there: Elsewhere, ada: Person
) -> None:
    assert there.asked == []
    page = await ada.page(PAGE)
    assert page.count("Waiting to be looked at.") == 2
    assert 'rel="me" href="http://localhost/@ada"' in page.replace("&#34;", '"')
    assert SHOWN not in await Visitor(world).page("/@ada")
    await world.machinery.links.step()
    page = await Visitor(world).page("/@ada")
    assert page.count(SHOWN) == 1
    assert page.index("Home") < page.index(SHOWN) < page.index("/lost")
    assert 'rel="me nofollow noopener"' in page
    mine = await ada.page(PAGE)
    assert "Verified: this page links back. Since " in mine
    assert "Not found: there is no web page behind this address." in mine


async def test_looking_again_is_for_what_was_not_found(
    world: World, there: Elsewhere, ada: Person
) -> None:
    await world.machinery.links.step()
    there.pages["/lost"] = there.pages["/"]
    async with world.db.writing() as session:
        await session.execute(update(Backlink).values(checked_at=now() - timedelta(hours=1)))
    assert (await ada.submit("/settings/profile/links")).status_code == 303
    await world.machinery.links.step()
    assert (await Visitor(world).page("/@ada")).count(SHOWN) == 2
    asked = [path for _, path, _ in there.asked]
    assert sorted(asked[:2]) == ["/", "/lost"]  # both at once
    assert asked[2:] == ["/lost"]


async def test_looking_again_is_limited(world: World, ada: Person) -> None:
    world.site.settings = replace(world.site.settings, limits="default")
    answers = [(await ada.submit("/settings/profile/links")).status_code for _ in range(13)]
    assert answers == [303] * 12 + [429]


async def test_a_profile_without_links_speaks_of_none(world: World) -> None:
    eve = await world.person("eve")
    assert "links back" not in await eve.page(PAGE)


async def test_a_copy_has_what_was_verified(world: World, ada: Person, there: Elsewhere) -> None:
    await world.machinery.links.step()
    async with world.db.reading() as session:
        person = await archived.person(session, ada.id)
    assert list(person["verified_links"]) == [f"{there.url}/"]
    json.dumps(person)
