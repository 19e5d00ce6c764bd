from __future__ import annotations

import pytest

from tests.web.visitor import Visitor, text
from tests.world import World


@pytest.fixture
async def ada(world: World) -> Visitor:
    visitor = Visitor(world)
    await visitor.registers("ada")
    return visitor


async def test_links_with_the_old_name_go_on_working(world: World, ada: Visitor) -> None:
    await ada.submit("/posts", page="/posts/new", body="Written as ada")
    answer = await ada.submit("/settings/name", page="/settings/account", username="countess")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/settings/account")
    page = await ada.page("/settings/account")
    assert "Your name is changed." in page
    assert "@countess" in page
    for path in ("/@ada", "/@ada/followers?before=7"):
        answer = await world.visitor().get(path)
        assert answer.status_code == 302
        assert answer.headers["Location"] == path.replace("ada", "countess", 1)
    page = await Visitor(world).page("/@countess")
    assert 'href="/@countess' in page
    assert 'href="/@ada' not in page


async def test_a_refused_name_stays_as_typed(world: World, ada: Visitor) -> None:
    await Visitor(world).registers("grace")
    for name, status in (("grace", 409), ("a b", 422)):
        answer = await ada.submit("/settings/name", page="/settings/account", username=name)
        assert answer.status_code == status
        assert f'value="{name}"' in await text(answer)
    found = await ada.who()
    assert found is not None
    assert found.name == "ada"
