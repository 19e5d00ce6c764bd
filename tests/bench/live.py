"""The live socket under load: N open home pages, M posts, beside bare servers in the same run.

Each post is published over HTTP; when it has reached everybody, the others send the same text to
as many sockets, so that whatever else the machine does meets all of them.

- *deliveries*: sockets by the time from the post's event (taken before its commit; for the bare
  servers, from their first write) until the last of them has it, median of the posts;
- *CPU*: of the server's process while a post is delivered, for 100,000 deliveries; of ours, what
  the same posts cost a second site with one socket for each reader is taken off;
- *POST → last*: from asking for it until the last socket has it; the bare servers are told by pipe.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from statistics import median, quantiles

from tests.bench import crowds
from tests.bench.contestants import READERS, Bare, Contestant, OnPlainHypercorn, Ours, bare, ours
from tests.bench.crowd import DEFLATE, allow_files
from tests.bench.plan import Plan
from tests.bench.processes import cpu_seconds, resident_kib
from tests.bench.table import Row, at_most, times

MOST_FOR_SLOW = 2000  # sockets of those that are too slow for more, or take files from the others
WARM = 100
POSTS = 40
MANY_POSTS = 100  # of 40, the one that came last would be the 99th percentile


@dataclass
class Measured:
    """One server at one number of sockets."""

    sockets: int
    cpu: float = 0.0  # seconds, for all posts
    idle_kib: float = 0.0  # a socket, before it had anything to tell
    used_kib: float = 0.0  # and afterwards
    latencies: list[float] = field(default_factory=list)  # ms, of each socket
    lasts: list[float] = field(default_factory=list)  # ms, from the event
    whole: list[float] = field(default_factory=list)  # ms, from asking

    @property
    def per_second(self) -> float:
        return self.sockets / median(self.lasts) * 1000

    def cpu_of_100k(self, spared: float = 0.0) -> float:
        """`spared` are the seconds that were not for delivering."""
        return (self.cpu - spared) / (self.sockets * len(self.lasts)) * 100_000


async def run(plan: Plan) -> list[Row]:
    sizes = plan.of((500, 2000, 5000), (300,))
    allow_files(max(3 * sizes[-1], 6 * min(sizes[-1], MOST_FOR_SLOW)) + 1000)
    rows: list[Row] = []
    async with contextlib.AsyncExitStack() as stack:
        quiet, site, *others = await _sites(plan, stack)
        bares = [await stack.enter_async_context(bare(k)) for k in ("tcp", "websockets", "quart")]
        fast: list[Contestant] = [site, *bares[:2]]
        slow: list[Contestant] = [*others, bares[2]]
        await _warmed(quiet, (site, *others), bares)
        with _no_collections():
            for size in sizes:
                plan.say(f"{size} sockets")
                if size > MOST_FOR_SLOW:
                    await _gone(slow)
                taking = fast if size > MOST_FOR_SLOW else [*fast, *slow]
                posts = plan.of(MANY_POSTS if size > MOST_FOR_SLOW else POSTS, 8)
                rows += _rows(await _race(quiet, taking, size, posts))
            await _gone(slow)
            plan.say("coming back, and a post every 42 ms")
            rows += await crowds.run(plan, site, bares[1], bares[0])
    return rows


async def _sites(plan: Plan, stack: contextlib.AsyncExitStack) -> list[Ours]:
    enter = stack.enter_async_context
    return [
        await enter(ours("quiet", plan.room("quiet"))),
        await enter(ours("ours", plan.room("ours"))),
        await enter(ours("offered", plan.room("offered"), offers=DEFLATE)),
        await enter(ours("fallback", plan.room("fallback"), kind=OnPlainHypercorn)),
    ]


async def _gone(servers: Sequence[Contestant]) -> None:
    for one in servers:
        if len(one.crowd):
            await one.crowd.leave()


@contextlib.contextmanager
def _no_collections() -> Iterator[None]:
    """Of all the clients' objects: they would stop every clock here for a tenth of a second."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


async def _warmed(quiet: Ours, sites: Sequence[Ours], bares: Sequence[Bare]) -> None:
    """The first few posts find nothing warm; the text of one is what the others will send."""
    for site in (quiet, *sites):
        await site.crowd.grow(READERS if site is quiet else WARM)
        for number in range(5):
            await told(site, number, Measured(len(site.crowd)))
    for server in bares:
        server.text = sites[0].crowd.text
        await server.crowd.grow(WARM)


