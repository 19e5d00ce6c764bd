"""PostgreSQL is stopped and started again under the site, as its updates do."""

from __future__ import annotations

import asyncio
import contextlib
import time

from microblog.kernel import schema
from tests.faults import report
from tests.faults.client import Client, Unanswered
from tests.faults.database import scalar
from tests.faults.people import Seat
from tests.faults.report import Findings
from tests.faults.scale import Scale
from tests.faults.server import own_server
from tests.faults.two_hosts import AUTHORS, TwoHosts, people

ID = "R15c"
NAME = "PostgreSQL restarted"
KINDS = ("postgresql",)  # SQLite has no server

DOORBELLS = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'microblog doorbell'"


async def run(scale: Scale, database: str) -> Findings:
    findings, pages, posts, caught = Findings(), [], [], []
    async with own_server() as server:
        await server.execute("CREATE DATABASE site")
        url = server.url("site")
        await schema.upgrade(url)
        seats = await people(url)
        hosts = TwoHosts("restart", url, seats)
        async with hosts.at_work():
            await _posts_work(hosts)
            for _ in scale.rounds(scale.of(50, 1), 1):
                await server.stop()
                await asyncio.sleep(scale.of(5.0, 0.5))
                await server.start()
                began = time.monotonic()
                pages.append(await _page_works(hosts, seats[AUTHORS[0]]) - began)
                posts.append(await _posts_work(hosts) - began)
                caught.append((await hosts.caught_up()).value)
            listening = await _doorbells(url)
        findings.violations += await hosts.wrong()
    if listening != 2:
        findings.violations.append(f"{listening} of 2 doorbells listen again")
    findings.facts = f"{len(pages)} restarts, {len(hosts.log.acknowledged('post'))} posts"
    findings.figures += [
        report.time("page again", max(pages), 5), report.time("post again", max(posts), 5),
        report.time("all caught up", max(caught), 5),
    ]  # fmt: skip
    findings.history = hosts.log
    return findings


async def _page_works(hosts: TwoHosts, seat: Seat) -> float:
    client = Client(hosts.port, seat)
    with contextlib.closing(client):
        async with asyncio.timeout(30):
            while True:
                with contextlib.suppress(Unanswered):
                    if (await client.get("/")).status == 200:
                        return time.monotonic()
                await asyncio.sleep(0.05)


async def _posts_work(hosts: TwoHosts) -> float:
    before = len(hosts.log.acknowledged("post"))
    async with asyncio.timeout(30):
        while len(hosts.log.acknowledged("post")) == before:
            await asyncio.sleep(0.02)
    return time.monotonic()


async def _doorbells(database: str) -> int:
    found, deadline = 0, time.monotonic() + 5
    while found < 2 and time.monotonic() < deadline:
        found = int(await scalar(database, DOORBELLS))
        await asyncio.sleep(0.1)
    return found
