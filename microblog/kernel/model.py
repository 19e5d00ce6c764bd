"""The base of every table, and the name under which everyone is handed a session."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, TypeAlias

from sqlalchemy import BigInteger, DateTime, Dialect, Index, Integer, MetaData, TextClause, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import TypeDecorator

Session: TypeAlias = AsyncSession

# SQLite only numbers rows by itself when the column is spelled INTEGER.
BigInt = BigInteger().with_variant(Integer(), "sqlite")


class UtcDateTime(TypeDecorator[datetime]):
    """Aware in, aware out; stored as UTC, since SQLite keeps no zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        stored = value.astimezone(UTC)
        return stored.replace(tzinfo=None) if dialect.name == "sqlite" else stored

    def result_processor(
        self, dialect: Dialect, _coltype: object
    ) -> Callable[[str | None], datetime | None] | None:
        """In one step from what SQLite keeps: a page has a hundred moments."""
        return _from_text if dialect.name == "sqlite" else None


def _from_text(stored: str | None) -> datetime | None:
    return None if stored is None else datetime.fromisoformat(f"{stored}+00:00")


class Partial(Index):
    """Of those rows alone for which `where`, some SQL, holds.

    SQLAlchemy takes it once for each database, and loads the dialect of each to see whether it may:
    2.4 MiB for one that the process never speaks to.  This asks when the index is made.
    """

    inherit_cache = True

    def __init__(self, name: str | None, *columns: str, where: str) -> None:
        self._where = text(where)
        super().__init__(name, *columns)

    @cached_property
    def dialect_options(self) -> dict[str, Any]:  # type: ignore[override]
        return _Options(self._where)


class _Options(dict[str, Any]):
    """By the name of a dialect."""

    def __init__(self, where: TextClause) -> None:
        self._where = where

    def __missing__(self, dialect: str) -> Any:  # noqa: ANN401 - SQLAlchemy's own
        options: dict[str, Any] = {f"{dialect}_where": self._where}
        asked = Index(None, **options)
        self[dialect] = asked.dialect_options[dialect]
        return self[dialect]


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: dict[Any, Any] = {datetime: UtcDateTime()}  # noqa: RUF012
