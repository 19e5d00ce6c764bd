"""Fixtures for everything.  `world` is a site in this process; `site_process` one of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from quart import Quart

from microblog.app import create_app
from microblog.kernel import events
from microblog.kernel.db import Database
from microblog.settings import Settings
from tests import routes
from tests.databases import KINDS, Databases
from tests.posts.stage import Stage
from tests.process import SiteProcess
from tests.world import World

KEY = "test-key-0123456789-abcdefghijklmnop"

routes.share()


# Pages and the parts of serving speak to no database of their own; what they show is tested on
# both kinds in the packages that know.
ON_BOTH = (
    "accounts", "admissions", "archives", "backlinks", "commands", "crossposts", "demo",
    "departures", "faults", "flows", "follows", "identities", "imports", "kernel", "live", "mail",
    "moderation", "notifications", "plans", "posts", "signin", "site_settings", "timelines",
)  # fmt: skip


# What waits for servers, browsers and killed processes begins first, so that none of the
# processes of bin/test is left with a long file when the others have done.
LONG = ("faults", "browser", "commands", "operate", "flows", "serving", "bench", "plans")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: _folder(item.path) not in LONG)


def _folder(path: Path) -> str:
    return Path(path).relative_to(Path(__file__).parent).parts[0]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "database_kind" in metafunc.fixturenames:
        kinds = KINDS if _folder(metafunc.definition.path) in ON_BOTH else KINDS[:1]
        metafunc.parametrize("database_kind", kinds, scope="session")


@pytest.fixture(scope="session")
def databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Databases]:
    databases = Databases(tmp_path_factory.mktemp("databases"))
    yield databases
    databases.close()


@pytest.fixture
async def database_url(
    databases: Databases, database_kind: str, tmp_path: Path
) -> AsyncIterator[str]:
    """Of a migrated, empty database: an SQLite file, then one on a PostgreSQL server."""
    async with databases.new(database_kind, tmp_path) as url:
        yield url


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    async with database.writing() as session:
        await events.ensure_epoch(session)
    yield database
    await database.close()


@pytest.fixture
def stage(db: Database) -> Stage:
    return Stage(db)


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    return Settings(
        data_dir=tmp_path, database_url=database_url, base_url="http://localhost", secret_key=KEY,
        mode="dev", mail_hold=0.0, limits="off", workers_here="off",
    )  # fmt: skip


@pytest.fixture
async def app(settings: Settings) -> AsyncIterator[Quart]:
    app = create_app(settings)
    async with app.test_app():
        yield app


@pytest.fixture
def world(app: Quart) -> World:
    return World(app)


@pytest.fixture
async def site_process(tmp_path: Path, database_url: str) -> AsyncIterator[SiteProcess]:
    async with SiteProcess(
        tmp_path / "data", confirm_email="off", database_url=database_url
    ) as process:
        yield process
