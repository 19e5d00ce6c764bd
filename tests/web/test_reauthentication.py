from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from quart import Response
from sqlalchemy import delete, select, update

from microblog.accounts.model import Account
from microblog.kernel.clock import now
from microblog.settings import Settings
from microblog.signin import proofs
from microblog.signin.model import LoginSession
from microblog.signin.passwords import hashed
from tests.web.visitor import JSON, PASSWORD, Visitor, open_sessions, text
from tests.world import Person, World


@pytest.fixture
async def ada(world: World) -> Visitor:
    """Ada, who signed in an hour ago and has another device."""
    visitor = Visitor(world)
    await visitor.registers("ada")
    await Visitor(world).signs_in("ada")
    await later(world)
    return visitor


async def later(world: World, minutes: int = 60) -> None:
    async with world.db.writing() as session:
        proved = now() - timedelta(minutes=minutes)
        await session.execute(update(LoginSession).values(authenticated_at=proved))


async def test_a_form_waits_until_they_have_said_who_they_are(world: World, ada: Visitor) -> None:
    asked = await ada.submit("/settings/sessions", end="others")
    page = await text(asked)
    assert asked.status_code == 403
    assert 'name="kept_end" value="others"' in page
    assert 'name="next" value="/settings/sessions"' in page
    assert await open_sessions(world, 1) == 2
    kept = {"next": "/settings/sessions", "kept_end": "others"}
    answer = await ada.submit("/reauthenticate", password=PASSWORD, **kept)
    page = await text(answer)
    assert answer.status_code == 200
    assert 'action="/settings/sessions"' in page
    assert 'name="end" value="others"' in page
    assert (await ada.sends(page, "/settings/sessions", end="others")).status_code == 303
    assert await open_sessions(world, 1) == 1


async def test_a_page_comes_after_the_proof(world: World, ada: Visitor) -> None:
    answer = await ada.submit("/reauthenticate", password=PASSWORD, next="/settings/account?x=1")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/settings/account?x=1")


@pytest.mark.parametrize("wanted", ["//evil.example", "https://evil.example/", "/\\evil", ""])
async def test_nobody_is_led_to_another_site(ada: Visitor, wanted: str) -> None:
    answer = await ada.submit("/reauthenticate", password=PASSWORD, next=wanted)
    assert answer.headers["Location"] == "/"
    answer = await ada.submit("/reauthenticate", password=PASSWORD, next=wanted, kept_a="b")
    assert 'action="/"' in await text(answer)


async def test_the_token_of_the_session_is_a_new_one_and_the_old_one_dies(
    world: World, ada: Visitor
) -> None:
    before, old = await ada.who(), ada.session_cookie()
    await ada.submit("/reauthenticate", password=PASSWORD)
    after = await ada.who()
    assert before is not None
    assert after is not None
    assert (after.session_id, after.remembered) == (before.session_id, before.remembered)
    assert after.authenticated_at > before.authenticated_at
    thief = Visitor(world)
    thief.client.set_cookie("localhost", "session", old)
    assert await thief.who() is None


async def test_the_proof_holds_for_ten_minutes(world: World, ada: Visitor) -> None:
    await ada.submit("/reauthenticate", password=PASSWORD)
    await later(world, 9)
    assert (await ada.submit("/settings/sessions", end="0")).status_code == 303
    await later(world, 10)
    assert (await ada.submit("/settings/sessions", end="0")).status_code == 403


async def test_a_wrong_password_proves_nothing_and_what_was_sent_stays(
    world: World, ada: Visitor
) -> None:
    answer = await ada.submit(
        "/reauthenticate", password="not this", next="/settings/sessions", kept_end="others"
    )
    page = await text(answer)
    assert answer.status_code == 422
    assert "That is not your password." in page
    assert 'name="kept_end" value="others"' in page
    assert "not this" not in page
    assert (await ada.submit("/settings/sessions", end="others")).status_code == 403


async def test_passwords_are_not_kept_on_the_page(ada: Visitor) -> None:
    answer = await ada.submit(
        "/settings/sessions", end="others", password="secret one", current_password="secret two"
    )
    page = await text(answer)
    assert "secret one" not in page
    assert "secret two" not in page


async def test_a_script_is_told_in_json(world: World, ada: Visitor) -> None:
    answer = await ada.submit("/settings/sessions", JSON, end="others")
    assert answer.status_code == 403
    assert (await answer.get_json())["error"] == "Confirm that it is you, then do it again."
    assert await open_sessions(world, 1) == 2


async def mailed_code(world: World) -> str:
    await world.settle()
    newest = (await world.letters())[-1]
    assert newest.subject == "Your code for Microblog"
    found = re.search(r"\b[A-Z2-7]{4}-[A-Z2-7]{4}\b", newest.text)
    assert found, newest.text
    return found[0]


