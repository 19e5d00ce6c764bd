"""Letting posts be copied elsewhere, and what their author sees of it."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from sqlalchemy import select, update

from microblog.accounts.model import Account
from microblog.crossposts import queries
from microblog.crossposts.model import Crosspost, Place
from microblog.demo.pretenders import Pretenders, listening, providers_at
from microblog.kernel import events
from microblog.kernel.clock import now
from microblog.settings import Settings
from microblog.signin.model import LoginSession
from microblog.timelines.audience import Watchers
from microblog.web import showing
from tests.web.travelling import confirmed, query, sent_to
from tests.web.visitor import text
from tests.world import Person, World

PAGE = "/settings/sharing"
WAYS = "/settings/identities"
JSON = {"Accept": "application/json"}


@pytest.fixture
async def pretenders() -> Pretenders:
    return Pretenders()


@pytest.fixture
async def settings(settings: Settings, pretenders: Pretenders) -> AsyncIterator[Settings]:
    async with listening(pretenders) as url:
        yield replace(settings, providers=providers_at(url), reachable=(urlsplit(url).netloc,))


async def goes(who: Person, url: str, **there: str) -> str:
    """Over there and back; the page that this ends on."""
    answer = await who.get(await confirmed(url, **there))
    if answer.status_code == 303:
        return await who.page(answer.headers["Location"])
    return await text(answer)


async def connects(person: Person, kind: str = "x", name: str = "", **there: str) -> str:
    name = name or person.name
    await goes(person, await sent_to(await person.submit(WAYS, link=kind)), person=name)
    url = await sent_to(await person.submit(PAGE, connect=kind))
    return await goes(person, url, person=name, **there)


async def posts(person: Person, body: str, *places: int, **more: str) -> str:
    """The path of the post."""
    form = [("csrf_token", person.csrf), ("body", body), ("share", "")]
    form += [("share", str(place)) for place in places] + list(more.items())
    answer = await person.client.post(
        "/posts", data="&".join(f"{k}={v}" for k, v in form),
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )  # fmt: skip
    assert answer.status_code == 303, await text(answer)
    return str(answer.headers["Location"])


async def places(world: World) -> list[Place]:
    async with world.db.reading() as session:
        return list(await session.scalars(select(Place).order_by(Place.id)))


async def crossposts(world: World) -> list[Crosspost]:
    async with world.db.reading() as session:
        return list(await session.scalars(select(Crosspost).order_by(Crosspost.id)))


async def settled(world: World) -> None:
    await world.machinery.crossposts.step()
    await world.settle()


class TestConnecting:
    async def test_more_is_asked_for_than_to_sign_in_and_only_here(self, world: World) -> None:
        ada = await world.person("ada")
        least = query(await sent_to(await ada.submit(WAYS, link="x")))
        more = query(await sent_to(await ada.submit(PAGE, connect="x")))
        assert least["scope"] == "tweet.read users.read"
        assert set(more["scope"].split()) == {
            "tweet.read", "tweet.write", "users.read", "offline.access",
        }  # fmt: skip
        assert more["code_challenge_method"] == "S256"

    async def test_x(self, world: World) -> None:
        ada = await world.person("ada")
        assert "First add X" in await ada.page(PAGE)
        page = await connects(ada)
        assert "Connected. Posts go there" in page
        assert "<bdi>@ada</bdi>" in page
        assert 'name="share" value="' in await ada.page("/")

    async def test_a_page_of_several_is_chosen(self, world: World) -> None:
        ada = await world.person("ada")
        page = await connects(ada, "facebook")
        assert "Choose the Page" in page
        assert 'name="share" value="' not in await ada.page("/")
        (chosen, _other) = re.findall(r'name="choose" value="(\d+)"', page)
        assert (await ada.submit(PAGE, choose=chosen)).status_code == 303
        assert [place.shown for place in await places(world)] == ["Bakery Ada"]
        assert f'name="share" value="{chosen}"' in await ada.page("/")

    async def test_the_only_page_needs_no_choice_and_none_is_said(self, world: World) -> None:
        ben = await world.person("ben")
        assert "Connected." in await connects(ben, "facebook")
        hermit = await world.person("hermit")
        assert "shows us no Page" in await connects(hermit, "facebook")

    @pytest.mark.parametrize("kind", ["x", "facebook"])
    async def test_without_the_permission_nothing_is_connected(
        self, world: World, kind: str
    ) -> None:
        ben = await world.person("ben")
        page = await connects(ben, kind, without="on")
        assert "did not let this site post for you" in page
        assert await places(world) == []

    async def test_anothers_account_over_there_is_not_connected(self, world: World) -> None:
        ada = await world.person("ada")
        await goes(ada, await sent_to(await ada.submit(WAYS, link="x")), person="ada")
        page = await goes(ada, await sent_to(await ada.submit(PAGE, connect="x")), person="eve")
        assert "not the account at X that you linked" in page
        assert await places(world) == []

    async def test_it_asks_who_is_there_first(self, world: World) -> None:
        ada = await world.person("ada")
        async with world.db.writing() as session:
            before = now() - timedelta(minutes=11)
            await session.execute(update(LoginSession).values(authenticated_at=before))
        assert (await ada.submit(PAGE, connect="x")).status_code == 403

    async def test_disconnecting_and_unlinking_take_the_tokens_away(self, world: World) -> None:
        ada = await world.person("ada")
        await connects(ada)
        (place,) = await places(world)
        eve = await world.person("eve")
        assert (await eve.submit(PAGE, disconnect=str(place.id))).status_code == 404
        assert (await ada.submit(PAGE, disconnect=str(place.id))).status_code == 303
        assert await places(world) == []
        await connects(ada)
        await goes(ada, await sent_to(await ada.submit(WAYS, link="github")), person="ada")
        numbers = re.findall(r'name="unlink" value="(\d+)"', await ada.page(WAYS))
        assert (await ada.submit(WAYS, unlink=numbers[0])).status_code == 303
        assert await places(world) == []

    async def test_a_place_that_nobody_chose_is_forgotten(self, world: World) -> None:
        await connects(await world.person("ada"), "facebook")
        async with world.db.writing() as session:
            await session.execute(update(Place).values(connected_at=now() - timedelta(hours=1)))
        await world.machinery._keep_house()
        assert await places(world) == []


class TestWriting:
    async def test_the_switch_is_remembered_and_the_rules_are_told(self, world: World) -> None:
        ada = await world.person("ada")
        await connects(ada)
        (place,) = await places(world)
        page = await ada.page("/")
        assert "the first 255 of yours" in page
        assert f'value="{place.id}" data-kind="x">' in page
        await posts(ada, "Good morning", place.id)
        assert f'value="{place.id}" data-kind="x" checked>' in await ada.page("/")
        await posts(ada, "Only here")
        assert f'value="{place.id}" data-kind="x">' in await ada.page("/")
        assert len(await crossposts(world)) == 1

    async def test_a_refused_text_keeps_the_choice(self, world: World) -> None:
        ada = await world.person("ada")
        await connects(ada)
        (place,) = await places(world)
        answer = await ada.submit("/posts", body="", share=str(place.id))
        assert answer.status_code == 422
        assert f'value="{place.id}" data-kind="x" checked>' in await text(answer)

    async def test_answers_stay_here(self, world: World) -> None:
        ada = await world.person("ada")
        await connects(ada)
        (place,) = await places(world)
        post_id = await ada.posts("A question")
        assert 'name="share"' not in await ada.page(f"/posts/new?in_reply_to={post_id}")
        await posts(ada, "An answer", place.id, in_reply_to=str(post_id))
        assert await crossposts(world) == []

    async def test_sent_twice_it_is_copied_once(self, world: World, pretenders: Pretenders) -> None:
        ada = await world.person("ada")
        await connects(ada)
        (place,) = await places(world)
        for _ in range(2):
            await posts(ada, "Once", place.id, idempotency_key="a-key")
            await settled(world)
        assert len(pretenders.feeds.at("x")) == 1

    async def test_what_is_for_followers_stays_with_them(self, world: World) -> None:
        ada = await world.person("ada")
        await connects(ada)
        (place,) = await places(world)
        await posts(ada, "Waiting", place.id)
        async with world.db.writing() as session:
            await session.execute(update(Account).values(private_at=now()))
        assert 'name="share"' not in await ada.page("/")
        assert "so nothing of it is copied" in await ada.page(PAGE)
        await posts(ada, "Among us", place.id)
        await settled(world)
        assert await crossposts(world) == []

    async def test_nobody_posts_at_anothers_place(self, world: World) -> None:
        await connects(await world.person("ada"))
        (place,) = await places(world)
        await posts(await world.person("eve"), "As Ada", place.id)
        assert await crossposts(world) == []


class TestWhatBecameOfIt:
    async def test_its_author_and_nobody_else_sees_it(self, world: World) -> None:
        ada, ben = await world.person("ada"), await world.person("ben")
        await connects(ada)
        (place,) = await places(world)
        path = await posts(ada, "Good morning", place.id)
        assert "On its way to X." in await ada.page(path)
        await settled(world)
        page = await ada.page(path)
        assert "Copied to X." in page
        assert "/x/i/status/" in page
        assert "Copied to X." not in await ben.page(path)
        assert "Copied to X." not in await ada.page("/")
        assert "Copies on other sites are not changed." in await ada.page(
            f"/posts/{path.rsplit('/', 1)[1]}/edit"
        )

    async def test_the_open_page_hears_of_it(self, world: World) -> None:
        """On their own topic, without anything that lets another send its forms."""
        ada = await world.person("ada")
        await connects(ada)
        (place,) = await places(world)
        path = await posts(ada, "Good morning", place.id)
        await settled(world)
        async with world.db.reading() as session:
            page = await events.after(session, 0, 1000)
            own = f"own:{ada.id}"
            (what,) = await showing.shown(session, page, Watchers(), lambda topic: topic == own)
        assert what.topics == [own]
        (drawn,) = showing.messages(what, "epoch", ["en"])
        told = json.loads(drawn["en"].texts[0])
        post_id = path.rsplit("/", 1)[1]
        assert (told["target"], told["element"]) == ("copies", f"copies-{post_id}")
        assert "Copied to X." in told["html"]
        assert f'id="copies-{post_id}"' in await ada.page(path)
        assert ada.csrf not in told["html"]

    async def test_it_is_in_the_copy_that_they_take_along(self, world: World) -> None:
        ada = await world.person("ada")
        await connects(ada)
        (place,) = await places(world)
        path = await posts(ada, "Good morning", place.id)
        await settled(world)
        async with world.db.reading() as session:
            (told,) = await queries.exported_after(session, ada.id, 0)
            assert await queries.exported_after(session, ada.id, int(told["id"])) == []
        assert (told["post"], told["site"], told["state"]) == (path.rsplit("/", 1)[1], "x", "done")
        assert str(told["address"]).startswith("http://127.0.0.1:")

    async def test_a_failure_is_told_tried_again_and_dismissed(
        self, world: World, pretenders: Pretenders
    ) -> None:
        ada, eve = await world.person("ada"), await world.person("eve")
        await connects(ada)
        (place,) = await places(world)
        pretenders.feeds.moods.extend(["forbidden"] * 2)
        path = await posts(ada, "Good morning", place.id)
        await settled(world)
        assert "Not copied: X refused it." in await ada.page(path)
        assert "Your post could not be copied to another site." in await ada.page("/notifications")
        (failed,) = await crossposts(world)
        for act in ("retry", "dismiss"):
            assert (await eve.submit(f"/crossposts/{failed.id}/{act}")).status_code == 404
        for _impatient in range(2):
            answer = await ada.submit(f"/crossposts/{failed.id}/retry")
            assert answer.headers["Location"] == path
        await settled(world)
        assert "Not copied: X refused it." in await ada.page(path)
        assert (await ada.submit(f"/crossposts/{failed.id}/dismiss")).status_code == 303
        assert "Not copied" not in await ada.page(path)
        assert (await ada.submit(f"/crossposts/{failed.id}/retry")).status_code == 404

    async def test_connect_again(self, world: World, pretenders: Pretenders) -> None:
        ada = await world.person("ada")
        await connects(ada)
        (place,) = await places(world)
        pretenders.access.clear()
        pretenders.refresh.clear()
        path = await posts(ada, "Good morning", place.id)
        await settled(world)
        assert "no longer lets this site post for you" in await ada.page(path)
        assert "Connect X again" in await ada.page("/")
        await connects(ada)
        assert [one.id for one in await places(world)] == [place.id]
        (failed,) = await crossposts(world)
        await ada.submit(f"/crossposts/{failed.id}/retry")
        await settled(world)
        assert "Copied to X." in await ada.page(path)


class TestDeleting:
    async def sent(self, world: World) -> tuple[Person, str]:
        ada = await world.person("ada")
        await connects(ada)
        (place,) = await places(world)
        path = await posts(ada, "Good morning", place.id)
        await settled(world)
        return ada, path.rsplit("/", 1)[1]

    async def test_it_is_offered_to_delete_there_too(
        self, world: World, pretenders: Pretenders
    ) -> None:
        ada, post_id = await self.sent(world)
        assert "Delete its copies, too: X @ada" in await ada.page(f"/posts/{post_id}/delete")
        answer = await ada.submit(f"/posts/{post_id}/delete", asked="1", everywhere="on")
        assert answer.status_code == 303
        await settled(world)
        assert pretenders.feeds.at("x") == []
        assert await crossposts(world) == []

    async def test_a_script_that_asked_in_place_is_led_to_that_page(
        self, world: World, pretenders: Pretenders
    ) -> None:
        ada, post_id = await self.sent(world)
        answer = await ada.submit(f"/posts/{post_id}/delete", _headers=JSON)
        assert answer.status_code == 409
        assert "confirm" in json.loads(await text(answer))["fields"]
        answer = await ada.submit(f"/posts/{post_id}/delete", _headers=JSON, asked="1")
        assert answer.status_code == 200
        await settled(world)
        assert len(pretenders.feeds.at("x")) == 1

    async def test_what_could_not_be_deleted_there_is_listed(
        self, world: World, pretenders: Pretenders
    ) -> None:
        ada, post_id = await self.sent(world)
        pretenders.feeds.moods.append("forbidden")
        await ada.submit(f"/posts/{post_id}/delete", asked="1", everywhere="on")
        await settled(world)
        page = await ada.page(PAGE)
        assert "The copy on X could not be deleted." in page
        assert "may still be on another site" in await ada.page("/notifications")
        (left,) = await crossposts(world)
        answer = await ada.submit(f"/crossposts/{left.id}/retry")
        assert answer.headers["Location"] == PAGE
        await settled(world)
        assert "could not be deleted" not in await ada.page(PAGE)


async def test_a_site_without_either_says_nothing_of_it(world: World) -> None:
    ada = await world.person("ada")
    world.site.settings = replace(world.site.settings, providers=())
    assert PAGE not in await ada.page("/settings/profile")
    assert 'name="share"' not in await ada.page("/")
