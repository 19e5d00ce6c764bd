"""The clock of the machine jumps: by two seconds, an hour, a year, forth and back.

The site runs under Debian's libfaketime, which lets its time of day jump and leaves the monotonic
clock alone, as a set clock does.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import secrets
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.faults import report
from tests.faults.client import Answer, Client, Unanswered
from tests.faults.faketime import HOUR, Clock, missing
from tests.faults.mailing import Whimsical, states
from tests.faults.page import Page
from tests.faults.people import KEY, Seat, seated
from tests.faults.report import Findings
from tests.faults.scale import Scale
from tests.process import SiteProcess, free_port

ID = "R19a"
NAME = "clock jumps"

# The site reads its clock in Python on both.  SQLite's writes stood still for seconds here under
# libfaketime, which proves nothing about clocks.
KINDS = ("postgresql",)
YEAR = 365 * 86_400
JUMPS = (2, 0, -2, 0, HOUR, 0, -HOUR, 0, YEAR, 0)  # seconds off the real time
WINDOW, POSTS = 300, 30  # of the limit on posting


async def run(scale: Scale, database: str) -> Findings:
    if reason := missing():
        return Findings(not_run=reason)
    findings = Findings()
    seats = await seated(database, ["author", "reader", "hasty"], following=[("reader", "author")])
    server, port = Whimsical(), free_port()
    with tempfile.TemporaryDirectory() as folder:
        clock = Clock(Path(folder))
        site = SiteProcess(
            Path(folder) / "data", python=str(clock.python), database_url=database,
            secret_key=KEY, confirm_email="off", smtp_url=f"smtp://127.0.0.1:{port}",
            mail_hold="0", limits="default",
        )  # fmt: skip
        async with server.open(port), site:
            trial = _Trial(database, site, clock, seats, findings)
            for _ in scale.rounds(2):  # more posts would meet the limit
                await trial.jump_about()
            await trial.limits_end()
            await trial.mails_judged(server)
            trial.page.leave()
    return findings


class _Trial:
    def __init__(
        self, database: str, site: SiteProcess, clock: Clock, seats: dict[str, Seat],
        findings: Findings,
    ) -> None:  # fmt: skip
        self.database = database
        self.clock = clock
        self.found = findings
        self.author = Client(site.port, seats["author"])
        self.reader = Client(site.port, seats["reader"])
        self.hasty = Client(site.port, seats["hasty"])
        self.page = Page(site.port, seats["reader"])
        self.posted: list[int] = []

    async def jump_about(self) -> None:
        if self.page.socket is None:
            await self.page.open()
        slowest = 0.0
        for seconds in JUMPS:
            self.clock.set(seconds)
            await self._signed_in(seconds)
            if seconds == YEAR:  # nobody is signed in then; who comes back in time still is
                continue
            began = time.monotonic()
            self.posted.append((await _posted(self.author)).post_id)
            await self._shown(seconds)
            slowest = max(slowest, time.monotonic() - began)
        self.found.facts = f"{len(JUMPS)} jumps, {len(self.posted)} posts"
        self.found.figures.append(report.time("slowest post to open page", slowest, 5))
        await self._in_order()

    async def _signed_in(self, seconds: int) -> None:
        self.reader.close()
        answer = await self.reader.get("/settings/account")
        if answer.status != 200 and seconds != YEAR:
            self.found.violations.append(f"signed out when the clock was {seconds:+d} s off")

    async def _shown(self, seconds: int) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(10):
                while self.posted[-1] not in self.page.shown:
                    await asyncio.sleep(0.02)
                return
        self.found.violations.append(f"a post at {seconds:+d} s did not reach an open page")

    async def _in_order(self) -> None:
        """The newest first, whatever time they carry; and so on the open page."""
        html = (await self.reader.get("/")).body.decode()
        ids = [int(one) for one in re.findall(r'id="post-(\d+)"', html)]
        if ids != sorted(ids, reverse=True) or set(ids) != set(self.posted):
            self.found.violations.append(f"home is not in the order of writing: {ids}")
        if self.page.shown != self.posted or self.page.closes:
            self.found.violations.append(f"the open page was told {self.page.shown}")

    async def limits_end(self) -> None:
        """Too many posts while the clock is an hour ahead; then it is set right."""
        self.clock.set(HOUR)
        answers = [await _tried(self.hasty) for _ in range(POSTS + 1)]
        if answers[-1].status != 429:
            self.found.violations.append(f"no limit was met: {answers[-1].status}")
        self.clock.set(0)
        refused = await _tried(self.hasty)
        wait = float(refused.headers.get("retry-after", 0))
        self.found.figures.append(report.bound("locked for", wait, 2 * WINDOW, "s"))

    async def mails_judged(self, server: Whimsical) -> None:
        """A mention each; one mail each, though the clock jumps while they wait."""
        for seconds in JUMPS[:-2]:
            self.clock.set(seconds)
            await _posted(self.author, " for @reader")
        self.clock.set(HOUR)  # what was written while it was ahead is due then
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(20):
                while not server.sent_to or set(await states(self.database)) - {
                    "sent",
                    "cancelled",
                }:
                    await asyncio.sleep(0.1)
        counted = Counter(one for taken in server.sent_to.values() for one in taken)
        if again := [one for one, times in counted.items() if times > 1]:
            self.found.violations.append(f"{len(again)} mails were sent more than once")
        if left := set(await states(self.database)) - {"sent", "cancelled"}:
            self.found.violations.append(f"mails are left: {left}")
        self.found.facts += f", {len(counted)} mails"


async def _posted(client: Client, more: str = "") -> Answer:
    answer = await _tried(client, more)
    assert answer.status == 303, (answer.status, answer.body[:300])
    return answer


async def _tried(client: Client, more: str = "") -> Answer:
    """Sent again when the kept connection had been closed for its idleness."""
    key = secrets.token_hex(8)
    for _ in range(2):
        with contextlib.suppress(Unanswered):
            return await client.post(f"{key}{more}", key)
    raise Unanswered
