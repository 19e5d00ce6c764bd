"""Readers that never read, and readers of one byte a second, beside normal ones.

Posts come in bursts, first without the slow readers, then with them: the normal ones must get
theirs as fast, little may be kept for the slow ones, and these must be dropped for good.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import secrets
import socket
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2

from microblog.kernel.db import Database
from microblog.posts import actions
from tests.faults import history, report
from tests.faults.crowd import crowd, files_for, percentile
from tests.faults.log import logged
from tests.faults.page import Page
from tests.faults.people import Seat, seated
from tests.faults.report import Findings, Size
from tests.faults.scale import Scale
from tests.faults.serving import serving
from tests.frames import handshake
from tests.process import SiteProcess

ID = "R12"
NAME = "slow readers"
KINDS = ("sqlite",)  # nothing here is asked of the database
FULL = 900.0

NORMAL, SLOW, POSTS = 1000, 100, 10_000
READERS = 10
BURST = 50  # posts, written at once by another process
TEXT = "&" * 480  # five bytes each on a page
WINDOW = 4096  # bytes that the network holds for a slow reader, and
SEGMENT = 536  # in one packet; with loopback's 64 KiB the kernel would take megabytes for each
MOST_QUEUED = 512  # KiB a socket
PATIENCE = 60.0  # seconds
TOKEN = secrets.token_hex(16)
UNSENT = re.compile(r"^microblog_live_unsent_bytes\S* (\S+)$", re.MULTILINE)


class Author:
    """Publishes bursts, and notes how long after the commit each post reached each page."""

    def __init__(self, database: str, seat: Seat, pages: list[Page]) -> None:
        self._db = Database(database, busy_timeout=PATIENCE)  # it writes beside the site
        self._seat = seat
        self._pages = pages
        self._late: list[float] = []
        self._committed_at = 0.0
        for page in pages:
            page.arrived = self._arrived

    def _arrived(self, _said: dict[str, Any]) -> None:
        self._late.append(max(0.0, time.monotonic() - self._committed_at))

    async def publish(self, bursts: int) -> list[float]:
        self._late = []
        for number in range(1, bursts + 1):
            async with self._db.writing() as session:
                for one in range(BURST):
                    await actions.publish(session, self._seat.id, f"{one} {TEXT}", limit=500)
                self._committed_at = time.monotonic()
            async with asyncio.timeout(PATIENCE):
                while len(self._late) < number * BURST * len(self._pages):
                    await asyncio.sleep(0.02)
        return self._late

    async def aclose(self) -> None:
        await self._db.close()


class Watch:
    """What the process holds, looked at again and again."""

    def __init__(self, site: SiteProcess) -> None:
        self.unsent = 0.0  # most bytes, of all sockets
        self.grown = 0.0  # MiB, at most
        self._before = site.rss_mib()
        self._site = site

    async def run(self) -> None:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with httpx2.AsyncClient(base_url=self._site.url, headers=headers) as http:
            while True:
                said = UNSENT.search((await http.get("/metrics", timeout=PATIENCE)).text)
                assert said is not None
                self.unsent = max(self.unsent, float(said[1]))
                self.grown = max(self.grown, self._site.rss_mib() - self._before)
                await asyncio.sleep(0.1)


async def run(scale: Scale, database: str) -> Findings:
    normal, slow = scale.of(NORMAL, 60), scale.of(SLOW, 10)
    if unable := files_for(2 * (normal + 2 * slow)):
        return Findings(not_run=unable)
    fans = [f"reader{number}" for number in range(READERS)]
    seats = await seated(database, ["author", *fans], following=[(fan, "author") for fan in fans])
    bursts = scale.of(max(6, int(POSTS / 2 / BURST * scale.share)), 4)
    async with (
        serving(database, metrics_token=TOKEN) as site,
        crowd(site, [seats[fan] for fan in fans], normal) as pages,
        contextlib.aclosing(Author(database, seats["author"], pages)) as author,
    ):
        alone, sockets = await author.publish(bursts), _sockets_of(site)
        async with _slow(site, [seats[fan] for fan in fans], slow), _watching(site) as watch:
            beside = await author.publish(bursts)
            dropped = await _dropped(site, sockets)
    late = [percentile(each, 99) * 1000 for each in (alone, beside)]
    return Findings(
        f"p99 {late[0]:.0f} ms alone, {late[1]:.0f} ms beside them",
        [
            Size("readers", normal, NORMAL),
            Size("that never read", slow, SLOW),
            Size("posts", 2 * bursts * BURST, POSTS),
        ],
        [
            report.time("ratio", late[1] / late[0], 1.2, "times"),
            report.bound("queued", watch.unsent / 1024 / (2 * slow), MOST_QUEUED, "KiB a socket"),
            report.bound("memory", watch.grown, 100, "MiB more"),
            report.time("all dropped after", dropped, 30),
        ],
        await _wrong(database, pages, dropped),
    )


async def _wrong(database: str, pages: list[Page], dropped: float) -> list[str]:
    due = (await logged(database)).posts
    wrong = [one for page in pages for one in history.feed("a normal reader", due, page.told)]
    if dropped >= PATIENCE:
        wrong.append(f"slow readers were still connected after {PATIENCE:g} s")
    return wrong


@asynccontextmanager
async def _watching(site: SiteProcess) -> AsyncIterator[Watch]:
    watch = Watch(site)
    task = asyncio.ensure_future(watch.run())
    try:
        yield watch
    finally:
        task.cancel()
        await asyncio.wait([task])


@asynccontextmanager
async def _slow(site: SiteProcess, readers: Sequence[Seat], each: int) -> AsyncIterator[None]:
    """So many pages that never read, and as many that read a byte a second."""
    sockets = [await _deaf(site, readers[n % len(readers)]) for n in range(2 * each)]
    sipping = asyncio.ensure_future(_sip(sockets[each:]))
    try:
        yield
    finally:
        sipping.cancel()
        for one in sockets:
            one.close()


async def _deaf(site: SiteProcess, seat: Seat) -> socket.socket:
    """Has asked for the live page, and reads no more than the answer's first line."""
    loop, deaf = asyncio.get_running_loop(), socket.socket()
    deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, WINDOW)
    deaf.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, SEGMENT)
    deaf.setblocking(False)
    await loop.sock_connect(deaf, ("127.0.0.1", site.port))
    request = handshake(site.port, "/live?stream=home", cookie=seat.cookie)
    await loop.sock_sendall(deaf, request)
    assert await loop.sock_recv(deaf, 12) == b"HTTP/1.1 101"
    return deaf


async def _sip(sockets: list[socket.socket]) -> None:
    while True:
        for one in sockets:
            with contextlib.suppress(OSError):
                one.recv(1)
        await asyncio.sleep(1)


def _sockets_of(site: SiteProcess) -> int:
    """How many the process holds, whoever is on the other end."""
    assert site.process is not None
    found = 0
    for one in Path(f"/proc/{site.process.pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # just closed
            found += str(one.readlink()).startswith("socket:")
    return found


async def _dropped(site: SiteProcess, sockets: int) -> float:
    """Seconds until no more are open than before the slow ones came, or how long it was waited."""
    began = time.monotonic()
    while time.monotonic() < began + PATIENCE:
        if _sockets_of(site) <= sockets + 2:  # that of who looks at the metrics
            break
        await asyncio.sleep(0.05)
    return time.monotonic() - began
