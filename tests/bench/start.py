"""How soon the site answers, and what it takes to stand there."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from statistics import median

import httpx2

from tests.bench.plan import Plan
from tests.bench.processes import cpu_seconds, proportional_kib, resident_kib
from tests.bench.table import Row, at_most
from tests.process import SiteProcess

SETTLING = 10  # seconds after which nothing of the start is left to do, templates included


async def run(plan: Plan) -> list[Row]:
    folder = plan.room("start")
    first = await _started(folder / "first")  # makes the database
    again = [await _started(folder / "first") for _ in range(plan.of(5, 2))]
    idle = await _idle(folder / "first", plan.of(SETTLING, 2))
    two = await _two(folder / "two", plan.of(600, 120))
    return [
        Row("first start → /healthz 200, tables made", "s", first),
        Row("start → /healthz 200", "s", median(again)),
        Row("memory, idle", "MiB", idle[0]),
        Row("CPU while idle", "ms/s", idle[1]),
        Row("memory with two workers, after load", "MiB", two, goal=at_most(150)),
    ]  # fmt: skip


async def _started(folder: Path) -> float:
    began = time.perf_counter()
    async with SiteProcess(folder, confirm_email="off"):
        return time.perf_counter() - began


async def _idle(folder: Path, settling: int) -> tuple[float, float]:
    """MiB resident, and milliseconds of CPU for each second of waiting for visitors."""
    async with SiteProcess(folder, confirm_email="off") as site:
        assert site.process is not None
        await asyncio.sleep(settling)
        used, began = cpu_seconds(site.process.pid), time.perf_counter()
        await asyncio.sleep(settling)
        used, seconds = cpu_seconds(site.process.pid) - used, time.perf_counter() - began
        return resident_kib(site.process.pid) / 1024, used / seconds * 1000


async def _two(folder: Path, pages: int) -> float:
    """`microblog serve --workers 2` with the process above them, in MiB; what they share counts
    once."""
    workers = ("--workers", "2")
    async with (
        SiteProcess(folder, confirm_email="off", arguments=workers) as site,
        httpx2.AsyncClient(limits=httpx2.Limits(max_keepalive_connections=0)) as http,
    ):  # a new connection each time, so that both are asked
        assert site.process is not None
        for number in range(pages):
            await http.get(f"{site.url}/{('', 'explore', 'login')[number % 3]}")
        return proportional_kib(site.process.pid) / 1024
