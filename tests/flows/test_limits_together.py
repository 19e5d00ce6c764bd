"""`serve --workers 2` allows as much as one process does: acts, and open sockets.

All come at once, which is when the kernel gives both workers some.
"""

from __future__ import annotations

import asyncio
import contextlib
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
    # What they count together is in a file of their own, whichever database the site has.
    async with databases.new("sqlite", tmp_path) as url:
        seats = await seated(url, ["ada", "bob"])
        several = SiteProcess(
            tmp_path / "data", arguments=("--workers", "2"), database_url=url, secret_key=KEY,
            confirm_email="off", limits="default",
        )  # fmt: skip
        await several.start()
        try:
            await several.ready(40)
            posting = (_posted(several, seats["ada"], number) for number in range(2 * POSTS))
            statuses = Counter(await asyncio.gather(*posting))
            refusals = await _opened(several, seats["bob"], 2 * SOCKETS_PER_ACCOUNT)
        finally:
            await several.kill()
    assert statuses == {303: POSTS, 429: POSTS}
    # Two that are let in at the same moment, one at each, do not see each other yet.
    assert SOCKETS_PER_ACCOUNT <= refusals.count([]) <= SOCKETS_PER_ACCOUNT + 1
    assert all(each in ([], [429]) for each in refusals)


async def _posted(site: SiteProcess, seat: Seat, number: int) -> int:
    with contextlib.closing(Client(site.port, seat, patience=60)) as client:
        return (await client.post(f"post {number}", f"key-{number}")).status


async def _opened(site: SiteProcess, seat: Seat, number: int) -> list[list[int]]:
    """With what each page was refused."""
    pages = [Page(site.port, seat) for _ in range(number)]
    await asyncio.gather(*(page.open() for page in pages), return_exceptions=True)
    for page in pages:
        page.leave()
    return [page.refusals for page in pages]
