from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Select, text
from sqlalchemy.dialects import sqlite

from microblog.kernel.ids import LARGEST
from microblog.timelines import queries
from tests.posts.stage import Stage


async def test_home_shows_oneself_and_those_one_follows_newest_first(stage: Stage) -> None:
    ada, bob, eve = [await stage.person(name) for name in ("ada", "bob", "eve")]
    await stage.follows(ada, bob)
    mine = (await stage.says(ada, "mine")).id
    theirs = (await stage.says(bob, "theirs")).id
    await stage.says(eve, "not for me")
    async with stage.db.reading() as session:
        assert await queries.home(session, ada) == [theirs, mine]
    await stage.unfollows(ada, bob)
    async with stage.db.reading() as session:
        assert await queries.home(session, ada) == [mine]


async def test_deleted_posts_are_on_no_timeline(stage: Stage) -> None:
    ada = await stage.person("ada")
    gone = await stage.says(ada, "gone #tag")
    kept = (await stage.says(ada, "kept #tag")).id
    await stage.deletes(ada, gone.id)
    async with stage.db.reading() as session:
        assert await queries.home(session, ada) == [kept]
        assert await queries.public(session) == [kept]
        assert await queries.by_author(session, ada) == [kept]
        assert await queries.tagged(session, "tag") == [kept]


async def test_pages_neither_repeat_nor_skip(stage: Stage) -> None:
    ada = await stage.person("ada")
    ids = [(await stage.says(ada, f"{n} #tag")).id for n in range(12)]
    async with stage.db.reading() as session:
        for ask in (
            lambda **page: queries.home(session, ada, **page),
            lambda **page: queries.public(session, **page),
            lambda **page: queries.by_author(session, ada, **page),
            lambda **page: queries.tagged(session, "tag", **page),
        ):
            seen: list[int] = []
            while page := await ask(before=seen[-1] if seen else None, limit=5):
                seen += page
            assert seen == ids[::-1]


async def test_a_conversation_is_told_from_its_beginning(stage: Stage) -> None:
    ada = await stage.person("ada")
    root = await stage.says(ada, "root")
    one = await stage.says(ada, "one", in_reply_to=root.id)
    two = await stage.says(ada, "two", in_reply_to=root.id)
    deep = await stage.says(ada, "deep", in_reply_to=one.id)
    await stage.says(ada, "elsewhere")
    whole = [root.id, one.id, two.id, deep.id]
    async with stage.db.reading() as session:
        assert await queries.conversation(session, root.id) == whole
        assert await queries.conversation(session, root.id, after=one.id) == whole[2:]
        assert await queries.conversation(session, root.id, limit=2) == whole[:2]
        assert await queries.conversation(session, one.id) == []


async def test_a_deleted_post_keeps_its_place_while_others_answer_it(stage: Stage) -> None:
    ada = await stage.person("ada")
    root = await stage.says(ada, "root")
    reply = await stage.says(ada, "reply", in_reply_to=root.id)
    await stage.deletes(ada, root.id)
    async with stage.db.reading() as session:
        assert await queries.conversation(session, root.id) == [root.id, reply.id]
    await stage.deletes(ada, reply.id)
    async with stage.db.reading() as session:
        assert await queries.conversation(session, root.id) == []


PLANS = {
    "home": (queries.HOME, {"account_id": 1}),
    "public": (queries.PUBLIC, {}),
    "author": (queries.AUTHOR, {"author_id": 1}),
    "tag": (queries.TAG, {"tag": "x"}),
    "conversation": (queries.CONVERSATION, {"root_id": 1, "after": 0}),
}


async def plan(stage: Stage, statement: Select[Any], given: dict[str, object]) -> list[str]:
    values = {"before": LARGEST, "limit": 25} | given
    sql = statement.compile(dialect=sqlite.dialect(paramstyle="named"))
    used = {name: values.get(name, 0) for name in sql.params}
    async with stage.db.reading() as session:
        rows = await session.execute(text(f"EXPLAIN QUERY PLAN {sql}"), used)
        return [row[3] for row in rows]


@pytest.mark.parametrize("name", PLANS)
async def test_no_timeline_reads_more_than_it_must(stage: Stage, name: str) -> None:
    steps = await plan(stage, *PLANS[name])
    reads = [step for step in steps if step.startswith(("SCAN", "SEARCH"))]
    assert all(step.startswith("SEARCH") for step in reads if step != "SCAN CONSTANT ROW"), steps
    if name != "home":
        assert not any("TEMP B-TREE" in step for step in steps), steps


async def test_home_searches_each_author_and_sorts_only_the_page(stage: Stage) -> None:
    """The alternative, walking all posts newest first, needs no sort and takes 140 ms of 1 M."""
    steps = await plan(stage, *PLANS["home"])
    assert steps[0].startswith(
        "SEARCH posts USING INDEX ix_posts_author_id_id (author_id=? AND id<?)"
    )
    assert any("COVERING INDEX" in step for step in steps if "follows" in step)
