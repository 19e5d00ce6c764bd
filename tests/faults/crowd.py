"""Many pages at once, and what the process they are connected to costs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from statistics import quantiles
from typing import Any

from tests.faults.page import Page
from tests.faults.people import Seat
from tests.process import SiteProcess, open_files

AT_ONCE = 50  # handshakes under way
SPARE = 200  # files open for other things
SOURCES = 20  # addresses of ours that connections come from: each has 28,000 ports


def files_for(sockets: int) -> str:
    """Why so many cannot be open, if they cannot."""
    return open_files(sockets + SPARE)


@asynccontextmanager
async def crowd(
    site: SiteProcess, seats: Sequence[Seat], size: int, **options: Any
) -> AsyncIterator[list[Page]]:
    """So many pages, caught up, of those people in turn."""
    pages = [
        Page(site.port, seats[n % len(seats)], source=f"127.0.0.{n % SOURCES + 1}", **options)
        for n in range(size)
    ]
    waiting = iter(pages)

    async def open_some() -> None:
        for page in waiting:
            await page.open()

    try:
        await asyncio.gather(*(open_some() for _ in range(AT_ONCE)))
        yield pages
    finally:
        for page in pages:
            page.leave()
        await asyncio.sleep(0)


def percentile(values: Sequence[float], percent: int) -> float:
    if len(values) < 2:
        return max(values, default=0.0)
    # Inclusive: of a few values the other way makes up one that is above all of them.
    return quantiles(values, n=100, method="inclusive")[percent - 1]
