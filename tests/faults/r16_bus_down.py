"""What wakes the other processes is away: the broker, or the connection that listens to NOTIFY.

Both on databases of their own at the same time.  Posting goes on as before, and pages at the other
host have everything, once and in order: who is not woken looks once a second.
"""

from __future__ import annotations

import asyncio
import time

from tests.broker import Broker
from tests.faults import report
from tests.faults.history import History
from tests.faults.people import Seat
from tests.faults.postgres import connect, copy_of
from tests.faults.report import Findings, Size
from tests.faults.scale import Scale
from tests.faults.two_hosts import TwoHosts, people

ID = "R16"
NAME = "broker stopped, doorbell cut"
KINDS = ("postgresql",)  # SQLite has neither
FULL = 150.0

AWAY = 60.0  # seconds
AGAIN = 20.0  # until the broker must be in use once more
DOORBELLS = (
    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
    " WHERE application_name = 'microblog doorbell' AND datname = current_database()"
)


async def run(scale: Scale, database: str) -> Findings:
    findings = Findings(history=History())
    seats = await people(database)
    away = scale.of(min(AWAY, scale.seconds / 2), 2.0)
    noise = scale.of(0.05, 0.2)  # what is quick has noise of its own: twice nothing is nothing
    findings.sizes = [Size("seconds away", away, AWAY)]
    async with copy_of(database) as other:
        await asyncio.gather(
            _without_broker(database, seats, away, findings, noise),
            _with_doorbells_cut(other, seats, away, findings, noise),
        )
    return findings


async def _without_broker(
    database: str, seats: dict[str, Seat], away: float, findings: Findings, noise: float
) -> None:
    hosts = TwoHosts("broker", database, seats)
    async with Broker() as broker, hosts.at_work(bus_url=broker.url):
        began = await _some_time(hosts, away)
        await broker.stop()
        stopped = await _some_time(hosts, away)
        await broker.start()
        findings.figures.append(await hosts.caught_up())
        _compare(hosts, began, stopped, findings, noise)
        if not await broker.is_told(within=AGAIN):
            findings.violations.append("broker: nobody tells it anything since it is back")
    await _judge(hosts, findings)


async def _with_doorbells_cut(
    database: str, seats: dict[str, Seat], away: float, findings: Findings, noise: float
) -> None:
    hosts, cuts = TwoHosts("doorbell", database, seats), 0
    async with hosts.at_work():
        began = await _some_time(hosts, away)
        operator = await connect(database)
        stopped = time.monotonic()
        ends = asyncio.ensure_future(_some_time(hosts, away))
        while not ends.done():
            cuts += await operator.fetchval(DOORBELLS)
            await asyncio.sleep(0.25)
        await operator.close()
        findings.figures.append(await hosts.caught_up())
        _compare(hosts, began, stopped, findings, noise)
    await _judge(hosts, findings)
    findings.facts += f", {cuts} doorbells cut"
    if cuts < away:  # of two, each back within a fraction of a second
        findings.violations.append(f"in {away:.0f} s only {cuts} doorbells could be cut")


async def _some_time(hosts: TwoHosts, seconds: float) -> float:
    """When it began; enough was posted meanwhile to be compared."""
    began = time.monotonic()
    await asyncio.sleep(seconds)
    await hosts.enough_posted(began)
    return began


def _compare(
    hosts: TwoHosts, began: float, stopped: float, findings: Findings, noise: float
) -> None:
    """Posting before and while it was away."""
    before, meanwhile = hosts.slowest(began, stopped), hosts.slowest(stopped, time.monotonic())
    times = meanwhile / max(before, noise)
    findings.figures.append(
        report.time(f"{hosts.name}: p99 of posting, meanwhile", times, 2, "times that before")
    )


async def _judge(hosts: TwoHosts, findings: Findings) -> None:
    findings.violations += await hosts.wrong()
    done = f"{hosts.name}: {len(hosts.log.acknowledged('post'))} posts"
    findings.facts = "; ".join(filter(None, [findings.facts, done]))
    if findings.history is not None:
        findings.history.operations += hosts.log.operations
