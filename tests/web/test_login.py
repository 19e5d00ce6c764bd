from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import update

from microblog.accounts.model import Account
from microblog.kernel.clock import now
from microblog.settings import Settings
from microblog.web import known_devices, limits
from microblog.web.attempts import PER_ADDRESS
from microblog.web.client import place
from tests.web.visitor import JSON, PASSWORD, Visitor, open_sessions, text
from tests.world import World


@pytest.fixture
async def ada(world: World) -> Visitor:
    """Ada, who has registered and signed out again; on a browser that knows her."""
    visitor = Visitor(world)
    await visitor.registers("ada")
    await visitor.submit("/logout", page="/settings/account")
    return visitor


@pytest.mark.parametrize("login", ["ada", "ADA", "@ada", "ada@example.org"])
async def test_a_person_signs_in_by_name_or_address(world: World, ada: Visitor, login: str) -> None:
    visitor = Visitor(world)
    answer = await visitor.signs_in(login)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    found = await visitor.who()
    assert found is not None
    assert (found.name, found.remembered) == ("ada", False)


async def test_remembering_gives_a_cookie_of_thirty_days_else_one_for_now(
    world: World, ada: Visitor
) -> None:
    brief, long = Visitor(world), Visitor(world)
    answers = [await brief.signs_in(), await long.signs_in(remember="on")]
    cookies = [
        next(c for c in answer.headers.getlist("Set-Cookie") if c.startswith("session="))
        for answer in answers
    ]
    assert "Max-Age" not in cookies[0]
    assert "Expires" not in cookies[0]
    assert "Max-Age=2592000" in cookies[1]
    for cookie in cookies:
        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie
    found = await long.who()
    assert found is not None
    assert found.remembered


@pytest.mark.parametrize(
    ("login", "password"),
    [
        ("ada", "wrong horse"), ("nobody", PASSWORD), ("nobody@example.org", PASSWORD), ("", ""),
        ("ada", ""), ("ada", PASSWORD.upper()), ("\x00", "\x00"), ("x" * 5000, "x" * 5000),
    ],
)  # fmt: skip
async def test_wrong_is_answered_alike_for_known_and_unknown(
    world: World, ada: Visitor, login: str, password: str
) -> None:
    visitor = Visitor(world)
    answer = await visitor.signs_in(login, password)
    page = await text(answer)
    assert answer.status_code == 401
    assert "That name and password do not belong together." in page
    assert PASSWORD not in page
    assert "wrong horse" not in page
    assert await visitor.who() is None


async def test_the_form_comes_back_as_typed_without_the_password(
    world: World, ada: Visitor
) -> None:
    answer = await Visitor(world).signs_in(
        '"><i>ada', "wrong horse", remember="on", next="/explore", draft="half a <thought>"
    )
    page = await text(answer)
    assert "&#34;&gt;&lt;i&gt;ada" in page
    assert "<i>ada" not in page
    assert 'value="/explore"' in page
    assert " checked" in page
    assert "half a &lt;thought&gt;" in page


async def test_a_script_is_told_in_json(world: World, ada: Visitor) -> None:
    visitor = Visitor(world)
    refused = await visitor.submit("/login", JSON, login="ada", password="wrong horse")
    said = await refused.get_json()
    assert refused.status_code == 401
    assert said["error"] == "That name and password do not belong together."
    assert set(said) == {"error", "fields", "id"}
    taken = await visitor.submit("/login", JSON, login="ada", password=PASSWORD)
    assert (taken.status_code, await taken.get_json()) == (200, {"url": "/"})


