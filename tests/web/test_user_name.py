from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import select

from microblog.accounts.model import KeptName
from microblog.settings import Settings
from tests.web.visitor import Visitor, text
from tests.world import World


@pytest.fixture
async def ada(world: World) -> Visitor:
    visitor = Visitor(world)
    await visitor.registers("ada")
    return visitor


async def test_links_with_the_old_name_go_on_working(world: World, ada: Visitor) -> None:
    posted = await ada.submit("/posts", page="/posts/new", body="Written as ada")
    post = posted.headers["Location"]
    answer = await ada.submit("/settings/name", page="/settings/account", username="countess")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/settings/account")
    page = await ada.page("/settings/account")
    assert "Your name is changed." in page
    assert "@countess" in page
    for path in ("/@ada", "/@ada/followers?before=7", post, f"{post}/history"):
        answer = await world.visitor().get(path)
        assert answer.status_code == 302
        assert answer.headers["Location"] == path.replace("ada", "countess", 1)
    page = await Visitor(world).page("/@countess")
    assert 'href="/@countess' in page
    assert 'href="/@ada' not in page


async def test_a_post_is_nobody_elses(world: World, ada: Visitor) -> None:
    posted = await ada.submit("/posts", page="/posts/new", body="Written as ada")
    await Visitor(world).registers("grace")
    for name in ("grace", "nobody", "a b"):
        await Visitor(world).page(posted.headers["Location"].replace("ada", name), 404)


async def test_a_refused_name_stays_as_typed(world: World, ada: Visitor) -> None:
    await Visitor(world).registers("grace")
    for name, status in (("grace", 409), ("a b", 422)):
        answer = await ada.submit("/settings/name", page="/settings/account", username=name)
        assert answer.status_code == status
        assert f'value="{name}"' in await text(answer)
    found = await ada.who()
    assert found is not None
    assert found.name == "ada"


class TestLimits:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return replace(settings, limits="default")

    async def test_five_names_a_day_and_refused_ones_do_not_count(
        self, world: World, ada: Visitor
    ) -> None:
        for name in ("a b", "admin") * 3:
            answer = await ada.submit("/settings/name", page="/settings/account", username=name)
            assert answer.status_code == 422
        for name, status in [*((f"ada{n}", 303) for n in range(5)), ("ada5", 429)]:
            answer = await ada.submit("/settings/name", page="/settings/account", username=name)
            assert answer.status_code == status
        assert answer.headers["Retry-After"] == str(24 * 3600)
        assert "Try again in 24 hours." in await text(answer)

    async def test_nor_are_more_when_they_come_at_once(self, world: World, ada: Visitor) -> None:
        page = await ada.page("/settings/account")
        answers = await asyncio.gather(
            *(ada.sends(page, "/settings/name", username=f"ada{n}") for n in range(8))
        )
        assert sorted(answer.status_code for answer in answers) == [303] * 5 + [429] * 3
        async with world.db.reading() as session:
            assert len(list(await session.scalars(select(KeptName.name_key)))) == 5
