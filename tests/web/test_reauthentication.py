from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import update

from microblog.kernel.clock import now
from microblog.settings import Settings
from microblog.signin.model import LoginSession
from tests.web.visitor import JSON, PASSWORD, Visitor, open_sessions, text
from tests.world import World


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


async def test_who_has_no_password_signs_in_again(world: World) -> None:
    grace = await world.person("grace")
    assert "Your account has no password." in await grace.page("/reauthenticate")
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
