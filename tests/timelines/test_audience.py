"""Topics: under which a page listens, which are told, and what a process asks the bus for."""

from __future__ import annotations

from microblog.accounts.events import AccountMadePrivate
from microblog.follows.events import AccountUnfollowed
from microblog.kernel.clock import now
from microblog.posts import privacy
from microblog.posts.events import PostDeleted, PostPublished
from microblog.timelines import interests, streams
from microblog.timelines.audience import Watchers, audience
from microblog.timelines.streams import Stream
from tests.posts.stage import Stage


async def test_pages_that_others_share_are_listened_to_as_oneself_too(stage: Stage) -> None:
    ada = await stage.person("ada")
    root = await stage.says(ada, "root")
    async with stage.db.reading() as session:
        for written, topics in (
            ("home", (f"home:{ada}", f"own:{ada}")),
            ("none", (f"own:{ada}",)),
            ("public", ("public", f"as:{ada}:public", f"own:{ada}")),
            (
                f"thread:{root.id}",
                (f"thread:{root.id}", f"as:{ada}:thread:{root.id}", f"own:{ada}"),
            ),
            (
                "tag:as:9:thread:1",
                ("tag:as:9:thread:1", f"as:{ada}:tag:as:9:thread:1", f"own:{ada}"),
            ),
        ):
            stream = Stream.parse(written)
            assert stream
            assert await streams.topics(session, stream, ada) == topics
        public = Stream("public")
        assert await streams.topics(session, public, None) == ("public", "as:0:public")


async def test_the_bus_is_asked_once_for_a_page(stage: Stage) -> None:
    ada = await stage.person("ada")
    async with stage.db.reading() as session:
        alone = await interests.subjects(session, {f"thread:{7}", f"own:{ada}"})
        both = await interests.subjects(session, {"thread:7", f"as:{ada}:thread:7", f"own:{ada}"})
    assert both == alone


async def test_a_private_post_is_told_where_followers_read(stage: Stage) -> None:
    ada = await stage.person("ada", private_at=now())
    bob, eve = await stage.person("bob"), await stage.person("eve")
    async with stage.db.writing() as session:
        await privacy.make_public(session, ada)
    await stage.follows(bob, ada)
    async with stage.db.writing() as session:
        await privacy.make_private(session, ada)
    pages = {f"account:{ada}", "thread:9", "public", "tag:x"}
    topics = {f"as:{who}:{page}" for who in (0, bob, eve) for page in pages} | pages
    topics |= {f"home:{bob}", f"home:{eve}", f"own:{eve}"}
    theirs = {f"as:{bob}:account:{ada}", f"as:{bob}:thread:9", f"home:{bob}"}
    async with stage.db.reading() as session:

        async def told(event: object) -> set[str]:
            watchers = Watchers({bob, eve}, {"tag:x"}, topics, {ada: {eve}})
            return set(await audience(session, event, watchers))  # type: ignore[arg-type]

        assert await told(PostPublished(9, ada, 9)) == theirs
        assert await told(PostDeleted(9, ada, 9)) == theirs
        strangers = {one for one in topics if one.startswith(("as:0:", f"as:{eve}:"))}
        assert await told(AccountMadePrivate(ada)) == strangers | {f"home:{eve}"}
        of_eve = {one for one in strangers if not one.startswith("as:0:")} | {f"home:{eve}"}
        assert await told(AccountUnfollowed(eve, ada)) == of_eve
        assert await told(AccountUnfollowed(bob, ada)) == set()  # follows again by now
        assert await told(AccountUnfollowed(ada, bob)) == set()
