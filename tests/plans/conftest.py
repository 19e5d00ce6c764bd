from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from microblog.kernel.db import Database
from tests.databases import Databases
from tests.plans.grown import grow


@pytest.fixture(scope="session")
def grown_url(
    databases: Databases, database_kind: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Of a site that has grown; made once for each kind of database."""
    with ThreadPoolExecutor(1) as pool:  # no loop runs there
        yield pool.submit(_make, databases, database_kind, tmp_path_factory).result()


def _make(databases: Databases, kind: str, folders: pytest.TempPathFactory) -> str:
    if kind == "sqlite":
        path = folders.mktemp("grown") / "microblog.db"
        shutil.copy(databases.sqlite_file(), path)
        url = f"sqlite+aiosqlite:///{path}"
    else:
        server = databases.server()
        asyncio.run(server.execute("CREATE DATABASE grown TEMPLATE template_microblog"))
        url = server.url("grown")
    asyncio.run(grow(url))
    return url


@pytest.fixture
async def grown(grown_url: str) -> AsyncIterator[Database]:
    """To be asked only: what a test writes is rolled back."""
    database = Database(grown_url)
    yield database
    await database.close()
