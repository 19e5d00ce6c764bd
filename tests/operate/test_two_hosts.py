"""Two hosts behind nginx: two processes that share one PostgreSQL and the secret key, set up as
docs/deploy.md says, and a reader on each."""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest

from tests.databases import Databases
from tests.faults.log import logged
from tests.faults.serving import several_serving
from tests.operate.proxies import Front, front, proxying
from tests.operate.visitor import Visitor
from tests.person import Reader, position_in
from tests.process import SiteProcess

TOKEN = "a-token-for-prometheus"
WITHIN = 20.0  # seconds; milliseconds on a machine with nothing else to do


@dataclass
class Place:
    """One entrance, two hosts behind it; everybody comes through the entrance."""

    entrance: Front
    hosts: list[SiteProcess]
    database: str

    async def sockets(self, host: SiteProcess) -> int:
        """Open pages at this host, by its own count."""
        bearer = {"Authorization": f"Bearer {TOKEN}"}
        async with httpx2.AsyncClient() as http:
            shown = (await http.get(f"{host.url}/metrics", headers=bearer)).text
        found = re.search(r"^microblog_live_sockets\{[^}]*\} (\S+)$", shown, re.MULTILINE)
        assert found, shown[:500]
        return int(float(found[1]))

    async def listening_at(self, host: SiteProcess, reader: Reader, stack: AsyncExitStack) -> None:
        """The proxy gives the next connection to the next host, so the page opens until it is
        where it should be."""
        for _ in range(8):
            before = await self.sockets(host)
            task = asyncio.ensure_future(reader.run())
            stack.callback(task.cancel)
            async with asyncio.timeout(WITHIN):
                await reader.caught_up.wait()
            if await self.sockets(host) == before + 1:
                return
            open_pages = await self.all_sockets()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            async with asyncio.timeout(WITHIN):  # until its host has seen it leave
                while await self.all_sockets() >= open_pages:
                    await asyncio.sleep(0.02)
        raise AssertionError("the proxy led no page to this host")

    async def all_sockets(self) -> int:
        return sum([await self.sockets(host) for host in self.hosts])


@pytest.fixture
async def place(databases: Databases, tmp_path: Path) -> AsyncIterator[Place]:
    entrance = front("nginx", tmp_path)
    settings = {"base_url": entrance.url, "trusted_proxies": "127.0.0.1", "metrics_token": TOKEN}
    async with (
        databases.new("postgresql", tmp_path) as database,
        several_serving(database, 2, **settings) as hosts,
        proxying(entrance, *(host.port for host in hosts)),
    ):
        yield Place(entrance, hosts, database)


async def published(author: Visitor, body: str) -> int:
    """Sent under one key until it is answered: a proxy says 502 while its host dies."""
    key = secrets.token_hex(8)
    async with asyncio.timeout(WITHIN):
        while True:
            answer = await author.submit("/posts", body=body, idempotency_key=key)
            if answer.status_code == 303:
                return int(answer.headers["location"].rsplit("/", 1)[1])
            assert answer.status_code in (502, 503, 504), answer.text[:500]
            await asyncio.sleep(0.05)


async def test_a_reader_on_each_host_sees_every_post_and_comes_back_at_the_other_after_a_kill(
    place: Place,
) -> None:
    (doomed, staying), at = place.hosts, place.entrance
    async with (
        Visitor(at, "ada") as ada, Visitor(at, "susan") as susan, Visitor(at, "david") as david,
        AsyncExitStack() as stack,
    ):  # fmt: skip
        await ada.register()
        readers = []
        for person, host in ((susan, doomed), (david, staying)):
            await person.register()
            await person.follow("ada")
            reader = Reader(person, position=position_in(await person.page("/")))
            await place.listening_at(host, reader, stack)
            readers.append(reader)
        assert [await place.sockets(host) for host in place.hosts] == [1, 1]

        first = await published(ada, "to both hosts")
        for reader in readers:
            await reader.until(lambda r: r.inserted() == [first], WITHIN)

        at_doomed, at_staying = readers
        posting = asyncio.ensure_future(_several(ada, 12))
        await at_doomed.until(lambda r: len(r.inserted()) >= 3, WITHIN)
        await doomed.kill()
        posts = [first, *await posting, await published(ada, "after the kill")]
        for reader in readers:
            await reader.until(lambda r: len(r.inserted()) >= len(posts), WITHIN)
        assert [reader.inserted() for reader in readers] == [posts, posts]
        assert (await logged(place.database)).posts == [one["id"] for one in at_doomed.events]
        assert at_doomed.closes, "it was not on the host that was killed"
        assert not at_staying.closes
        assert await place.sockets(staying) == 2


async def _several(author: Visitor, number: int) -> list[int]:
    return [await published(author, f"post {one} of {number}") for one in range(number)]
