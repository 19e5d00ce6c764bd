from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from microblog.accounts import actions, queries
from microblog.accounts.model import KeptName
from microblog.kernel.clock import now
from microblog.kernel.db import Database
from microblog.kernel.errors import Conflict, Invalid, NotFound
from microblog.signin import actions as signin


async def made(db: Database, name: str) -> int:
    async with db.writing() as session:
        email = f"{name}@example.org"
        account = await actions.create(session, name=name, email=email, password_hash=None)
        return account.id


async def renamed(db: Database, account_id: int, name: str) -> None:
    async with db.writing() as session:
        await actions.rename(session, account_id, name)


async def found(db: Database, name: str) -> tuple[int, str]:
    async with db.reading() as session:
        account = await queries.by_name(session, name)
        return account.id, account.name


async def test_the_old_name_leads_to_the_new_one_and_is_nobody_elses(db: Database) -> None:
    ada, bob = await made(db, "ada"), await made(db, "bob")
    await renamed(db, ada, "@Countess")
    assert await found(db, "ADA") == await found(db, "countess") == (ada, "Countess")
    for name in ("ada", "Countess"):
        with pytest.raises(Conflict):
            await renamed(db, bob, name)
        with pytest.raises(Conflict):
            await made(db, name)
    assert await found(db, "bob") == (bob, "bob")


async def test_one_may_go_back_and_change_the_case(db: Database) -> None:
    ada = await made(db, "ada")
    await renamed(db, ada, "ADA")
    assert await found(db, "ada") == (ada, "ADA")
    await renamed(db, ada, "lovelace")
    await renamed(db, ada, "ada")
    assert await found(db, "lovelace") == await found(db, "ada") == (ada, "ada")
    await renamed(db, ada, "ada")


async def test_after_a_year_the_name_is_free(db: Database) -> None:
    ada = await made(db, "ada")
    await renamed(db, ada, "lovelace")
    async with db.writing() as session:
        await session.execute(update(KeptName).values(until=now() - timedelta(seconds=1)))
    with pytest.raises(NotFound):
        await found(db, "ada")
    other = await made(db, "grace")
    await renamed(db, other, "ada")
    assert await found(db, "ada") == (other, "ada")
    await renamed(db, other, "hopper")
    assert await found(db, "ada") == (other, "hopper")


async def test_after_a_year_nothing_tells_who_had_the_name(db: Database) -> None:
    ada = await made(db, "ada")
    await renamed(db, ada, "lovelace")
    async with db.writing() as session:
        await session.execute(update(KeptName).values(until=now() - timedelta(seconds=1)))
    await renamed(db, ada, "countess")
    async with db.writing() as session:
        assert await signin.forget_expired(session)
        assert not await signin.forget_expired(session)
    async with db.reading() as session:
        assert list(await session.scalars(select(KeptName.name_key))) == ["lovelace"]


@pytest.mark.parametrize("name", ["", "a b", "x" * 31, "admin", "ada!"])
async def test_it_must_be_a_name(db: Database, name: str) -> None:
    ada = await made(db, "ada")
    with pytest.raises(Invalid):
        await renamed(db, ada, name)
