from __future__ import annotations

import pytest

from microblog.signin.events import LoginSessionEnded
from tests.signin.people import happened
from tests.web.visitor import PASSWORD, Visitor
from tests.world import World

FIREFOX = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}


@pytest.fixture
async def ada(world: World) -> Visitor:
    """Ada, signed in."""
    visitor = Visitor(world)
    await visitor.registers("ada")
    return visitor


async def elsewhere(world: World) -> tuple[Visitor, int]:
    """Ada on another device, and the id of her session there."""
    visitor = Visitor(world)
    await visitor.submit("/login", FIREFOX, login="ada", password=PASSWORD)
    return visitor, await session_id(visitor)


async def session_id(visitor: Visitor) -> int:
    found = await visitor.who()
    assert found is not None
    return found.session_id


async def test_devices_are_listed_in_words(world: World, ada: Visitor) -> None:
    there = await elsewhere(world)
    page = await ada.page("/settings/sessions")
    assert "Firefox on Linux" in page
    assert "This device" in page
    assert f'name="end" value="{there[1]}"' in page
    assert f'value="{await session_id(ada)}"' not in page


async def test_one_device_is_signed_out(world: World, ada: Visitor) -> None:
    there, ended = await elsewhere(world)
    other, _ = await elsewhere(world)
    answer = await ada.submit("/settings/sessions", end=str(ended))
    assert (answer.status_code, answer.headers["Location"]) == (303, "/settings/sessions")
    assert await there.who() is None
    assert await other.who() is not None
    assert await ada.who() is not None
    assert await happened(world.db) == [LoginSessionEnded(ended, 1)]


async def test_all_others_are_signed_out(world: World, ada: Visitor) -> None:
    there, one = await elsewhere(world)
    also, two = await elsewhere(world)
    answer = await ada.submit("/settings/sessions", end="others")
    assert answer.status_code == 303
    assert [await there.who(), await also.who()] == [None, None]
    assert await ada.who() is not None
    assert await happened(world.db) == [LoginSessionEnded(one, 1), LoginSessionEnded(two, 1)]
    assert "All other devices are signed out." in await ada.page("/settings/sessions")


async def test_ending_this_one_signs_out(world: World, ada: Visitor) -> None:
    answer = await ada.submit("/settings/sessions", end=str(await session_id(ada)))
    assert answer.headers["Location"] == "/"
    assert await ada.who() is None


async def test_nobody_ends_the_sessions_of_somebody_else(world: World, ada: Visitor) -> None:
    mallory = Visitor(world)
    await mallory.registers("mallory")
    for which in (str(await session_id(ada)), "others"):
        await mallory.submit("/settings/sessions", end=which)
    assert await ada.who() is not None


@pytest.mark.parametrize("which", ["", "x", "-1", "1e3", "٣", "9" * 19, "9" * 40, "0"])
async def test_odd_ids_end_nothing(world: World, ada: Visitor, which: str) -> None:
    answer = await ada.submit("/settings/sessions", end=which)
    assert answer.status_code in (303, 404)
    assert await ada.who() is not None


async def test_a_device_is_where_its_browser_says_it_is(world: World, ada: Visitor) -> None:
    there = Visitor(world)
    said = {**FIREFOX, "Accept-Language": "es-AR,es;q=0.8,en;q=0.5"}
    zone = "America/Argentina/Buenos_Aires"
    await there.submit("/login", said, login="ada", password=PASSWORD, time_zone=zone)
    assert "Buenos Aires · Spanish (Argentina)" in await ada.page("/settings/sessions")


@pytest.mark.parametrize(
    ("language", "zone"),
    [("", ""), ("*", "Nowhere/At all"), ("xx-YY", "../../etc/passwd"), ("\u00e9", "x" * 5000)],
)
async def test_a_browser_that_says_nonsense_is_nowhere(
    world: World, ada: Visitor, language: str, zone: str
) -> None:
    there = Visitor(world)
    headers = {"Accept-Language": language}
    answer = await there.submit("/login", headers, login="ada", password=PASSWORD, time_zone=zone)
    assert answer.status_code == 303
    assert (await ada.client.get("/settings/sessions")).status_code == 200
