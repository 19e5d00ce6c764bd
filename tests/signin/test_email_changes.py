from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from microblog.accounts import queries as people
from microblog.accounts.actions import create as create_account
from microblog.admissions.door import Door
from microblog.kernel.clock import now
from microblog.kernel.db import Database
from microblog.kernel.errors import Conflict, Invalid, NotFound
from microblog.mail.letters import Cancelled, Letter
from microblog.mail.outbox import Email
from microblog.signin import actions, email_changes, queries, resets
from microblog.signin.applicants import Applicant
from microblog.signin.emails import composers
from microblog.signin.model import (
    EmailChange,
    EmailUndo,
    Passkey,
    PasswordReset,
    RecoveryCode,
    SecondFactor,
)  # fmt: skip
from microblog.signin.registrations import create, refuse_taken
from tests.signin.people import behind, person, session_id, signed_in

COMPOSE = composers("https://social.example", "k" * 40, True)
NEW = "ada@new.example"


async def newest(db: Database, kind: str) -> Letter | Cancelled:
    async with db.writing() as session:
        mine = select(Email).where(Email.kind == kind).order_by(Email.id.desc()).limit(1)
        email = (await session.scalars(mine)).one()
        return await COMPOSE[kind](session, [{"kind": kind, **email.payload}])


async def token_in(db: Database, kind: str) -> str:
    letter = await newest(db, kind)
    assert isinstance(letter, Letter)
    return str(letter.context["url"]).rpartition("/")[2]


async def ask(db: Database, account_id: int, opened: str, email: str = NEW) -> str:
    """The token of the link that is mailed to the new address."""
    mine = await session_id(db, opened)
    async with db.writing() as session:
        await email_changes.ask(session, account_id, mine, email)
    return await token_in(db, "email_change")


async def confirm(db: Database, token: str, here: int | None = None) -> None:
    async with db.writing() as session:
        await email_changes.confirm(session, token, here)


async def undo(db: Database, token: str) -> None:
    async with db.writing() as session:
        await email_changes.undo(session, token)


async def address(db: Database, account_id: int) -> str | None:
    async with db.reading() as session:
        return (await people.account(session, account_id)).email


async def test_an_address_changes_when_it_is_confirmed_and_not_before(db: Database) -> None:
    ada = await person(db)
    here, there = await signed_in(db, ada), await signed_in(db, ada)
    token = await ask(db, ada, here)
    assert await address(db, ada) == "ada@example.org"
    await confirm(db, token)
    assert await address(db, ada) == NEW
    assert await behind(db, here) is not None
    assert await behind(db, there) is None
    with pytest.raises(NotFound):
        await confirm(db, token)


async def test_the_browser_that_confirms_stays_too(db: Database) -> None:
    ada = await person(db)
    here, there = await signed_in(db, ada), await signed_in(db, ada)
    await confirm(db, await ask(db, ada, here), await session_id(db, there))
    assert [await behind(db, token) is not None for token in (here, there)] == [True, True]


async def test_the_link_goes_to_the_new_address_and_word_to_the_old_one(db: Database) -> None:
    ada = await person(db)
    token = await ask(db, ada, await signed_in(db, ada))
    letter = await newest(db, "email_change")
    assert isinstance(letter, Letter)
    assert letter.to == NEW
    assert token not in str(letter.context["url"])  # written anew, so the one before is dead
    with pytest.raises(NotFound):
        await confirm(db, token)
    await confirm(db, str(letter.context["url"]).rpartition("/")[2])
    told = await newest(db, "email_changed")
    assert isinstance(told, Letter)
    assert told.to == "ada@example.org"
    assert told.context["email"] == NEW


async def test_asking_again_or_an_hour_ends_a_link(db: Database) -> None:
    ada = await person(db)
    opened = await signed_in(db, ada)
    replaced = await ask(db, ada, opened)
    late = await ask(db, ada, opened, "ada@third.example")
    with pytest.raises(NotFound):
        await confirm(db, replaced)
    async with db.writing() as session:
        await session.execute(update(EmailChange).values(expires_at=now()))
    with pytest.raises(NotFound):
        await confirm(db, late)
    assert isinstance(await newest(db, "email_change"), Cancelled)


async def test_links_to_a_new_password_and_to_another_address_end_each_other(db: Database) -> None:
    ada = await person(db)
    opened = await signed_in(db, ada)
    token = await ask(db, ada, opened)
    async with db.writing() as session:
        await resets.issue_link(session, ada)
    await confirm(db, token)
    async with db.reading() as session:
        assert await session.get(PasswordReset, ada) is None
    token = await ask(db, ada, opened, "ada@third.example")
    async with db.writing() as session:
        await actions.set_password(session, await people.account(session, ada), "a new hash")
    with pytest.raises(NotFound):
        await confirm(db, token)


