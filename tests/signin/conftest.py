from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from microblog.kernel.db import Database
from tests.accounts.database import new_database


@pytest.fixture
async def db(tmp_path: Path) -> AsyncIterator[Database]:
    async with new_database(tmp_path) as db:
        yield db
