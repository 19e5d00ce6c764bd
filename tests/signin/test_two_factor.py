from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pyotp
import pytest
from sqlalchemy import select

from microblog.kernel import clock
from microblog.kernel.db import Database
from microblog.kernel.errors import Conflict, Invalid
from microblog.kernel.sealing import Seal
from microblog.mail.outbox import Email
from microblog.signin import two_factor
from microblog.signin.model import RecoveryCode, SecondFactor
from tests.signin.people import behind, person, session_id, signed_in

SEAL = Seal.of("second factor", "a secret of the site, long enough for it")


class App:
    """An authenticator."""

    def __init__(self, secret: str, account_id: int, recovery: list[str]) -> None:
        self.totp, self.account_id, self.recovery = pyotp.TOTP(secret), account_id, recovery

    def code(self, steps: int = 0) -> str:
        return str(self.totp.at(clock.now() + timedelta(seconds=30 * steps)))


@pytest.fixture(autouse=True)
def noon(monkeypatch: pytest.MonkeyPatch) -> list[datetime]:
    """A clock that stands in the middle of a step until it is moved."""
    moment = [datetime(2026, 11, 22, 12, 0, 10, tzinfo=clock.UTC)]
    monkeypatch.setattr(two_factor, "now", lambda: moment[0])
    monkeypatch.setattr(clock, "now", lambda: moment[0])
    return moment


@pytest.fixture
async def app(db: Database) -> App:
    """Of Ada, who turned it on two minutes ago."""
    return await turned_on(db, await person(db), -4)


async def turned_on(db: Database, account_id: int, steps: int) -> App:
    opened = await session_id(db, await signed_in(db, account_id))
    async with db.writing() as session:
        await two_factor.begin(session, SEAL, account_id)
        secret = await two_factor.secret_to_confirm(session, SEAL, account_id)
    assert secret is not None
    found = App(secret, account_id, [])
    async with db.writing() as session:
        found.recovery = await two_factor.turn_on(session, SEAL, account_id, opened, found.code())
        mine = await session.get(SecondFactor, account_id)
        assert mine is not None
        assert mine.last_step is not None
        mine.last_step += steps
    return found


async def check(db: Database, app: App, code: str) -> bool:
    async with db.writing() as session:
        return await two_factor.check(session, SEAL, app.account_id, code)


async def told(db: Database) -> list[str]:
    async with db.reading() as session:
        mine = select(Email.payload).where(Email.kind == "two_factor").order_by(Email.id)
        return [payload["change"] for payload in await session.scalars(mine)]


async def test_it_is_on_once_the_app_has_shown_its_code(db: Database) -> None:
    ada = await person(db)
    here, there = await signed_in(db, ada), await signed_in(db, ada)
    async with db.writing() as session:
        await two_factor.begin(session, SEAL, ada)
        secret = await two_factor.secret_to_confirm(session, SEAL, ada)
        assert secret is not None
        assert not await two_factor.is_on(session, ada)
    with pytest.raises(Invalid):
        async with db.writing() as session:
            await two_factor.turn_on(session, SEAL, ada, 0, "000000")
    mine = await session_id(db, here)
    async with db.writing() as session:
        code = pyotp.TOTP(secret).at(clock.now())
        recovery = await two_factor.turn_on(session, SEAL, ada, mine, code)
        assert await two_factor.is_on(session, ada)
    assert len(set(recovery)) == 10
    assert await behind(db, here) is not None
    assert await behind(db, there) is None
    assert await told(db) == ["on"]


@pytest.mark.parametrize(("steps", "right"), [(-2, False), (-1, True), (0, True), (1, True)])
async def test_a_code_counts_for_its_half_minute_and_the_ones_beside_it(
    db: Database, app: App, steps: int, right: bool
) -> None:
    assert await check(db, app, app.code(steps)) is right


async def test_no_code_counts_twice_nor_one_before_it(db: Database, app: App) -> None:
    assert await check(db, app, app.code(0))
    assert not await check(db, app, app.code(0))
    assert not await check(db, app, app.code(-1))
    assert await check(db, app, app.code(1))


async def test_of_two_who_send_the_same_code_at_once_one_comes_in(db: Database, app: App) -> None:
    for code in (app.code(), app.recovery[0]):
        answers = await asyncio.gather(*(check(db, app, code) for _ in range(4)))
        assert sorted(answers) == [False, False, False, True]


async def test_the_code_that_turned_it_on_does_not_sign_in(db: Database) -> None:
    app = await turned_on(db, await person(db), 0)
    assert not await check(db, app, app.code())


@pytest.mark.parametrize("written", ["{0} ", "{0[0]}{0[1]}{0[2]} {0[3]}{0[4]}{0[5]}", "{0}"])
async def test_spaces_do_not_matter(db: Database, app: App, written: str) -> None:
    assert await check(db, app, written.format(app.code()))


@pytest.mark.parametrize(
    "code", ["", "x", "12345", "1234567", "\u0660" * 6, "-" * 16, "\0", "a" * 500]
)
async def test_what_is_no_code_is_none(db: Database, app: App, code: str) -> None:
    assert not await check(db, app, code)


async def test_a_recovery_code_works_once_however_it_is_written(db: Database, app: App) -> None:
    assert await check(db, app, app.recovery[0].upper().replace("-", " "))
    assert not await check(db, app, app.recovery[0])
    assert await check(db, app, app.recovery[1])
    async with db.reading() as session:
        assert (await two_factor.state(session, app.account_id)).codes_left == 8
    assert await told(db) == ["on", "used", "used"]


async def test_new_recovery_codes_replace_the_old_ones(db: Database, app: App) -> None:
    async with db.writing() as session:
        new = await two_factor.renew_codes(session, app.account_id)
    assert not await check(db, app, app.recovery[0])
    assert await check(db, app, new[0])
    assert await told(db) == ["on", "codes", "used"]


async def test_codes_of_somebody_else_do_not_count(db: Database, app: App) -> None:
    grace = await turned_on(db, await person(db, "grace"), -4)
    assert not await check(db, app, grace.code())
    assert not await check(db, app, grace.recovery[0])


async def test_nothing_of_it_can_be_read_in_the_database(db: Database, app: App) -> None:
    async with db.reading() as session:
        mine = await session.get(SecondFactor, app.account_id)
        assert mine is not None
        assert app.totp.secret.encode() not in mine.secret
        hashes = set(await session.scalars(select(RecoveryCode.code_hash)))
    assert not hashes & {code.replace("-", "") for code in app.recovery}


async def test_with_another_key_the_app_is_of_no_use_and_recovery_codes_are(
    db: Database, app: App
) -> None:
    other = Seal.of("second factor", "another secret of the site, long enough")
    async with db.writing() as session:
        assert not await two_factor.check(session, other, app.account_id, app.code())
        assert await two_factor.check(session, other, app.account_id, app.recovery[0])


async def test_it_is_not_begun_again_while_it_is_on(db: Database, app: App) -> None:
    async with db.writing() as session:
        with pytest.raises(Conflict):
            await two_factor.begin(session, SEAL, app.account_id)
        assert await two_factor.secret_to_confirm(session, SEAL, app.account_id) is None


@pytest.mark.parametrize("how", ["turn_off", "reset"])
async def test_turned_off_nothing_of_it_is_left(db: Database, app: App, how: str) -> None:
    for _ in range(2):
        async with db.writing() as session:
            await getattr(two_factor, how)(session, app.account_id)
    assert not await check(db, app, app.code())
    assert not await check(db, app, app.recovery[0])
    assert await told(db) == (["on", "off"] if how == "turn_off" else ["on"])
