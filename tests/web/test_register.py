from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import update

from microblog.accounts import queries as accounts
from microblog.kernel.clock import now
from microblog.settings import Settings
from microblog.signin.model import Registration
from tests.web.visitor import (
    FROM_A_SECRET_PAGE,
    JSON,
    PASSWORD,
    Visitor,
    emails,
    newest_link,
    open_sessions,
    text,
)
from tests.world import World


class TestAtOnce:
    """Addresses are not confirmed: the default of `dev`."""

    async def test_registering_signs_in_and_leads_home(self, world: World) -> None:
        visitor = Visitor(world)
        answer = await visitor.registers("Ada")
        assert (answer.status_code, answer.headers["Location"]) == (303, "/")
        found = await visitor.who()
        assert found is not None
        assert (found.name, found.email, found.role) == ("Ada", "Ada@example.org", "member")
        assert await emails(world) == []
        assert (await visitor.client.get("/register")).status_code == 303

    async def test_everything_wrong_is_said_at_once_and_the_form_kept(self, world: World) -> None:
        visitor = Visitor(world)
        answer = await visitor.submit(
            "/register", username="a b", email="a@b", password="hunter2", next="/explore"
        )
        page = await text(answer)
        assert answer.status_code == 422
        assert "A name has only the letters a to z, digits and underscores." in page
        assert "That does not look like an e-mail address." in page
        assert "Use at least 8 characters." in page
        assert 'value="a b"' in page
        assert 'value="/explore"' in page
        assert "hunter2" not in page
        assert await visitor.who() is None

    async def test_a_taken_name_is_refused_with_one_that_is_free(self, world: World) -> None:
        await Visitor(world).registers("ada")
        answer = await Visitor(world).registers("ADA", email="other@example.org")
        assert answer.status_code == 409
        assert "That name is taken. Try ADA2." in await text(answer)

    async def test_a_known_address_is_refused(self, world: World) -> None:
        await Visitor(world).registers("ada")
        answer = await Visitor(world).registers("grace", email="ADA@example.org")
        assert answer.status_code == 409
        assert "An account has that address." in await text(answer)

    async def test_a_script_is_told_by_field(self, world: World) -> None:
        fields = {"username": "ada", "email": "x", "password": "x"}
        answer = await Visitor(world).submit("/register", JSON, **fields)
        said = await answer.get_json()
        assert answer.status_code == 422
        assert set(said["fields"]) == {"email", "password"}

    async def test_fields_nobody_asked_for_change_nothing(self, world: World) -> None:
        visitor = Visitor(world)
        await visitor.registers("ada", role="administrator", id="1", host="x", display_name="Root")
        found = await visitor.who()
        assert found is not None
        assert (found.role, found.display_name) == ("member", "ada")

    async def test_language_and_time_zone_come_from_the_browser(self, world: World) -> None:
        visitor = Visitor(world)
        fields = {
            "username": "eva", "email": "eva@example.org", "password": PASSWORD,
            "time_zone": "Europe/Madrid",
        }  # fmt: skip
        await visitor.submit("/register", {"Accept-Language": "es-MX,en;q=0.5"}, **fields)
        found = await visitor.who()
        assert found is not None
        assert (found.language, found.time_zone) == ("es", "Europe/Madrid")

    async def test_next_leads_to_pages_of_this_site_only(self, world: World) -> None:
        answer = await Visitor(world).registers("ada", next="/admin/claim/x")
        assert answer.headers["Location"] == "/admin/claim/x"
        answer = await Visitor(world).registers("grace", next="//evil.example")
        assert answer.headers["Location"] == "/"

    async def test_a_session_of_somebody_else_in_this_browser_ends(self, world: World) -> None:
        visitor = Visitor(world)
        await visitor.registers("ada")
        ada = await visitor.who()
        assert ada is not None
        fields = {"username": "grace", "email": "grace@example.org", "password": PASSWORD}
        await visitor.submit("/register", page="/settings/account", **fields)
        assert await open_sessions(world, ada.id) == 0

    async def test_the_password_is_kept_as_argon2id_only(self, world: World) -> None:
        visitor = Visitor(world)
        await visitor.registers("ada")
        async with world.db.reading() as session:
            account = await accounts.by_name(session, "ada")
        assert (account.password_hash or "").startswith("$argon2id$v=19$m=19456,t=2,p=1$")


