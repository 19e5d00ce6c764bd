from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pyotp
import pytest
from sqlalchemy import update

from microblog.departures import actions as departures
from microblog.kernel.clock import now
from microblog.settings import Settings
from microblog.signin.model import LoginSession, SecondFactor, SignInStep
from tests.signin.people import suspend
from tests.web.visitor import (
    FROM_A_SECRET_PAGE,
    JSON,
    PASSWORD,
    Visitor,
    newest_link,
    open_sessions,
    text,
)  # fmt: skip
from tests.world import World

HERE = "/settings/two-factor"
STEP = "/login/second-step"


class Protected:
    """Somebody with an authenticator, at the browser in which it was turned on."""

    def __init__(self, visitor: Visitor) -> None:
        self.visitor, self.world = visitor, visitor.world
        self.totp = pyotp.TOTP("A" * 32)
        self.recovery: list[str] = []

    async def turns_on(self) -> None:
        await self.visitor.submit(f"{HERE}/setup", page=HERE)
        page = await self.visitor.page(f"{HERE}/setup")
        found = re.search(r"<code[^>]*>([A-Z2-7 ]+)</code>", page)
        assert found
        self.totp = pyotp.TOTP(found[1].replace(" ", ""))
        answer = await self.visitor.sends(page, HERE, code=self.totp.at(now()))
        assert answer.status_code == 200
        self.recovery = re.findall(r"\b[a-z2-9]{4}(?:-[a-z2-9]{4}){3}\b", await text(answer))
        await self.next_code()

    async def next_code(self) -> str:
        """As if the codes used so far were old."""
        async with self.world.db.writing() as session:
            await session.execute(update(SecondFactor).values(last_step=0))
        return str(self.totp.at(now()))


@pytest.fixture
async def ada(world: World) -> Protected:
    visitor = Visitor(world)
    await visitor.registers("ada")
    protected = Protected(visitor)
    await protected.turns_on()
    return protected


async def changes(world: World) -> list[str]:
    await world.settle()
    return [one.subject for one in await world.letters() if one.kind == "two_factor"]


async def test_it_is_set_up_with_an_app_and_ten_recovery_codes_shown_once(world: World) -> None:
    visitor = Visitor(world)
    await visitor.registers("ada")
    assert "Set up" in await visitor.page(HERE)
    other = Visitor(world)
    await other.signs_in("ada")
    ada, before = Protected(visitor), visitor.session_cookie()
    await ada.turns_on()
    assert len(set(ada.recovery)) == 10
    page = await visitor.page(HERE)
    assert "Recovery codes left" in page
    assert ada.recovery[0] not in page
    assert visitor.session_cookie() != before
    assert await other.who() is None
    assert await changes(world) == ["Two-factor sign-in was turned on · Microblog"]


async def test_the_qr_code_is_black_on_white_and_has_no_style(world: World) -> None:
    visitor = Visitor(world)
    await visitor.registers("ada")
    await visitor.submit(f"{HERE}/setup", page=HERE)
    page = await visitor.page(f"{HERE}/setup")
    drawn = page[page.index("<svg width") : page.index("</svg>", page.index("<svg width"))]
    assert 'fill="#fff"' in drawn
    assert 'stroke="#000"' in drawn
    assert "style" not in drawn
    assert 'href="otpauth://totp/Microblog:ada?secret=' in page


async def test_the_session_opens_after_the_second_step_only(world: World, ada: Protected) -> None:
    visitor = Visitor(world)
    answer = await visitor.signs_in("ada", remember="on", next="/explore?x=1")
    assert (answer.status_code, answer.headers["Location"]) == (303, STEP)
    assert "HttpOnly" in next(c for c in answer.headers.getlist("Set-Cookie") if "step=" in c)
    assert await visitor.who() is None
    assert await open_sessions(world, 1) == 1
    answer = await visitor.submit(STEP, code=await ada.next_code())
    assert (answer.status_code, answer.headers["Location"]) == (303, "/explore?x=1")
    found = await visitor.who()
    assert found is not None
    assert (found.name, found.remembered) == ("ada", True)


async def test_a_text_written_before_is_there_after_both_steps(
    world: World, ada: Protected
) -> None:
    visitor = Visitor(world)
    await visitor.signs_in("ada", next="/posts/new", draft="Hello there")
    answer = await visitor.submit(STEP, code=await ada.next_code())
    assert answer.headers["Location"] == "/posts/new?body=Hello%20there"


