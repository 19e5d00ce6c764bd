from __future__ import annotations

import pytest
from sqlalchemy import update

from microblog.accounts import actions, queries
from microblog.accounts.model import Account
from microblog.kernel.clock import now
from microblog.kernel.db import Database
from microblog.kernel.errors import NotFound


@pytest.fixture
async def people(db: Database) -> dict[str, int]:
    """Ada, Grace and Mallory, who is suspended."""
    async with db.writing() as session:
        made = [
            await actions.create(
                session, name=name, email=f"{name}@example.org", password_hash=None
            )
            for name in ("Ada", "grace", "mallory")
        ]
        ids = {account.name.lower(): account.id for account in made}
        suspended = update(Account).where(Account.id == ids["mallory"])
        await session.execute(suspended.values(suspended_at=now()))
    return ids


async def test_a_card_falls_back_to_the_name(db: Database, people: dict[str, int]) -> None:
    async with db.reading() as session:
        card = await queries.card(session, people["ada"])
        assert card is not None
        assert (card.name, card.display_name, card.shown, card.bio) == ("Ada", "Ada", "Ada", "")
        assert await queries.card(session, 12345) is None


async def test_many_cards_come_in_few_statements(db: Database, people: dict[str, int]) -> None:
    async with db.reading() as session:
        cards = await queries.cards(session, [*range(5000), *people.values()])
    assert set(cards) == {people["ada"], people["grace"]}  # nobody who is suspended


async def test_a_name_is_found_in_any_case(db: Database, people: dict[str, int]) -> None:
    async with db.reading() as session:
        assert (await queries.by_name(session, "ADA")).name == "Ada"


@pytest.mark.parametrize("name", ["nobody_here", "mallory", "", "ad%", "a_a", "x" * 5000, "\x00"])
async def test_these_are_not_found(db: Database, people: dict[str, int], name: str) -> None:
    async with db.reading() as session:
        with pytest.raises(NotFound):
            await queries.by_name(session, name)


async def test_mentions_mean_those_who_exist(db: Database, people: dict[str, int]) -> None:
    async with db.reading() as session:
        found = await queries.ids_by_names(session, ["ADA", "ada", "Grace", "mallory", "x"])
        assert found == {"ada": people["ada"], "grace": people["grace"]}
        assert await queries.ids_by_names(session, []) == {}


async def test_the_suspended_are_not_found_by_address(db: Database, people: dict[str, int]) -> None:
    async with db.reading() as session:
        assert await queries.by_email(session, "mallory@example.org") is None
        assert await queries.by_email(session, "nobody@example.org") is None
        found = await queries.by_email(session, "ADA@example.org")
        assert found is not None
        assert found.id == people["ada"]
        assert await queries.is_known_email(session, "mallory@example.org")


async def test_suggested_are_the_newest_others(db: Database, people: dict[str, int]) -> None:
    async with db.reading() as session:
        for_visitors = await queries.suggestions(session, None, set(), 5)
        for_ada = await queries.suggestions(session, people["ada"], set(), 5)
        for_fan = await queries.suggestions(session, people["ada"], {people["grace"]}, 5)
        assert len(await queries.suggestions(session, None, set(), 1)) == 1
    assert [card.name for card in for_visitors] == ["grace", "Ada"]
    assert [card.name for card in for_ada] == ["grace"]
    assert for_fan == []
