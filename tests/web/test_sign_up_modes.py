"""Open, by invitation, by approval, closed: what visitors see, and who comes in."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from microblog.accounts.model import Account
from microblog.admissions.model import Application, InvitationUse
from microblog.demo.pretenders import Pretenders, listening, providers_at
from microblog.kernel.clock import now
from microblog.kernel.model import Base
from microblog.moderation import applications
from microblog.settings import Settings
from microblog.signin import claims
from microblog.signin.model import Registration
from tests.moderation.conftest import with_role
from tests.web.travelling import confirmed, returns_from, sent_to
from tests.web.visitor import JSON, PASSWORD, Visitor, emails, newest_link, text
from tests.world import Person, World

WHY = "I keep bees in the next street."
WAITING = "/register/waiting"


async def set_mode(world: World, mode: str, **more: object) -> None:
    """In memory, as if an administrator had set it."""
    world.site.chosen = replace(world.site.chosen, sign_up=mode, **more)  # type: ignore[arg-type]


async def count(world: World, model: type[Base]) -> int:
    async with world.db.reading() as session:
        return await session.scalar(select(func.count()).select_from(model)) or 0


async def invited_by(world: World, person: Person, uses: int = 1) -> str:
    """Path of a link."""
    await person.submit("/settings/invitations", note="", uses=str(uses), days="7")
    page = await person.page("/settings/invitations")
    found = re.search(r'value="http://localhost(/join/[^"]+)"', page)
    assert found, "no link is shown"
    return found[1]


async def joins(world: World, link: str, name: str = "ben", **more: str) -> Visitor:
    visitor = Visitor(world)
    code = link.removeprefix("/join/")
    fields = {"username": name, "email": f"{name}@example.org", "password": PASSWORD}
    answer = await visitor.submit("/register", page=link, invitation=code, **fields | more)
    visitor.answer = answer  # type: ignore[attr-defined]
    return visitor


async def approve_all(world: World, by: Person) -> None:
    async with world.db.writing() as session:
        for wanted in list(await session.scalars(select(Application.id))):
            await applications.approve(session, by.id, wanted)


class TestClosed:
    async def test_a_friendly_page_and_no_account(self, world: World) -> None:
        visitor = Visitor(world)
        before = await visitor.page("/register")
        await set_mode(world, "closed", contact_name="Ada")
        page = await visitor.page("/register")
        assert "No new accounts are taken at present." in page
        assert "Whom to ask:" in page
        assert 'name="username"' not in page
        fields = {"username": "ada", "email": "ada@example.org", "password": PASSWORD}
        answer = await visitor.sends(before, "/register", **fields)
        assert answer.status_code == 403
        assert "No new accounts are taken at present." in await text(answer)
        answer = await visitor.sends(before, "/register", JSON, **fields)
        assert (answer.status_code, answer.mimetype) == (403, "application/json")
        assert await count(world, Account) == 0
        for path in ("/", "/login", "/explore"):
            page = await visitor.page(path)
            assert 'href="/register"' not in page, path
        assert "No new accounts are taken at present." in await visitor.page("/login")

    async def test_an_invitation_does_not_open_it(self, world: World) -> None:
        link = await invited_by(world, await world.person("susan"))
        ben = Visitor(world)
        form = await ben.page(link)
        await set_mode(world, "closed")
        assert "No new accounts are taken" in await ben.page(link)
        answer = await ben.sends(
            form, "/register", username="ben", email="b@example.org", password=PASSWORD,
            invitation=link.removeprefix("/join/"),
        )  # fmt: skip
        assert answer.status_code == 403
        assert await ben.who() is None

    async def test_members_sign_in_as_ever(self, world: World) -> None:
        await Visitor(world).registers("ada")
        await set_mode(world, "closed")
        assert (await Visitor(world).signs_in("ada")).status_code == 303


class TestByInvitation:
    async def test_who_has_a_link_sees_who_invites_and_comes_in(self, world: World) -> None:
        susan = await world.person("susan")
        await set_mode(world, "invitation")
        assert "by invitation" in await Visitor(world).page("/register")
        answer = await Visitor(world).submit("/register", page="/password/forgot")
        assert answer.status_code == 403
        link = await invited_by(world, susan)
        page = await Visitor(world).page(link)
        assert "susan (@susan) invites you." in page
        ben = await joins(world, link)
        found = await ben.who()
        assert found is not None
        assert found.name == "ben"
        assert "ben" in await susan.page("/settings/invitations")
        over = await Visitor(world).page(link)
        assert "has been used up" in over
        assert 'name="username"' not in over
        mo = await with_role(world, "mo", "moderator")
        assert "an invitation of" in await mo.page(f"/admin/people/{found.id}")

    async def test_a_forged_link_is_none(self, world: World) -> None:
        await set_mode(world, "invitation")
        for code in ("x", "7-" + "0" * 40, "%00"):
            assert "by invitation" in await Visitor(world).page(f"/join/{code}")

    async def test_in_an_open_site_a_dead_link_stops_nobody(self, world: World) -> None:
        link = await invited_by(world, await world.person("susan"))
        assert (await joins(world, link, "ben")).answer.status_code == 303  # type: ignore[attr-defined]
        page = await Visitor(world).page(link)
        assert "You can go on without it." in page
        cat = await joins(world, link, "cat")
        assert await cat.who() is not None
        assert await count(world, InvitationUse) == 1


class TestByApproval:
    async def test_from_the_form_to_the_first_sign_in(self, world: World) -> None:
        mo = await with_role(world, "mo", "moderator")
        await set_mode(world, "approval")
        visitor = Visitor(world)
        assert "Why would you like to be here?" in await visitor.page("/register")
        refused = await visitor.registers("ada", reason=" ")
        assert refused.status_code == 422
        assert "Say in a few words why" in await text(refused)
        answer = await visitor.registers("ada", reason=WHY)
        assert (answer.status_code, answer.headers["Location"]) == (303, WAITING)
        assert "A moderator answers you" in await visitor.page(WAITING)
        assert await visitor.who() is None
        assert WHY in await mo.page("/admin/applications")
        assert "1 waits for an answer" in await mo.page("/admin")
        (wanted,) = re.findall(r"/admin/applications/(\d+)", await mo.page("/admin/applications"))
        path = f"/admin/applications/{wanted}"
        page = await mo.page(path)
        assert "…@example.org" in page
        assert "ada@example.org" not in page
        assert (await mo.submit(path, decision="approve")).status_code == 303
        assert "@ada has an account now." in await mo.page("/admin/applications")
        await world.settle()
        letter = (await world.letters())[-1]
        assert (letter.to, letter.subject) == (
            "ada@example.org", "Your account at Microblog",
        )  # fmt: skip
        assert (await Visitor(world).signs_in("ada")).status_code == 303

    async def test_who_waits_hears_so_only_with_their_password(self, world: World) -> None:
        mo = await with_role(world, "mo", "moderator")
        await set_mode(world, "approval")
        await Visitor(world).registers("ada", reason=WHY)
        visitor = Visitor(world)
        for login in ("ada", "@ADA", "Ada@example.org"):
            answer = await visitor.signs_in(login)
            assert (answer.status_code, answer.headers["Location"]) == (303, WAITING), login
        assert await visitor.who() is None
        wrong = await visitor.signs_in("ada", "wrong horse")
        nobody = await visitor.signs_in("eve", "wrong horse")
        assert wrong.status_code == nobody.status_code == 401
        same = [(await text(one)).replace('value="eve"', 'value="ada"') for one in (wrong, nobody)]
        assert same[0] == same[1]
        (wanted,) = re.findall(r"/admin/applications/(\d+)", await mo.page("/admin/applications"))
        declined = await mo.submit(f"/admin/applications/{wanted}", decision="decline", reason="No")
        assert declined.status_code == 303
        assert (await visitor.signs_in("ada")).status_code == 401

    async def test_who_is_declined_hears_why_and_nothing_stays(self, world: World) -> None:
        ada = await with_role(world, "boss", "administrator")
        await set_mode(world, "approval")
        await Visitor(world).registers("ada", reason=WHY)
        (wanted,) = re.findall(r"/admin/applications/(\d+)", await ada.page("/admin/applications"))
        path = f"/admin/applications/{wanted}"
        assert "ada@example.org" in await ada.page(path)
        refused = await ada.submit(path, decision="decline", reason="")
        assert refused.status_code == 422
        assert (await ada.submit(path, decision="decline", reason="Our street.")).status_code == 303
        assert "was declined" in await ada.page("/admin/log")
        await world.settle()
        letter = (await world.letters())[-1]
        assert letter.to == "ada@example.org"
        assert "> Our street." in letter.text
        assert await count(world, Application) == 0
        answer = await ada.get(path)
        assert answer.status_code == 404
        assert "Somebody has decided this already." in await text(answer)

    async def test_an_invitation_needs_no_approval(self, world: World) -> None:
        susan = await world.person("susan")
        await set_mode(world, "approval")
        link = await invited_by(world, susan)
        page = await Visitor(world).page(link)
        assert "Why would you like" not in page
        ben = await joins(world, link)
        assert await ben.who() is not None
        assert await count(world, Application) == 0


class TestConfirmed:
    """Addresses are confirmed first."""

    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return replace(settings, confirm_email="on")

    async def test_only_a_confirmed_address_asks_a_moderator(self, world: World) -> None:
        mo = await with_role(world, "mo", "moderator")
        await set_mode(world, "approval")
        visitor = Visitor(world)
        answer = await visitor.registers("ada", reason=WHY)
        assert answer.headers["Location"] == "/register/sent"
        assert await count(world, Application) == 0
        link = await newest_link(world, "/confirm/")
        assert "reads what you asked" in (await world.letters())[-1].text
        assert "reads what you asked" in await visitor.page(link)
        answer = await visitor.submit(link)
        assert (answer.status_code, answer.headers["Location"]) == (303, WAITING)
        assert await visitor.who() is None
        assert await count(world, Registration) == 0
        await approve_all(world, mo)
        assert (await visitor.signs_in("ada")).status_code == 303

    async def test_known_and_unknown_addresses_get_the_same_answer(self, world: World) -> None:
        await world.person("known")
        await set_mode(world, "approval")
        await Visitor(world).registers("waits", reason=WHY)
        waits = Visitor(world)
        await waits.submit(await newest_link(world, "/confirm/"), password=PASSWORD)
        assert await count(world, Application) == 1
        answers = [
            await Visitor(world).registers(name, email=f"{name}@example.org", reason=WHY)
            if name == "unknown"
            else await Visitor(world).registers(f"{name}2", email=f"{name}@example.org", reason=WHY)
            for name in ("known", "unknown", "waits")
        ]
        seen = {(a.status_code, a.headers["Location"], await text(a)) for a in answers}
        assert len(seen) == 1
        kinds = [one.kind for one in await emails(world)]
        assert kinds[-3:] == ["registration"] * 3

    async def test_a_stranger_replaces_nothing_without_the_mail(self, world: World) -> None:
        """Who asks in the name of another's address neither sees nor ends what that one asked."""
        await set_mode(world, "approval")
        ada = Visitor(world)
        await ada.registers("ada", reason=WHY)
        await ada.submit(await newest_link(world, "/confirm/"))
        await Visitor(world).registers("eve", email="ada@example.org", reason="I am Ada.")
        async with world.db.reading() as session:
            assert await session.scalar(select(Application.reason)) == WHY

    async def test_what_counts_is_how_the_site_stands_when_it_is_confirmed(
        self, world: World
    ) -> None:
        ada = Visitor(world)
        await ada.registers("ada")
        link = await newest_link(world, "/confirm/")
        page = await ada.page(link)
        await set_mode(world, "closed")
        answer = await ada.sends(page, link)
        assert answer.status_code == 403
        assert await count(world, Account) == 0
        await set_mode(world, "approval")
        answer = await ada.sends(page, link)
        assert answer.headers["Location"] == WAITING

    async def test_an_invitation_is_used_when_the_address_is_confirmed(self, world: World) -> None:
        susan = await world.person("susan")
        await set_mode(world, "invitation")
        link = await invited_by(world, susan)
        ben, cat = await joins(world, link, "ben"), await joins(world, link, "cat")
        paths = await links_to_confirm(world)
        page = await cat.page(paths["cat"])
        assert (await ben.submit(paths["ben"])).status_code == 303
        answer = await cat.sends(page, paths["cat"])
        assert answer.status_code == 403
        assert "has been used up" in await cat.page(paths["cat"])
        assert await cat.who() is None
        assert await count(world, InvitationUse) == 1