class TestConfirmed:
    """An account begins with a link in a mail."""

    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return replace(settings, confirm_email="on")

    async def test_a_known_and_a_new_address_get_the_same_answer(self, world: World) -> None:
        await world.person("ada")
        answers = [
            await Visitor(world).registers("one", email="Ada@example.org"),
            await Visitor(world).registers("two", email="new@example.org"),
        ]
        seen = [(a.status_code, a.headers["Location"], await text(a)) for a in answers]
        assert seen[0] == seen[1]
        assert seen[0][:2] == (303, "/register/sent")
        written = await emails(world)
        assert [email.kind for email in written] == ["registration"] * 2
        await world.settle()
        known, new = await world.letters()
        assert known.to == "ada@example.org"
        assert "/confirm/" not in known.text
        assert "/password/forgot" in known.text
        assert "/confirm/" in new.text

    async def test_the_page_after_it_says_where_to_look(self, world: World) -> None:
        assert "Look into your mail" in await Visitor(world).page("/register/sent")
        assert "We will send you a link" in await Visitor(world).page("/register")

    async def test_nobody_is_signed_in_before_the_address_is_confirmed(self, world: World) -> None:
        visitor = Visitor(world)
        await visitor.registers("ada")
        assert await visitor.who() is None
        before, wrong = await visitor.signs_in(), await visitor.signs_in("ada", "wrong horse")
        assert before.status_code == wrong.status_code == 401
        assert "That name and password do not belong together." in await text(before)
        assert (await visitor.client.get("/@ada")).status_code == 404

    async def test_the_link_shows_a_button_and_the_button_signs_in(self, world: World) -> None:
        visitor = Visitor(world)
        await visitor.registers("ada")
        link = await newest_link(world, "/confirm/")
        for _ in range(2):  # mail scanners look, too
            assert "Welcome, ada" in await visitor.page(link)
            assert await visitor.who() is None
        answer = await visitor.submit(link, FROM_A_SECRET_PAGE)
        assert (answer.status_code, answer.headers["Location"]) == (303, "/")
        found = await visitor.who()
        assert found is not None
        assert found.name == "ada"
        assert (await Visitor(world).signs_in()).status_code == 303

    async def test_in_another_browser_the_password_is_chosen_with_the_link(
        self, world: World
    ) -> None:
        """Who registered there may be a stranger, who knows the password (SECURITY 24)."""
        stranger, owner = Visitor(world), Visitor(world)
        await stranger.registers("ada", password="a stranger's password")
        link = await newest_link(world, "/confirm/")
        assert 'type="password"' not in await stranger.page(link)
        assert "asked for the account in another browser" in await owner.page(link)
        answer = await owner.submit(link, FROM_A_SECRET_PAGE)
        assert answer.status_code == 422
        assert "Use at least 8 characters." in await text(answer)
        answer = await owner.submit(link, FROM_A_SECRET_PAGE, password=PASSWORD)
        assert answer.status_code == 303
        assert (await owner.who()) is not None
        assert (await stranger.signs_in("ada", "a stranger's password")).status_code == 401
        assert (await Visitor(world).signs_in("ada", PASSWORD)).status_code == 303

    async def test_who_registers_the_address_after_its_owner_gains_nothing(
        self, world: World
    ) -> None:
        """The newest link works, and it is opened in a browser that has registered, too."""
        owner, stranger = Visitor(world), Visitor(world)
        await owner.registers("ada")
        await stranger.registers("ada", password="a stranger's password")
        link = await newest_link(world, "/confirm/")
        assert (await owner.submit(link, FROM_A_SECRET_PAGE)).status_code == 422
        answer = await owner.submit(link, FROM_A_SECRET_PAGE, password=PASSWORD)
        assert answer.status_code == 303
        assert (await stranger.signs_in("ada", "a stranger's password")).status_code == 401

    async def test_a_used_replaced_or_invented_link_says_so(self, world: World) -> None:
        visitor = Visitor(world)
        await visitor.registers("ada")
        used = await newest_link(world, "/confirm/")
        await visitor.submit(used)
        for link in (used, "/confirm/invented", "/confirm/" + "x" * 3000):
            assert "This link no longer works" in await Visitor(world).page(link, 404)
            answer = await Visitor(world).submit(link, page="/login")
            assert answer.status_code == 404
            assert "This link no longer works" in await text(answer)
        answer = await Visitor(world).submit(used, JSON, page="/login")
        assert (await answer.get_json())["error"].startswith("This link no longer works")

    async def test_an_expired_link_says_so(self, world: World) -> None:
        await Visitor(world).registers("ada")
        link = await newest_link(world, "/confirm/")
        async with world.db.writing() as session:
            await session.execute(update(Registration).values(expires_at=now()))
        assert (await Visitor(world).submit(link, page="/login")).status_code == 404

    async def test_its_pages_are_not_kept_and_name_no_referrer(self, world: World) -> None:
        await Visitor(world).registers("ada")
        link = await newest_link(world, "/confirm/")
        answer = await world.visitor().get(link)
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Cache-Control"] == "no-store"

    async def test_a_name_taken_meanwhile_can_be_replaced(self, world: World) -> None:
        visitor = Visitor(world)
        await visitor.registers("ada")
        link = await newest_link(world, "/confirm/")
        await world.person("ada", email="first@example.org")
        answer = await visitor.submit(link)
        assert answer.status_code == 409
        answer = await visitor.submit(link, username="ada2")
        assert answer.status_code == 303
        found = await visitor.who()
        assert found is not None
        assert found.name == "ada2"

    async def test_taken_names_are_told_as_names_are_public(self, world: World) -> None:
        await world.person("ada")
        answer = await Visitor(world).registers("ada", email="other@example.org")
        assert answer.status_code == 409


class TestLimits:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return replace(settings, limits="default")

    async def test_five_an_hour_from_one_network(self, world: World) -> None:
        for n in range(5):
            assert (await Visitor(world).registers(f"person{n}")).status_code == 303
        answer = await Visitor(world).registers("person5")
        assert answer.status_code == 429
        assert int(answer.headers["Retry-After"]) > 3000
        assert 'value="person5"' in await text(answer)

    async def test_typing_errors_do_not_count(self, world: World) -> None:
        for _ in range(6):
            assert (await Visitor(world).registers("ada", password="short")).status_code == 422
        assert (await Visitor(world).registers("ada")).status_code == 303
