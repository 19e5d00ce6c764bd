"""What nobody may come with."""

from __future__ import annotations

import pytest

from microblog.accounts import actions as accounts
from microblog.accounts import bans as listed
from microblog.kernel.errors import Conflict, Invalid, NotFound
from microblog.moderation import bans, queries
from tests.moderation.conftest import House

HERE = "198.51.100.7"


async def ban(house: House, kind: str, value: str) -> None:
    async with house.world.db.writing() as session:
        await bans.ban(session, house.ada.id, kind, value, address=HERE)


async def comes(house: House, name: str, email: str) -> None:
    async with house.world.db.writing() as session:
        await accounts.create(session, name=name, email=email, password_hash=None)


async def test_a_banned_name_is_refused_in_any_case(house: House) -> None:
    await ban(house, "name", "@Root_King")
    with pytest.raises(Invalid) as refused:
        await comes(house, "ROOT_king", "king@example.net")
    assert "username" in refused.value.errors
    await comes(house, "root_kings", "king@example.net")


async def test_a_banned_domain_is_refused_with_all_below_it(house: House) -> None:
    await ban(house, "domain", "@Spam.example")
    for address in ("a@spam.example", "a@SPAM.example", "a@mail.spam.example"):
        with pytest.raises(Invalid) as refused:
            await comes(house, "newcomer", address)
        assert "email" in refused.value.errors
        async with house.world.db.writing() as session:
            with pytest.raises(Invalid):
                await accounts.set_email(session, house.susan.id, address)
    await comes(house, "newcomer", "a@notspam.example")


@pytest.mark.parametrize(
    ("address", "is_out"),
    [
        ("192.0.2.9", True), ("::ffff:192.0.2.9", True), ("192.0.3.1", False), ("", False),
        ("2001:db8::1", True), ("2001:db9::1", False), ("unix", False),
    ],
)  # fmt: skip
async def test_a_range_shuts_out_its_addresses(house: House, address: str, is_out: bool) -> None:
    await ban(house, "network", "192.0.2.77/24")
    await ban(house, "network", "2001:db8::/32")
    async with house.world.db.reading() as session:
        assert await listed.is_shut_out(session, address) is is_out


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("name", ""), ("name", "a b"), ("domain", "org"), ("domain", ""), ("domain", "a@b.org"),
        ("network", "x"), ("network", "0.0.0.0/0"), ("network", "::/0"), ("planet", "mars"),
        ("network", "198.51.100.0/24"), ("domain", "x" * 300 + ".org"),
    ],
)  # fmt: skip
async def test_nonsense_and_oneself_are_refused(house: House, kind: str, value: str) -> None:
    with pytest.raises(Invalid):
        await ban(house, kind, value)


async def test_a_ban_is_made_once_and_taken_back_and_stands_in_the_log(house: House) -> None:
    await ban(house, "domain", "spam.example")
    with pytest.raises(Conflict):
        await ban(house, "domain", "SPAM.example")
    async with house.world.db.writing() as session:
        (found,) = await listed.newest(session)
        await bans.unban(session, house.ada.id, found.id)
        with pytest.raises(NotFound):
            await bans.unban(session, house.ada.id, found.id)
    await comes(house, "newcomer", "a@spam.example")
    async with house.world.db.reading() as session:
        assert [one.act for one in await queries.entries(session)] == ["unban", "ban"]
        assert await queries.entries(session, public=True) == []
