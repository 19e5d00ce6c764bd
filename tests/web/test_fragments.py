"""A post is drawn once for everybody.  Whoever reads it, wherever, gets the same bytes."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any

from microblog.kernel.events import Position
from microblog.live.connection import Connection, Listener
from microblog.live.wires import QueuedOutlet
from microblog.web import rendering, showing
from microblog.web.feed import Feed, Start
from tests.world import Person, World

JSON = {"Accept": "application/json"}
_AGE = re.compile(r"(<time [^>]*>)[^<]*(</time>)")


def article(page: str, post_id: int) -> str:
    """The post as a page shows it, but for the words of its age, which pass."""
    found = page.split(f'<article id="post-{post_id}"')
    assert len(found) == 2, f"post {post_id} is there {len(found) - 1} times"
    return _AGE.sub(r"\1\2", found[1].split("</article>")[0])


async def live_html(world: World, person: Person, language: str, since: Position) -> dict[str, str]:
    """By element, what a socket of that person is told since then."""
    feed: Feed = world.app.extensions["feed"]
    await feed.subscriber.step()
    said: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        said.append(json.loads(message["text"]))

    outlet = QueuedOutlet(send)
    connection = Connection(Listener((f"home:{person.id}",), language, person.id, 0), outlet, send)
    present = Position(feed.epoch, feed.subscriber.seen or 0)
    with world.site.hub.connected(connection):
        pumping = asyncio.create_task(outlet.pump())
        await feed.catch_up(connection, Start(since, present))
        await outlet.drained()
        pumping.cancel()
    return {one["element"]: one["html"] for one in said if "html" in one}


async def everywhere(world: World, people: dict[str, Person], post_id: int) -> dict[str, str]:
    """The post as each of them sees it on each surface, twice over so that everything is kept."""
    author, follower = people["author"], people["follower"]
    seen = {}
    for turn in ("drawn", "kept"):
        for name, person in people.items():
            seen[f"{name}, explore, {turn}"] = await person.page("/explore")
            seen[f"{name}, profile, {turn}"] = await person.page(f"/@{author.name}")
        for person, name in ((author, "author"), (follower, "follower")):
            seen[f"{name}, home, {turn}"] = await person.page("/")
        older = f"/explore?before={post_id + 1}"
        seen[f"follower, next page, {turn}"] = await follower.page(older)
        visitor = await world.visitor().get("/explore")
        seen[f"visitor, {turn}"] = await visitor.get_data(as_text=True)
        live = await live_html(world, follower, "en", Position(feed_epoch(world), 0))
        seen[f"follower, live, {turn}"] = live[f"post-{post_id}"]
    return {surface: article(page, post_id) for surface, page in seen.items()}


def feed_epoch(world: World) -> str:
    feed: Feed = world.app.extensions["feed"]
    return feed.epoch


async def test_a_post_is_the_same_bytes_for_every_reader_on_every_surface(world: World) -> None:
    names = ("author", "follower", "stranger")
    people = {name: await world.person(name) for name in names}
    await people["follower"].follows(people["author"])
    answer = await people["author"].submit("/posts", JSON, body="first words", idempotency_key="k")
    told = json.loads(await answer.get_data(as_text=True))
    post_id = int(told["id"])
    first = await everywhere(world, people, post_id)
    assert set(first.values()) == {article(told["html"], post_id)}

    answer = await people["author"].submit(f"/posts/{post_id}/edit", JSON, body="second words")
    told = json.loads(await answer.get_data(as_text=True))
    second = await everywhere(world, people, post_id)
    assert set(second.values()) == {article(told["html"], post_id)}
    assert "first words" not in str(second)

    shown = first["visitor, kept"] + second["visitor, kept"]
    for name in ("follower", "stranger"):
        assert name not in shown
    for person in people.values():
        assert person.csrf not in shown
        assert person.token not in shown


async def test_each_reader_has_their_own_language_and_time_zone_though_all_is_kept(
    world: World,
) -> None:
    author = await world.person("author")
    spanish = await world.person("maria", language="es", time_zone="Asia/Tokyo")
    english = await world.person("mary", language="en", time_zone="America/New_York")
    post_id = await author.posts("palabras")
    pages: dict[str, set[str]] = {}
    for _ in range(2):
        for name, person in (("es", spanish), ("en", english), ("none", author)):
            drawn = article(await person.page("/explore"), post_id)
            pages.setdefault(name, set()).add(drawn)
    assert [len(drawn) for drawn in pages.values()] == [1, 1, 1]
    assert len(set().union(*pages.values())) == 3
    assert "Responder a author" in str(pages["es"])
    assert "Responder" not in str(pages["en"] | pages["none"])
    live = await live_html(world, spanish, "es", Position(feed_epoch(world), 0))
    assert live == {}  # she does not follow the author


def test_what_is_kept_is_bounded_and_keyed_by_all_that_is_shown() -> None:
    for kept in (rendering._around_age, showing._drawn):
        assert kept.cache_info().maxsize
        assert kept.cache_info().currsize <= kept.cache_info().maxsize
