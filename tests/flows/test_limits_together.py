"""`serve --workers 2` allows as much as one process does: acts, and open sockets."""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from pathlib import Path

from microblog.web.live import SOCKETS_PER_ACCOUNT
from tests.databases import Databases
from tests.faults.client import Client
from tests.faults.page import Page
from tests.faults.people import KEY, Seat, seated
from tests.process import SiteProcess

POSTS = 30  # in five minutes


async def test_two_workers_allow_what_one_does(databases: Databases, tmp_path: Path) -> None:
    async with databases.new("sqlite", tmp_path) as url:
        seats = await seated(url, ["ada", "bob"])
        several = SiteProcess(
            tmp_path / "data", arguments=("--workers", "2"), database_url=url, secret_key=KEY,
            confirm_email="off", limits="default",
        )  # fmt: skip
        async with several as site:
            statuses = Counter([await _posted(site, seats["ada"], n) for n in range(POSTS + 5)])
            assert statuses == {303: POSTS, 429: 5}
            workers = await _refused_when_full(site, seats["bob"])
    assert workers == 2, "all connections went to one worker, so nothing was tried"


async def _posted(site: SiteProcess, seat: Seat, number: int) -> int:
    """Over a connection of its own: the kernel chooses who takes it."""
    with contextlib.closing(Client(site.port, seat)) as client:
        return (await client.post(f"post {number}", f"key-{number}")).status


async def _refused_when_full(site: SiteProcess, seat: Seat) -> int:
    """How many workers have some of the pages."""
    pages = [Page(site.port, seat) for _ in range(SOCKETS_PER_ACCOUNT + 1)]
    for page in pages[:-1]:
        await page.open()
    with contextlib.suppress(OSError):
        await pages[-1].open()
    assert pages[-1].refusals == [429]
    there = dict[bool, int]()  # only the first worker sends mail, so the two can be told apart
    for _ in range(40):
        with contextlib.closing(Client(site.port)) as client:
            health = json.loads((await client.get("/healthz")).body)
        there["mail sender" in health["checks"]] = health["live_readers"]
    for page in pages:
        page.leave()
    return sum(map(bool, there.values()))
