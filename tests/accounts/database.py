"""A real database of its own for a test, without the web application around it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from sqlalchemy import create_engine

from microblog.kernel import readers  # noqa: F401 - its tables belong to every database
from microblog.kernel.db import Database
from microblog.kernel.model import Base
from microblog.mail import outbox  # noqa: F401
from microblog.signin import model  # noqa: F401


@asynccontextmanager
async def new_database(folder: Path) -> AsyncIterator[Database]:
    path = folder / "test.db"
    engine = create_engine(f"sqlite:///{path}")
    Base.metadata.create_all(engine)
    engine.dispose()
    db = Database(f"sqlite+aiosqlite:///{path}")
    yield db
    await db.close()
