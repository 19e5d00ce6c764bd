from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from microblog.kernel import tokens
from microblog.kernel.db import Database
from microblog.kernel.errors import Forbidden
from microblog.signin import actions, queries
from microblog.signin.events import LoginSessionEnded
from microblog.signin.model import LoginSession
from tests.signin.people import (
    HASH,
    age,
    behind,
    happened,
    person,
    session_id,
    signed_in,
    suspend,
)

DAY = timedelta(days=1)


async def test_a_token_names_its_account_and_is_not_stored(db: Database) -> None:
    ada = await person(db)
    token = await signed_in(db, ada)
    found = await behind(db, token)
    assert found is not None
    assert (found.id, found.name, found.display_name, found.unread) == (ada, "ada", "ada", 0)
    assert len(token) >= 43  # 256 bits
    async with db.reading() as session:
        stored = (await session.scalars(select(LoginSession.token_hash))).all()
    assert stored == [tokens.digest(token)]


@pytest.mark.parametrize("token", ["", "x", "\x00", "\ud800", "a" * 10_000])
async def test_other_tokens_name_nobody(db: Database, token: str) -> None:
    await signed_in(db, await person(db))
    assert await behind(db, token) is None


@pytest.mark.parametrize(
    ("seen", "left", "lives"),
    [
        (DAY * 29, DAY, True),
        (DAY * 31, DAY * 10, False),
        (DAY, timedelta(seconds=-1), False),
        (-DAY, DAY, True),  # the clock was set back
    ],
)
async def test_a_session_ends_unused_or_old(
    db: Database, seen: timedelta, left: timedelta, lives: bool
) -> None:
    token = await signed_in(db, await person(db))
    mine = await session_id(db, token)
    await age(db, token, seen=seen, left=left)
    assert (await behind(db, token) is not None) == lives
    async with db.reading() as session:
        assert await queries.alive(session, [mine, 77]) == ({mine} if lives else set())
    async with db.writing() as session:
        await actions.forget_expired(session)
        assert (await session.get(LoginSession, mine) is not None) == lives


async def test_a_session_is_given_ninety_days_and_no_use_adds_to_them(db: Database) -> None:
    token = await signed_in(db, await person(db))
    mine = await session_id(db, token)
    async with db.writing() as session:
        await actions.touch(session, mine)
        await actions.renew_session(session, mine)
        row = await session.get_one(LoginSession, mine)
        assert row.expires_at - row.created_at == DAY * 90


async def test_a_suspended_account_is_signed_out(db: Database) -> None:
    ada = await person(db)
    token = await signed_in(db, ada)
    mine = await session_id(db, token)
    await suspend(db, ada)
    assert await behind(db, token) is None
    async with db.reading() as session:
        assert await queries.alive(session, [mine]) == set()


async def test_ending_one_session_says_so_and_leaves_the_others(db: Database) -> None:
    ada = await person(db)
    here, there = await signed_in(db, ada), await signed_in(db, ada)
    gone = await session_id(db, there)
    async with db.writing() as session:
        await actions.end_session(session, gone, ada)
    assert await behind(db, there) is None
    assert await behind(db, here) is not None
    assert await happened(db) == [LoginSessionEnded(gone, ada)]


async def test_nobody_ends_the_session_of_somebody_else(db: Database) -> None:
    ada, mallory = await person(db), await person(db, "mallory")
    token = await signed_in(db, ada)
    async with db.writing() as session:
        await actions.end_session(session, await session_id(db, token), mallory)
        await actions.end_others(session, mallory, 0)
        await actions.end_all(session, mallory)
    assert await behind(db, token) is not None
    assert await happened(db) == []


async def test_ending_the_others_keeps_this_one(db: Database) -> None:
    ada = await person(db)
    signed = [await signed_in(db, ada) for _ in range(3)]
    here, *others = [await session_id(db, token) for token in signed]
    async with db.writing() as session:
        await actions.end_others(session, ada, here)
    assert [await behind(db, token) is not None for token in signed] == [True, False, False]
    assert await happened(db) == [LoginSessionEnded(one, ada) for one in others]