async def test_a_recovery_code_signs_in_once_and_its_owner_is_told(
    world: World, ada: Protected
) -> None:
    for status in (303, 422):
        visitor = Visitor(world)
        await visitor.signs_in("ada")
        answer = await visitor.submit(STEP, code=ada.recovery[0])
        assert answer.status_code == status
    assert (await changes(world))[-1] == "A recovery code was used · Microblog"


async def test_a_wrong_or_used_code_opens_nothing(world: World, ada: Protected) -> None:
    visitor = Visitor(world)
    await visitor.signs_in("ada")
    for code in ("000000", "", "x" * 16):
        answer = await visitor.submit(STEP, code=code)
        assert answer.status_code == 422
        assert "That code is not right" in await text(answer)
    code = await ada.next_code()
    other = Visitor(world)
    await other.signs_in("ada")
    assert (await other.submit(STEP, code=code)).status_code == 303
    assert (await visitor.submit(STEP, code=code)).status_code == 422
    assert await visitor.who() is None


async def test_the_first_step_holds_in_its_browser_only_and_once(
    world: World, ada: Protected
) -> None:
    visitor, other = Visitor(world), Visitor(world)
    await visitor.signs_in("ada")
    answer = await other.client.get(STEP)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/login")
    answer = await other.submit(STEP, page="/login", code=await ada.next_code())
    assert answer.headers["Location"] == "/login"
    await visitor.submit(STEP, code=await ada.next_code())
    async with world.db.reading() as session:
        assert (await session.scalars(SignInStep.__table__.select())).all() == []


async def test_five_minutes_between_the_steps(world: World, ada: Protected) -> None:
    visitor = Visitor(world)
    await visitor.signs_in("ada")
    page = await visitor.page(STEP)
    async with world.db.writing() as session:
        await session.execute(update(SignInStep).values(expires_at=now()))
    answer = await visitor.sends(page, STEP, code=await ada.next_code())
    assert answer.headers["Location"] == "/login"
    assert "That took more than five minutes." in await visitor.page("/login")
    answer = await visitor.submit(STEP, JSON, page="/login", code=await ada.next_code())
    assert answer.status_code == 401


async def test_a_new_password_ends_what_the_old_one_began(world: World, ada: Protected) -> None:
    thief = Visitor(world)
    await thief.signs_in("ada")
    await ada.visitor.submit(
        "/settings/account", current_password=PASSWORD, password="another horse staple"
    )
    answer = await thief.submit(STEP, page="/login", code=await ada.next_code())
    assert answer.headers["Location"] == "/login"
    assert await thief.who() is None


async def test_a_reset_of_the_password_does_not_go_past_it(world: World, ada: Protected) -> None:
    visitor = Visitor(world)
    await visitor.submit("/password/forgot", email="ada@example.org")
    link = await newest_link(world, "/password/reset/")
    answer = await visitor.submit(link, FROM_A_SECRET_PAGE, password="another horse staple")
    assert answer.headers["Location"] == STEP
    assert await visitor.who() is None
    assert await open_sessions(world, 1) == 0
    await visitor.submit(STEP, code=await ada.next_code())
    assert await visitor.who() is not None


async def test_somebody_suspended_between_the_steps_stays_outside(
    world: World, ada: Protected
) -> None:
    visitor = Visitor(world)
    await visitor.signs_in("ada")
    await suspend(world.db, 1)
    answer = await visitor.submit(STEP, code=await ada.next_code())
    assert answer.status_code == 403
    assert await visitor.who() is None


async def test_who_may_not_come_in_reads_why_after_the_code_only(
    world: World, ada: Protected
) -> None:
    async with world.db.writing() as session:
        await departures.leave(session, 1)
    visitor = Visitor(world)
    assert (await visitor.signs_in("ada", "not her password")).status_code == 401
    assert (await visitor.signs_in("ada")).headers["Location"] == STEP
    answer = await visitor.submit(STEP, code="000000")
    assert answer.status_code == 422
    assert "/leave/undo/" not in await text(answer)
    answer = await visitor.submit(STEP, code=await ada.next_code())
    link = answer.headers["Location"]
    assert link.startswith("/leave/undo/")
    assert await visitor.who() is None
    answer = await visitor.submit(STEP, page=link, code=await ada.next_code())
    assert answer.headers["Location"] == "/login"  # that step is over
    assert (await visitor.submit(link, FROM_A_SECRET_PAGE)).status_code == 303
    await visitor.signs_in("ada")
    await visitor.submit(STEP, code=await ada.next_code())
    assert await visitor.who() is not None


