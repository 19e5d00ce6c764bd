"""How many statements an act may cost: each is a trip to another thread or to a server."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from quart_auth import QuartAuth
from sqlalchemy import event

from microblog.kernel.db import Database
from microblog.web.paging import POSTS
from tests.person import position_in
from tests.web.visitor import Visitor
from tests.world import Person, World

_LOG = re.compile(r"SELECT events.id, events.kind.*\n.*WHERE events.id > \S+ ORDER BY", re.DOTALL)
POST = "Have you seen @bob's #engine? https://example.org"


@contextmanager
def statements(db: Database) -> Iterator[list[str]]:
    """Those that the block asks the database, but for BEGIN, COMMIT and ROLLBACK, and for pages of
    the log, for which the live feed asks whenever something was committed."""
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if not _LOG.match(statement):
            asked.append(statement)

    engines = [db._read_engine.sync_engine, db._write_engine.sync_engine]
    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        for engine in engines:
            event.remove(engine, "before_cursor_execute", note)


async def a_reader_and_an_author(world: World) -> tuple[Person, Person]:
    ada, bob = await world.person("ada"), await world.person("bob")
    await bob.follows(ada)
    for _ in range(POSTS + 1):  # a page that is not full asks once more, further back
        await ada.posts(POST)
    await bob.page("/")
    await world.settle()
    return ada, bob


async def test_a_home_page_asks_who_reads_what_stands_there_and_whom_to_follow(
    world: World,
) -> None:
    _ada, bob = await a_reader_and_an_author(world)
    with statements(world.db) as asked:
        await bob.page("/")
    assert len(asked) <= 5, asked


async def test_a_post_costs_few_statements_and_its_consumers_too(world: World) -> None:
    ada, _bob = await a_reader_and_an_author(world)
    with statements(world.db) as asked:
        answer = await ada.submit("/posts", body="Nothing but words", idempotency_key="k1")
    assert answer.status_code == 303
    told = 0 if world.db.is_sqlite else 3  # the turn, its wait and the doorbell
    assert len(asked) <= 8 + told, asked
    for consumer, most in zip(world.machinery.consumers, (6, 1, 1), strict=True):
        with statements(world.db) as asked:
            await consumer.catch_up(world.db)
        assert len(asked) <= most + told, (consumer.name, asked)


async def test_the_page_after_a_post_asks_nothing_twice(world: World) -> None:
    """Who reads, the post, what was answered, its copies elsewhere, and where it comes from."""
    _ada, bob = await a_reader_and_an_author(world)
    answer = await bob.submit("/posts", body="Nothing but words", idempotency_key="k1")
    with statements(world.db) as asked:
        await bob.page(answer.headers["Location"])
    assert len(asked) <= 5, asked


async def test_a_profile_asks_nothing_twice(world: World) -> None:
    """Who reads, whose it is, their posts, how many those and their ties are, and one's own."""
    _ada, bob = await a_reader_and_an_author(world)
    with statements(world.db) as asked:
        await bob.page("/@ada")
    assert len(asked) <= 8, asked


FEED = 2  # its own look at what was posted may fall into the moment


async def test_a_page_that_missed_nothing_joins_by_one_statement(world: World) -> None:
    _ada, bob = await a_reader_and_an_author(world)
    position = position_in(await bob.page("/"))
    with statements(world.db) as asked:
        said = await joined(bob, position)
    assert [one["type"] for one in said] == ["hello", "count", "caught_up"]
    assert len(asked) <= 1, asked


async def test_a_page_that_missed_something_joins_by_few(world: World) -> None:
    ada, bob = await a_reader_and_an_author(world)
    position = position_in(await bob.page("/"))
    await ada.posts("while bob was away")
    with statements(world.db) as asked:
        said = await joined(bob, position)
    assert [one["type"] for one in said] == ["hello", "event", "count", "caught_up"]
    assert len(asked) <= 7 + FEED, asked


async def test_posts_of_many_authors_are_caught_up_with_by_no_more_than_those_of_one(
    world: World,
) -> None:
    """After a restart hundreds of pages come back at once, each to a log full of authors."""
    ada, bob = await a_reader_and_an_author(world)
    position = position_in(await bob.page("/"))
    others = [await world.person(f"other{number}") for number in range(6)]
    for author in (ada, *others):
        await author.posts("while bob was away")
    for author in others[:3]:
        await bob.follows(author)
    with statements(world.db) as asked:
        said = await joined(bob, position)
    assert [one["type"] for one in said] == ["hello", *["event"] * 4, "count", "caught_up"]
    assert len(asked) <= 7 + FEED, asked


async def joined(person: Person, position: str) -> list[dict[str, Any]]:
    """What a socket says until it has caught up."""
    app = person.world.app
    auth: QuartAuth = app.extensions["QUART_AUTH"][0]
    cookie = f"{auth.cookie_name}={auth.dump_token(person.token, app)}"
    headers = {"host": "localhost", "origin": "http://localhost", "cookie": cookie}
    scope = {
        "type": "websocket", "path": "/live", "query_string": f"since={position}".encode(),
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }  # fmt: skip
    said: list[dict[str, Any]] = []
    caught_up = asyncio.Event()
    heard = [{"type": "websocket.connect"}]

    async def receive() -> dict[str, Any]:
        if heard:
            return heard.pop()
        await caught_up.wait()
        return {"type": "websocket.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "websocket.send":
            said.append(json.loads(message["text"]))
            if said[-1]["type"] == "caught_up":
                caught_up.set()

    async with asyncio.timeout(10):
        await app.asgi_app(scope, receive, send)  # type: ignore[arg-type]
    return said


async def test_a_link_to_a_new_password_costs_the_same_for_known_and_unknown_addresses(
    world: World,
) -> None:
    """As long, therefore: whether there is an account is looked at when the mail is written."""
    await world.person("ada")
    visitor = Visitor(world)
    page = await visitor.page("/password/forgot")
    costs = []
    for name in ("ada", "eve", "ada", "eve"):
        with statements(world.db) as asked:
            answer = await visitor.sends(page, "/password/forgot", email=f"{name}@example.org")
        assert answer.status_code == 303
        costs.append(asked)
    assert costs[0] == costs[1]
    assert costs[2] == costs[3]
    assert costs[0]
