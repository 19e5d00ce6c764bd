"""The servers that the live bench compares: the product, and bare ones."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import sqlite3
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from tests.bench.crowd import Crowd
from tests.bench.visitor import Visitor
from tests.person import Person, token_in
from tests.process import ROOT, SiteProcess

READERS = 5  # accounts; each has a share of the sockets, as many pages of one home
LIVE = "/live?stream=home"
CAUGHT_UP = b'{"type":"caught_up"'
TEXT = (
    "Have you seen the sketch of the engine? It weaves algebraical patterns just as the loom"
    " weaves flowers and leaves. #engine https://example.org/notes"
)


class Contestant(Protocol):
    name: str
    pid: int
    crowd: Crowd
    rest: float  # seconds it goes on working after an event has reached everybody

    async def tell(self, number: int) -> float:
        """Send one event to everybody; when it began, in seconds since 1970."""


class Author:
    """Signed in, with the token of their forms at hand."""

    def __init__(self, port: int, cookies: str, token: str) -> None:
        self._visitor = Visitor(port, cookies)
        self._token = token

    async def post(self, body: str) -> None:
        answer = await self._visitor.submit(
            "/posts", csrf_token=self._token, body=body, idempotency_key=secrets.token_hex(8)
        )
        assert answer.status == 303, answer


class Ours:
    rest = 0.1

    def __init__(
        self, name: str, site: SiteProcess, author: Author, cookies: list[str], offers: str
    ) -> None:
        assert site.process is not None
        self.name = name
        self.pid = site.process.pid
        self.crowd = Crowd(site.port, LIVE, cookies, CAUGHT_UP, offers=offers)
        self._log = sqlite3.connect(site.data_dir / "microblog.db")
        self._author = author

    async def tell(self, number: int) -> float:
        await self._author.post(f"{TEXT} {number}")
        newest = "SELECT at FROM events WHERE kind = 'PostPublished' ORDER BY id DESC LIMIT 1"
        (at,) = self._log.execute(newest).fetchone()
        return datetime.fromisoformat(at).replace(tzinfo=UTC).timestamp()

    def close(self) -> None:
        self._log.close()


class Bare:
    rest = 0.02

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


class OnPlainHypercorn(SiteProcess):
    """The site without its serving layer."""

    def __init__(self, data_dir: Path, **settings: str) -> None:
        super().__init__(data_dir, **settings)
        bind = f"127.0.0.1:{self.port}"
        self._command = [sys.executable, "-m", "tests.bench.fallback", "--bind", bind]


@contextlib.asynccontextmanager
async def ours(
    name: str, folder: Path, *, offers: str = "", kind: type[SiteProcess] = SiteProcess
) -> AsyncIterator[Ours]:
    """The site with an author, and readers who follow them."""
    async with contextlib.AsyncExitStack() as stack:
        site = await stack.enter_async_context(kind(folder, confirm_email="off"))
        author, *readers = [
            await stack.enter_async_context(Person(site.url, f"person{number}"))
            for number in range(READERS + 1)
        ]
        for one in (author, *readers):
            await one.register()
        for reader in readers:
            await reader.follow(author.name)
        cookies = [reader.cookies() for reader in readers]
        made = Ours(name, site, await signed_in(site, author), cookies, offers)
        stack.callback(made.close)
        yield made


async def signed_in(site: SiteProcess, person: Person) -> Author:
    return Author(site.port, person.cookies(), token_in(await person.page("/posts/new")))


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
