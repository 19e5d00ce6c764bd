"""Thousands of pages that only wait: what they cost, and whether anybody notices."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time

from tests.faults import report
from tests.faults.client import Client, published
from tests.faults.crowd import crowd, files_for, percentile
from tests.faults.page import Page
from tests.faults.people import Seat, seated
from tests.faults.report import Findings, Size
from tests.faults.scale import Scale
from tests.faults.serving import serving
from tests.process import SiteProcess

ID = "R13"
NAME = "idle sockets"
KINDS = ("sqlite",)  # nothing here is asked of the database
FULL = 680.0

READERS = 20
SOCKETS = 10_000
HOLD = 600.0  # seconds without a drop
LEAST = 200  # pages asked for: of a few, the 99th percentile is the slowest
ROOM = 600  # MiB for all


async def run(scale: Scale, database: str) -> Findings:
    sockets = scale.of(SOCKETS, 300)
    if unable := files_for(sockets):
        return Findings(not_run=unable)
    fans = [f"reader{number}" for number in range(READERS)]
    pairs = [(fan, "author") for fan in fans]
    seats = await seated(database, ["author", *fans], following=pairs)
    async with serving(database) as site:
        began = time.monotonic()
        async with crowd(site, [seats[fan] for fan in fans], sockets) as pages:
            opened = sockets / (time.monotonic() - began)
            held = min(HOLD, scale.of(scale.seconds - 75, 1.0))
            waits, refused = await _visited(site, seats["author"], max(1.0, held))
            told = await _told_all(site, pages, seats["author"])
            lost = sum(
                not page.is_caught_up or page.socket.closed.done() for page in pages if page.socket
            )
            memory = site.rss_mib()
    return Findings(
        f"{len(waits)} pages asked for",
        [Size("sockets", sockets, SOCKETS), Size("seconds held", max(1.0, held), HOLD)],
        [
            report.bound("memory", memory, ROOM, "MiB"),
            report.rate("opened", opened, 500),
            report.time("page p99", percentile(waits, 99) * 1000, 50, "ms"),
            report.time("a post to all", told, 2),
        ],
        [*refused, *([f"{lost} sockets were dropped"] if lost else [])],
    )


async def _visited(
    site: SiteProcess, reader: Seat, seconds: float
) -> tuple[list[float], list[str]]:
    """How long pages took, asked for now and then, and those that were refused."""
    waits, refused = [], []
    with contextlib.closing(Client(site.port, reader)) as visitor:
        await visitor.get("/")  # nobody has asked for one yet: its templates are still to be loaded
        end = time.monotonic() + seconds
        while time.monotonic() < end or len(waits) < LEAST:
            asked = time.monotonic()
            answer = await visitor.get("/")
            waits.append(time.monotonic() - asked)
            if answer.status != 200:
                refused.append(f"a page was answered {answer.status}: {answer.body[:300]!r}")
            await asyncio.sleep(0.005)
    return waits, refused


async def _told_all(site: SiteProcess, pages: list[Page], author: Seat) -> float:
    """Seconds from submitting a post until the last page has it."""
    began, key = time.monotonic(), secrets.token_hex(8)
    with contextlib.closing(Client(site.port, author)) as writer:
        await published(writer, f"{key} for all", key)
    async with asyncio.timeout(60):
        while not all(page.told for page in pages):
            await asyncio.sleep(0.02)
    return time.monotonic() - began
