from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from microblog.notifications import queries
from microblog.notifications.queries import NotificationView
from tests.world import Person, World

Told = Callable[[Person], Awaitable[list[NotificationView]]]


@pytest.fixture
def told(world: World) -> Told:
    """What someone has been told, newest first, once the consumers have caught up."""

    async def ask(person: Person) -> list[NotificationView]:
        for consumer in world.machinery.consumers:
            await consumer.catch_up(world.db)
        async with world.db.reading() as session:
            return await queries.page(session, person.id)

    return ask
