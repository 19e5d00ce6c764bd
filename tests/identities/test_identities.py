"""Who somebody is at other sites: by issuer and subject, and by nothing else."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from microblog.accounts import queries as people
from microblog.identities import actions, emails, queries
from microblog.identities.model import Identity, SpentState
from microblog.identities.names import suggested
from microblog.kernel.clock import now
from microblog.kernel.db import Database
from microblog.kernel.errors import Conflict, Forbidden, NotFound
from microblog.mail.letters import Cancelled, Letter
from microblog.mail.outbox import Email
from microblog.oauth.vouched import Vouched
from tests.signin.people import person

ADA = Vouched("https://id.example", "1815", "ada", "Ada Lovelace", "ada@lovelace.example")


async def linked(db: Database, account_id: int, who: Vouched) -> int:
    async with db.writing() as session:
        await actions.link(session, account_id, who, "The club")
        found = await queries.identity(session, who)
        assert found is not None
        return found.id


async def unlinked(db: Database, account_id: int, identity_id: int, **ways: object) -> None:
    async with db.writing() as session:
        await actions.unlink(
            session, account_id, identity_id, "The club",
            **({"usable": ["https://id.example"], "otherwise": False} | ways),  # type: ignore[arg-type]
        )  # fmt: skip


async def count(db: Database, model: type) -> int:
    async with db.reading() as session:
        return await session.scalar(select(func.count()).select_from(model)) or 0


async def test_the_first_sign_in_makes_an_account_that_later_ones_find(db: Database) -> None:
    async with db.writing() as session:
        made = await actions.begin_account(session, ADA, name="ada", display_name="Ada Lovelace")
    assert (made.email, made.display_name, made.password_hash) == (ADA.email, "Ada Lovelace", None)
    async with db.reading() as session:
        found = await queries.identity(session, replace(ADA, email="other@example.org"))
        assert found is not None
        assert found.account_id == made.id
        for other in (replace(ADA, subject="1816"), replace(ADA, issuer="https://evil.example")):
            assert await queries.identity(session, other) is None


async def test_an_account_without_an_address_can_begin(db: Database) -> None:
    async with db.writing() as session:
        made = await actions.begin_account(session, replace(ADA, email=None), name="ada")
    assert made.email is None


async def test_a_known_address_attaches_nothing(db: Database) -> None:
    """Not even when the provider vouches for it (Mastodon's CVE-2024-25618)."""
    await person(db, "ada")
    with pytest.raises(Conflict, match="Sign in to it first"):
        async with db.writing() as session:
            await actions.begin_account(session, replace(ADA, email="Ada@Example.org"), name="ada2")
    assert await count(db, Identity) == 0


async def test_of_two_first_sign_ins_at_once_one_makes_the_account(db: Database) -> None:
    async def begin(name: str) -> bool:
        try:
            async with db.writing() as session:
                await actions.begin_account(session, replace(ADA, email=None), name=name)
        except Conflict:
            return False
        return True

    assert sorted(await asyncio.gather(begin("ada"), begin("ada2"))) == [False, True]
    assert await count(db, Identity) == 1


async def test_linking_twice_is_linking_once_and_never_takes_anothers(db: Database) -> None:
    ada, eve = await person(db, "ada"), await person(db, "eve")
    await linked(db, ada, ADA)
    await linked(db, ada, replace(ADA, name="ada_l"))
    async with db.reading() as session:
        assert [each.shown for each in await queries.identities_of(session, ada)] == ["ada_l"]
    with pytest.raises(Conflict, match="another account"):
        await linked(db, eve, ADA)
    assert await count(db, Email) == 1


async def test_the_last_way_in_stays(db: Database) -> None:
    ada = await person(db, "ada", password_hash=None)
    first = await linked(db, ada, ADA)
    with pytest.raises(Forbidden, match="only way in"):
        await unlinked(db, ada, first)
    second = await linked(db, ada, replace(ADA, issuer="https://gone.example"))
    with pytest.raises(Forbidden):  # nobody can sign in through that one any more
        await unlinked(db, ada, first)
    await unlinked(db, ada, second)
    await unlinked(db, ada, first, otherwise=True)
    assert await count(db, Identity) == 0


async def test_of_two_unlinked_at_once_one_stays(db: Database) -> None:
    ada = await person(db, "ada", password_hash=None)
    both = [await linked(db, ada, replace(ADA, subject=str(n))) for n in range(2)]
    outcomes = await asyncio.gather(
        *(unlinked(db, ada, each) for each in both), return_exceptions=True
    )
    assert sorted(type(each).__name__ for each in outcomes) == ["Forbidden", "NoneType"]


async def test_nobody_unlinks_anothers(db: Database) -> None:
    ada, eve = await person(db, "ada"), await person(db, "eve")
    identity_id = await linked(db, ada, ADA)
    with pytest.raises(NotFound):
        await unlinked(db, eve, identity_id, otherwise=True)
    assert await count(db, Identity) == 1


async def test_a_state_comes_back_once(db: Database) -> None:
    later = now() + timedelta(minutes=10)
    async with db.writing() as session:
        await actions.spend(session, "state", later)
    with pytest.raises(Conflict):
        async with db.writing() as session:
            await actions.spend(session, "state", later)
    async with db.writing() as session:
        assert not await actions.forget_spent(session)
        await actions.spend(session, "older", now())
        assert await actions.forget_spent(session)
    assert await count(db, SpentState) == 1


@pytest.mark.parametrize(
    ("wishes", "name"),
    [
        (("José Ortiz",), "Jose_Ortiz"), (("ada",), "ada2"), (("admin", "Grace"), "Grace"),
        (("山田太郎", ""), ""), (("x" * 40,), "x" * 30),
        (("grace@example.org",), "grace_example_org"),
    ],
)  # fmt: skip
async def test_a_name_is_suggested_that_is_free(
    db: Database, wishes: tuple[str, ...], name: str
) -> None:
    await person(db, "ada")
    async with db.reading() as session:
        assert await suggested(session, *wishes) == name


async def test_its_owner_is_told_by_mail(db: Database) -> None:
    ada = await person(db, "ada")
    await linked(db, ada, ADA)
    async with db.writing() as session:
        email = await session.scalar(select(Email))
        assert email is not None
        compose = emails.composers("https://social.example")[email.kind]
        letter = await compose(session, [{**email.payload, "kind": email.kind}])
        assert isinstance(letter, Letter)
        assert (letter.template, letter.to) == ("identity_linked", "ada@example.org")
        assert letter.context["provider"] == "The club"
        owner = await people.account(session, ada)
        owner.email = owner.email_key = None
        assert isinstance(
            await compose(session, [{**email.payload, "kind": email.kind}]), Cancelled
        )
