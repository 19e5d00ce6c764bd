from __future__ import annotations

import asyncio

import pytest

from microblog.accounts import actions, queries
from microblog.accounts.model import Account
from microblog.kernel.db import Database
from microblog.kernel.errors import Conflict, Invalid, NotFound


async def create(db: Database, name: str, **more: str | None) -> int:
    given = {"email": f"{name}@example.org", "password_hash": None, **more}
    async with db.writing() as session:
        return (await actions.create(session, name=name, **given)).id


async def find(db: Database, account_id: int) -> Account:
    async with db.reading() as session:
        return await queries.account(session, account_id)


async def test_a_new_account_is_a_member_with_nothing_chosen(db: Database) -> None:
    account = await find(db, await create(db, "Ada"))
    assert (account.name, account.name_key, account.role) == ("Ada", "ada", "member")
    assert (account.language, account.time_zone, account.theme) == (None, None, "auto")


@pytest.mark.parametrize("name", ["ada", "Ada", "ADA"])
async def test_a_name_is_taken_in_any_case_and_another_is_offered(db: Database, name: str) -> None:
    await create(db, "ada")
    await create(db, "Ada2")
    with pytest.raises(Conflict) as refusal:
        await create(db, name, email="other@example.org")
    assert refusal.value.field == "username"
    assert refusal.value.values == {"free": f"{name}3"}


async def test_the_name_offered_fits(db: Database) -> None:
    await create(db, "a" * 30)
    with pytest.raises(Conflict) as refusal:
        await create(db, "A" * 30, email="other@example.org")
    assert refusal.value.values == {"free": "A" * 29 + "2"}


async def test_an_address_has_one_account(db: Database) -> None:
    await create(db, "ada", email="Ada@example.org")
    with pytest.raises(Conflict) as refusal:
        await create(db, "grace", email="ADA@EXAMPLE.ORG")
    assert refusal.value.field == "email"


async def test_a_refused_account_leaves_the_transaction_whole(db: Database) -> None:
    await create(db, "ada")
    async with db.writing() as session:
        with pytest.raises(Conflict):
            await actions.create(session, name="ada", email=None, password_hash=None)
        await actions.create(session, name="grace", email=None, password_hash=None)
    async with db.reading() as session:
        assert (await queries.by_name(session, "grace")).email is None


async def test_of_two_at_once_one_gets_the_name(db: Database) -> None:
    both = [create(db, "ada", email=f"{n}@example.org") for n in range(2)]
    outcomes = await asyncio.gather(*both, return_exceptions=True)
    assert sorted(type(one).__name__ for one in outcomes) == ["Conflict", "int"]


async def test_a_reserved_name_cannot_be_created_past_the_form(db: Database) -> None:
    with pytest.raises(Invalid):
        await create(db, "admin")


async def test_an_unknown_language_or_zone_is_left_to_the_browser(db: Database) -> None:
    account = await find(db, await create(db, "ada", language="xx", time_zone="../etc/passwd"))
    assert (account.language, account.time_zone) == (None, None)
    account = await find(db, await create(db, "eva", language="es", time_zone="Europe/Madrid"))
    assert (account.language, account.time_zone) == ("es", "Europe/Madrid")


async def test_a_profile_is_edited(db: Database) -> None:
    mine, other = await create(db, "ada"), await create(db, "grace")
    async with db.writing() as session:
        await actions.edit_profile(session, mine, display_name=" Ada L ", bio="Numbers.")
    async with db.reading() as session:
        cards = await queries.cards(session, [mine, other])
    assert (cards[mine].display_name, cards[mine].bio) == ("Ada L", "Numbers.")
    assert (cards[other].display_name, cards[other].bio) == ("grace", "")


async def test_both_fields_of_a_profile_are_refused_together(db: Database) -> None:
    mine = await create(db, "ada")
    with pytest.raises(Invalid) as refusal:
        async with db.writing() as session:
            await actions.edit_profile(session, mine, display_name="x" * 51, bio="x" * 501)
    assert set(refusal.value.errors) == {"display_name", "bio"}


async def test_one_choice_of_appearance_leaves_the_others(db: Database) -> None:
    mine = await create(db, "ada", language="es")
    async with db.writing() as session:
        await actions.edit_appearance(session, mine, {"theme": "dark"})
    account = await find(db, mine)
    assert (account.theme, account.feed_mode, account.language) == ("dark", "pill", "es")
    async with db.writing() as session:
        choices = {"language": "", "time_zone": "America/Lima", "feed_mode": "insert"}
        await actions.edit_appearance(session, mine, choices)
    account = await find(db, mine)
    assert (account.theme, account.feed_mode) == ("dark", "insert")
    assert (account.language, account.time_zone) == (None, "America/Lima")


@pytest.mark.parametrize(
    "choices",
    [
        {"theme": "pink"}, {"theme": ""}, {"feed_mode": "x"}, {"language": "de"},
        {"time_zone": "Mars/Base"}, {"time_zone": "/etc/passwd"}, {"time_zone": "a" * 70},
        {"time_zone": "Europe/\x00"}, {"time_zone": "Europe"},
    ],
)  # fmt: skip
async def test_choices_off_the_list_are_refused(db: Database, choices: dict[str, str]) -> None:
    mine = await create(db, "ada")
    with pytest.raises(Invalid) as refusal:
        async with db.writing() as session:
            await actions.edit_appearance(session, mine, choices)
    assert list(refusal.value.errors) == list(choices)


async def test_a_mail_refusal_is_noted_counted_and_forgiven(db: Database) -> None:
    mine = await create(db, "ada")
    for _ in range(2):
        async with db.writing() as session:
            await actions.note_mail_refusal(session, mine, "550 no such user")
    account = await find(db, mine)
    assert (account.mail_refusal, account.mail_refusals) == ("550 no such user", 2)
    async with db.writing() as session:
        await actions.forgive_mail_refusal(session, mine)
    account = await find(db, mine)
    assert (account.mail_refusal, account.mail_refusals) == (None, 0)


async def test_nobody_is_an_administrator_before_somebody_is_promoted(db: Database) -> None:
    mine = await create(db, "ada")
    async with db.reading() as session:
        assert not await queries.has_administrator(session)
    async with db.writing() as session:
        await actions.promote(session, mine)
    async with db.reading() as session:
        assert await queries.has_administrator(session)
        with pytest.raises(NotFound):
            await queries.account(session, 99)