async def test_a_renewed_token_replaces_the_old_one_and_keeps_the_session(db: Database) -> None:
    token = await signed_in(db, await person(db))
    mine = await session_id(db, token)
    async with db.writing() as session:
        renewed = await actions.renew_session(session, mine)
    assert await behind(db, token) is None
    assert await session_id(db, renewed) == mine
    assert await happened(db) == []  # the sockets of this browser stay


async def test_a_device_that_was_seen_stays_alive(db: Database) -> None:
    token = await signed_in(db, await person(db))
    await age(db, token, seen=DAY * 29, left=DAY * 40)
    async with db.writing() as session:
        await actions.touch(session, await session_id(db, token))
    await age_left_alone(db, token)


async def age_left_alone(db: Database, token: str) -> None:
    found = await behind(db, token)
    assert found is not None
    async with db.reading() as session:
        row = await session.get_one(LoginSession, found.session_id)
        assert row.expires_at - row.last_seen_at < DAY * 40 + timedelta(minutes=1)
        assert row.expires_at - row.last_seen_at > DAY * 39


async def test_devices_are_listed_by_their_last_use(db: Database) -> None:
    ada = await person(db)
    old, new = await signed_in(db, ada, "old\r\nagent"), await signed_in(db, ada, "n" * 5000)
    gone = await signed_in(db, ada, "gone")
    await signed_in(db, await person(db, "grace"), "hers")
    await age(db, old, seen=DAY, left=DAY)
    await age(db, gone, seen=DAY, left=-DAY)
    async with db.reading() as session:
        found = await queries.devices(session, ada)
    assert [device.user_agent for device in found] == ["n" * 256, "old agent"]
    assert found[0].id == await session_id(db, new)


@pytest.mark.parametrize(
    "login", ["ada", "ADA", " @Ada ", "ada@example.org", "Ada@Example.Org", "@ada@example.org"]
)
async def test_people_are_known_by_name_or_address(db: Database, login: str) -> None:
    ada = await person(db)
    await person(db, "grace")
    async with db.reading() as session:
        found = await queries.credentials(session, login)
    assert found == queries.Credentials(ada, HASH, suspended=False)


@pytest.mark.parametrize(
    "login", ["", "@", "a_a", "ad%", "x" * 10_000, "a@b", "ada\x00x", "\ud800"]
)
async def test_nobody_is_known_by_these(db: Database, login: str) -> None:
    await person(db)
    async with db.reading() as session:
        assert await queries.credentials(session, login) is None


async def accept(db: Database, proven: queries.Credentials, rehashed: str | None = None) -> bool:
    async with db.writing() as session:
        return await actions.accept(session, proven, rehashed=rehashed)


async def test_a_right_password_is_accepted_and_a_better_hash_kept(db: Database) -> None:
    ada = await person(db)
    assert await accept(db, queries.Credentials(ada, HASH, suspended=False), rehashed="new")
    async with db.reading() as session:
        assert (await queries.credentials_of(session, ada)).password_hash == "new"


async def test_a_password_changed_meanwhile_does_not_sign_in(db: Database) -> None:
    ada = await person(db)
    assert not await accept(db, queries.Credentials(ada, "an older hash", suspended=False))


async def test_the_suspended_do_not_sign_in(db: Database) -> None:
    ada = await person(db)
    await suspend(db, ada)
    with pytest.raises(Forbidden):
        await accept(db, queries.Credentials(ada, HASH, suspended=True))


async def test_where_a_device_was_is_forgotten_after_thirty_days(db: Database) -> None:
    ada = await person(db)
    old, fresh = await signed_in(db, ada), await signed_in(db, ada)
    await age(db, old, seen=timedelta(), left=timedelta(days=59))
    await age(db, fresh, seen=timedelta(), left=timedelta(days=61))
    async with db.writing() as session:
        assert await actions.forget_expired(session)
        assert not await actions.forget_expired(session)
        places = await session.scalars(select(LoginSession.address).order_by(LoginSession.id))
        assert list(places) == ["", "127.0.0.0/24"]
    assert await behind(db, old) is not None
