"""The live socket under load: N open home pages, M posts, beside bare servers in the same run.

    python -m tests.bench.live [--sockets 500,2000] [--posts 50] [--json FILE]

Each post is published over HTTP; when it has reached everybody, a bare `websockets` server and a
bare TCP server send the same text to as many sockets, so that whatever else the machine does meets
all three.  This process holds all the clients.

- *latency*: from the post's event (whose time is taken before its commit) to each socket; for the
  bare servers, from their first write;
- *deliveries/s*: sockets by the time until the last of them has it, median of the posts;
- *CPU*: of the server's process, for 100,000 deliveries; of ours, what the same posts cost a second
  site with one socket for each reader is taken off, and shown by itself;
- *KiB/socket*: how much the resident memory grew with the sockets, idle;
- *join CPU*: of a socket's handshake and, of ours, its catching up.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median, quantiles

from tests.bench.contestants import READERS, Contestant, Ours, bare, ours
from tests.bench.crowd import allow_files
from tests.bench.processes import cpu_seconds, resident_kib

KINDS = ("websockets", "tcp")
IDLE = 100  # sockets at which the memory of the idle server is stated


@dataclass
class Measured:
    """One server at one number of sockets."""

    name: str
    sockets: int
    posts: int
    frame_bytes: int = 0
    cpu: float = 0.0  # seconds
    kib_a_socket: float = 0.0
    joining_ms: float = 0.0  # CPU
    latencies: list[float] = field(default_factory=list, repr=False)  # ms
    lasts: list[float] = field(default_factory=list, repr=False)  # ms

    def row(self, spared: float = 0.0) -> dict[str, float]:
        """`spared` are the seconds of CPU that were not for delivering."""
        cuts = quantiles(self.latencies, n=100)
        delivering = self.cpu - spared
        return {
            "deliveries/s": self.sockets / median(self.lasts) * 1000,
            "p50 ms": cuts[49],
            "p99 ms": cuts[98],
            "CPU s/100k": delivering / (self.sockets * self.posts) * 100_000,
            "KiB/socket": self.kib_a_socket,
            "join CPU ms": self.joining_ms,
        }


@dataclass
class Found:
    idle_mib: float = 0.0  # of the site with `IDLE` sockets
    post_cpu_ms: float = 0.0  # of a post with one socket for each reader, what else runs included
    post_answer_ms: float = 0.0  # median, the same
    rows: dict[int, dict[str, dict[str, float]]] = field(default_factory=dict)
    frame_bytes: int = 0


async def run(sizes: Sequence[int], posts: int, folder: Path) -> Found:
    found = Found()
    async with contextlib.AsyncExitStack() as stack:
        site = await stack.enter_async_context(ours(folder / "site"))
        quiet = await stack.enter_async_context(ours(folder / "quiet"))
        bares = [await stack.enter_async_context(bare(kind)) for kind in KINDS]
        compared: list[Contestant] = [site, *bares]
        await _warmed(site, quiet)
        found.idle_mib = resident_kib(site.pid) / 1024
        found.frame_bytes = len(site.crowd.text)
        for server in bares:
            server.text = site.crowd.text
            await server.crowd.grow(IDLE)
        for size in sizes:
            measured = [await _grown(server, size, posts) for server in compared]
            beside = Measured("quiet", READERS, posts)
            await _race((site, quiet, *bares), [measured[0], beside, *measured[1:]])
            found.rows[size] = {m.name: m.row(beside.cpu if m.name == site.name else 0.0)
                                for m in measured}  # fmt: skip
            found.post_cpu_ms = beside.cpu / posts * 1000
        found.post_answer_ms = median(quiet.answer_ms)
    return found


async def _warmed(site: Ours, quiet: Ours) -> None:
    """The first few posts find nothing warm."""
    await site.crowd.grow(IDLE)
    await quiet.crowd.grow(READERS)
    for server in (site, quiet):
        for number in range(5):
            server.crowd.expect()
            await server.tell(number)
            await server.crowd.all_here()
        server.answer_ms.clear()


async def _grown(server: Contestant, size: int, posts: int) -> Measured:
    joining = size - len(server.crowd)
    kib, cpu = resident_kib(server.pid), cpu_seconds(server.pid)
    await server.crowd.grow(size)
    measured = Measured(server.name, size, posts)
    if joining > 0:
        measured.kib_a_socket = (resident_kib(server.pid) - kib) / joining
        measured.joining_ms = (cpu_seconds(server.pid) - cpu) / joining * 1000
    return measured


async def _race(servers: Sequence[Contestant], measured: list[Measured]) -> None:
    for _ in range(3):
        await _each(servers, [Measured(m.name, m.sockets, 1) for m in measured])
    before = [cpu_seconds(server.pid) for server in servers]
    for _ in range(measured[0].posts):
        await _each(servers, measured)
    for server, one, used in zip(servers, measured, before, strict=True):
        one.cpu = cpu_seconds(server.pid) - used


async def _each(servers: Sequence[Contestant], measured: Sequence[Measured]) -> None:
    for server, one in zip(servers, measured, strict=True):
        server.crowd.expect()
        began = await server.tell(0)
        arrivals = await server.crowd.all_here()
        one.latencies += [(at - began) * 1000 for at in arrivals]
        one.lasts.append((max(arrivals) - began) * 1000)


def show(found: Found) -> None:
    for size, rows in found.rows.items():
        print(f"\n{size} sockets, messages of {found.frame_bytes} bytes")
        columns = list(rows["microblog"])
        print(f"{'':<26}" + "".join(f"{column:>14}" for column in columns))
        for name, row in rows.items():
            print(f"{name:<26}" + "".join(f"{row[column]:>14.2f}" for column in columns))
        for kind in KINDS:
            ratios = [rows["microblog"][c] / rows[kind][c] if rows[kind][c] else 0 for c in columns]
            print(f"{'microblog / ' + kind:<26}" + "".join(f"{ratio:>14.2f}" for ratio in ratios))
    print(f"\nThe site with {IDLE} sockets, idle: {found.idle_mib:.1f} MiB resident (goal: < 120)")
    print(
        f"A post that {READERS} sockets see: {found.post_cpu_ms:.1f} ms CPU, idling included;"
        f" answered in {found.post_answer_ms:.1f} ms"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        "python -m tests.bench.live",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--sockets", default="500,2000", help="how many, growing")
    parser.add_argument("--posts", type=int, default=50)
    parser.add_argument("--json", type=Path, help="write the figures there too")
    given = parser.parse_args()
    sizes = sorted(int(size) for size in given.sockets.split(","))
    allow_files((len(KINDS) + 1) * sizes[-1] + 200)
    with tempfile.TemporaryDirectory() as folder:
        found = asyncio.run(run(sizes, given.posts, Path(folder)))
    show(found)
    if given.json:
        given.json.write_text(json.dumps(asdict(found), indent=1))


if __name__ == "__main__":
    main()
