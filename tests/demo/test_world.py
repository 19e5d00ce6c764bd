from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import func, select

from microblog.accounts.model import Account
from microblog.demo.people import DEMO, DEMO_PASSWORD, everyone
from microblog.demo.world import seed
from microblog.follows.model import Follow
from microblog.kernel.clock import now
from microblog.kernel.events import LoggedEvent
from microblog.kernel.model import Base
from microblog.mail.outbox import Email
from microblog.notifications import queries as notifications
from microblog.posts import queries as posts
from microblog.posts.model import Post
from microblog.timelines import queries as timelines
from tests.world import World


@pytest.fixture
async def seeded(world: World) -> World:
    assert await seed(world.db, world.site.settings)
    return world


async def snapshot(world: World) -> dict[str, Any]:
    async with world.db.reading() as session:
        return {
            table.name: (await session.execute(select(func.count()).select_from(table))).scalar()
            for table in Base.metadata.sorted_tables
        }


async def test_the_world_has_people_who_follow_each_other_and_talk(seeded: World) -> None:
    async with seeded.db.reading() as session:
        assert await session.scalar(select(func.count(Account.id))) == len(everyone())
        assert await session.scalar(select(func.count()).select_from(Follow)) > 80
        answers = select(func.count(Post.id)).where(Post.in_reply_to_id.is_not(None))
        assert await session.scalar(select(func.count(Post.id))) > 300
        assert await session.scalar(answers) > 80
        me = await session.scalar(select(Account).where(Account.name == DEMO))
        assert me is not None
        assert me.role == "member"
        home = await timelines.home(session, me.id, limit=100)
        shown = await posts.views(session, home)
        assert len({view.author.name for view in shown.values()}) > 10
        assert any(view.edited_at for view in (await posts.views(session, home)).values())
        assert await notifications.unread(session, me.id) > 0


async def test_posts_keep_their_dates_and_threads_hold_together(seeded: World) -> None:
    async with seeded.db.reading() as session:
        every = {post.id: post for post in await session.scalars(select(Post).order_by(Post.id))}
    times = [post.created_at for post in every.values()]
    assert times == sorted(times)
    assert times[-1] < now()
    assert (times[-1] - times[0]).days >= 14
    for post in every.values():
        asked = every.get(post.in_reply_to_id or 0)
        assert post.root_id == (asked.root_id if asked else post.id)
        answers = [one for one in every.values() if one.in_reply_to_id == post.id]
        assert post.reply_count == len(answers)


async def test_seeding_twice_changes_nothing(seeded: World) -> None:
    before = await snapshot(seeded)
    assert not await seed(seeded.db, seeded.site.settings)
    assert await snapshot(seeded) == before


async def test_seeding_mails_and_tells_nobody(seeded: World) -> None:
    await seeded.settle()
    async with seeded.db.reading() as session:
        assert await session.scalar(select(func.count(Email.id))) == 0
        assert await session.scalar(select(func.count(LoggedEvent.id))) == 0


async def test_a_site_where_a_name_is_taken_is_left_alone(world: World) -> None:
    await world.person("Nora")
    assert not await seed(world.db, world.site.settings)
    assert (await snapshot(world))["posts"] == 0


async def test_a_newcomer_signs_in_as_demo_and_sees_a_full_page(seeded: World) -> None:
    client = seeded.visitor()
    page = await (await client.get("/login")).get_data(as_text=True)
    token = page.split('name="csrf_token" value="')[1].split('"')[0]
    form = {"csrf_token": token, "login": DEMO, "password": DEMO_PASSWORD}
    answer = await client.post("/login", form=form)
    assert answer.status_code == 303
    for path in ("/", "/explore", "/notifications", "/@nora", "/@ines", "/tags/nightbus"):
        page = await client.get(path)
        assert page.status_code == 200, path
        assert (await page.get_data(as_text=True)).count("<article") > 3, path


async def test_nobody_of_the_cast_can_sign_in(seeded: World) -> None:
    async with seeded.db.reading() as session:
        able = select(Account.name).where(
            Account.password_hash.is_not(None) | Account.email.is_not(None)
        )
        assert list(await session.scalars(able)) == [DEMO]


async def test_the_front_page_says_how_to_get_in(seeded: World) -> None:
    async with seeded.db.reading() as session:
        await seeded.site.refresh(session)
    page = await (await seeded.visitor().get("/")).get_data(as_text=True)
    assert DEMO_PASSWORD in page
    about = await (await seeded.visitor().get("/about")).get_data(as_text=True)
    assert "Be kind" in about
