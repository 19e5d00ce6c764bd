from __future__ import annotations

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