async def _race(
    quiet: Ours, taking: Sequence[Contestant], size: int, posts: int
) -> dict[str, Measured]:
    measured = {one.name: await _grown(one, size) for one in taking}
    measured["quiet"] = Measured(READERS)
    everyone = [quiet, *taking]
    for number in range(posts + 3):
        if number == 3:  # the first rounds warm up
            for name in measured:
                measured[name].cpu = 0.0
                measured[name].latencies, measured[name].lasts, measured[name].whole = [], [], []
        for one in everyone[number % len(everyone) :] + everyone[: number % len(everyone)]:
            await told(one, number, measured[one.name])
    for one in taking:
        measured[one.name].used_kib += resident_kib(one.pid) / size
    return measured


async def _grown(server: Contestant, size: int) -> Measured:
    """More sockets; its memory is that of the new ones only, since `WARM` were there before."""
    before, joining = resident_kib(server.pid), size - len(server.crowd)
    await server.crowd.grow(size)
    found = Measured(size)
    if joining > 0:
        found.idle_kib = (resident_kib(server.pid) - before) / joining
    found.used_kib = found.idle_kib - resident_kib(server.pid) / size
    return found


async def told(server: Contestant, number: int, found: Measured) -> None:
    """One event to everybody."""
    server.crowd.expect()
    used, asked = cpu_seconds(server.pid), time.time()
    began = await server.tell(number)
    arrivals = await server.crowd.all_here()
    found.cpu += cpu_seconds(server.pid) - used
    found.latencies += [(at - began) * 1000 for at in arrivals]
    found.lasts.append((max(arrivals) - began) * 1000)
    found.whole.append((max(arrivals) - asked) * 1000)
    await asyncio.sleep(server.rest)


def _rows(found: dict[str, Measured]) -> list[Row]:
    ours, spared = found["ours"], found["quiet"].cpu
    at, many = f", {ours.sockets:,} sockets", ours.sockets >= 2000
    bounds = {"tcp": 1.35, "websockets": 1.0, "quart": 0.3}
    peers = [name for name in bounds if name in found]
    rows = [
        Row(f"CPU of 100k deliveries{at}", "s", ours.cpu_of_100k(spared), PEERS[name],
            found[name].cpu_of_100k(), times(bounds[name]) if many else None)
        for name in peers
    ]  # fmt: skip
    if (fallback := found.get("fallback")) and (naive := found.get("quart")):
        rows.append(
            Row(f"CPU of 100k deliveries on any ASGI server{at}", "s", fallback.cpu_of_100k(spared),
                PEERS["quart"], naive.cpu_of_100k(), times(0.65) if many else None)
        )  # fmt: skip
    rows += [
        Row(f"deliveries{at}", "/s", ours.per_second, PEERS[name], found[name].per_second)
        for name in peers
    ]
    return rows + _latencies(found, at) + _memory(found, at)


def _latencies(found: dict[str, Measured], at: str) -> list[Row]:
    ours, tcp = found["ours"], found["tcp"]
    most = ours.sockets >= 5000
    return [
        Row(f"event → socket, p50{at}", "ms", _p(ours.latencies, 50), PEERS["tcp"],
            _p(tcp.latencies, 50)),
        Row(f"event → socket, p99{at}", "ms", _p(ours.latencies, 99), PEERS["tcp"],
            _p(tcp.latencies, 99)),
        Row(f"POST → last socket, p50{at}", "ms", _p(ours.whole, 50), PEERS["tcp"],
            _p(tcp.whole, 50), times(1.4) if most else None),
        Row(f"POST → last socket, p99{at}", "ms", _p(ours.whole, 99), PEERS["tcp"],
            _p(tcp.whole, 99), times(1.5) if most else None),
    ]  # fmt: skip


def _memory(found: dict[str, Measured], at: str) -> list[Row]:
    ours, spared = found["ours"], found["quiet"].cpu
    many = ours.sockets >= 2000  # with fewer, whatever else the process keeps weighs too much
    rows = [Row(f"memory of an idle socket{at}", "KiB", ours.idle_kib, PEERS["websockets"],
                found["websockets"].idle_kib, at_most(26) if many else None)]  # fmt: skip
    if offered := found.get("offered"):
        rows += [
            Row(f"deflate offered: CPU{at}", "s", offered.cpu_of_100k(spared), "not offered",
                ours.cpu_of_100k(spared), times(1.15) if many else None),
            Row(f"deflate offered: memory after traffic{at}", "KiB", offered.used_kib,
                "not offered", ours.used_kib, at_most(30) if many else None),
        ]  # fmt: skip
    return rows


PEERS = {
    "tcp": "raw asyncio TCP, preframed",
    "websockets": "websockets broadcast()",
    "quart": "Quart, a queue and send each",
}


def _p(values: Sequence[float], percent: int) -> float:
    return quantiles(values, n=100, method="inclusive")[percent - 1]