async def links_to_confirm(world: World) -> dict[str, str]:
    await world.settle()
    return {
        letter.to.split("@")[0]: found[1]
        for letter in await world.letters()
        if (found := re.search(r"http://localhost(/confirm/\S+)", letter.text))
    }


class TestThroughOthers:
    """GitHub, Facebook and X lead through the same door."""

    @pytest.fixture
    async def settings(self, settings: Settings) -> AsyncIterator[Settings]:
        async with listening(Pretenders()) as url:
            yield replace(settings, providers=providers_at(url))

    @pytest.mark.parametrize("mode", ["closed", "invitation"])
    async def test_who_is_new_is_turned_away(self, world: World, mode: str) -> None:
        known = Visitor(world)
        await returns_from(known, "github", person="known")
        await known.submit("/login/github/name", username="known", display_name="")
        await set_mode(world, mode)
        grace = Visitor(world)
        answer = await returns_from(grace, "github", person="grace")
        assert answer.status_code == 403
        assert 'name="username"' not in await text(answer)
        assert (await grace.client.get("/login/github/name")).status_code == 303
        assert await count(world, Account) == 1
        answer = await returns_from(Visitor(world), "github", person="known")
        assert (answer.status_code, answer.headers["Location"]) == (303, "/")

    async def test_the_door_may_close_on_the_way(self, world: World) -> None:
        grace = Visitor(world)
        await returns_from(grace, "github", person="grace")
        page = await grace.page("/login/github/name")
        await set_mode(world, "closed")
        answer = await grace.sends(page, "/login/github/name", username="grace", display_name="")
        assert answer.status_code == 403
        assert await count(world, Account) == 0

    async def test_an_invitation_goes_along(self, world: World) -> None:
        susan = await world.person("susan")
        await set_mode(world, "invitation")
        link = await invited_by(world, susan)
        grace = Visitor(world)
        page = await grace.page(link)
        found = re.search(r'href="(/login/github\?[^"]+)"', page)
        assert found
        away = await grace.client.get(found[1].replace("&amp;", "&"))
        answer = await grace.client.get(await confirmed(await sent_to(away), person="grace"))
        page = await grace.page(answer.headers["Location"])
        assert "susan (@susan) invites you." in page
        await grace.sends(page, "/login/github/name", username="grace", display_name="")
        assert await grace.who() is not None
        assert await count(world, InvitationUse) == 1

    @pytest.mark.parametrize("provider", ["github", "x"])
    async def test_a_moderator_is_asked_on_the_page_of_the_name(
        self, world: World, provider: str
    ) -> None:
        mo = await with_role(world, "mo", "moderator")
        await set_mode(world, "approval")
        grace = Visitor(world)
        answer = await returns_from(grace, provider, person="grace")
        page = await grace.page(answer.headers["Location"])
        assert "Why would you like to be here?" in page
        path = f"/login/{provider}/name"
        refused = await grace.sends(page, path, username="grace", display_name="", reason="")
        assert refused.status_code == 422
        answer = await grace.sends(page, path, username="grace", display_name="G", reason=WHY)
        assert (answer.status_code, answer.headers["Location"]) == (303, WAITING)
        assert await count(world, Account) == 1
        answer = await returns_from(grace, provider, person="grace")
        assert answer.headers["Location"] == WAITING
        await approve_all(world, mo)
        answer = await returns_from(grace, provider, person="grace")
        page = await grace.page(answer.headers["Location"])
        assert "Name and picture from" in page
        assert "Show this picture" in page
        again = await returns_from(Visitor(world), provider, person="grace")
        assert again.headers["Location"] == "/"  # once is enough
        found = await grace.who()
        assert found is not None
        assert (found.name, found.display_name) == ("grace", "G")


