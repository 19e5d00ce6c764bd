"""The servers that the live bench compares: the product, and bare ones."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import sys
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from tests.bench.crowd import Crowd
from tests.person import Person
from tests.process import ROOT, SiteProcess

READERS = 10  # accounts; each has a share of the sockets, as many pages of one home
TEXT = (
    "Have you seen the sketch of the engine? It weaves algebraical patterns just as the loom"
    " weaves flowers and leaves. #engine https://example.org/notes"
)


class Contestant(Protocol):
    name: str
    pid: int
    crowd: Crowd

    async def tell(self, number: int) -> float:
        """Send one event to everybody; when it began, in seconds since 1970."""


class Ours:
    name = "microblog"

    def __init__(self, site: SiteProcess, author: Person, cookies: list[str]) -> None:
        assert site.process is not None
        self.pid = site.process.pid
        self.crowd = Crowd(site.port, "/live?stream=home", cookies, b'{"type":"caught_up"')
        self.answer_ms: list[float] = []
        self._log = sqlite3.connect(site.data_dir / "microblog.db")
        self._author = author

    async def tell(self, number: int) -> float:
        began = time.perf_counter()
        await self._author.post(f"{TEXT} {number}")
        self.answer_ms.append((time.perf_counter() - began) * 1000)
        newest = "SELECT at FROM events WHERE kind = 'PostPublished' ORDER BY id DESC LIMIT 1"
        (at,) = self._log.execute(newest).fetchone()
        return datetime.fromisoformat(at).replace(tzinfo=UTC).timestamp()


class Bare:
    def __init__(self, name: str, process: asyncio.subprocess.Process, port: int) -> None:
        self.name = name
        self.pid = process.pid
        self.crowd = Crowd(port)
        self.text = b""
        self._process = process

    async def tell(self, number: int) -> float:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(self.text + b"\n")
        return float(await self._process.stdout.readline())


@contextlib.asynccontextmanager
async def ours(folder: Path) -> AsyncIterator[Ours]:
    """The site with an author, and readers who follow them."""
    async with contextlib.AsyncExitStack() as stack:
        site = await stack.enter_async_context(SiteProcess(folder, command="dev"))
        author, *readers = [
            await stack.enter_async_context(Person(site.url, f"person{number}"))
            for number in range(READERS + 1)
        ]
        await author.register()
        for reader in readers:
            await reader.register()
            await reader.follow(author.name)
        yield Ours(site, author, [reader.cookies() for reader in readers])


@contextlib.asynccontextmanager
async def bare(kind: str) -> AsyncIterator[Bare]:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.bench.bare", kind, cwd=ROOT, stdin=pipe, stdout=pipe
    )
    assert process.stdout is not None
    try:
        yield Bare(kind, process, int(await process.stdout.readline()))
    finally:
        process.kill()
        await process.wait()
