"""What a crowd does beside listening: coming back all at once, and being written to in a row."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import quantiles

from tests.bench.contestants import LIVE, Bare, Contestant, Ours
from tests.bench.plan import Plan
from tests.bench.processes import cpu_seconds
from tests.bench.table import Row, at_most

POSTS_A_SECOND = 24
POSITION = re.compile(rb'"position":"([^"]+)"')


@dataclass(frozen=True)
class Joined:
    seconds: float
    cpu_ms: float  # of the server, for each socket


async def run(plan: Plan, site: Ours, websockets: Bare, tcp: Bare) -> list[Row]:
    size, steady = plan.of(5000, 300), plan.of(2000, 300)
    back = [await _rejoined(site, size, plan.of(3, 1)), await _rejoined(websockets, size, 1)]
    rows = [
        Row(f"{size:,} sockets come back", "s", back[0].seconds, "websockets server",
            back[1].seconds, at_most(6) if size >= 5000 else None),
        Row(f"CPU of a handshake, {size:,} come back", "ms", back[0].cpu_ms, "websockets server",
            back[1].cpu_ms, at_most(0.8)),
    ]  # fmt: skip
    name = f"{POSTS_A_SECOND} posts/s to {steady:,} sockets"
    late = [await _steadily(one, steady, plan.of(10, 2)) for one in (site, tcp)]
    for percent, bound in ((50, None), (99, at_most(150))):
        ours, theirs = (quantiles(each, n=100)[percent - 1] for each in late)
        rows.append(Row(f"{name}, p{percent}", "ms", ours, "raw asyncio TCP", theirs, bound))
    return rows


async def _rejoined(server: Contestant, size: int, rounds: int) -> Joined:
    """The best of some rounds: everybody hangs up and comes back with the position they have."""
    found = []
    for _ in range(rounds):
        await server.crowd.leave()
        if at := POSITION.search(server.crowd.text):
            server.crowd.path = f"{LIVE}&since={at[1].decode()}"
        used = cpu_seconds(server.pid)
        seconds = await server.crowd.grow(size)
        cpu_ms = (cpu_seconds(server.pid) - used) / size * 1000
        found.append(Joined(seconds, cpu_ms))
    return min(found, key=lambda one: one.cpu_ms)


async def _steadily(server: Contestant, size: int, seconds: int) -> Sequence[float]:
    """Events at moments fixed beforehand, whether or not the ones before have arrived; how many
    milliseconds after its moment each reached each socket."""
    if len(server.crowd) != size:
        await server.crowd.leave()
        await server.crowd.grow(size)
    began = time.time() + 0.1
    due = [began + number / POSTS_A_SECOND for number in range(seconds * POSTS_A_SECOND)]
    server.crowd.expect(due)
    for number, moment in enumerate(due):
        await asyncio.sleep(max(0.0, moment - time.time()))
        await server.tell(number)
    return [late * 1000 for late in await server.crowd.all_here()]
