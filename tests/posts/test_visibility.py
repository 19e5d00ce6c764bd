"""What a private account posts, asked for in every way, by everybody."""

from __future__ import annotations

import pytest

from microblog.accounts import queries as accounts
from microblog.kernel.errors import Invalid, NotFound
from microblog.notifications import queries as notifications
from microblog.posts import queries, visibility
from microblog.timelines import queries as timelines
from microblog.timelines import streams
from microblog.timelines.streams import Stream
from tests.world import Person, World


class Town:
    """Ada is private, bob follows her, rick has asked to, eve has not."""

    def __init__(self, world: World, *people: Person) -> None:
        self.world = world
        self.ada, self.bob, self.rick, self.eve = people

    @property
    def readers(self) -> dict[int | None, bool]:
        """Whether they may see it."""
        people = {self.ada.id: True, self.bob.id: True, self.rick.id: False, self.eve.id: False}
        return {**people, None: False}


@pytest.fixture
async def town(world: World) -> Town:
    ada, bob, rick, eve = [await world.person(name) for name in ("ada", "bob", "rick", "eve")]
    await bob.follows(ada)
    await ada.goes_private()
    await rick.follows(ada)
    return Town(world, ada, bob, rick, eve)


async def test_a_post_is_for_its_author_and_followers(town: Town) -> None:
    post = await town.ada.posts("a secret #bees")
    async with town.world.db.reading() as session:
        for reader, may in town.readers.items():
            assert (post in await queries.views(session, [post], reader)) is may, reader
            thread = Stream("thread", str(post))
            if may:
                assert (await queries.view(session, post, reader)).body == "a secret #bees"
                assert await streams.topics(session, thread, reader)
                continue
            with pytest.raises(NotFound):
                await queries.view(session, post, reader)
            with pytest.raises(NotFound):
                await streams.topics(session, thread, reader)
        assert list(await queries.unguarded_views(session, [post])) == [post]


async def test_nobody_is_led_to_it_not_even_followers(town: Town) -> None:
    await town.ada.posts("a secret #bees")
    public = await town.eve.posts("known #bees")
    async with town.world.db.reading() as session:
        assert await timelines.public(session) == [public]
        assert await timelines.tagged(session, "bees") == [public]
        suggested = await accounts.suggestions(session, None, set(), 10)
    assert "ada" not in {person.name for person in suggested}


async def test_it_goes_by_the_account_at_the_moment_of_reading(town: Town) -> None:
    ada, eve = town.ada, town.eve
    post = await ada.posts("a secret #bees")
    await ada.goes_public()
    async with town.world.db.reading() as session:
        assert post in await queries.views(session, [post])
        assert await timelines.tagged(session, "bees") == [post]
    await ada.goes_private()
    async with town.world.db.reading() as session:
        assert await queries.views(session, [post], eve.id) == {}
        assert await timelines.public(session) == []


async def test_home_has_it_for_followers(town: Town) -> None:
    post = await town.ada.posts("a secret")
    async with town.world.db.reading() as session:
        for reader, may in town.readers.items():
            if reader is not None:
                assert (await timelines.home(session, reader) == [post]) is may


async def test_hidden_replies_leave_no_hint_in_a_thread(town: Town) -> None:
    root = await town.eve.posts("a question")
    hidden = await town.ada.posts("a hidden answer", in_reply_to=root)
    open_one = await town.bob.posts("an answer to the hidden one", in_reply_to=hidden)
    async with town.world.db.reading() as session:
        for reader, may in town.readers.items():
            ids = await timelines.conversation(session, root, reader=reader)
            assert ids == ([root, hidden, open_one] if may else [root, open_one])
            views = await queries.views(session, ids, reader)
            assert views[root].reply_count == 0
            answered = (views[open_one].in_reply_to, views[open_one].reply_to_name)
            assert answered == ((hidden, "ada") if may else (None, None))


