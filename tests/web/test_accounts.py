from __future__ import annotations

import re

import pytest

from tests.world import World

PLACES = ["0", "-1", "x", "9" * 40, str(2**63), "1e5", "%00", "%D9%A3", "1,2", "[]"]


def ids_in(page: str) -> list[int]:
    return [int(one) for one in re.findall(r'<article id="post-(\d+)"', page)]


async def test_a_profile_shows_the_person_and_their_posts(world: World) -> None:
    ada = await world.person("ada")
    other = await world.person("bob")
    await other.posts("not here")
    posts = [await ada.posts(f"post {n}") for n in range(3)]
    page = await (await world.visitor().get("/@ada")).get_data(as_text=True)
    assert ids_in(page) == posts[::-1]
    assert f'data-stream="account:{ada.id}"' in page
    assert 'data-live="true"' in page
    assert "<strong>3</strong>" in page


async def test_older_posts_are_a_page_away(world: World) -> None:
    ada = await world.person("ada")
    posts = [await ada.posts(f"post {n}") for n in range(60)]
    seen, path, pages = [], "/@ada", 0
    while path:
        page = await ada.page(path)
        assert ('data-live="true"' in page) == (pages == 0)
        seen += ids_in(page)
        found = re.search(r'rel="next" href="([^"]+)"', page)
        path, pages = found[1] if found else "", pages + 1
    assert (seen, pages) == (posts[::-1], 3)


async def test_any_case_leads_to_the_name_as_its_owner_writes_it(world: World) -> None:
    ada = await world.person("AdaL")
    post = await ada.posts("hello")
    for path in ("", "/followers", "/following", f"/{post}", f"/{post}/history", "?before=5"):
        answer = await world.visitor().get(f"/@adal{path}")
        assert (answer.status_code, answer.headers["Location"]) == (302, f"/@AdaL{path}")
        assert (await world.visitor().get(f"/@AdaL{path}")).status_code == 200


@pytest.mark.parametrize(
    "name",
    ["nobody", "a" * 3000, "%00", "%", "_", "'--", "%F0%9F%87%A8", "%2e%2e", "@ada", "%0d%0a"],
)
async def test_nobody_is_not_found(world: World, name: str) -> None:
    await world.person("ada")
    for path in (f"/@{name}", f"/@{name}/followers", f"/@{name}/following", f"/@{name}/5"):
        assert (await world.visitor().get(path)).status_code == 404


@pytest.mark.parametrize("place", PLACES)
async def test_a_place_that_is_none_is_the_beginning(world: World, place: str) -> None:
    ada = await world.person("ada")
    post = await ada.posts("hello #tag")
    await ada.follows(await world.person("bob"))
    for path in ("/", "/@ada", "/explore", "/tags/tag"):
        assert ids_in(await ada.page(f"{path}?before={place}")) == [post]
    assert "@bob" in await ada.page(f"/@ada/following?before={place}")
    assert ids_in(await ada.page(f"/@ada/{post}?after={place}")) == [post]


async def test_lists_of_people_go_on(world: World) -> None:
    ada = await world.person("ada")
    others = [await world.person(f"p{n}") for n in range(55)]
    for other in others:
        await other.follows(ada)
    first = await ada.page("/@ada/followers")
    following = re.search(r'rel="next" href="([^"]+)"', first)
    assert following
    names = re.findall(r'class="person-link" href="/@(p\d+)"', first + await ada.page(following[1]))
    assert names == [other.name for other in others[::-1]]


async def test_markup_in_what_people_say_of_themselves_is_text(world: World) -> None:
    eve = await world.person("eve")
    said = '<script>alert("x")</script>'
    await eve.submit("/settings/profile", display_name=said, bio=said)
    await eve.posts("hello")
    for path in ("/@eve", "/@eve/followers", "/explore"):
        page = await (await world.visitor().get(path)).get_data(as_text=True)
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert" in page