async def test_scripts_sign_in_in_two_steps(world: World, ada: Protected) -> None:
    visitor = Visitor(world)
    answer = await visitor.submit("/login", JSON, login="ada", password=PASSWORD)
    assert await answer.get_json() == {"url": STEP}
    answer = await visitor.submit(STEP, JSON, code="000000")
    assert "code" in (await answer.get_json())["fields"]
    answer = await visitor.submit(STEP, JSON, code=await ada.next_code())
    assert await answer.get_json() == {"url": "/"}


async def test_turning_it_off_takes_a_code(world: World, ada: Protected) -> None:
    off = f"{HERE}/off"
    answer = await ada.visitor.submit(off, page=HERE, code="000000")
    assert answer.status_code == 422
    answer = await ada.visitor.submit(off, page=HERE, code=await ada.next_code())
    assert (answer.status_code, answer.headers["Location"]) == (303, HERE)
    assert "Two-factor sign-in is off." in await ada.visitor.page(HERE)
    assert (await Visitor(world).signs_in("ada")).headers["Location"] == "/"
    assert (await changes(world))[-1] == "Two-factor sign-in was turned off · Microblog"


async def test_new_recovery_codes_are_shown_once(world: World, ada: Protected) -> None:
    code = await ada.next_code()
    page = await text(await ada.visitor.submit(f"{HERE}/codes", page=HERE, current_code=code))
    assert ada.recovery[0] not in page
    assert 'href="data:text/plain;charset=utf-8,Microblog%20%40ada' in page
    code = await ada.next_code()
    answer = await ada.visitor.submit(f"{HERE}/codes", JSON, page=HERE, current_code=code)
    assert len((await answer.get_json())["recovery_codes"]) == 10


async def test_a_password_alone_makes_no_recovery_codes(world: World, ada: Protected) -> None:
    for code in ("", "000000"):
        answer = await ada.visitor.submit(f"{HERE}/codes", page=HERE, current_code=code)
        assert answer.status_code == 422
        assert "recovery codes" not in " ".join(await changes(world)).lower()
    code = ada.recovery[0]
    answer = await ada.visitor.submit(f"{HERE}/codes", page=HERE, current_code=code)
    assert answer.status_code == 200


async def test_all_of_it_needs_a_recent_proof(world: World, ada: Protected) -> None:
    async with world.db.writing() as session:
        long_ago = now() - timedelta(hours=1)
        await session.execute(update(LoginSession).values(authenticated_at=long_ago))
    page = await ada.visitor.page("/settings/account")
    for path in (HERE, f"{HERE}/codes", f"{HERE}/off", f"{HERE}/setup"):
        assert (await ada.visitor.sends(page, path, code="1")).status_code == 403, path
    for path in (HERE, f"{HERE}/setup"):  # nobody begins before they are asked
        answer = await ada.visitor.client.get(path)
        assert answer.headers["Location"] == f"/reauthenticate?next={path}"


async def test_what_is_out_of_turn_is_refused_in_words(world: World, ada: Protected) -> None:
    answer = await ada.visitor.submit(f"{HERE}/setup", page=HERE)
    assert answer.status_code == 409
    answer = await ada.visitor.submit(HERE, code=await ada.next_code())
    assert answer.status_code == 409
    assert (await ada.visitor.client.get(f"{HERE}/setup")).headers["Location"] == HERE
    await ada.visitor.submit(f"{HERE}/off", page=HERE, code=await ada.next_code())
    assert (await ada.visitor.submit(f"{HERE}/codes", page=HERE)).status_code == 409
    assert (await ada.visitor.submit(HERE, code="000000")).status_code == 422


class TestLimits:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return replace(settings, limits="default")

    async def test_ten_wrong_codes_in_a_quarter_of_an_hour_from_wherever(
        self, world: World, ada: Protected
    ) -> None:
        visitor = Visitor(world)
        for n in range(10):
            if n % 5 == 0:
                await visitor.signs_in("ada")
            assert (await visitor.submit(STEP, code="000000")).status_code == 422
        other = Visitor(world)
        await other.signs_in("ada")
        answer = await other.submit(STEP, code=await ada.next_code())
        assert answer.status_code == 429
        assert int(answer.headers["Retry-After"]) > 0
        await self.owner_still_comes_in(ada)

    async def owner_still_comes_in(self, ada: Protected) -> None:
        """Nobody locks them out on a device that they have used."""
        await ada.visitor.submit("/logout", page=HERE)
        await ada.visitor.signs_in("ada")
        answer = await ada.visitor.submit(STEP, code=await ada.next_code())
        assert answer.status_code == 303
