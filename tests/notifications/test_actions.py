from __future__ import annotations

import pytest
from sqlalchemy import func, select

from microblog.kernel.errors import Invalid, NotFound
from microblog.kernel.events import LoggedEvent
from microblog.notifications import actions, queries
from microblog.notifications.model import SeenPost
from tests.notifications.conftest import Told
from tests.world import World


async def changes(world: World) -> int:
    async with world.db.reading() as session:
        mine = select(func.count()).where(LoggedEvent.kind == "NotificationsChanged")
        return await session.scalar(mine) or 0


async def unread(world: World, account_id: int) -> int:
    async with world.db.reading() as session:
        return await queries.unread(session, account_id)


async def test_reading_all_counts_to_zero_and_is_announced_once(world: World, told: Told) -> None:
    susan, david = await world.person("susan"), await world.person("david")
    await david.posts("Hello @susan")
    await david.follows(susan)
    await told(susan)
    assert await unread(world, susan.id) == 2

    for _ in range(2):
        async with world.db.writing() as session:
            await actions.read_all(session, susan.id)

    assert await unread(world, susan.id) == 0
    assert await changes(world) == 1
    assert all(one.read for one in await told(susan))


async def test_a_notification_seen_on_screen_is_read(world: World, told: Told) -> None:
    susan, david = await world.person("susan"), await world.person("david")
    await david.follows(susan)
    await david.posts("Hello @susan")
    mention, follow = await told(susan)

    async with world.db.writing() as session:
        await actions.see(session, susan.id, [], [follow.id])

    assert [one.read for one in await told(susan)] == [False, True]
    assert await changes(world) == 1
    assert mention.kind == "mention"


async def test_nobody_reads_the_notifications_of_others(world: World, told: Told) -> None:
    susan, david = await world.person("susan"), await world.person("david")
    await david.follows(susan)
    (follow,) = await told(susan)

    async with world.db.writing() as session:
        await actions.see(session, david.id, [], [follow.id])
        await actions.read_all(session, david.id)

    assert await unread(world, susan.id) == 1
    assert await changes(world) == 0


async def test_only_posts_that_concern_the_reader_are_remembered_as_seen(world: World) -> None:
    susan, david = await world.person("susan"), await world.person("david")
    first = await susan.posts("A question")
    mention = await david.posts("Hello @susan")
    reply = await david.posts("An answer", in_reply_to=first)
    other = await david.posts("Something else")
    own = await susan.posts("I, @susan", in_reply_to=first)
    gone = await david.posts("@susan never mind")
    await david.deletes(gone)
    everything = [first, mention, reply, other, own, gone, 12345]

    async with world.db.reading() as session:
        assert await queries.concerned(session, susan.id, everything) == {mention, reply}
        assert await queries.concerned(session, david.id, everything) == set()
        assert await queries.concerned(session, susan.id, []) == set()
    for _ in range(2):
        async with world.db.writing() as session:
            await actions.see(session, susan.id, everything, [])
    async with world.db.reading() as session:
        assert set(await session.scalars(select(SeenPost.post_id))) == {mention, reply}
        assert await queries.concerned(session, susan.id, everything) == set()


async def test_mail_is_muted_and_unmuted_by_kind(world: World) -> None:
    susan = await world.person("susan")
    for switch, expected in (
        (actions.mute_mail, {"reply"}),
        (actions.mute_mail, {"reply"}),
        (actions.unmute_mail, set()),
        (actions.unmute_mail, set()),
    ):
        async with world.db.writing() as session:
            await switch(session, susan.id, "reply")
            assert await queries.muted(session, susan.id) == expected


async def test_an_unknown_kind_cannot_be_muted(world: World) -> None:
    susan = await world.person("susan")
    async with world.db.writing() as session:
        with pytest.raises(Invalid):
            await actions.mute_mail(session, susan.id, "digest")


async def test_pages_go_on_where_the_last_one_ended(world: World, told: Told) -> None:
    susan, david = await world.person("susan"), await world.person("david")
    for n in range(7):
        await david.posts(f"{n} @susan")
    everything = await told(susan)
    assert len(everything) == 7

    async with world.db.reading() as session:
        top = await queries.page(session, susan.id, limit=3)
        rest = await queries.page(session, susan.id, before=top[-1].id)
        assert [*top, *rest] == everything
        assert await queries.view(session, top[0].id) == top[0]
        with pytest.raises(NotFound):
            await queries.view(session, 10**9)
