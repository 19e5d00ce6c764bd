from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import select

from microblog.accounts import queries as accounts
from microblog.kernel.db import Database
from microblog.kernel.errors import Conflict, NotFound
from microblog.signin import claims, queries
from microblog.signin.model import AdminClaim
from tests.signin.people import behind, person, session_id, signed_in


async def issue(db: Database) -> str | None:
    async with db.writing() as session:
        return await claims.issue_claim(session)


async def claim(db: Database, token: str, login: str) -> str:
    found = await behind(db, login)
    assert found is not None
    async with db.writing() as session:
        return await claims.claim(session, token, found.id, found.session_id)


async def role(db: Database, account_id: int) -> str:
    async with db.reading() as session:
        return (await accounts.account(session, account_id)).role


async def test_the_link_makes_whoever_holds_it_administrator_once(db: Database) -> None:
    token = await issue(db)
    assert token is not None
    ada, grace = await person(db), await person(db, "grace")
    login, elsewhere = await signed_in(db, ada), await signed_in(db, ada)
    mine = await session_id(db, login)
    renewed = await claim(db, token, login)
    assert await role(db, ada) == "administrator"
    assert await behind(db, login) is None  # the old id dies with the old rights
    assert await behind(db, elsewhere) is None
    assert await session_id(db, renewed) == mine
    with pytest.raises(NotFound):
        await claim(db, token, await signed_in(db, grace))
    assert await role(db, grace) == "member"


async def test_of_two_at_once_one_becomes_administrator(db: Database) -> None:
    token = await issue(db)
    assert token is not None
    people = [await person(db, name) for name in ("ada", "grace")]
    logins = [await signed_in(db, one) for one in people]
    tried = [claim(db, token, login) for login in logins]
    outcomes = await asyncio.gather(*tried, return_exceptions=True)
    assert sorted(type(one).__name__ for one in outcomes) == ["NotFound", "str"]
    assert sorted([await role(db, one) for one in people]) == ["administrator", "member"]


@pytest.mark.parametrize("guess", ["", "x", "\ud800", "0" * 64])
async def test_a_guess_claims_nothing(db: Database, guess: str) -> None:
    await issue(db)
    login = await signed_in(db, await person(db))
    async with db.reading() as session:
        assert not await queries.is_claimable(session, guess)
    with pytest.raises(NotFound):
        await claim(db, guess, login)


async def test_nothing_can_be_claimed_where_no_link_was_made(db: Database) -> None:
    with pytest.raises(NotFound):
        await claim(db, "", await signed_in(db, await person(db)))


async def test_each_start_makes_a_new_link_and_ends_the_old(db: Database) -> None:
    old, new = await issue(db), await issue(db)
    assert old
    assert new
    async with db.reading() as session:
        assert not await queries.is_claimable(session, old)
        assert await queries.is_claimable(session, new)
        stored = (await session.scalars(select(AdminClaim.token_hash))).all()
    assert len(stored) == 1
    assert new not in stored


async def test_a_site_with_an_administrator_has_no_link(db: Database) -> None:
    token = await issue(db)
    assert token is not None
    ada = await person(db)
    login = await signed_in(db, ada)
    async with db.writing() as session:
        assert (await claims.promote(session, "@Ada")).id == ada
    assert await role(db, ada) == "administrator"
    assert await behind(db, login) is None  # it was opened with fewer rights
    assert await issue(db) is None
    async with db.reading() as session:
        assert not await queries.is_claimable(session, token)


async def test_promoting_twice_changes_nothing_and_nobody_is_not_promoted(db: Database) -> None:
    ada = await person(db)
    async with db.writing() as session:
        await claims.promote(session, "ada")
    login = await signed_in(db, ada)
    async with db.writing() as session:
        await claims.promote(session, "ada")
        with pytest.raises(NotFound):
            await claims.promote(session, "grace")
    assert await behind(db, login) is not None


async def test_an_administrator_is_created_from_the_shell(db: Database) -> None:
    given = {"name": "ada", "email": "ada@example.org", "password_hash": "a hash"}
    async with db.writing() as session:
        account = await claims.create_administrator(session, **given)
    assert await role(db, account.id) == "administrator"
    with pytest.raises(Conflict):
        async with db.writing() as session:
            await claims.create_administrator(session, **given)
