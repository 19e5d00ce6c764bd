"""One real server for all tests of the socket, with kept mails and a short hold."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest
import pytest_asyncio

from tests.databases import Databases
from tests.person import Person
from tests.process import SiteProcess

Meet = Callable[..., Awaitable[Person]]


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def site(
    tmp_path_factory: pytest.TempPathFactory, databases: Databases, database_kind: str
) -> AsyncIterator[SiteProcess]:
    folder = tmp_path_factory.mktemp("live") / "data"
    folder.mkdir()
    async with (
        databases.new(database_kind, folder) as url,
        SiteProcess(folder, command="dev", mail_hold="3", database_url=url) as process,
    ):
        yield process


@pytest_asyncio.fixture(loop_scope="package")
async def meet(site: SiteProcess) -> AsyncIterator[Meet]:
    """Make somebody's acquaintance: a registered person with a name of their own."""
    async with AsyncExitStack() as stack:

        async def somebody(*following: Person) -> Person:
            person = await stack.enter_async_context(Person(site.url, f"p{secrets.token_hex(5)}"))
            await person.register()
            for other in following:
                await person.follow(other.name)
            return person

        yield somebody
