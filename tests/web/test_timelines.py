from __future__ import annotations

import re

import pytest

from microblog.web.timelines import SETTLED
from tests.world import World


def ids_in(page: str) -> list[int]:
    return [int(one) for one in re.findall(r'<article id="post-(\d+)"', page)]


async def test_visitors_see_what_the_site_is_and_the_newest_posts(world: World) -> None:
    ada = await world.person("ada")
    posts = [await ada.posts(f"post {n}") for n in range(12)]
    page = await (await world.visitor().get("/")).get_data(as_text=True)
    assert 'href="/register"' in page
    assert ids_in(page) == posts[:1:-1]
    assert 'data-stream="public"' in page


async def test_home_is_mine_and_those_i_follow(world: World) -> None:
    ada, bob, eve = [await world.person(name) for name in ("ada", "bob", "eve")]
    await ada.follows(bob)
    mine, theirs = await ada.posts("mine"), await bob.posts("theirs")
    other = await eve.posts("other")
    page = await ada.page("/")
    assert ids_in(page) == [theirs, mine]
    assert 'data-stream="home"' in page
    assert ids_in(await ada.page("/explore")) == [other, theirs, mine]


async def test_an_empty_home_offers_people_to_follow(world: World) -> None:
    ada = await world.person("ada")
    await world.person("bob")
    page = await ada.page("/")
    assert "What the people you follow write appears here" in page
    assert 'action="/@bob/follow"' in page


async def test_who_follows_many_is_suggested_nobody_until_they_follow_fewer(world: World) -> None:
    susan = await world.person("susan")
    followed = [await world.person(f"person{n}") for n in range(SETTLED)]
    for person in followed:
        await susan.follows(person)
    await followed[0].posts("Hello.")
    stranger = await world.person("stranger")
    await stranger.posts("Hello, too.")
    for _ in range(2):  # the second is not asked for again
        assert "People to follow" not in await susan.page("/")
    await susan.submit("/@person1/unfollow")
    assert "People to follow" in await susan.page("/")


async def test_the_position_of_a_page_lies_before_what_it_shows(world: World) -> None:
    ada = await world.person("ada")
    before = re.search(r'data-position="[0-9a-f]+\.(\d+)"', await ada.page("/"))
    await ada.posts("next")
    after = re.search(r'data-position="[0-9a-f]+\.(\d+)"', await ada.page("/"))
    assert before
    assert after
    assert int(after[1]) == int(before[1]) + 1


async def test_pages_go_on_and_only_the_first_is_live(world: World) -> None:
    ada = await world.person("ada")
    posts = [await ada.posts(f"{n} #tag") for n in range(30)]
    for path in ("/", "/explore", "/tags/tag"):
        first = await ada.page(path)
        following = re.search(r'rel="next" href="([^"]+)"', first)
        assert following
        second = await ada.page(following[1])
        assert ids_in(first) + ids_in(second) == posts[::-1]
        assert 'data-live="true"' in first
        assert 'data-live="false"' in second


async def test_a_tag_is_found_however_it_is_written(world: World) -> None:
    ada = await world.person("ada")
    post = await ada.posts("hello #Été and #日本語")
    answer = await world.visitor().get("/tags/E%CC%81TE%CC%81")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/tags/%C3%A9t%C3%A9")
    page = await ada.page("/tags/%C3%A9t%C3%A9")
    assert ids_in(page) == [post]
    assert 'data-stream="tag:été"' in page
    assert ids_in(await ada.page("/tags/日本語")) == [post]
    assert "Nobody has used this tag yet" in await ada.page("/tags/unused")


@pytest.mark.parametrize(
    "tag", ["1", "a b", "%3Cb%3E", "a" * 101, "%00", "%0d%0aX:y", "..%2f..", "%F0%9F%87%A8", "%25"]
)
async def test_what_is_no_tag_is_not_found(world: World, tag: str) -> None:
    assert (await world.visitor().get(f"/tags/{tag}")).status_code == 404


async def test_markup_in_a_post_is_text_everywhere(world: World) -> None:
    ada = await world.person("ada")
    await ada.posts('<img src=x onerror=alert(1)> "> \' #tag https://a.b/"><script>')
    for path in ("/", "/explore", "/@ada", "/tags/tag"):
        page = await ada.page(path)
        assert "<img src=x" not in page
        assert "<script>" not in page