async def test_what_they_answer_themselves_is_shown_with_it(town: Town) -> None:
    root = await town.ada.posts("a secret")
    more = await town.ada.posts("and more", in_reply_to=root)
    async with town.world.db.reading() as session:
        for read in (
            await queries.views(session, [more], town.bob.id),
            await queries.unguarded_views(session, [more]),
        ):
            assert (read[more].in_reply_to, read[more].reply_to_name) == (root, "ada")


async def test_who_may_not_see_it_cannot_answer_it(town: Town) -> None:
    post = await town.ada.posts("a secret")
    for person in (town.rick, town.eve):
        with pytest.raises(Invalid) as refused:
            await person.posts("I know", in_reply_to=post)
        with pytest.raises(Invalid) as absent:
            await person.posts("I know", in_reply_to=post + 1)
        assert refused.value.errors == absent.value.errors
    await town.bob.posts("I know", in_reply_to=post)


async def test_replies_are_counted_again_when_the_account_changes(town: Town) -> None:
    ada, eve = town.ada, town.eve
    first, second = await eve.posts("one"), await eve.posts("two")
    await town.bob.posts("from bob", in_reply_to=first)
    replies = [await ada.posts(f"{n}", in_reply_to=first) for n in range(3)]
    await ada.posts("other", in_reply_to=second)
    await ada.deletes(replies[0])

    async def counts() -> tuple[int, int]:
        async with town.world.db.reading() as session:
            views = await queries.views(session, [first, second])
        return views[first].reply_count, views[second].reply_count

    assert await counts() == (1, 0)
    for _ in range(2):  # doing it twice is doing it once
        await ada.goes_public()
        assert await counts() == (3, 1)
    await ada.deletes(replies[1])
    assert await counts() == (2, 1)
    for _ in range(2):
        await ada.goes_private()
        assert await counts() == (1, 0)
    await ada.deletes(replies[2])
    assert await counts() == (1, 0)


async def test_an_unfollower_sees_nothing_any_more(town: Town) -> None:
    post = await town.ada.posts("a secret")
    await town.bob.unfollows(town.ada)
    async with town.world.db.reading() as session:
        assert await queries.views(session, [post], town.bob.id) == {}
        reserved = await visibility.reserved_among(session, {town.ada.id, town.bob.id})
        assert reserved == (set(), {town.ada.id})


async def test_a_mention_reaches_followers_alone(town: Town) -> None:
    world, ada = town.world, town.ada
    question = await town.eve.posts("a question")
    await ada.posts("@bob @eve @rick hello")
    await ada.posts("an answer", in_reply_to=question)
    await world.settle()
    async with world.db.reading() as session:
        told = {
            person.name: [one.kind for one in await notifications.page(session, person.id)]
            for person in (town.bob, town.rick, town.eve)
        }
        assert [await notifications.unread(session, one.id) for one in (town.rick, town.eve)] == [
            0, 0,
        ]  # fmt: skip
    assert told == {"bob": ["mention"], "rick": [], "eve": []}
    assert [letter.to for letter in await world.letters() if "mentioned" in letter.subject] == [
        "bob@example.org"
    ]


async def test_news_is_taken_back_from_who_may_not_see_it_any_more(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("microblog.notifications.withdrawals.BITE", 2)
    ada, bob, eve = [await world.person(name) for name in ("ada", "bob", "eve")]
    await bob.follows(ada)
    for n in range(5):
        await ada.posts(f"hello @bob and @eve, {n}")
    await world.settle()
    await ada.goes_private()

    async def mentions(person: Person) -> int:
        async with world.db.reading() as session:
            unread = await notifications.unread(session, person.id)
            page = await notifications.page(session, person.id)
        assert unread == len(page)
        return len(page)

    async with world.db.reading() as session:
        assert await notifications.page(session, eve.id) == []  # at once
    await world.settle()
    assert (await mentions(bob), await mentions(eve)) == (5, 0)
    await bob.unfollows(ada)
    await world.settle()
    assert await mentions(bob) == 0
