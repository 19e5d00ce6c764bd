from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from microblog.accounts import queries as accounts
from microblog.accounts.model import Account
from microblog.admissions.door import Door
from microblog.kernel.clock import now
from microblog.kernel.db import Database
from microblog.kernel.errors import Conflict, Invalid, NotFound
from microblog.mail.letters import Cancelled, Letter
from microblog.mail.outbox import Email
from microblog.signin import queries, registrations
from microblog.signin.applicants import Applicant, check_applicant
from microblog.signin.emails import composers
from microblog.signin.model import Registration
from tests.signin.people import person

COMPOSE = composers("https://social.example", "k" * 40, True)


async def ask(db: Database, name: str = "ada", email: str = "ada@example.org", **more: Any) -> None:
    async with db.writing() as session:
        await registrations.ask_to_confirm(session, Applicant(name, email, **more), "a hash")


OPEN = Door("open", ())


async def composed(db: Database) -> list[Letter | Cancelled]:
    """What the mails in the outbox would say now, oldest first."""
    async with db.writing() as session:
        emails = await session.scalars(select(Email).order_by(Email.id))
        return [
            await COMPOSE[email.kind](session, [{"kind": email.kind, **email.payload}])
            for email in emails.all()
        ]


async def link(db: Database) -> str:
    """The token in the newest mail."""
    async with db.writing() as session:
        newest = await session.scalar(select(Email).order_by(Email.id.desc()).limit(1))
        assert newest is not None
        letter = await COMPOSE[newest.kind](session, [newest.payload])
    assert isinstance(letter, Letter)
    assert letter.template == "confirm"
    return str(letter.context["url"]).removeprefix("https://social.example/confirm/")


async def confirm(db: Database, token: str, **more: str) -> Account:
    async with db.writing() as session:
        account = await registrations.confirm(session, token, OPEN, **more)
    assert account is not None
    return account


async def test_an_account_begins_when_its_address_is_confirmed(db: Database) -> None:
    await ask(db, "Ada", language="es", time_zone="Europe/Madrid")
    async with db.reading() as session:
        with pytest.raises(NotFound):
            await accounts.by_name(session, "ada")
        assert await queries.credentials(session, "ada@example.org") is None
    account = await confirm(db, await link(db))
    assert (account.name, account.email) == ("Ada", "ada@example.org")
    assert account.password_hash == "a hash"
    assert (account.language, account.time_zone) == ("es", "Europe/Madrid")


async def test_the_letter_has_the_link_and_the_language(db: Database) -> None:
    await ask(db, language="es")
    (letter,) = await composed(db)
    assert isinstance(letter, Letter)
    assert (letter.to, letter.language, letter.unsubscribe) == ("ada@example.org", "es", None)
    assert letter.context["name"] == "ada"
    assert letter.context["hours"] == 24


async def test_looking_does_not_use_the_link_up_and_confirming_does(db: Database) -> None:
    await ask(db)
    token = await link(db)
    for _ in range(3):
        async with db.reading() as session:
            assert await queries.registration(session, token) is not None
    await confirm(db, token)
    async with db.reading() as session:
        assert await queries.registration(session, token) is None
    with pytest.raises(NotFound):
        await confirm(db, token)


async def test_a_link_lasts_a_day(db: Database) -> None:
    await ask(db)
    token = await link(db)
    async with db.writing() as session:
        await session.execute(update(Registration).values(expires_at=now() - timedelta(seconds=1)))
    with pytest.raises(NotFound):
        await confirm(db, token)
    assert await composed(db) == [Cancelled("replaced or expired")]


async def test_asking_again_ends_the_link_before(db: Database) -> None:
    await ask(db)
    old = await link(db)
    await ask(db, "ada_l", "ADA@example.org")
    with pytest.raises(NotFound):
        await confirm(db, old)
    assert (await confirm(db, await link(db))).name == "ada_l"


async def test_a_mail_of_a_registration_that_was_replaced_is_not_sent(db: Database) -> None:
    await ask(db)
    await ask(db)
    first, second = await composed(db)
    assert first == Cancelled("replaced or expired")
    assert isinstance(second, Letter)


async def test_the_owner_of_a_known_address_is_told_and_no_link_made(db: Database) -> None:
    await person(db, "ada")
    await ask(db, "mallory", "ADA@example.org")
    (letter,) = await composed(db)
    assert isinstance(letter, Letter)
    assert (letter.template, letter.to) == ("already_registered", "ada@example.org")
    assert letter.context["name"] == "ada"
    assert letter.context["reset_url"] == "https://social.example/password/forgot"
    async with db.reading() as session:
        assert (await session.scalars(select(Registration))).all() == []


async def test_an_address_taken_meanwhile_ends_the_link(db: Database) -> None:
    await ask(db)
    token = await link(db)
    async with db.writing() as session:
        other = Applicant("ada_2", "ada@example.org")
        await registrations.create(session, other, "another hash", OPEN)
    with pytest.raises(NotFound):
        await confirm(db, token)


async def test_a_name_taken_meanwhile_can_be_replaced(db: Database) -> None:
    await ask(db, "ada", "other@example.org")
    token = await link(db)
    await person(db, "ada")
    with pytest.raises(Conflict) as refusal:
        await confirm(db, token)
    assert (refusal.value.field, refusal.value.values) == ("username", {"free": "ada2"})
    with pytest.raises(Invalid):
        await confirm(db, token, other_name="admin")
    assert (await confirm(db, token, other_name="ada2")).name == "ada2"


async def test_two_may_ask_for_a_name_and_the_first_to_confirm_has_it(db: Database) -> None:
    await ask(db, "ada", "one@example.org")
    one = await link(db)
    await ask(db, "ada", "two@example.org")
    two = await link(db)
    assert (await confirm(db, two)).email == "two@example.org"
    with pytest.raises(Conflict):
        await confirm(db, one)


async def test_taken_names_are_refused_before_the_hash_and_addresses_where_told(
    db: Database,
) -> None:
    await person(db, "ada")
    async with db.reading() as session:
        fresh, known = Applicant("grace", "g@example.org"), Applicant("grace", "ADA@example.org")
        await registrations.refuse_taken(session, fresh, also_email=True)
        await registrations.refuse_taken(session, known, also_email=False)
        with pytest.raises(Conflict) as refusal:
            await registrations.refuse_taken(session, known, also_email=True)
        assert refusal.value.field == "email"
        named = Applicant("ADA", "g@example.org")
        with pytest.raises(Conflict) as refusal:
            await registrations.refuse_taken(session, named, also_email=False)
        assert refusal.value.field == "username"


def test_everything_wrong_with_a_form_is_said_at_once() -> None:
    with pytest.raises(Invalid) as refusal:
        check_applicant(name="a b", email="x", password="short")
    assert set(refusal.value.errors) == {"username", "email", "password"}


def test_english_is_no_choice_of_its_own() -> None:
    given = {"name": "ada", "email": "ada@example.org", "password": "correct horse battery"}
    assert check_applicant(**given, language="en").language is None
    assert check_applicant(**given, language="es").language == "es"
