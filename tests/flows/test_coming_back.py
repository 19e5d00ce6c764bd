"""Those who come back at once are caught up together, and each as if alone."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import update

from microblog.accounts.model import Account
from microblog.kernel import events
from microblog.kernel.clock import now
from microblog.kernel.events import Position
from microblog.live.connection import TOO_SLOW, Connection, Listener
from microblog.live.wires import QueuedOutlet
from microblog.notifications import queries as notifications
from microblog.posts.events import PostDeleted
from microblog.timelines import streams
from microblog.timelines.streams import Stream
from microblog.web import missed
from microblog.web.feed import Feed, Start
from microblog.web.missed import Missed
from tests.flows.test_statements import statements
from tests.world import Person, World

Said = list[dict[str, Any]]


class Crowd:
    """Pages that come back from a position, one by one or all at once."""

    def __init__(self, world: World, start: Position) -> None:
        self.world = world
        self.start = start
        self.listeners: dict[str, Listener] = {}

    async def opens(
        self, name: str, stream: str, who: Person | None = None, *, language: str = "en"
    ) -> None:
        account_id = who.id if who else None
        parsed = Stream.parse(stream)
        assert parsed
        async with self.world.db.reading() as session:
            topics = await streams.topics(session, parsed, account_id)
        self.listeners[name] = Listener(topics, language, account_id)

    async def together(self) -> dict[str, Said]:
        feed, starts = await self.feed(), await self.starts()
        found = await asyncio.gather(
            *(said_to(feed, one, starts[name]) for name, one in self.listeners.items())
        )
        return dict(zip(self.listeners, found, strict=True))

    async def alone(self) -> dict[str, Said]:
        feed, starts = await self.feed(), await self.starts()
        return {
            name: await said_to(feed, one, starts[name]) for name, one in self.listeners.items()
        }

    async def failed(self) -> set[str]:
        """Whose pages cannot catch up together with the others."""
        feed, starts = await self.feed(), await self.starts()
        found = await asyncio.gather(
            *(said_to(feed, one, starts[name]) for name, one in self.listeners.items()),
            return_exceptions=True,
        )
        said = dict(zip(self.listeners, found, strict=True))
        return {name for name, one in said.items() if isinstance(one, BaseException)}

    async def feed(self) -> Feed:
        """Of a process that has just started."""
        feed = Feed(self.world.db, self.world.site.hub)
        await feed.start()
        return feed

    async def starts(self) -> dict[str, Start]:
        """Where each stands, and how things stand: all that is asked before they catch up."""
        async with self.world.db.reading() as session:
            present = await events.present(session)
            accounts = {one.account_id for one in self.listeners.values() if one.account_id}
            unread = await notifications.unread_of_each(session, accounts)
        return {
            name: Start(self.start, present, unread.get(one.account_id or 0, 0))
            for name, one in self.listeners.items()
        }


async def said_to(feed: Feed, listener: Listener, start: Start) -> Said:
    said: Said = []

    async def send(message: dict[str, Any]) -> None:
        said.append(json.loads(message["text"]))

    outlet = QueuedOutlet(send)
    connection = Connection(listener, outlet, send)
    async with asyncio.TaskGroup() as group:
        pumping = group.create_task(outlet.pump())
        await feed.catch_up(connection, start)
        await outlet.drained()
        pumping.cancel()
    return said


def shown(said: Said) -> list[tuple[str, str]]:
    return [(one["action"], one["element"]) for one in said if one["type"] == "event"]


@pytest_asyncio.fixture
async def crowd(world: World) -> AsyncIterator[Crowd]:
    """What several kinds of reader missed, in which little is for all of them."""
    names = ("open", "private", "silenced", "left", "follower", "stranger", "third")
    people = {name: await world.person(f"{name}1") for name in names}
    opened, private, silenced, left, follower, stranger, third = people.values()
    for author in (opened, private, silenced, left):
        await follower.follows(author)
    await third.follows(opened)
    await private.goes_private()
    async with world.db.writing() as session:
        mine = update(Account).where(Account.id == silenced.id)
        await session.execute(mine.values(silenced_at=now()))
    old = await left.posts("of somebody whom one will leave")
    await world.settle()
    async with world.db.reading() as session:
        crowd = Crowd(world, await events.present(session))
    for name, stream, who in (
        ("follower", "home", follower), ("his other window", "home", follower),
        ("stranger", "home", stranger), ("third", "home", third), ("author", "home", private),
        ("visitor", "public", None), ("stranger at all posts", "public", stranger),
        ("visitor there", f"account:{private.id}", None), ("tag", "tag:bees", stranger),
        ("follower there", f"account:{private.id}", follower), ("news", "none", stranger),
        ("stranger there", f"account:{private.id}", stranger),
    ):  # fmt: skip
        await crowd.opens(name, stream, who)
    await crowd.opens("Spanish", "public", third, language="es")
    await opened.posts("for everybody #bees")
    await private.posts(f"sesame #bees, not for @{stranger.name}")
    await silenced.posts("mumbled #bees")
    await opened.posts(f"hello @{stranger.name}")
    await follower.unfollows(left)
    await left.posts("nobody at home")
    await left.deletes(old)
    await stranger.posts("one's own", in_reply_to=await opened.posts("and @stranger1"))
    await world.settle()
    yield crowd


async def test_nobody_is_told_more_or_less_than_they_would_be_alone(crowd: Crowd) -> None:
    alone, together = await crowd.alone(), await crowd.together()
    for name, said in alone.items():
        assert together[name] == said, name
    assert len({json.dumps(shown(said)) for said in together.values()}) > 6


async def test_what_is_one_readers_is_told_to_no_other(crowd: Crowd) -> None:
    together = await crowd.together()
    text = {name: json.dumps(said) for name, said in together.items()}
    told = {name for name, said in text.items() if "sesame" in said}
    assert told == {"follower", "his other window", "author", "follower there"}
    assert {name for name, said in text.items() if "mumbled" in said} == {
        "follower", "his other window"
    }  # fmt: skip
    news = {
        name
        for name, said in together.items()
        if any(one.get("target") == "notifications" for one in said)
    }
    assert news == {"stranger", "stranger at all posts", "tag", "news", "stranger there"}
    assert "En respuesta" in text["Spanish"]
    assert not any("En respuesta" in said for name, said in text.items() if name != "Spanish")


async def test_everybody_is_told_their_own_count(crowd: Crowd) -> None:
    """Of what was added after the look at the cookie, too."""
    before = crowd.starts

    async def earlier() -> dict[str, Start]:
        return {name: Start(crowd.start, crowd.start) for name in await before()}

    due = {name: start.unread for name, start in (await before()).items()}
    for crowd.starts in (before, earlier):  # type: ignore[method-assign]
        for name, said in (await crowd.together()).items():
            counts = [one["value"] for one in said if one.get("name") == "unread_notifications"]
            assert counts == ([due[name]] if crowd.listeners[name].account_id else []), name
    assert len(set(due.values())) > 2


async def test_whoever_parted_on_the_way_is_told_what_goes_and_no_stranger(crowd: Crowd) -> None:
    together = await crowd.together()
    gone = {
        name
        for name, said in together.items()
        if crowd.listeners[name].topics[0].startswith("home:")
        and any(action == "remove" for action, _ in shown(said))
    }
    assert gone == {"follower", "his other window"}


async def test_many_ask_for_little_more_than_one(crowd: Crowd) -> None:
    for number in range(30):
        crowd.listeners[f"window {number}"] = crowd.listeners["follower"]
    feed, starts = await crowd.feed(), await crowd.starts()
    with statements(crowd.world.db) as asked:
        await asyncio.gather(
            *(said_to(feed, one, starts[name]) for name, one in crowd.listeners.items())
        )
    assert len(asked) < 40, len(asked)


async def test_from_wherever_one_comes_all_is_told_once_and_in_order(world: World) -> None:
    author = await world.person("author")
    reader = await world.person("reader")
    await reader.follows(author)
    async with world.db.writing() as session:
        for number in range(1, 3 * missed.PAGE):
            await events.record(session, PostDeleted(number, author.id, number))
    async with world.db.reading() as session:
        present = await events.present(session)
        due = [one.id for one in await events.after(session, 0, 4 * missed.PAGE)
               if one.kind == "PostDeleted"]  # fmt: skip
    feed = Feed(world.db, world.site.hub)
    await feed.start()
    topics = (streams.home_of(reader.id), streams.own(reader.id))
    since = [random.randint(1, present.id) for _ in range(40)] + [present.id, due[0], 0]
    found = await asyncio.gather(
        *(
            said_to(feed, Listener(topics, "en", reader.id),
                    Start(Position(present.epoch, at), present))
            for at in since
        )
    )  # fmt: skip
    for at, said in zip(since, found, strict=True):
        assert [one["id"] for one in said if one["type"] == "event"] == [n for n in due if n > at]
        assert (said[0]["type"], said[0]["position"]) == ("hello", f"{present.epoch}.{at}")
        assert (said[-1]["type"], said[-1]["position"]) == ("caught_up", str(present))


async def test_what_cannot_be_drawn_fails_for_those_alone_who_would_see_it(
    crowd: Crowd, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawing = missed.messages

    def broken(what: Any, *more: Any) -> Any:
        if what.post and "sesame" in what.post.body:
            raise RuntimeError("a mistake in a template")
        return drawing(what, *more)

    monkeypatch.setattr(missed, "messages", broken)
    failed = await crowd.failed()
    assert failed == {"follower", "his other window", "author", "follower there"}


async def test_what_cannot_be_loaded_fails_for_those_alone_who_would_see_it(
    crowd: Crowd, monkeypatch: pytest.MonkeyPatch
) -> None:
    """But for the one who asks for the others, too."""
    loading = missed.shown

    async def broken(session: Any, page: Any, watchers: Any, wanted: Any) -> Any:
        found = await loading(session, page, watchers, wanted)
        if any(one.post and "sesame" in one.post.body for one in found):
            raise RuntimeError("a mistake in a question")
        return found

    monkeypatch.setattr(missed, "shown", broken)
    failed = await crowd.failed()
    guilty = {"follower", "his other window", "author", "follower there"}
    assert guilty <= failed
    assert len(failed - guilty) <= 1


async def test_a_log_that_is_trimmed_meanwhile_sends_the_page_back(
    crowd: Crowd, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It comes again with its position, and is told to reload then."""
    monkeypatch.setattr(Missed, "read_on", _nothing_left)
    feed = await crowd.feed()
    async with crowd.world.db.reading() as session:
        present = await events.present(session)

    async def send(_message: dict[str, Any]) -> None:
        pass

    connection = Connection(crowd.listeners["follower"], QueuedOutlet(send), send)
    before = Position(present.epoch, present.id - 1)
    await feed.catch_up(connection, Start(before, before))
    assert connection.ending == TOO_SLOW


async def _nothing_left(_missed: Missed, _behind: object) -> None:
    pass
