"""The product as a process, or several, on a given database."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tests.faults.people import KEY
from tests.process import SiteProcess
from tests.scratch import scratch


@asynccontextmanager
async def serving(database: str, **more: Any) -> AsyncIterator[SiteProcess]:
    """`microblog serve`, ready; settings are given in lower case: ``smtp_url=…``."""
    async with several_serving(database, 1, **more) as sites:
        yield sites[0]


@asynccontextmanager
async def several_serving(
    database: str, number: int, **more: Any
) -> AsyncIterator[list[SiteProcess]]:
    """Several processes on one database, as on several hosts: each has a folder of its own."""
    settings = {"secret_key": KEY, "confirm_email": "off", "database_url": database} | more
    with scratch("fault") as folder:
        sites = [SiteProcess(folder / str(one), **settings) for one in range(number)]
        try:
            async with asyncio.TaskGroup() as group:
                for site in sites:
                    group.create_task(site.__aenter__())
            yield sites
        finally:
            await asyncio.gather(*(site.kill() for site in sites))


async def killed_and_restarted(site: SiteProcess) -> float:
    """`kill -9`, then start again; how many seconds until it is healthy."""
    await site.kill()
    began = time.monotonic()
    await site.start()
    await site.ready()
    return time.monotonic() - began


def tracebacks(site: SiteProcess) -> list[str]:
    """Of a process that was stopped politely, or is still running."""
    said = site.said()
    found = said.count("Traceback (most recent call last)")
    return [f"its log has {found} tracebacks:\n{said[-3000:]}"] if found else []
