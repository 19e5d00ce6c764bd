from __future__ import annotations

import json
from dataclasses import replace

import pytest

from microblog.app import create_app
from microblog.settings import Settings
from tests.world import World

JSON = {"Accept": "application/json"}


async def test_following_shows_on_both_sides(world: World) -> None:
    ada, bob = await world.person("ada"), await world.person("bob")
    answer = await ada.submit("/@bob/follow")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/@bob")
    assert 'action="/@bob/unfollow"' in await ada.page("/@bob")
    assert "Follows you" in await bob.page("/@ada")
    assert "@ada" in await bob.page("/@bob/followers")
    assert "@bob" in await bob.page("/@ada/following")


async def test_a_script_is_told_how_it_stands(world: World) -> None:
    ada = await world.person("ada")
    await world.person("bob")
    for path, told in (
        ("/@bob/follow", (True, 1)),
        ("/@bob/follow", (True, 1)),
        ("/@BOB/unfollow", (False, 0)),
        ("/@bob/unfollow", (False, 0)),
    ):
        answer = await ada.submit(path, JSON)
        said = json.loads(await answer.get_data())
        assert (answer.status_code, said["following"], said["followers"]) == (200, *told)


@pytest.mark.parametrize(
    ("wanted", "place"),
    [
        ("/explore", "/explore"), ("", "/@bob"), ("//evil.example", "/"), ("/\\evil.example", "/"),
        ("https://evil.example/", "/"),
    ],
)  # fmt: skip
async def test_one_comes_back_to_where_one_was_and_nowhere_else(
    world: World, wanted: str, place: str
) -> None:
    ada = await world.person("ada")
    await world.person("bob")
    answer = await ada.submit("/@bob/follow", next=wanted)
    assert (answer.status_code, answer.headers["Location"]) == (303, place)


async def test_nobody_follows_themselves_or_nobody(world: World) -> None:
    ada = await world.person("ada")
    assert (await ada.submit("/@ada/follow")).status_code == 422
    for name in ("nobody", "a" * 500, "%00", "'", "%F0%9F%87%A8"):
        assert (await ada.submit(f"/@{name}/follow")).status_code == 404


@pytest.mark.parametrize("path", ["/@ada/follow", "/@ada/unfollow"])
async def test_following_needs_a_token_and_a_person(world: World, path: str) -> None:
    await world.person("ada")
    bob = await world.person("bob")
    assert (await bob.client.post(path)).status_code == 403
    assert (await world.visitor().post(path)).status_code in (401, 403)
    assert (await bob.get(path)).status_code in (404, 405)
    assert "No followers yet" in await bob.page("/@ada/followers")


async def test_a_hundred_follows_an_hour_are_enough(settings: Settings) -> None:
    app = create_app(replace(settings, limits="default"))
    async with app.test_app():
        world = World(app)
        ada = await world.person("ada")
        await world.person("bob")
        for _ in range(100):
            assert (await ada.submit("/@bob/follow")).status_code == 303
        assert (await ada.submit("/@bob/follow")).status_code == 429
        assert (await ada.submit("/@bob/unfollow")).status_code == 303
