"""Alembic, run on a connection.  Only `kernel.schema` asks for this, and only when something is to
be migrated: loading Alembic costs every start 0.2 s and every process 10 MiB.
"""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

MIGRATIONS = Path(__file__).parent / "migrations"


def config() -> Config:
    made = Config()
    made.set_main_option("script_location", str(MIGRATIONS))
    made.set_main_option("path_separator", "os")
    return made


def migrate(connection: Connection) -> None:
    """To the newest revision, in the transaction of `connection`."""
    alembic = config()
    alembic.attributes["connection"] = connection
    command.upgrade(alembic, "head")
