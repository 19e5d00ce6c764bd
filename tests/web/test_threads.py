# ruff: noqa: RUF001 - digits that look alike are the subject
from __future__ import annotations

import re

import pytest

from tests.world import World

REPLIES = 100


def ids_in(page: str) -> list[int]:
    return [int(one) for one in re.findall(r'<article id="post-(\d+)"', page)]


async def test_a_conversation_reads_from_its_beginning_with_the_post_marked(world: World) -> None:
    ada, bob = await world.person("ada"), await world.person("bob")
    root = await ada.posts("root")
    reply = await bob.posts("reply", in_reply_to=root)
    deep = await ada.posts("deep", in_reply_to=reply)
    for name, focus in (("ada", root), ("bob", reply), ("ada", deep)):
        page = await (await world.visitor().get(f"/@{name}/{focus}")).get_data(as_text=True)
        assert ids_in(page) == [root, reply, deep]
        assert f'<div class="post-focus"><article id="post-{focus}"' in re.sub(r">\s+<", "><", page)
        assert f'data-stream="thread:{focus}"' in page
        assert 'data-order="oldest"' in page


async def test_only_the_author_is_offered_to_edit(world: World) -> None:
    ada, bob = await world.person("ada"), await world.person("bob")
    post = await ada.posts("root")
    link = re.compile(rf'href="/posts/{post}/edit"')
    assert link.search(await ada.page(f"/@ada/{post}"))
    assert not link.search(await bob.page(f"/@ada/{post}"))
    assert "Sign in to reply" in await (await world.visitor().get(f"/@ada/{post}")).get_data(
        as_text=True
    )


async def test_a_post_under_somebody_elses_name_is_not_found(world: World) -> None:
    ada = await world.person("ada")
    await world.person("bob")
    post = await ada.posts("mine")
    assert (await world.visitor().get(f"/@bob/{post}")).status_code == 404
    assert (await world.visitor().get(f"/@bob/{post}/history")).status_code == 404


async def test_a_deleted_post_with_answers_leaves_a_gap_that_says_so(world: World) -> None:
    ada, bob = await world.person("ada"), await world.person("bob")
    root = await ada.posts("secret words")
    reply = await bob.posts("reply", in_reply_to=root)
    await ada.deletes(root)
    for path in (f"/@ada/{root}", f"/@bob/{reply}"):
        page = await bob.page(path)
        assert ids_in(page) == [root, reply]
        assert "This post was deleted" in page
        assert "secret words" not in page
    assert f'href="/posts/{root}/edit"' not in await ada.page(f"/@ada/{root}")
    await bob.deletes(reply)
    assert (await bob.get(f"/@ada/{root}")).status_code == 404


async def test_a_deleted_post_is_spoken_of_in_plain_words(world: World) -> None:
    ada = await world.person("ada")
    post = await ada.posts("gone")
    await ada.deletes(post)
    answer = await world.visitor().get(f"/@ada/{post}")
    assert answer.status_code == 404
    assert "It may have been deleted." in await answer.get_data(as_text=True)


async def test_a_long_conversation_opens_where_the_post_is(world: World) -> None:
    ada = await world.person("ada")
    root = await ada.posts("root")
    whole = [root] + [await ada.posts(f"reply {n}", in_reply_to=root) for n in range(220)]
    page = await ada.page(f"/@ada/{root}")
    assert ids_in(page) == whole[:REPLIES]
    assert 'data-live="false"' in page
    late = await ada.page(f"/@ada/{whole[150]}")
    assert ids_in(late) == whole[150:]
    assert 'data-live="true"' in late
    earlier = re.search(r'rel="prev" href="([^"]+)"', late)
    assert earlier
    seen, path = [], earlier[1]
    while path:
        page = await ada.page(path)
        seen += ids_in(page)
        found = re.search(r'rel="next" href="([^"]+)"', page)
        path = found[1] if found else ""
    assert seen == whole


@pytest.mark.parametrize(
    "bad", ["0", "-1", "x", "007", "9" * 19, "9" * 40, "1.0", "٣", "%00", "1 or 1=1", "１"]
)
async def test_what_is_no_id_is_not_found(world: World, bad: str) -> None:
    await world.person("ada")
    assert (await world.visitor().get(f"/@ada/{bad}")).status_code == 404
    assert (await world.visitor().get(f"/@ada/{bad}/history")).status_code == 404