class TestInvitations:
    async def test_whose_role_may_not_invite_makes_none(self, world: World) -> None:
        susan = await world.person("susan")
        await set_mode(world, "invitation", inviters="staff")
        assert "/settings/invitations" not in await susan.page("/settings/account")
        answer = await susan.submit("/settings/invitations", note="", uses="1", days="7")
        assert answer.status_code == 403
        assert (await susan.get("/settings/invitations")).status_code == 200

    async def test_one_is_withdrawn_and_nobody_touches_anothers(self, world: World) -> None:
        susan, david = await world.person("susan"), await world.person("david")
        await set_mode(world, "invitation")
        link = await invited_by(world, susan)
        number = link.removeprefix("/join/").split("-")[0]
        path = f"/settings/invitations/{number}/withdraw"
        assert (await david.submit(path)).status_code == 404
        assert link not in await david.page("/settings/invitations")
        assert (await susan.submit(path)).status_code == 303
        assert "was withdrawn" in await Visitor(world).page(link)

    async def test_moderators_see_and_withdraw_members_ones(self, world: World) -> None:
        susan, mo = await world.person("susan"), await with_role(world, "mo", "moderator")
        boss = await with_role(world, "boss", "administrator")
        link, high = await invited_by(world, susan), await invited_by(world, boss)
        numbers = [one.removeprefix("/join/").split("-")[0] for one in (link, high)]
        page = await mo.page("/admin/invitations")
        assert "@susan" in page
        assert link not in page
        answers = [await mo.submit(f"/admin/invitations/{n}/withdraw") for n in numbers]
        assert [a.status_code for a in answers] == [303, 403]
        assert "An invitation of" in await mo.page("/admin/log")
        await mo.submit("/admin/invitations", note="For Ben", uses="2", days="30")
        assert "/join/" in await mo.page("/admin/invitations")

    async def test_what_is_wrong_comes_back_as_typed(self, world: World) -> None:
        susan = await world.person("susan")
        fields = {"note": "For Ben", "uses": "0", "days": "7"}
        answer = await susan.submit("/settings/invitations", **fields)
        page = await text(answer)
        assert answer.status_code == 422
        assert "Write a number between 1 and 100." in page
        assert 'value="For Ben"' in page


async def test_housekeeping_ends_what_lies_about(world: World) -> None:
    await set_mode(world, "approval")
    await Visitor(world).registers("ada", reason=WHY)
    async with world.db.writing() as session:
        await session.execute(update(Application).values(created_at=now() - timedelta(days=99)))
    await world.machinery._keep_house()
    await world.settle()
    assert "Nobody answered within 60 days" in (await world.letters())[-1].text
    assert await count(world, Application) == 0


async def test_the_first_administrator_is_made_however_sign_up_is_set(world: World) -> None:
    await set_mode(world, "closed")
    async with world.db.writing() as session:
        link = f"/admin/claim/{await claims.issue_claim(session)}"
    page = await Visitor(world).page(link)
    assert "microblog admin create" in page
    assert "/register" not in page
    async with world.db.writing() as session:
        made = await claims.create_administrator(
            session, name="ada", email="ada@example.org", password_hash="a hash"
        )
    assert made.id
