"""Signing in through a pretend GitHub, Facebook and X, and what becomes of it here."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from microblog.accounts import queries as people
from microblog.accounts.model import Account
from microblog.demo.pretenders import Pretenders, listening, providers_at
from microblog.identities.model import Identity
from microblog.kernel import clock
from microblog.kernel.clock import now
from microblog.settings import Settings
from microblog.signin.model import LoginSession, Registration, SecondFactor
from tests.moderation.conftest import with_role
from tests.web.travelling import confirmed, query, returns_from, sent_to
from tests.web.visitor import (
    FROM_A_SECRET_PAGE,
    JSON,
    PASSWORD,
    Visitor,
    emails,
    newest_link,
    text,
)  # fmt: skip
from tests.world import World

BEGUN = "belongs to no sign-in that this browser began"


@pytest.fixture
async def pretenders() -> Pretenders:
    return Pretenders()


@pytest.fixture
async def settings(settings: Settings, pretenders: Pretenders) -> AsyncIterator[Settings]:
    async with listening(pretenders) as url:
        yield replace(settings, providers=providers_at(url))


async def count(world: World, model: type) -> int:
    async with world.db.reading() as session:
        return await session.scalar(select(func.count()).select_from(model)) or 0


async def joined(world: World, provider: str = "github", name: str = "grace") -> Visitor:
    """Somebody whose account began with that provider."""
    visitor = Visitor(world)
    answer = await returns_from(visitor, provider, person=name)
    assert answer.headers["Location"] == f"/login/{provider}/name"
    answer = await visitor.submit(f"/login/{provider}/name", username=name, display_name="")
    assert answer.status_code == 303, await text(answer)
    return visitor


class TestTheFirstTime:
    async def test_a_name_is_chosen_and_the_account_begins(self, world: World) -> None:
        visitor = Visitor(world)
        answer = await visitor.client.get("/login/github?next=/notifications")
        back = await confirmed(await sent_to(answer), person="grace-hopper")
        answer = await visitor.client.get(back)
        page = await visitor.page(answer.headers["Location"])
        assert 'value="grace_hopper"' in page
        assert 'value="Grace-Hopper"' in page
        assert "grace-hopper@example.com" in page
        answer = await visitor.sends(
            page, "/login/github/name", username="grace", display_name="Grace Hopper",
            time_zone="Europe/Madrid",
        )  # fmt: skip
        assert answer.headers["Location"] == "/notifications"
        found = await visitor.who()
        assert found is not None
        assert (found.name, found.display_name) == ("grace", "Grace Hopper")
        assert (found.email, found.time_zone) == ("grace-hopper@example.com", "Europe/Madrid")

    async def test_a_long_way_to_go_on_fits_no_cookie_and_keeps_nobody_out(
        self, world: World
    ) -> None:
        visitor = Visitor(world)
        answer = await visitor.client.get(f"/login/github?next=/posts/new?body={'%C3%A9' * 600}")
        told = answer.headers.getlist("Set-Cookie")
        answer = await visitor.client.get(await confirmed(await sent_to(answer), person="grace"))
        told += answer.headers.getlist("Set-Cookie")
        assert max(len(cookie.partition(";")[0]) for cookie in told) <= 4096
        assert answer.headers["Location"] == "/login/github/name"
        answer = await visitor.submit("/login/github/name", username="grace")
        assert (answer.status_code, answer.headers["Location"]) == (303, "/")

    @pytest.mark.parametrize("provider", ["facebook", "x"])
    async def test_who_brings_no_address_is_asked_for_one(
        self, world: World, provider: str
    ) -> None:
        visitor = await joined(world, provider)
        found = await visitor.who()
        assert found is not None
        assert found.email is None
        assert "You have no e-mail address here" in await visitor.page("/")
        await visitor.submit("/posts", page="/", body="Hello", idempotency_key="k" * 16)
        assert "Hello" in await visitor.page("/@grace")
        assert await emails(world) == []

    async def test_a_taken_name_is_refused_and_the_form_kept(self, world: World) -> None:
        await world.person("grace")
        visitor = Visitor(world)
        await returns_from(visitor, "github", person="grace")
        page = await visitor.page("/login/github/name")
        assert 'value="grace2"' in page
        answer = await visitor.sends(page, "/login/github/name", username="grace")
        assert answer.status_code == 409
        assert "Try grace2." in await text(answer)
        assert await count(world, Identity) == 0

    async def test_a_known_address_is_never_taken_over(self, world: World) -> None:
        await world.person("ada", email="Grace@example.com")
        answer = await returns_from(Visitor(world), "github", person="grace")
        assert answer.status_code == 409
        assert "Sign in to it first, then link" in await text(answer)
        assert await count(world, Identity) == 0

    async def test_an_unconfirmed_registration_of_the_address_dies(self, world: World) -> None:
        """Somebody registered the address with a password of theirs (SECURITY 24)."""
        world.site.settings = replace(world.site.settings, confirm_email="on")
        await Visitor(world).registers("eve", email="GRACE@example.com")
        assert await count(world, Registration) == 1
        await joined(world)
        assert await count(world, Registration) == 0

    async def test_the_page_is_for_this_browser_and_this_provider(self, world: World) -> None:
        visitor = Visitor(world)
        await returns_from(visitor, "github", person="grace")
        for other, path in ((Visitor(world), "github"), (visitor, "x")):
            answer = await other.client.get(f"/login/{path}/name")
            assert answer.headers["Location"] == "/login"
        page = await visitor.page("/login/github/name")
        answer = await visitor.sends(page, "/login/x/name", username="grace")
        assert (answer.status_code, await count(world, Account)) == (303, 0)

    async def test_a_page_sent_twice_makes_one_account(self, world: World) -> None:
        visitor = Visitor(world)
        await returns_from(visitor, "github", person="grace")
        kept = next(c for c in visitor.client.cookie_jar if c.name == "newcomer").value
        page = await visitor.page("/login/github/name")
        await visitor.sends(page, "/login/github/name", username="grace")
        again = Visitor(world)
        again.client.set_cookie("localhost", "newcomer", kept or "")
        answer = await again.submit("/login/github/name", username="grace3")
        assert answer.status_code == 409
        assert "You have an account here already" in await text(answer)
        assert await count(world, Account) == 1


class TestLater:
    @pytest.mark.parametrize("provider", ["github", "facebook", "x"])
    async def test_the_same_person_finds_the_account_again(
        self, world: World, provider: str
    ) -> None:
        first = await (await joined(world, provider)).who()
        visitor = Visitor(world)
        answer = await returns_from(visitor, provider, person="grace")
        assert (answer.status_code, answer.headers["Location"]) == (303, "/")
        again = await visitor.who()
        assert first is not None
        assert again is not None
        assert again.id == first.id
        assert again.session_id != first.session_id

    async def test_the_same_number_at_another_provider_is_another_person(
        self, world: World
    ) -> None:
        await joined(world, "x")
        answer = await returns_from(Visitor(world), "facebook", person="grace")
        assert answer.headers["Location"] == "/login/facebook/name"

    async def test_a_suspended_account_stays_closed(self, world: World) -> None:
        await joined(world)
        async with world.db.writing() as session:
            await session.execute(update(Account).values(suspended_at=now()))
        visitor = Visitor(world)
        answer = await returns_from(visitor, "github", person="grace")
        assert answer.status_code == 403
        assert "This account is suspended." in await text(answer)
        assert await visitor.who() is None

    async def test_who_is_suspended_is_led_to_the_reason(self, world: World) -> None:
        """They have no address here, so no mail has told them."""
        mo = await with_role(world, "mo", "moderator")
        found = await (await joined(world, "x")).who()
        assert found is not None
        await mo.submit(f"/admin/people/{found.id}", act="suspend", reason="Adverts.")
        visitor = Visitor(world)
        answer = await returns_from(visitor, "x", person="grace")
        assert "Adverts." in await visitor.page(answer.headers["Location"])
        assert await visitor.who() is None

    async def test_a_second_factor_is_asked_for_here_as_well(self, world: World) -> None:
        """SECURITY 21: no provider leads past it."""
        grace = await (await joined(world)).who()
        assert grace is not None
        async with world.db.writing() as session:
            session.add(SecondFactor(account_id=grace.id, secret=b"x", confirmed_at=now()))
        visitor = Visitor(world)
        answer = await returns_from(visitor, "github", person="grace")
        assert answer.headers["Location"] == "/login/second-step"
        assert await visitor.who() is None

    async def test_who_is_signed_in_stays_so(self, world: World) -> None:
        visitor = await joined(world)
        answer = await visitor.client.get("/login/github?next=/explore")
        assert answer.headers["Location"] == "/explore"


class TestRefusals:
    """A friendly page, and nothing created."""

    async def refused(self, world: World, visitor: Visitor, path: str, says: str) -> None:
        sessions = await count(world, LoginSession)
        answer = await visitor.client.get(path)
        page = await text(answer)
        assert answer.status_code in (400, 409, 502), page
        assert says in page
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert await count(world, Identity) == 0
        assert await count(world, LoginSession) == sessions

    async def way_back(self, visitor: Visitor, provider: str = "github") -> str:
        url = await sent_to(await visitor.client.get(f"/login/{provider}"))
        return await confirmed(url, person="grace")

    async def test_cancelled_over_there(self, world: World) -> None:
        visitor = Visitor(world)
        url = await sent_to(await visitor.client.get("/login/facebook"))
        back = await confirmed(url, person="grace", cancel="1")
        await self.refused(world, visitor, back, "Facebook did not confirm who you are")

    async def test_an_answer_used_twice(self, world: World) -> None:
        visitor = Visitor(world)
        back = await self.way_back(visitor)
        kept = next(c for c in visitor.client.cookie_jar if c.name == "journey").value
        await visitor.client.get(back)
        await self.refused(world, visitor, back, BEGUN)
        visitor.client.set_cookie("localhost", "journey", kept or "")
        await self.refused(world, visitor, back, "This answer has been used.")

    async def test_an_answer_for_another_browser(self, world: World) -> None:
        """Whoever sends somebody their own way back would sign them in as themselves."""
        back = await self.way_back(Visitor(world))
        await self.refused(world, Visitor(world), back, BEGUN)
        other = Visitor(world)
        await other.client.get("/login/github")
        await self.refused(world, other, back, BEGUN)

    async def test_an_answer_after_ten_minutes(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        visitor = Visitor(world)
        back = await self.way_back(visitor)
        later = now() + timedelta(minutes=10, seconds=1)
        monkeypatch.setattr(clock, "now", lambda: later)
        await self.refused(world, visitor, back, BEGUN)

    async def test_an_answer_of_another_provider(self, world: World) -> None:
        visitor = Visitor(world)
        back = await self.way_back(visitor, "x")
        await self.refused(world, visitor, back.replace("/login/x", "/login/github"), BEGUN)

    @pytest.mark.parametrize("cookie", ["", "x", "x.y", "eyJ9.aaaa"])
    async def test_a_forged_cookie(self, world: World, cookie: str) -> None:
        visitor = Visitor(world)
        back = await self.way_back(visitor)
        visitor.client.set_cookie("localhost", "journey", cookie)
        await self.refused(world, visitor, back, BEGUN)

    @pytest.mark.parametrize("provider", ["github", "facebook", "x"])
    async def test_a_code_that_nobody_gave_out(self, world: World, provider: str) -> None:
        """Each says so in its own way, GitHub with status 200."""
        visitor = Visitor(world)
        url = await sent_to(await visitor.client.get(f"/login/{provider}"))
        path = f"/login/{provider}/callback?code=guessed&state={query(url)['state']}"
        await self.refused(world, visitor, path, "could not be relied on")

    async def test_a_stolen_code_is_worth_nothing_without_the_verifier(
        self, world: World, pretenders: Pretenders
    ) -> None:
        thief = Visitor(world)
        url = await sent_to(await thief.client.get("/login/x"))
        await self.way_back(Visitor(world), "x")
        (code,) = pretenders.codes
        path = f"/login/x/callback?code={code}&state={query(url)['state']}"
        await self.refused(world, thief, path, "could not be relied on")

    async def test_no_code_at_all(self, world: World) -> None:
        visitor = Visitor(world)
        url = await sent_to(await visitor.client.get("/login/github"))
        path = f"/login/github/callback?state={query(url)['state']}"
        await self.refused(world, visitor, path, "could not be relied on")

    async def test_a_provider_that_is_not_there(self, world: World) -> None:
        assert (await world.visitor().get("/login/google")).status_code == 404
        assert (await world.visitor().get("/login/google/callback")).status_code == 404

    async def test_a_script_is_told_in_json(self, world: World) -> None:
        answer = await world.visitor().get("/login/github/callback", headers=JSON)
        assert answer.status_code == 400
        assert "Begin again." in (await answer.get_json())["error"]

    async def test_the_way_there_has_what_it_needs(self, world: World) -> None:
        asked = query(await sent_to(await Visitor(world).client.get("/login/x?next=//evil")))
        assert asked["redirect_uri"] == "http://localhost/login/x/callback"
        assert asked["code_challenge_method"] == "S256"
        assert len(asked["code_challenge"]) == 43
        assert len(asked["state"]) >= 43


async def test_a_flood_of_journeys_is_stopped(world: World) -> None:
    world.site.settings = replace(world.site.settings, limits="default")
    visitor = Visitor(world)
    for _ in range(120):
        assert (await visitor.client.get("/login/x")).status_code == 303
    assert (await visitor.client.get("/login/x")).status_code == 429


class TestWithoutPasswords:
    @pytest.fixture
    async def settings(self, settings: Settings) -> Settings:
        return replace(settings, passwords="off")

    async def test_only_the_buttons_are_shown_and_work(self, world: World) -> None:
        visitor = Visitor(world)
        for path in ("/login", "/register"):
            page = await visitor.page(path)
            assert "Continue with GitHub" in page
            assert 'type="password"' not in page
        assert await (await joined(world)).who() is not None

    async def test_none_is_asked_for_in_the_settings(self, world: World) -> None:
        page = await (await joined(world)).page("/settings/account")
        assert 'type="password"' not in page
        assert "You have no password here" not in page

    async def test_a_password_opens_nothing(self, world: World) -> None:
        visitor = await joined(world)
        fields = {"login": "grace", "password": PASSWORD}
        answer = await visitor.submit("/login", page="/settings/profile", **fields)
        assert answer.status_code == 403
        assert "goes without passwords" in await text(answer)
        for path in ("/register", "/password/forgot"):
            answer = await visitor.submit(path, page="/settings/profile", email="a@example.org")
            assert answer.status_code == 403

    async def test_who_got_in_is_put_out_and_no_password_is_mailed(self, world: World) -> None:
        grace = await joined(world)
        firefox = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Firefox/140.0"}
        thief = Visitor(world)
        url = await sent_to(await thief.client.get("/login/github", headers=firefox))
        await thief.client.get(await confirmed(url, person="grace"), headers=firefox)
        assert await thief.who() is not None
        link = await newest_link(world, "/not-me/")
        assert "password" not in await grace.page(link)
        answer = await grace.submit(link, FROM_A_SECRET_PAGE)
        assert (answer.status_code, answer.headers["Location"]) == (303, "/login")
        assert "Every device is signed out." in await grace.page("/login")
        assert await thief.who() is None
        await world.settle()
        assert [one.state for one in await emails(world) if one.kind == "password_reset"] == [
            "cancelled"
        ]
        assert "/password/" not in await grace.page(link, 404)


async def test_without_providers_no_page_speaks_of_them(world: World) -> None:
    world.site.settings = replace(world.site.settings, providers=())
    visitor = Visitor(world)
    for path in ("/login", "/register"):
        assert "Continue with" not in await visitor.page(path)
    ada = await world.person("ada")
    assert "/settings/identities" not in await ada.page("/settings/profile")


async def test_the_account_is_found_by_number_whatever_its_name_there(
    world: World, pretenders: Pretenders
) -> None:
    await joined(world)
    async with world.db.reading() as session:
        owner = await people.by_name(session, "grace")
        identity = await session.scalar(select(Identity))
    assert identity is not None
    assert (identity.account_id, identity.subject.isdigit()) == (owner.id, True)
