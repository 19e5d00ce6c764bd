"""Two hosts behind a proxy, as far as the product can tell: two processes that share nothing but
the secret key and one PostgreSQL, with a reader on each."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.databases import Databases
from tests.faults import history
from tests.faults.client import Client, published
from tests.faults.log import logged
from tests.faults.page import Page
from tests.faults.people import Seat, seated
from tests.faults.serving import several_serving
from tests.process import SiteProcess

AUTHORS = ("ada", "grace")
READERS = ("susan", "david")
WITHIN = 10.0  # seconds; milliseconds on a machine with nothing else to do


@dataclass
class Hosts:
    database: str
    sites: list[SiteProcess]
    authors: list[Seat]
    pages: list[Page]  # one on each host, of somebody who follows both authors

    async def posts(self, author: Seat, through: list[SiteProcess], number: int) -> None:
        """One after the other, through each of these hosts in turn."""
        clients = [Client(site.port, author) for site in through]
        for one in range(number):
            key = secrets.token_hex(8)
            await published(clients[one % len(clients)], f"{author.name} says {one}", key)
        for client in clients:
            client.close()

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(WITHIN):
            while not holds():
                await asyncio.sleep(0.01)

    async def everyone_has_everything(self, pages: list[Page]) -> None:
        """Each of them was told of the whole log, in order, each event once."""
        due = (await logged(self.database)).posts
        with contextlib.suppress(TimeoutError):
            await self.until(lambda: all(len(page.told) >= len(due) for page in pages))
        for page in pages:
            assert page.seat is not None
            assert not history.feed(page.seat.name, due, page.told)


@pytest.fixture
async def hosts(databases: Databases, tmp_path: Path) -> AsyncIterator[Hosts]:
    pairs = [(reader, author) for reader in READERS for author in AUTHORS]
    async with databases.new("postgresql", tmp_path) as database:
        seats = await seated(database, (*AUTHORS, *READERS), following=pairs)
        async with several_serving(database, 2) as sites:
            pages = [
                await Page(site.port, seats[reader], hurry=0.1).open()
                for site, reader in zip(sites, READERS, strict=True)
            ]
            yield Hosts(database, sites, [seats[name] for name in AUTHORS], pages)
            for page in pages:
                page.leave()


async def test_posts_on_either_host_reach_the_readers_of_both_in_one_order(hosts: Hosts) -> None:
    ada, grace = hosts.authors
    await asyncio.gather(
        hosts.posts(ada, hosts.sites, 10), hosts.posts(grace, hosts.sites[::-1], 10)
    )
    await hosts.everyone_has_everything(hosts.pages)
    assert hosts.pages[0].told == hosts.pages[1].told
    assert len(hosts.pages[0].shown) == 20


async def test_when_one_host_is_killed_the_other_goes_on_and_takes_its_readers(
    hosts: Hosts,
) -> None:
    (doomed, staying), (lost, kept) = hosts.sites, hosts.pages
    ada, grace = hosts.authors
    posting = asyncio.ensure_future(hosts.posts(grace, [staying], 20))
    await hosts.posts(ada, hosts.sites, 4)
    await doomed.kill()
    await posting
    await hosts.posts(ada, [staying], 4)
    await hosts.everyone_has_everything([kept])
    assert not kept.closes

    lost.port = lost.via = staying.port  # as a proxy in front would lead it
    await lost.open()
    lost.leave()
    await hosts.everyone_has_everything([lost, kept])
    assert lost.shown == kept.shown


async def test_a_host_that_comes_back_goes_on_with_the_others(hosts: Hosts) -> None:
    _, staying = hosts.sites
    back = hosts.sites[0]
    await back.kill()
    await hosts.posts(hosts.authors[0], [staying], 3)
    await back.start()
    await back.ready()
    await hosts.pages[0].open()
    await hosts.posts(hosts.authors[1], hosts.sites, 4)
    await hosts.everyone_has_everything(hosts.pages)