async def test_ones_own_address_and_what_is_none_are_refused(db: Database) -> None:
    ada = await person(db)
    opened = await signed_in(db, ada)
    for email in ("ADA@example.org", "ada", ""):
        with pytest.raises(Invalid):
            await ask(db, ada, opened, email)


async def test_the_address_of_somebody_else_tells_its_owner_only(db: Database) -> None:
    ada, grace = await person(db), await person(db, "grace")
    mine = await session_id(db, await signed_in(db, ada))
    async with db.writing() as session:
        await email_changes.ask(session, ada, mine, "grace@example.org")
    letter = await newest(db, "email_change")
    assert isinstance(letter, Letter)
    assert (letter.template, letter.to) == ("email_taken", "grace@example.org")
    assert "url" not in letter.context
    async with db.reading() as session:  # what Ada sees is the same as with a free address
        assert await queries.asked_email(session, ada) == "grace@example.org"
    assert await address(db, grace) == "grace@example.org"


async def test_an_address_that_somebody_took_since_is_not_given_twice(db: Database) -> None:
    ada = await person(db)
    token = await ask(db, ada, await signed_in(db, ada), "grace@example.org")
    await person(db, "grace")
    with pytest.raises(NotFound):
        await confirm(db, token)
    assert await address(db, ada) == "ada@example.org"


async def test_the_old_address_takes_the_change_back(db: Database) -> None:
    ada = await person(db)
    thief = await signed_in(db, ada)
    await confirm(db, await ask(db, ada, thief))
    token = await token_in(db, "email_changed")
    await undo(db, token)
    assert await address(db, ada) == "ada@example.org"
    assert await behind(db, thief) is None
    async with db.reading() as session:
        assert (await queries.credentials_of(session, ada)).password_hash is None
    letter = await newest(db, "password_reset")
    assert isinstance(letter, Letter)
    assert letter.to == "ada@example.org"
    with pytest.raises(NotFound):
        await undo(db, token)


async def test_the_first_address_wins_over_all_later_ones(db: Database) -> None:
    ada = await person(db)
    opened = await signed_in(db, ada)
    await confirm(db, await ask(db, ada, opened))
    first = await token_in(db, "email_changed")
    await confirm(db, await ask(db, ada, opened, "ada@third.example"))
    second = await token_in(db, "email_changed")
    await undo(db, first)
    assert await address(db, ada) == "ada@example.org"
    with pytest.raises(NotFound):
        await undo(db, second)


async def test_after_a_week_it_is_too_late(db: Database) -> None:
    ada = await person(db)
    await confirm(db, await ask(db, ada, await signed_in(db, ada)))
    token = await token_in(db, "email_changed")
    async with db.writing() as session:
        assert await email_changes.is_reserved(session, "Ada@example.org")
        await session.execute(update(EmailUndo).values(expires_at=now() - timedelta(seconds=1)))
        assert not await email_changes.is_reserved(session, "ada@example.org")
    with pytest.raises(NotFound):
        await undo(db, token)


async def test_nobody_registers_with_an_address_that_can_come_back(db: Database) -> None:
    ada = await person(db)
    await confirm(db, await ask(db, ada, await signed_in(db, ada)))
    mallory = Applicant("mallory", "ada@example.org")
    async with db.writing() as session:
        with pytest.raises(Conflict):
            await refuse_taken(session, mallory, also_email=True)
        with pytest.raises(Conflict):
            await create(session, mallory, "a hash", Door("open", ()))


async def test_an_account_without_an_address_gets_one_and_nobody_is_told(db: Database) -> None:
    async with db.writing() as session:
        account = await create_account(session, name="ada", email=None, password_hash=None)
    await confirm(db, await ask(db, account.id, await signed_in(db, account.id)))
    assert await address(db, account.id) == NEW
    async with db.reading() as session:
        assert await session.scalar(select(EmailUndo.id)) is None


async def test_taking_it_back_takes_what_came_since_and_leaves_what_was_before(
    db: Database,
) -> None:
    ada = await person(db)
    async with db.writing() as session:
        session.add(a_passkey(ada, b"mine"))
    await confirm(db, await ask(db, ada, await signed_in(db, ada)))
    async with db.writing() as session:
        session.add(a_passkey(ada, b"a thief's"))
        session.add(SecondFactor(account_id=ada, secret=b"", confirmed_at=now()))
        session.add(RecoveryCode(account_id=ada, code_hash="x"))
    await undo(db, await token_in(db, "email_changed"))
    async with db.reading() as session:
        assert list(await session.scalars(select(Passkey.credential_id))) == [b"mine"]
        assert await session.get(SecondFactor, ada) is None
        assert await session.scalar(select(RecoveryCode.code_hash)) is None


def a_passkey(account_id: int, credential_id: bytes) -> Passkey:
    made = now()
    return Passkey(
        id=int(made.timestamp() * 1e6), account_id=account_id, credential_id=credential_id,
        public_key=b"", name="x", created_at=made,
    )  # fmt: skip