@pytest.mark.parametrize(
    ("wanted", "location"),
    [
        ("/explore", "/explore"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("", "/"),
        ("/tags/añil€", "/tags/a%C3%B1il%E2%82%AC"),
    ],
)
async def test_next_leads_to_pages_of_this_site_only(
    world: World, ada: Visitor, wanted: str, location: str
) -> None:
    answer = await Visitor(world).signs_in(next=wanted)
    assert answer.headers["Location"] == location
    signed_in = Visitor(world)
    await signed_in.signs_in()
    answer = await signed_in.client.get("/login", query_string={"next": wanted})
    assert (answer.status_code, answer.headers["Location"]) == (303, location)


async def test_a_text_kept_while_signed_out_comes_back_in_the_composer(
    world: World, ada: Visitor
) -> None:
    answer = await Visitor(world).signs_in(next="/posts/new", draft="what I & you say?\nmore")
    location = answer.headers["Location"]
    assert location == "/posts/new?body=what%20I%20%26%20you%20say%3F%0Amore"
    answer = await Visitor(world).signs_in(next="/posts/new", draft="x" * 16_000)
    assert answer.headers["Location"] == "/posts/new"
    answer = await Visitor(world).signs_in(next="/explore", draft="x")
    assert answer.headers["Location"] == "/explore"


async def test_signing_in_again_ends_the_session_before(world: World, ada: Visitor) -> None:
    visitor = Visitor(world)
    await visitor.signs_in()
    first = await visitor.who()
    assert first is not None
    page = "/settings/account"
    await visitor.submit("/login", page=page, login="ada", password=PASSWORD)
    second = await visitor.who()
    assert second is not None
    assert second.session_id != first.session_id
    assert await open_sessions(world, first.id) == 1


async def test_a_refused_sign_in_leaves_the_session_before(world: World, ada: Visitor) -> None:
    visitor = Visitor(world)
    await visitor.signs_in()
    page = "/settings/account"
    answer = await visitor.submit("/login", page=page, login="ada", password="wrong horse")
    assert answer.status_code == 401
    assert await visitor.who() is not None


async def test_signing_out_ends_the_session_for_a_copied_cookie_too(
    world: World, ada: Visitor
) -> None:
    visitor, thief = Visitor(world), Visitor(world)
    await visitor.signs_in()
    for cookie in visitor.client.cookie_jar:
        thief.client.set_cookie("localhost", cookie.name, cookie.value)
    assert await thief.who() is not None
    answer = await visitor.submit("/logout", page="/settings/account")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    assert await visitor.who() is None
    assert await thief.who() is None
    assert (await thief.client.get("/notifications")).status_code == 303


async def test_signing_out_twice_or_unasked_is_no_error(world: World, ada: Visitor) -> None:
    assert (await ada.submit("/logout", page="/login")).status_code == 303
    assert (await ada.client.get("/logout")).status_code == 405
    assert (await ada.client.post("/logout")).status_code == 403


async def test_the_suspended_hear_so_only_with_their_password(world: World, ada: Visitor) -> None:
    async with world.db.writing() as session:
        await session.execute(update(Account).values(suspended_at=now()))
    wrong = await Visitor(world).signs_in("ada", "wrong horse")
    assert wrong.status_code == 401
    assert "suspended" not in await text(wrong)
    right = await Visitor(world).signs_in()
    assert right.status_code == 403
    assert "This account is suspended." in await text(right)


class TestLimits:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return replace(settings, limits="default")

    async def test_ten_failures_and_the_eleventh_waits(self, world: World, ada: Visitor) -> None:
        visitor = Visitor(world)
        for _ in range(10):
            assert (await visitor.signs_in("ada", "wrong horse")).status_code == 401
        answer = await visitor.signs_in("@ADA")  # the right password, spelled another way
        assert answer.status_code == 429
        assert 0 < int(answer.headers["Retry-After"]) <= 900
        assert 'value="@ADA"' in await text(answer)
        assert await visitor.who() is None

    async def test_unknown_names_wait_alike(self, world: World) -> None:
        visitor = Visitor(world)
        answers = [await visitor.signs_in("nobody", "wrong horse") for _ in range(11)]
        assert [answer.status_code for answer in answers] == [401] * 10 + [429]

    async def test_the_owner_gets_in_on_a_device_that_knows_her(
        self, world: World, ada: Visitor
    ) -> None:
        mallory = Visitor(world)
        for _ in range(11):
            await mallory.signs_in("ada", "wrong horse")
        assert (await mallory.signs_in()).status_code == 429
        assert (await ada.signs_in()).status_code == 303

    async def test_a_device_that_knows_her_has_its_own_ten(
        self, world: World, ada: Visitor
    ) -> None:
        answers = [await ada.signs_in("ada", "wrong horse") for _ in range(11)]
        assert answers[-1].status_code == 429
        assert (await Visitor(world).signs_in()).status_code == 303

    async def test_a_forged_device_cookie_counts_as_none(self, world: World, ada: Visitor) -> None:
        found = [c.value for c in ada.client.cookie_jar if c.name == "device"]
        owner, device, signature = found[0].split(".")
        for forged in (f"{owner}.other.{signature}", f"2.{device}.{signature}", "", "...", "é"):
            visitor = Visitor(world)
            visitor.client.set_cookie("localhost", "device", forged)
            await visitor.signs_in("ada", "wrong horse")
        visitor = Visitor(world)
        answers = [await visitor.signs_in("ada", "wrong horse") for _ in range(6)]
        assert [answer.status_code for answer in answers] == [401] * 5 + [429]

    async def test_successes_do_not_count(self, world: World, ada: Visitor) -> None:
        for _ in range(15):
            assert (await Visitor(world).signs_in()).status_code == 303

    async def test_many_at_the_same_moment_are_counted_one_by_one(
        self, world: World, ada: Visitor
    ) -> None:
        tried = [Visitor(world).signs_in("ada", "wrong horse") for _ in range(25)]
        statuses = [answer.status_code for answer in await asyncio.gather(*tried)]
        assert sorted(statuses) == [401] * 10 + [429] * 15

    async def test_a_hundred_failures_close_the_network(self, world: World, ada: Visitor) -> None:
        for n in range(3):
            assert (await Visitor(world).signs_in(f"nobody{n}", "x")).status_code == 401
        async with world.app.test_request_context("/login"):
            for _ in range(97):
                await limits.hit(PER_ADDRESS, f"sign-in {place()}")
        assert (await Visitor(world).signs_in("nobody100", "x")).status_code == 429
        assert (await ada.signs_in()).status_code == 303


def test_the_device_cookie_is_kept_for_a_year() -> None:
    assert known_devices.KEPT.days == 365
