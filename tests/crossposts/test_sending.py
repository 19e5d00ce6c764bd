"""From the row to the pretend X and Facebook, and everything that can go wrong between."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import delete, select

from microblog.accounts.model import Account
from microblog.crossposts import actions
from microblog.crossposts.answers import refused
from microblog.crossposts.events import CrosspostFailed
from microblog.crossposts.model import Crosspost, Place
from microblog.crossposts.queue import Work
from microblog.crossposts.sender import WATCHED
from microblog.identities.model import Identity
from microblog.kernel import clock
from microblog.kernel.clock import now
from microblog.kernel.events import LoggedEvent
from microblog.posts import actions as posts
from tests.crossposts.conftest import Author, count
from tests.world import LIMIT, World


async def state(author: Author) -> tuple[str, str | None]:
    found = await author.last()
    assert found is not None
    return found.state, found.reason


async def failures(world: World) -> int:
    async with world.db.reading() as session:
        kinds = list(await session.scalars(select(LoggedEvent.kind)))
    return kinds.count(CrosspostFailed.__name__)


class TestWhatArrives:
    async def test_at_x(self, author: Author) -> None:
        post_id = await author.posts("Good morning")
        sent = await author.sent()
        assert author.there() == [f"Good morning\n\nhttps://here.example/@ada/{post_id}"]
        assert sent is not None
        assert (sent.state, sent.body) == ("done", "")
        assert (sent.remote_url or "").endswith(f"/x/i/status/{sent.remote_id}")
        await author.sent()
        assert len(author.there()) == 1

    async def test_at_a_page_of_facebook(self, page: Author) -> None:
        await page.posts("Fresh bread " * 30)
        sent = await page.sent()
        assert sent is not None
        assert sent.state == "done"
        assert (sent.remote_url or "").endswith(f"/facebook/www/{sent.remote_id}")
        assert len(page.there()[0]) > 300

    async def test_only_what_was_switched_on(self, author: Author) -> None:
        await author.posts("Between us", to=set())
        assert await author.sent() is None
        other = await author.world.person("ben")
        async with author.world.db.writing() as session:
            post = await posts.publish(session, other.id, "Mine", limit=LIMIT)
            await actions.share(session, post, {author.place}, "https://here.example")
        assert await author.sent() is None

    async def test_in_the_order_of_the_posts(self, author: Author) -> None:
        for n in range(5):
            await author.posts(f"{n}")
        await author.sent()
        assert [body[0] for body in author.there()] == list("01234")

    async def test_once_by_several_workers(self, author: Author) -> None:
        for n in range(4):
            await author.posts(f"{n}")
        await asyncio.gather(*(author.sender().step() for _ in range(3)))
        await author.sent()
        assert sorted(body[0] for body in author.there()) == list("0123")


class TestKeys:
    async def test_old_ones_are_renewed_first_and_kept(self, author: Author) -> None:
        await author.connects(expires_at=now() - timedelta(hours=1))
        for n in range(2):
            await author.posts(f"{n}")
            await author.sent()
        assert len(author.there()) == 2
        assert len(author.pretenders.refresh) == 2  # the first account's, and the newest

    async def test_those_not_taken_are_renewed_once(self, author: Author) -> None:
        author.pretenders.ends |= dict.fromkeys(author.pretenders.access, 0.0)
        await author.posts("Good morning")
        await author.sent()
        assert len(author.there()) == 1
        assert await author.place_is_sealed()

    @pytest.mark.parametrize("kind", ["x", "facebook"])
    async def test_revoked_leave_nothing_behind(
        self, author: Author, page: Author, kind: str
    ) -> None:
        who = author if kind == "x" else page
        who.pretenders.access.clear()
        who.pretenders.refresh.clear()
        await who.posts("Good morning")
        await who.sent()
        assert await state(who) == ("failed", "connect")
        assert not await who.place_is_sealed()
        assert await failures(who.world) == 1
        await who.connects(kind)
        await who.retries((await who.last()).id)  # type: ignore[union-attr]
        await who.sent()
        assert await state(who) == ("done", None)

    async def test_they_rest_sealed_and_go_with_the_way_of_signing_in(self, author: Author) -> None:
        async with author.world.db.writing() as session:
            (sealed,) = await session.scalars(select(Place.sealed))
            for token in (*author.pretenders.access, *author.pretenders.refresh):
                assert token.encode() not in (sealed or b"")
            await session.execute(delete(Identity))
        async with author.world.db.reading() as session:
            assert list(await session.scalars(select(Place.id))) == []
        await author.posts("Good morning")
        assert await author.sent() is None


class TestRefusals:
    async def test_the_same_text_twice(self, author: Author, page: Author) -> None:
        for who in (author, page):
            await who.posts("Good morning")
            await who.sent()
            async with who.world.db.writing() as session:
                done = (await session.scalars(select(Crosspost).order_by(Crosspost.id))).all()[-1]
                done.body, done.state = who.there()[0], "failed"
            await who.retries(done.id)
            await who.sent()
            assert await state(who) == ("failed", "duplicate")
            assert len(who.there()) == 1

    async def test_not_allowed(self, author: Author, page: Author) -> None:
        for who, reason in ((author, "refused"), (page, "connect")):
            who.pretenders.feeds.moods.append("forbidden")
            await who.posts(f"Good morning, {reason}")
            await who.sent()
            assert await state(who) == ("failed", reason)
        assert await failures(author.world) == 2

    async def test_too_much(self, author: Author, page: Author) -> None:
        for who, least in ((author, 14), (page, 0)):
            who.pretenders.feeds.moods.append("busy")
            await who.posts("Good morning")
            waits = await who.sent()
            assert await state(who) == ("deferred", "busy")
            assert waits is not None
            assert waits.due_at - now() > timedelta(minutes=least)
            await who.later(minutes=16)
            await who.sent()
            assert await state(who) == ("done", None)


class TestTrouble:
    async def test_down_and_back(self, author: Author, page: Author) -> None:
        for who in (author, page):
            who.pretenders.feeds.moods.extend(["down"] * 3)
            await who.posts("Good morning")
            for _ in range(3):
                await who.sent()
                assert await state(who) == ("deferred", "away")
                await who.later(hours=1)
            await who.sent()
            assert await state(who) == ("done", None)
            assert len(who.there()) == 1

    async def test_given_up_after_a_day(self, author: Author) -> None:
        author.pretenders.feeds.moods.extend(["down"] * 3)
        await author.posts("Good morning")
        await author.sent()
        await author.later(hours=25)
        await author.sent()
        assert await state(author) == ("failed", "away")
        assert await failures(author.world) == 1

    async def test_nothing_is_copied_days_later(self, author: Author) -> None:
        await author.posts("Good morning")
        await author.later(hours=25)
        await author.sent()
        assert author.there() == []
        assert await state(author) == ("failed", "away")

    async def test_a_clock_set_forward_gives_up_nothing(
        self, author: Author, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await author.posts("Good morning")
        monkeypatch.setattr(clock._doubtful, "_began_at", clock.now() - timedelta(days=2))
        await author.later(days=2)
        await author.sent()
        assert await state(author) == ("done", None)

    async def test_nobody_there_is_no_doubt(self, author: Author) -> None:
        sender = author.sender()
        site = sender._sites["x"]
        nowhere = replace(site.provider, api_url="http://127.0.0.1:9")  # type: ignore[attr-defined]
        sender._sites = {"x": replace(site, provider=nowhere)}  # type: ignore[type-var]
        await author.posts("Good morning")
        await sender.step()
        assert await state(author) == ("deferred", "away")

    @pytest.mark.parametrize("mood", ["slow", "garbage"])
    async def test_in_doubt_it_is_not_sent_twice(
        self, author: Author, page: Author, mood: str
    ) -> None:
        for who in (author, page):
            who.pretenders.feeds.moods.append(mood)
            await who.posts("Good morning")
            sent = await who.sent(patience=2.0)
            assert await state(who) == ("unknown", "unheard")
            assert sent is not None
            assert (sent.remote_url or "").endswith(sent.external_id)  # the place, to look there
            await who.later(hours=1)
            await who.sent()
            assert len(who.there()) == 1

    async def test_killed_between_sending_and_writing_it_down(self, author: Author) -> None:
        author.pretenders.feeds.moods.append("slow")
        await author.posts("Good morning")
        task = asyncio.ensure_future(author.sender().step())
        await author.is_there()
        task.cancel()
        await asyncio.wait([task])
        assert await state(author) == ("leased", None)
        await author.posts("The next one waits for its turn")
        await author.sent()
        assert len(author.there()) == 1
        await author.later(minutes=2)
        await author.sent()
        assert len(author.there()) == 2
        async with author.world.db.reading() as session:
            first = await session.scalar(select(Crosspost).order_by(Crosspost.id).limit(1))
        assert first is not None
        assert (first.state, first.reason) == ("unknown", "unheard")

    async def test_a_clock_set_forward_takes_nothing_from_who_is_at_it(
        self, author: Author
    ) -> None:
        author.pretenders.feeds.moods.append("slow")
        await author.posts("Good morning")
        at_it = asyncio.ensure_future(author.sender().step())
        await author.is_there()
        await author.later(hours=1)
        await author.sender(watched=WATCHED).step()
        assert await state(author) == ("leased", None)
        author.pretenders.feeds.goes_on.set()
        await at_it
        assert await state(author) == ("done", None)
        assert len(author.there()) == 1

    async def test_killed_before_sending_it_is_sent(self, author: Author) -> None:
        await author.posts("Good morning")
        assert await author.sender()._taken() is not None
        await author.sent()
        assert author.there() == []
        await author.later(minutes=2)
        await author.sent()
        assert len(author.there()) == 1

    async def test_who_comes_back_too_late_changes_nothing(self, author: Author) -> None:
        await author.posts("Good morning")
        old = author.sender()
        work = await old._taken()
        assert isinstance(work, Work)
        await author.later(minutes=2)
        await author.sent()
        assert await old._carry_out(work, float("inf")) is None
        await old._settle(work, refused())
        assert await state(author) == ("done", None)
        assert len(author.there()) == 1


class TestDeletion:
    async def test_it_goes_there_too(self, author: Author, page: Author) -> None:
        for who in (author, page):
            post_id = await who.posts("Good morning")
            await who.sent()
            await who.deletes(post_id)
            assert await who.sent() is None
            assert who.there() == []

    async def test_or_stays(self, author: Author) -> None:
        post_id = await author.posts("Good morning")
        await author.sent()
        await author.deletes(post_id, everywhere=False)
        await author.sent()
        assert len(author.there()) == 1

    async def test_what_waits_is_not_sent_any_more(self, author: Author) -> None:
        post_id = await author.posts("Good morning")
        await author.deletes(post_id, everywhere=False)
        await author.sent()
        assert author.there() == []
        assert await count(author.world) == 0

    async def test_on_its_way_it_follows(self, author: Author) -> None:
        author.pretenders.feeds.moods.append("slow")
        post_id = await author.posts("Good morning")
        task = asyncio.ensure_future(author.sent())
        await author.is_there()
        await author.deletes(post_id)
        author.pretenders.feeds.goes_on.set()
        await task
        assert await author.sent() is None
        assert author.there() == []

    async def test_what_is_gone_there_is_gone(self, page: Author) -> None:
        post_id = await page.posts("Good morning")
        await page.sent()
        page.pretenders.feeds.kept.clear()
        await page.deletes(post_id)
        assert await page.sent() is None

    async def test_a_failure_is_told_and_tried_again(self, author: Author) -> None:
        post_id = await author.posts("Good morning")
        await author.sent()
        author.pretenders.feeds.moods.extend(["down", "forbidden"])
        await author.deletes(post_id)
        await author.sent()
        assert await state(author) == ("deferred", "away")
        await author.later(hours=1)
        await author.sent()
        assert await state(author) == ("failed", "refused")
        assert await failures(author.world) == 1
        await author.retries((await author.last()).id)  # type: ignore[union-attr]
        assert await author.sent() is None
        assert author.there() == []

    async def test_suspended_people_send_nothing(self, author: Author) -> None:
        await author.posts("Good morning")
        async with author.world.db.writing() as session:
            (await session.get_one(Account, author.person.id)).suspended_at = now()
        await author.sent()
        assert author.there() == []
