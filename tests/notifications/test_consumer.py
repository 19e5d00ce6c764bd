from __future__ import annotations

from sqlalchemy import select, update

from microblog.accounts.model import Account
from microblog.kernel.clock import now
from microblog.kernel.events import LoggedEvent
from microblog.kernel.model import Session
from microblog.kernel.readers import DeadLetter
from microblog.mail.outbox import Email
from microblog.notifications import actions
from microblog.notifications.model import SeenPost
from microblog.posts import actions as posts
from tests.notifications.conftest import Told
from tests.world import Person, World


async def outbox(session: Session) -> list[Email]:
    return list(await session.scalars(select(Email).order_by(Email.id)))


async def test_a_follow_a_mention_and_a_reply_are_told(world: World, told: Told) -> None:
    susan, david = await world.person("susan"), await world.person("david")
    first = await susan.posts("Is anybody here?")
    await david.follows(susan)
    mention = await david.posts("Hello @susan")
    reply = await david.posts("I am.", in_reply_to=first)

    news = await told(susan)

    assert [(one.kind, one.post and one.post.id) for one in news] == [
        ("reply", reply),
        ("mention", mention),
        ("follow", None),
    ]
    assert {one.actor.name for one in news} == {"david"}
    assert not any(one.read for one in news)
    assert await told(david) == []


async def test_nobody_is_told_about_themselves(world: World, told: Told) -> None:
    susan = await world.person("susan")
    first = await susan.posts("I, @susan, say so.")
    await susan.posts("And again, @susan.", in_reply_to=first)

    assert await told(susan) == []


async def test_an_answer_that_also_mentions_is_told_once(world: World, told: Told) -> None:
    susan, david = await world.person("susan"), await world.person("david")
    first = await susan.posts("A question")
    await david.posts("@susan an answer", in_reply_to=first)

    assert [one.kind for one in await told(susan)] == ["reply"]


async def test_someone_mentioned_only_by_an_edit_is_told_and_nobody_twice(
    world: World, told: Told
) -> None:
    susan, david = await world.person("susan"), await world.person("david")
    maria = await world.person("maria")
    post = await david.posts("Hello @susan")
    await david.edits(post, "Hello @susan and @maria")
    await david.edits(post, "Hello @maria and @susan")

    assert [one.kind for one in await told(susan)] == ["mention"]
    assert [one.kind for one in await told(maria)] == ["mention"]


async def test_edits_back_and_forth_do_not_tell_again(world: World, told: Told) -> None:
    susan, david = await world.person("susan"), await world.person("david")
    post = await david.posts("Hello @susan")
    await told(susan)
    await david.edits(post, "Hello nobody")
    await told(susan)
    await david.edits(post, "Hello @susan")

    assert len(await told(susan)) == 1
    async with world.db.reading() as session:
        assert len(await outbox(session)) == 1


async def test_a_deleted_post_takes_its_notifications_with_it(world: World, told: Told) -> None:
    susan, david = await world.person("susan"), await world.person("david")
    post = await david.posts("Hello @susan")
    assert len(await told(susan)) == 1
    await david.deletes(post)

    assert await told(susan) == []
    async with world.db.reading() as session:
        kinds = list(await session.scalars(select(LoggedEvent.kind).order_by(LoggedEvent.id)))
    assert kinds[-1] == "NotificationsChanged"


async def test_what_was_withdrawn_leaves_its_id_to_nobody(world: World, told: Told) -> None:
    """An open page or a mail that still knows it would take the next for it: another's, perhaps."""
    susan, maria = await world.person("susan"), await world.person("maria")
    david = await world.person("david")
    post = await david.posts("Hello @susan")
    (withdrawn,) = await told(susan)
    await david.deletes(post)
    assert await told(susan) == []

    await david.posts("Hello @maria")
    (other,) = await told(maria)
    assert other.id > withdrawn.id


async def test_that_a_deleted_post_was_seen_is_forgotten(world: World, told: Told) -> None:
    susan, david = await world.person("susan"), await world.person("david")
    post = await david.posts("Hello @susan")
    async with world.db.writing() as session:
        await actions.see(session, susan.id, [post], [])
    await told(susan)
    await david.deletes(post)
    await told(susan)

    async with world.db.reading() as session:
        assert list(await session.scalars(select(SeenPost))) == []


async def test_a_post_deleted_before_the_consumer_came_tells_nobody(
    world: World, told: Told
) -> None:
    susan, david = await world.person("susan"), await world.person("david")
    await david.deletes(await david.posts("Hello @susan"))

    assert await told(susan) == []
    async with world.db.reading() as session:
        assert await outbox(session) == []


async def test_an_unfollow_takes_the_news_back(world: World, told: Told) -> None:
    susan, david = await world.person("susan"), await world.person("david")
    await david.follows(susan)
    assert len(await told(susan)) == 1
    await david.unfollows(susan)

    assert await told(susan) == []


async def test_following_again_before_the_consumer_came_is_told_once(
    world: World, told: Told
) -> None:
    susan, david = await world.person("susan"), await world.person("david")
    await david.follows(susan)
    await david.unfollows(susan)
    await david.follows(susan)

    assert [one.kind for one in await told(susan)] == ["follow"]


async def test_suspended_people_are_told_nothing(world: World, told: Told) -> None:
    susan, david = await world.person("susan"), await world.person("david")
    first = await susan.posts("Hello")
    await david.posts("Hello yourself", in_reply_to=first)
    async with world.db.writing() as session:
        await session.execute(
            update(Account).where(Account.id == susan.id).values(suspended_at=now())
        )

    assert await told(susan) == []


async def test_mail_is_queued_with_ids_only_and_bundled_by_person(world: World, told: Told) -> None:
    susan, david = await world.person("susan"), await world.person("david")
    await david.posts("Hello @susan, keep this a secret")
    (news,) = await told(susan)

    async with world.db.reading() as session:
        (email,) = await outbox(session)
    assert email.kind == "mention"
    assert email.payload == {"account_id": susan.id, "notification_id": news.id}
    assert email.bundle == f"account-{susan.id}"


async def test_no_mail_is_queued_for_a_muted_kind_but_the_page_tells(
    world: World, told: Told
) -> None:
    susan, david = await world.person("susan"), await world.person("david")
    async with world.db.writing() as session:
        await actions.mute_mail(session, susan.id, "mention")
    await david.posts("Hello @susan")
    await david.follows(susan)

    assert {one.kind for one in await told(susan)} == {"mention", "follow"}
    async with world.db.reading() as session:
        assert [email.kind for email in await outbox(session)] == ["follow"]


async def test_a_post_that_mentions_very_many_parks_nothing(world: World, told: Told) -> None:
    people: list[Person] = [await world.person(f"p{n}") for n in range(40)]
    david = await world.person("david")
    async with world.db.writing() as session:
        body = " ".join(f"@{one.name}" for one in people)
        await posts.publish(session, david.id, body, limit=5000)

    for one in people:
        assert len(await told(one)) == 1
    async with world.db.reading() as session:
        assert list(await session.scalars(select(DeadLetter))) == []
