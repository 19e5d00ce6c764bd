from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, update

from microblog.kernel.clock import now
from microblog.kernel.db import Database
from microblog.kernel.errors import Forbidden, Invalid, NotFound
from microblog.mail.letters import Cancelled, Letter
from microblog.mail.outbox import Email
from microblog.signin import actions, queries, resets
from microblog.signin.emails import composers
from microblog.signin.events import LoginSessionEnded
from microblog.signin.model import PasswordReset
from tests.signin.people import HASH, behind, happened, person, session_id, signed_in, suspend

COMPOSE = composers("https://social.example", "k" * 40, True)


async def ask(db: Database, email: str = "ada@example.org") -> Letter | Cancelled:
    """Ask for a link; what the mail says."""
    async with db.writing() as session:
        await resets.ask(session, email)
        newest = await session.scalar(select(Email).order_by(Email.id.desc()).limit(1))
        assert newest is not None
        assert newest.kind == "password_reset"
        return await COMPOSE[newest.kind](session, [{"kind": newest.kind, **newest.payload}])


async def link(db: Database) -> str:
    letter = await ask(db)
    assert isinstance(letter, Letter)
    return str(letter.context["url"]).removeprefix("https://social.example/password/reset/")


async def reset(db: Database, token: str) -> None:
    async with db.writing() as session:
        await resets.reset(session, token, "a new hash")


async def password_hash(db: Database, account_id: int) -> str | None:
    async with db.reading() as session:
        return (await queries.credentials_of(session, account_id)).password_hash


async def test_a_link_sets_the_password_and_ends_every_session(db: Database) -> None:
    ada = await person(db)
    signed = [await signed_in(db, ada) for _ in range(2)]
    ended = [LoginSessionEnded(await session_id(db, token), ada) for token in signed]
    grace = await signed_in(db, await person(db, "grace"))
    await reset(db, await link(db))
    assert await password_hash(db, ada) == "a new hash"
    assert [await behind(db, token) for token in signed] == [None, None]
    assert await behind(db, grace) is not None
    assert await happened(db) == ended


async def test_asking_for_an_unknown_address_writes_the_same_row_and_no_mail(db: Database) -> None:
    await person(db)
    known, unknown = await ask(db), await ask(db, "nobody@example.org")
    assert isinstance(known, Letter)
    assert unknown == Cancelled("no account")
    async with db.reading() as session:
        first, second = (await session.scalars(select(Email).order_by(Email.id))).all()
    assert first.payload.keys() == second.payload.keys()
    assert (first.kind, first.bundle) == (second.kind, second.bundle)


async def test_a_typed_address_in_another_case_reaches_the_stored_one(db: Database) -> None:
    await person(db)
    letter = await ask(db, " ADA@Example.org")
    assert isinstance(letter, Letter)
    assert letter.to == "ada@example.org"
    assert letter.context["minutes"] == 30


async def test_what_is_no_address_is_refused(db: Database) -> None:
    with pytest.raises(Invalid):
        await ask(db, "ada")


async def test_a_link_works_once(db: Database) -> None:
    await person(db)
    token = await link(db)
    await reset(db, token)
    with pytest.raises(NotFound):
        await reset(db, token)


async def test_of_two_at_once_one_sets_the_password(db: Database) -> None:
    await person(db)
    token = await link(db)
    outcomes = await asyncio.gather(reset(db, token), reset(db, token), return_exceptions=True)
    assert sorted(type(one).__name__ for one in outcomes) == ["NoneType", "NotFound"]


async def test_looking_does_not_use_it_up(db: Database) -> None:
    await person(db)
    token = await link(db)
    for _ in range(3):
        async with db.reading() as session:
            assert (await resets.account_of(session, token)).name == "ada"
    await reset(db, token)


async def test_a_link_lasts_half_an_hour(db: Database) -> None:
    await person(db)
    token = await link(db)
    async with db.reading() as session:
        row = await session.scalar(select(PasswordReset))
        assert row is not None
        assert timedelta(minutes=29) < row.expires_at - now() <= timedelta(minutes=30)
        assert token not in row.token_hash
    async with db.writing() as session:
        await session.execute(update(PasswordReset).values(expires_at=now()))
    with pytest.raises(NotFound):
        await reset(db, token)
    async with db.writing() as session:
        await actions.forget_expired(session)
        assert await session.scalar(select(PasswordReset)) is None


async def test_a_new_link_ends_the_one_before(db: Database) -> None:
    await person(db)
    old, new = await link(db), await link(db)
    with pytest.raises(NotFound):
        await reset(db, old)
    await reset(db, new)


async def test_a_changed_password_ends_the_link_and_the_other_sessions(db: Database) -> None:
    ada = await person(db)
    token, here, there = await link(db), await signed_in(db, ada), await signed_in(db, ada)
    mine = await session_id(db, here)
    async with db.writing() as session:
        renewed = await actions.change_password(
            session, ada, mine, proven_hash=HASH, new_hash="a newer hash"
        )
    assert renewed is not None
    assert await session_id(db, renewed) == mine
    assert await behind(db, here) is None
    assert await behind(db, there) is None
    with pytest.raises(NotFound):
        await reset(db, token)
    assert await password_hash(db, ada) == "a newer hash"


async def test_of_two_changes_at_once_the_second_is_refused(db: Database) -> None:
    ada = await person(db)
    mine = await session_id(db, await signed_in(db, ada))
    async with db.writing() as session:
        stale = await actions.change_password(
            session, ada, mine, proven_hash="an older hash", new_hash="a newer hash"
        )
    assert stale is None
    assert await password_hash(db, ada) == HASH


async def test_the_owner_is_told_of_a_new_password(db: Database) -> None:
    await person(db)
    await reset(db, await link(db))
    async with db.writing() as session:
        told = await session.scalar(select(Email).where(Email.kind == "password_changed"))
        assert told is not None
        letter = await COMPOSE["password_changed"](session, [told.payload])
    assert isinstance(letter, Letter)
    assert (letter.to, letter.context["name"]) == ("ada@example.org", "ada")
    assert isinstance(letter.context["at"], datetime)


async def test_the_suspended_get_no_link_and_use_none(db: Database) -> None:
    ada = await person(db)
    token = await link(db)
    await suspend(db, ada)
    assert await ask(db) == Cancelled("no account")
    with pytest.raises(Forbidden):
        await reset(db, token)