class TestByMail:
    """Who has neither password nor passkey, and no provider that asks."""

    @pytest.fixture
    async def grace(self, world: World) -> Person:
        grace = await world.person("grace")
        await later(world)
        return grace

    async def asks(self, grace: Person) -> str:
        page = await text(await grace.submit("/settings/sessions", end="others"))
        assert "Send a code to grace@example.org" in page
        assert "Password" not in page
        kept = {"next": "/settings/sessions", "kept_end": "others"}
        return await text(await grace.submit("/reauthenticate/by-mail", **kept))

    async def types(self, grace: Person, code: str) -> Response:
        kept = {"next": "/settings/sessions", "kept_end": "others", "mailed": "1"}
        return await grace.submit("/reauthenticate/with-code", code=code, **kept)

    async def test_a_code_is_typed_and_the_form_goes_on(self, world: World, grace: Person) -> None:
        page = await self.asks(grace)
        assert "A code is on its way to grace@example.org" in page
        assert 'name="kept_end" value="others"' in page
        code = await mailed_code(world)
        answer = await self.types(grace, f" {code.lower().replace('-', ' ')} ")
        page = await text(answer)
        assert answer.status_code == 200, page
        assert 'action="/settings/sessions"' in page
        assert 'name="end" value="others"' in page
        async with world.db.reading() as session:
            at = await session.scalar(select(LoginSession.authenticated_at))
        assert at is not None
        assert now() - at < timedelta(minutes=1)

    async def test_nobody_gets_one_who_has_a_password(self, world: World, grace: Person) -> None:
        async with world.db.writing() as session:
            await session.execute(update(Account).values(password_hash="x"))
        answer = await grace.submit("/reauthenticate/by-mail", next="/settings/sessions")
        assert answer.status_code == 404
        await world.settle()
        assert await world.letters() == []

    async def test_a_password_of_before_the_site_went_without_is_none(
        self, world: World, grace: Person
    ) -> None:
        """There is no way to another one for whoever has forgotten it."""
        async with world.db.writing() as session:
            stored = await hashed(PASSWORD)
            await session.execute(update(Account).values(password_hash=stored))
        world.site.settings = replace(world.site.settings, passwords="off")
        assert (await grace.submit("/reauthenticate", password=PASSWORD)).status_code == 422
        await self.asks(grace)
        assert (await self.types(grace, await mailed_code(world))).status_code == 200

    async def test_it_works_once(self, world: World, grace: Person) -> None:
        await self.asks(grace)
        code = await mailed_code(world)
        assert await self.is_right(world, code)
        assert (await self.types(grace, code)).status_code == 200
        assert not await self.is_right(world, code)

    async def is_right(self, world: World, code: str, *keys: str) -> bool:
        async with world.db.reading() as session:
            asking = await session.scalar(select(LoginSession.id))
            secrets = keys or (world.site.settings.secret_key,)
            return await proofs.is_right(session, secrets, asking or 0, code)

    async def test_anything_else_is_refused_and_the_page_stays(
        self, world: World, grace: Person
    ) -> None:
        await self.asks(grace)
        for written in ("", "AAAA-AAAA", (await mailed_code(world))[:8]):
            answer = await self.types(grace, written)
            page = await text(answer)
            assert answer.status_code == 422
            assert "That is not the code from the mail" in page
            assert 'name="kept_end" value="others"' in page
        assert (await grace.submit("/settings/sessions", end="others")).status_code == 403

    async def test_it_is_for_the_device_that_asked(self, world: World, grace: Person) -> None:
        await self.asks(grace)
        code = await mailed_code(world)
        other = await world.person("ada")
        await later(world)
        assert (await self.types(other, code)).status_code == 422

    async def test_it_ends_within_twenty_minutes(
        self, world: World, grace: Person, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await self.asks(grace)
        code = await mailed_code(world)
        for minutes, status in ((21, 422), (9, 200)):
            moment = now() + timedelta(minutes=minutes)
            monkeypatch.setattr(proofs, "now", lambda moment=moment: moment)
            assert (await self.types(grace, code)).status_code == status

    async def test_the_key_before_counts_while_keys_are_changed(
        self, world: World, grace: Person
    ) -> None:
        await self.asks(grace)
        code = await mailed_code(world)
        assert await self.is_right(world, code, "n" * 40, world.site.settings.secret_key)
        assert not await self.is_right(world, code, "n" * 40)

    async def test_a_device_signed_out_gets_none(self, world: World, grace: Person) -> None:
        await self.asks(grace)
        async with world.db.writing() as session:
            await session.execute(delete(LoginSession))
        await world.settle()
        assert await world.letters() == []

    @pytest.mark.parametrize("change", ["email", "mail_refusal", "smtp"])
    async def test_without_mail_they_sign_in_again(
        self, world: World, grace: Person, change: str
    ) -> None:
        if change == "smtp":
            world.site.settings = replace(world.site.settings, mode="serve", smtp_url="")
        else:
            value = None if change == "email" else "550 no such user"
            async with world.db.writing() as session:
                await session.execute(update(Account).values({change: value}))
        page = await grace.page("/reauthenticate")
        assert "Your account has no password. Sign out and sign in again" in page
        assert "Send a code" not in page
        assert (await grace.submit("/reauthenticate", password="")).status_code == 422


async def test_visitors_sign_in_instead(world: World) -> None:
    answer = await world.visitor().get("/reauthenticate")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/login?next=/reauthenticate")


class TestLimits:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return replace(settings, limits="default")

    async def test_ten_failures_in_a_quarter_of_an_hour(self, ada: Visitor) -> None:
        for _ in range(10):
            answer = await ada.submit("/reauthenticate", password="wrong")
            assert answer.status_code == 422
        answer = await ada.submit("/reauthenticate", password=PASSWORD, next="/", kept_a="b")
        assert answer.status_code == 429
        assert int(answer.headers["Retry-After"]) > 0
        assert 'name="kept_a" value="b"' in await text(answer)
