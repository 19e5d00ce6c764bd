"""People who go on asking while something is broken, and how each was answered.

A page, a post and the health check, each again and again.  What was asked while the trouble lasted
must have been answered in time, by what was asked for or by "come back in a moment".
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass

from tests.faults import report
from tests.faults.client import Answer, Client, Unanswered
from tests.faults.history import History
from tests.faults.people import Seat
from tests.faults.report import Figure

PAGE, POST, HEALTH = "page", "post", "health"
FINE = {PAGE: 200, POST: 303, HEALTH: 200}
AWAY = (503, 507)
TEXT = "as typed & kept"
UNDER_WAY = 30.0  # seconds


@dataclass(frozen=True)
class Asked:
    what: str
    began: float
    took: float
    status: int  # 0: never answered
    complaint: str = ""

    @property
    def is_fine(self) -> bool:
        return self.status == FINE[self.what]


class Asking:
    """Several at once, until cancelled."""

    def __init__(self, port: int, seats: Iterable[Seat], log: History) -> None:
        self.port = port
        self.seats = list(seats)
        self.log = log
        self.asked: list[Asked] = []

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._again(None, HEALTH))
            for seat in self.seats:
                group.create_task(self._again(seat, POST))
                group.create_task(self._again(seat, PAGE))

    async def under_way(self) -> None:
        """Until each kind has been answered as it should: trouble may begin."""
        async with asyncio.timeout(UNDER_WAY):
            while len(self._first_fine(0.0)) < len(FINE):
                await asyncio.sleep(0.02)

    async def _again(self, seat: Seat | None, what: str) -> None:
        with contextlib.closing(Client(self.port, seat)) as client:
            while True:
                await self.once(client, what)
                await asyncio.sleep(0.2)

    async def once(self, client: Client, what: str) -> Asked:
        began = time.monotonic()
        try:
            status, complaint = await self._one(client, what)
        except Unanswered:
            status, complaint = 0, "was not answered"
        self.asked.append(Asked(what, began, time.monotonic() - began, status, complaint))
        return self.asked[-1]

    async def _one(self, client: Client, what: str) -> tuple[int, str]:
        if what != POST:
            answer = await client.get("/healthz" if what == HEALTH else "/")
            return answer.status, _complaint(what, answer)
        assert client.seat is not None
        key = secrets.token_hex(8)
        asked = self.log.invoke(client.seat.name, "post", key)
        answer = await client.post(f"{key} {TEXT}", key)
        if answer.status == FINE[POST]:
            asked.ok(answer.post_id)
        return answer.status, _complaint(what, answer)

    async def burst(self, pages: int, posts: int) -> list[Asked]:
        """All at once: more than the pool has connections."""
        clients = [Client(self.port, self.seats[0]) for _ in range(pages + posts)]
        kinds = [PAGE] * pages + [POST] * posts
        try:
            return list(await asyncio.gather(*map(self.once, clients, kinds)))
        finally:
            for client in clients:
                client.close()

    # -- what came of it ----------------------------------------------------------------------

    def between(self, began: float, ended: float, *kinds: str) -> list[Asked]:
        return [
            one for one in self.asked
            if began <= one.began < ended and (not kinds or one.what in kinds)
        ]  # fmt: skip

    def complaints(self, name: str, began: float, ended: float) -> list[str]:
        """Answers that nobody should get, whatever is broken."""
        return [
            f"{name}: a {one.what} asked for {one.began - began:.1f} s into it {one.complaint}"
            for one in self.between(began, ended)
            if one.complaint
        ]

    def health_not(self, status: int, name: str, began: float, ended: float) -> list[str]:
        """Health checks that were asked and answered meanwhile, and told something else."""
        asked = self.between(began, ended, HEALTH)
        said = {one.status for one in asked if one.began + one.took < ended} - {status}
        return [f"{name}: /healthz said {one}" for one in sorted(said)]

    def slowest(self, name: str, began: float, ended: float, goal: float = 5.0) -> Figure:
        """While it lasted."""
        took = [one.took for one in self.between(began, ended, PAGE, POST)]
        return report.time(f"{name}: slowest answer", max(took, default=0), goal)

    async def well_again(self, name: str, since: float, within: float = 20.0) -> Figure:
        """Seconds from `since` until each kind has been answered as it should."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within):
                while len(self._first_fine(since)) < len(FINE):
                    await asyncio.sleep(0.05)
        found = self._first_fine(since)
        last = max(FINE, key=lambda what: found.get(what, math.inf))
        took = found.get(last, within * 10 + since) - since
        return report.time(f"{name}: well again (last: {last})", took, 5)

    def _first_fine(self, since: float) -> dict[str, float]:
        first: dict[str, float] = {}
        for one in self.asked:
            if one.began + one.took >= since and one.is_fine:
                first.setdefault(one.what, one.began + one.took)
        return first


def _complaint(what: str, answer: Answer) -> str:
    if what == HEALTH or answer.status == FINE[what]:
        return ""
    if answer.status not in AWAY:
        return f"was answered {answer.status}: {answer.body[:200]!r}"
    if "retry-after" not in answer.headers:
        return f"was answered {answer.status} without Retry-After"
    kept = what != POST or TEXT.replace("&", "&amp;").encode() in answer.body
    return "" if kept else "lost the text that was typed"
