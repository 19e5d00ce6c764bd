"""A deploy: everybody is told, and back within seconds, with nothing missed and pages quick.

Clients pause before they come back as the page's script does.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time

from tests.faults import history, report
from tests.faults.client import Client, Unanswered, published
from tests.faults.crowd import crowd, files_for, percentile
from tests.faults.log import logged
from tests.faults.page import Page
from tests.faults.people import Seat, seated
from tests.faults.report import Findings, Size
from tests.faults.scale import Scale
from tests.faults.serving import serving
from tests.process import SiteProcess

ID = "R11"
NAME = "rolling restart"
SHORT_KINDS = ("postgresql",)  # on SQLite R4 restarts, too; how fast is for the long run

CLIENTS = 5000
READERS = 10
PATIENCE = 90.0  # seconds until it is given up


async def run(scale: Scale, database: str) -> Findings:
    clients = scale.of(CLIENTS, 100)
    if unable := files_for(2 * clients):
        return Findings(not_run=unable)
    fans = [f"reader{number}" for number in range(READERS)]
    pairs = [(fan, "author") for fan in fans]
    seats = await seated(database, ["author", *fans], following=pairs)
    readers = [seats[fan] for fan in fans]
    async with serving(database) as site, crowd(site, readers, clients) as pages:
        async with asyncio.TaskGroup() as group:
            staying = [group.create_task(page.run()) for page in pages]
            back, waits = await _restarted(site, pages, seats["author"])
            for task in staying:
                task.cancel()
        due = (await logged(database)).posts
    wrong = [one for page in pages for one in history.feed("a reader", due, page.told)]
    return Findings(
        f"{len(due)} posts",
        [Size("clients", clients, CLIENTS)],
        [
            report.time("all back after", back, 15),
            report.time("page p99 meanwhile", percentile(waits, 99) * 1000, 500, "ms"),
        ],
        wrong,
    )


async def _restarted(
    site: SiteProcess, pages: list[Page], author: Seat
) -> tuple[float, list[float]]:
    """Seconds until all are back, and how long pages took meanwhile."""
    with contextlib.closing(Client(site.port, author)) as writer:
        await _publish(writer, 2)
        began = time.monotonic()
        await site.stop()
        await site.start()
        await site.ready()
        await _publish(writer, 2)
        waits = await _until_back(site, pages, author, began)
        back = time.monotonic() - began
        await _publish(writer, 1)
        await _all_told(pages, 5)
    return back, waits


async def _publish(writer: Client, posts: int) -> None:
    for _ in range(posts):
        key = secrets.token_hex(8)
        await published(writer, f"{key} is news", key)


async def _until_back(
    site: SiteProcess, pages: list[Page], author: Seat, began: float
) -> list[float]:
    waits = []
    with contextlib.closing(Client(site.port, author)) as visitor:
        while not all(page.is_caught_up and _open(page) for page in pages):
            asked = time.monotonic()
            with contextlib.suppress(Unanswered):
                assert (await visitor.get("/")).status == 200
            waits.append(time.monotonic() - asked)
            if time.monotonic() > began + PATIENCE:
                break
            await asyncio.sleep(0.05)
    return waits


def _open(page: Page) -> bool:
    return page.socket is not None and not page.socket.closed.done()


async def _all_told(pages: list[Page], posts: int) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(20):
            while any(len(page.told) < posts for page in pages):
                await asyncio.sleep(0.05)
