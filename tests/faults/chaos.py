"""One trouble after the other, for the server and for the wires to it."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Sequence

from tests.faults.proxy import Proxy
from tests.faults.serving import killed_and_restarted
from tests.process import SiteProcess


class Chaos:
    def __init__(
        self, site: SiteProcess, wires: Sequence[Proxy], *, pause: tuple[float, float]
    ) -> None:
        self.did: Counter[str] = Counter()
        self.enough = asyncio.Event()
        self._site = site
        self._wires = wires
        self._pause = pause

    def __str__(self) -> str:
        return ", ".join(f"{what} {times}" for what, times in sorted(self.did.items()))

    async def run(self) -> None:
        """Each kind of trouble in turn, in a new order each time, until it is enough."""
        kinds = [self._kill, self._restart, self._cut, self._swallow, self._delay]
        while not self.enough.is_set():
            for kind in random.sample(kinds, len(kinds)):
                await asyncio.sleep(random.uniform(*self._pause))
                await kind()
                self.did[kind.__name__.strip("_")] += 1

    async def _kill(self) -> None:
        await killed_and_restarted(self._site)

    async def _restart(self) -> None:
        await self._site.stop()
        await self._site.start()
        await self._site.ready()

    async def _cut(self) -> None:
        for wire in self._wires:
            wire.cut(len(wire) // 2)

    async def _swallow(self) -> None:
        """Half-open: both ends believe that they are connected."""
        wire = random.choice(self._wires)
        wire.black_hole()
        await asyncio.sleep(self._pause[1])
        wire.restore()

    async def _delay(self) -> None:
        wire = random.choice(self._wires)
        wire.delay = 0.05
        await asyncio.sleep(self._pause[1])
        wire.delay = 0.0
