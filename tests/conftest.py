"""Fixtures for everything.  `world` is a site in this process; `site_process` one of its own."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from quart import Quart

from microblog.app import create_app
from microblog.kernel import schema
from microblog.settings import Settings
from tests.process import SiteProcess
from tests.world import World

KEY = "test-key-0123456789-abcdefghijklmnop"


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file of the newest schema, to be copied."""
    path = tmp_path_factory.mktemp("template") / "microblog.db"
    asyncio.run(schema.upgrade(f"sqlite+aiosqlite:///{path}"))
    return path


@pytest.fixture
def settings(tmp_path: Path, migrated: Path) -> Settings:
    shutil.copy(migrated, tmp_path / "microblog.db")
    return Settings(
        data_dir=tmp_path, base_url="http://localhost", secret_key=KEY, mode="dev", mail_hold=0.0,
        limits="off", workers_here="off",
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
async def site_process(tmp_path: Path) -> AsyncIterator[SiteProcess]:
    async with SiteProcess(tmp_path / "data", confirm_email="off") as process:
        yield process
