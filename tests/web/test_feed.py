"""Open pages end with the login session, by event or by the regular look."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from microblog.kernel import clock, tokens
from microblog.kernel.events import Position
from microblog.live.connection import SIGNED_OUT, Connection, Listener
from microblog.live.hub import Hub
from microblog.live.wires import QueuedOutlet
from microblog.notifications.queries import arrival
from microblog.signin import actions as signin
from microblog.signin.model import LoginSession
from microblog.web.feed import Feed, Start
from microblog.web.showing import messages
from tests.world import World


def connection_of(session_id: int, account_id: int, *topics: str) -> Connection:
    async def send(_said: dict[str, Any]) -> None:
        pass

    return Connection(Listener(topics, "en", account_id, session_id), QueuedOutlet(send), send)


async def test_an_expired_session_closes_its_page_at_the_next_look(world: World) -> None:
    susan, david = await world.person("susan"), await world.person("david")
    feed: Feed = world.app.extensions["feed"]
    async with world.db.writing() as session:
        mine = update(LoginSession).where(LoginSession.account_id == susan.id)
        ids = await session.scalars(
            mine.values(expires_at=clock.now() - timedelta(seconds=1)).returning(LoginSession.id)
        )
        expired = connection_of(ids.one(), susan.id)
        other = await session.scalar(
            update(LoginSession).where(LoginSession.account_id == david.id)
            .values(user_agent="x").returning(LoginSession.id)
        )  # fmt: skip
        valid = connection_of(other or 0, david.id)
    with world.site.hub.connected(expired), world.site.hub.connected(valid):
        await feed.recheck_sessions()
        assert (expired.ending, valid.ending) == (SIGNED_OUT, None)


async def test_a_cached_post_shows_no_readers_own_things(world: World) -> None:
    """The partial is drawn once for everybody: the author sees the same markup as a visitor."""
    susan, david = await world.person("susan"), await world.person("david")
    post = await david.posts("the same for all")

    def article(page: str) -> str:
        return page.split(f'<article id="post-{post}"')[1].split("</article>")[0]

    seen = [article(await who.page("/explore")) for who in (david, susan, david)]
    visitor = await world.visitor().get("/explore")
    seen.append(article(await visitor.get_data(as_text=True)))
    assert len(set(seen)) == 1


async def test_a_page_in_spanish_does_not_leak_into_one_in_english(world: World) -> None:
    david = await world.person("david")
    first = await david.posts("root")
    await david.posts("answer", in_reply_to=first)
    spanish = await world.visitor().get("/explore", headers={"Accept-Language": "es"})
    english = await world.visitor().get("/explore", headers={"Accept-Language": "en"})
    assert "En respuesta" in await spanish.get_data(as_text=True)
    assert "En respuesta" not in await english.get_data(as_text=True)


async def test_a_session_that_ends_during_the_handshake_leaves_no_page(world: World) -> None:
    susan = await world.person("susan")
    feed: Feed = world.app.extensions["feed"]
    async with world.db.reading() as session:
        arrived = await arrival(session, tokens.digest(susan.token))
    assert arrived
    async with world.db.writing() as session:
        await signin.end_session(session, arrived.viewer.session_id, susan.id)
    await feed.subscriber.step()  # nobody is on the list yet whom this could end
    connection = connection_of(arrived.viewer.session_id, susan.id)
    with world.site.hub.connected(connection):
        await feed.catch_up(connection, Start(None, arrived.position))
    assert connection.ending == SIGNED_OUT


async def test_what_is_told_during_the_handshake_is_caught_up_on(world: World) -> None:
    """The feed has taken it from the log after the cookie was looked at and before the connection
    was on the list: neither the one nor the other shows it."""
    susan = await world.person("susan")
    feed: Feed = world.app.extensions["feed"]
    async with world.db.reading() as session:
        arrived = await arrival(session, tokens.digest(susan.token))
    assert arrived
    post = await susan.posts("in between")
    await feed.subscriber.step()
    said: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        said.append(json.loads(message["text"]))

    outlet = QueuedOutlet(send)
    connection = Connection(Listener((f"home:{susan.id}",), "en", susan.id, 1), outlet, send)
    with world.site.hub.connected(connection):
        pumping = asyncio.create_task(outlet.pump())
        await feed.catch_up(connection, Start(None, arrived.position))
        await outlet.drained()
        pumping.cancel()
    assert [one["type"] for one in said] == ["hello", "event", "count", "caught_up"]
    assert said[1]["element"] == f"post-{post}"


async def test_who_has_missed_nothing_is_live_at_once_and_nobody_else(world: World) -> None:
    susan = await world.person("susan")
    feed = Feed(world.db, Hub())
    await feed.start()
    before = Position(feed.epoch, feed.subscriber.seen or 0)
    starts = [Start(None, before), Start(before, before)]
    pages = [connection_of(1, susan.id, f"home:{susan.id}") for _ in starts]
    for page, start in zip(pages, starts, strict=True):
        with feed.hub.connected(page):
            assert feed.greet(page, start)
            assert page.is_live
    await susan.posts("one")
    here = Position(feed.epoch, before.id + 1)
    behind = [Start(before, here), Start(Position("ffffffff", here.id), here), Start(here, before)]
    await feed.subscriber.step()
    for start in [*behind, *starts]:  # the feed has taken it, and whoever came then has not heard
        page = connection_of(1, susan.id, f"home:{susan.id}")
        with feed.hub.connected(page):
            assert not feed.greet(page, start)
            assert page.outlet.unsent() == 0
            await feed.catch_up(page, start)
            assert page.is_live


async def test_when_an_event_cannot_be_drawn_those_before_it_are_not_told_twice(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    susan = await world.person("susan")
    feed = Feed(world.db, Hub())  # the world's own follows the log by itself
    await feed.start()
    told: list[int] = []
    monkeypatch.setattr(
        feed.hub, "deliver", lambda tellings: told.extend(one.event_id for one in tellings)
    )
    with feed.hub.connected(connection_of(1, susan.id, "public")):
        await susan.posts("one")
        await susan.posts("two")
        with monkeypatch.context() as broken, pytest.raises(RuntimeError):
            broken.setattr("microblog.web.feed.messages", second_fails())
            await feed.subscriber.step()
        assert told == []
        await feed.subscriber.step()
    assert len(told) == 2
    assert told == sorted(set(told))


def second_fails() -> Any:
    drawn: list[int] = []

    def draw(*asked: Any) -> Any:
        drawn.append(1)
        if len(drawn) == 2:
            raise RuntimeError("a mistake in a template")
        return messages(*asked)

    return draw
