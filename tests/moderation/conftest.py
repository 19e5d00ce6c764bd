from __future__ import annotations

from dataclasses import dataclass

import pytest

from microblog.accounts.model import Account
from tests.world import Person, World


@dataclass
class House:
    """People of every role."""

    world: World
    ada: Person  # administrator
    mo: Person  # moderator
    susan: Person
    david: Person

    async def account(self, person: Person) -> Account:
        async with self.world.db.reading() as session:
            return await session.get_one(Account, person.id)


async def with_role(world: World, name: str, role: str) -> Person:
    person = await world.person(name)
    async with world.db.writing() as session:
        (await session.get_one(Account, person.id)).role = role
    return person


@pytest.fixture
async def house(world: World) -> House:
    return House(
        world,
        await with_role(world, "ada", "administrator"),
        await with_role(world, "mo", "moderator"),
        await world.person("susan"),
        await world.person("david"),
    )
