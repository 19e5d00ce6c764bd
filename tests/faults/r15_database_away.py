"""PostgreSQL behind a wire that is cut, swallows everything, or takes two seconds each way.

Each trouble has a site, a wire and a database of its own, all at once.  People go on asking;
a page stays open through it.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable

from tests.faults import history
from tests.faults.asking import Asking
from tests.faults.history import History
from tests.faults.log import logged
from tests.faults.page import Page
from tests.faults.people import Seat, seated
from tests.faults.postgres import copy_of, socket_of, through
from tests.faults.proxy import Proxy, proxy
from tests.faults.r01_kill9_writes import kept, wrong_posts
from tests.faults.report import Findings
from tests.faults.report import time as seconds
from tests.faults.scale import Scale
from tests.faults.serving import serving

ID = "R15a"
NAME = "PostgreSQL cut, black-holed, slow"
KINDS = ("postgresql",)  # SQLite is a file, whose lock R15b tries and whose disk R18

DELAY = 2.0
SHORT = 4.7  # seconds: all that was asked for at once has to give up meanwhile
FULL = 180.0
GIVE_UP = 20.0


def _slow(wire: Proxy) -> None:
    wire.delay = DELAY


TROUBLES: dict[str, Callable[[Proxy], None]] = {
    "cut": Proxy.refuse, "black hole": Proxy.black_hole, "slow": _slow,
}  # fmt: skip


async def run(scale: Scale, database: str) -> Findings:
    writers = [f"writer{number}" for number in range(2)]
    seats = await seated(
        database, [*writers, "reader"], following=[("reader", name) for name in writers]
    )
    lasts = scale.of(min(60.0, scale.seconds / 3), SHORT)
    findings = Findings(f"{lasts:.0f} s each", history=History())
    async with contextlib.AsyncExitStack() as copies:
        trials = [
            _Trial(name, await copies.enter_async_context(copy_of(database)), seats, findings)
            for name in TROUBLES
        ]
        await asyncio.gather(*(trial.run(lasts) for trial in trials))
    findings.facts += f", {len(trials[0].log.acknowledged('post'))} posts acknowledged"
    return findings


class _Trial:
    def __init__(
        self, name: str, database: str, seats: dict[str, Seat], findings: Findings
    ) -> None:
        self.name = name
        self.database = database
        self.log = findings.history or History()
        self.seats = seats
        self.found = findings

    async def run(self, lasts: float) -> None:
        *people, reader = self.seats.values()
        async with (
            proxy(socket_of(self.database)) as wire,
            serving(through(self.database, wire)) as site,
        ):
            page = await Page(site.port, reader).open()
            asking = Asking(site.port, people, History())
            task = asyncio.ensure_future(asking.run())
            await asking.under_way()
            began, ended = await self._trouble(wire, lasts)
            self.found.figures.append(await asking.well_again(self.name, ended))
            self._answers_judged(asking, began, ended)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await self._full_again(asking)
            await self._page_judged(page)
            page.leave()
        self.found.violations += wrong_posts(asking.log, await kept(self.database))
        self.log.operations += asking.log.operations

    async def _trouble(self, wire: Proxy, lasts: float) -> tuple[float, float]:
        began = time.monotonic()
        TROUBLES[self.name](wire)
        await asyncio.sleep(lasts)
        wire.restore()
        return began, time.monotonic()

    def _answers_judged(self, asking: Asking, began: float, ended: float) -> None:
        self.found.figures.append(asking.slowest(self.name, began, ended))
        self.found.violations += asking.complaints(self.name, began, ended)
        self.found.violations += asking.health_not(503, self.name, began, ended)

    async def _full_again(self, asking: Asking) -> None:
        """More at once than both pools have places: none is taken by a dead connection."""
        began = time.monotonic()
        while not all(one.is_fine for one in await asking.burst(8, 5)):
            if time.monotonic() - began > GIVE_UP:
                self.found.violations.append(f"{self.name}: the pool is exhausted")
                return
        took = time.monotonic() - began
        self.found.figures.append(seconds(f"{self.name}: 13 at once", took, 5))

    async def _page_judged(self, page: Page) -> None:
        began, due = time.monotonic(), set((await logged(self.database)).posts)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(20):
                while due - set(page.told):
                    await asyncio.sleep(0.05)
        took = time.monotonic() - began
        self.found.figures.append(seconds(f"{self.name}: page caught up", took, 5))
        self.found.violations += history.repeated(f"{self.name}: the page", page.told)
        if page.closes or page.connections != 1:
            self.found.violations.append(f"{self.name}: the page was closed: {page.closes}")
