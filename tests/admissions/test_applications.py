"""Asking to be let in, and what becomes of it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from microblog.accounts import queries as accounts
from microblog.admissions import applications, queries
from microblog.admissions.applications import Asking
from microblog.admissions.model import Application
from microblog.identities.queries import identities_of
from microblog.kernel.clock import now
from microblog.kernel.db import Database
from microblog.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from microblog.mail.outbox import Email
from microblog.moderation import applications as deciding
from microblog.moderation.model import Entry
from microblog.moderation.queries import waiting
from tests.posts.stage import Stage

ADA = Asking("ada", "I keep bees.", email="ada@example.org", password_hash="a hash")
GRACE = Asking("grace", "I heard of it.", issuer="https://id.example", subject="7", shown="g")


async def asks(db: Database, who: Asking, *, proven: bool = True) -> int:
    async with db.writing() as session:
        return (await applications.file(session, who, proven=proven)).id


async def with_role(db: Database, stage: Stage, name: str, role: str) -> int:
    who = await stage.person(name)
    async with db.writing() as session:
        (await accounts.account(session, who)).role = role
    return who


@pytest.fixture
async def mo(db: Database, stage: Stage) -> int:
    return await with_role(db, stage, "mo", "moderator")


async def rows(db: Database) -> list[Application]:
    async with db.reading() as session:
        return list(await session.scalars(select(Application)))


async def mails(db: Database) -> list[str]:
    async with db.reading() as session:
        return list(await session.scalars(select(Email.kind).order_by(Email.id)))


async def test_it_waits_until_somebody_lets_them_in(db: Database, mo: int) -> None:
    wanted = await asks(db, ADA)
    async with db.reading() as session:
        assert (await waiting(session)).applications == 1
        (seen,) = await queries.applications(session)
        assert (seen.id, seen.name, seen.reason, seen.domain) == (
            wanted, "ada", "I keep bees.", "example.org",
        )  # fmt: skip
    async with db.writing() as session:
        account = await deciding.approve(session, mo, wanted)
    assert (account.name, account.email, account.password_hash) == (
        "ada", "ada@example.org", "a hash",
    )  # fmt: skip
    assert await rows(db) == []
    assert await mails(db) == ["application_approved"]
    async with db.reading() as session:
        assert (await waiting(session)).total == 0
        entry = (await session.scalars(select(Entry))).one()
    assert (entry.act, entry.actor_id, entry.account_id, entry.is_public) == (
        "approve_application", mo, account.id, False,
    )  # fmt: skip


async def test_who_is_declined_leaves_an_address_until_it_is_mailed(db: Database, mo: int) -> None:
    wanted = await asks(db, ADA)
    async with db.writing() as session:
        await deciding.decline(session, mo, wanted, reason="This is for people of our street.")
    (left,) = await rows(db)
    assert (left.email, left.answer) == ("ada@example.org", "This is for people of our street.")
    assert (left.name, left.reason, left.password_hash, left.email_key) == ("", "", None, None)
    assert await mails(db) == ["application_declined"]
    async with db.reading() as session:
        entry = (await session.scalars(select(Entry))).one()
        assert (await waiting(session)).total == 0
    assert (entry.act, entry.account_id, entry.before, entry.after) == (
        "decline_application", None, {}, {},
    )  # fmt: skip
    await asks(db, ADA)  # once more is no offence


async def test_to_decline_needs_a_reason(db: Database, mo: int) -> None:
    wanted = await asks(db, ADA)
    async with db.writing() as session:
        with pytest.raises(Invalid):
            await deciding.decline(session, mo, wanted, reason=" ")


async def test_members_decide_nothing(db: Database, stage: Stage) -> None:
    susan, wanted = await stage.person("susan"), await asks(db, ADA)
    async with db.writing() as session:
        with pytest.raises(Forbidden):
            await deciding.approve(session, susan, wanted)
        with pytest.raises(Forbidden):
            await deciding.decline(session, susan, wanted, reason="No.")


async def test_somebody_decides_once(db: Database, mo: int) -> None:
    wanted = await asks(db, ADA)
    async with db.writing() as session:
        await deciding.decline(session, mo, wanted, reason="No.")
    async with db.writing() as session:
        with pytest.raises(NotFound, match="decided"):
            await deciding.approve(session, mo, wanted)
        with pytest.raises(NotFound):
            await deciding.approve(session, mo, 999)


async def test_a_name_taken_meanwhile_gets_a_number(db: Database, stage: Stage, mo: int) -> None:
    wanted = await asks(db, ADA)
    await stage.person("Ada")
    async with db.writing() as session:
        assert (await deciding.approve(session, mo, wanted)).name == "ada2"


async def test_who_has_an_account_by_now_gets_no_second(
    db: Database, stage: Stage, mo: int
) -> None:
    wanted, susan = await asks(db, ADA), await stage.person("susan")
    async with db.writing() as session:
        account = await accounts.account(session, susan)
        account.email, account.email_key = "ada@example.org", "ada@example.org"
    with pytest.raises(Conflict, match="By now"):
        async with db.writing() as session:
            await deciding.approve(session, mo, wanted)
    assert len(await rows(db)) == 1


async def test_a_taken_name_is_refused_when_it_is_asked_for(db: Database, stage: Stage) -> None:
    await stage.person("ada")
    with pytest.raises(Conflict) as refused:
        await asks(db, ADA)
    assert refused.value.field == "username"


async def test_only_who_owns_the_address_replaces_what_was_asked_with_it(db: Database) -> None:
    first = await asks(db, ADA, proven=False)
    with pytest.raises(Conflict) as refused:
        await asks(db, ADA, proven=False)
    assert refused.value.field == "email"
    second = await asks(db, Asking("bee", "It was not me.", email="ADA@example.org"))
    assert [row.id for row in await rows(db)] == [second]
    assert second != first


async def test_somebody_of_a_provider_asks_once_and_comes_back_as_themselves(
    db: Database, mo: int
) -> None:
    await asks(db, GRACE)
    wanted = await asks(db, GRACE)
    assert len(await rows(db)) == 1
    await asks(db, Asking("other", "Me, too.", issuer="https://id.example", subject="8"))
    async with db.reading() as session:
        assert await applications.is_waiting(session, "https://id.example", "7")
    async with db.writing() as session:
        account = await deciding.approve(session, mo, wanted)
        (identity,) = await identities_of(session, account.id)
    assert (account.email, identity.issuer) == (None, "https://id.example")
    async with db.reading() as session:
        assert not await applications.is_waiting(session, "https://id.example", "7")
    assert len(await rows(db)) == 1


async def test_without_an_address_a_declined_one_is_gone_at_once(db: Database, mo: int) -> None:
    wanted = await asks(db, GRACE)
    async with db.writing() as session:
        await deciding.decline(session, mo, wanted, reason="No.")
    assert await rows(db) == []
    assert await mails(db) == []


async def test_an_account_with_the_address_overtakes_it(db: Database) -> None:
    await asks(db, ADA)
    async with db.writing() as session:
        await applications.overtaken(session, "Ada@Example.org")
    assert await rows(db) == []


async def test_what_nobody_answers_is_declined_in_the_end(db: Database) -> None:
    await asks(db, ADA)
    async with db.writing() as session:
        assert not await applications.lapse(session)
        await session.execute(update(Application).values(created_at=now() - timedelta(days=61)))
    async with db.writing() as session:
        assert await applications.lapse(session)
        assert not await applications.lapse(session)
    assert await mails(db) == ["application_declined"]
    async with db.writing() as session:
        await session.execute(update(Application).values(declined_at=now() - timedelta(days=6)))
        await applications.lapse(session)
    assert await rows(db) == []


async def test_no_more_than_so_many_wait(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(applications, "MOST", 1)
    await asks(db, ADA)
    with pytest.raises(Forbidden):
        await asks(db, GRACE)
