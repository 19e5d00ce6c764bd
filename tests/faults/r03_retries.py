"""Each request is sent one to five times, at once and across `kill -9`, under one key.

Afterwards every key is used once more: with the same text, which must lead to the same post, and
with another, which must be refused.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import random
import secrets
import time
from collections import Counter

from tests.faults.client import Client, Unanswered, a_while
from tests.faults.history import History
from tests.faults.people import Seat, seated
from tests.faults.r01_kill9_writes import attempt, kept, wrong_posts
from tests.faults.report import Findings, Size
from tests.faults.scale import Scale
from tests.faults.serving import killed_and_restarted, serving
from tests.process import SiteProcess

ID = "R3"
NAME = "retries under kill -9"
FULL = 300.0

KEYS = 1000
WRITERS = 4
AT_ONCE = 12  # keys
MOST_COPIES = 5
REFUSED = (409, 422)


async def run(scale: Scale, database: str) -> Findings:
    log = History()
    names = [f"writer{number}" for number in range(WRITERS)]
    seats = await seated(database, names)
    keys = [
        (f"key-{number}", seats[names[number % WRITERS]]) for number in range(scale.of(KEYS, 40))
    ]
    async with serving(database) as site:
        async with asyncio.TaskGroup() as group:
            killing = group.create_task(_kill_often(site, scale.of(math.inf, 1)))
            used = await _use_all(log, site.port, keys, scale)
            killing.cancel()
        await site.kill()
        await site.start()
        await site.ready()
        refusals = await _use_again(log, site.port, used)
    posts = await kept(database)
    wrong = wrong_posts(log, posts)
    unused = {key for key, _ in used} ^ {key for key, _, _ in posts}
    wrong += [f"{key} has no post, or nobody used it" for key in sorted(unused)]
    copies = len(log.of("post"))
    return Findings(
        f"sent {copies} times, {len(posts)} posts, others refused {refusals}",
        [Size("keys", len(used), KEYS)],
        violations=wrong,
        history=log,
    )


async def _kill_often(site: SiteProcess, most: float) -> None:
    while (most := most - 1) >= 0:
        await asyncio.sleep(random.uniform(0.1, 1.0))
        await killed_and_restarted(site)


async def _use_all(
    log: History, port: int, keys: list[tuple[str, Seat]], scale: Scale
) -> list[tuple[str, Seat]]:
    """As many as there is time for; those that were used."""
    waiting, used, deadline = iter(keys), [], time.monotonic() + scale.seconds * 0.7

    async def use_some() -> None:
        for key, seat in waiting:
            used.append((key, seat))
            copies = random.randint(1, MOST_COPIES)
            await asyncio.gather(*(_sent(log, port, seat, key) for _ in range(copies)))
            if time.monotonic() > deadline:
                return

    await asyncio.gather(*(use_some() for _ in range(AT_ONCE)))
    return used


async def _sent(log: History, port: int, seat: Seat, key: str) -> None:
    """On a connection of its own, until it is answered."""
    with contextlib.closing(Client(port, seat)) as client:
        while not await attempt(log, client, f"{key} says {seat.name}", key):
            await a_while()


async def _use_again(log: History, port: int, used: list[tuple[str, Seat]]) -> str:
    """Statuses with which another text under the same key was refused."""
    statuses: Counter[int] = Counter()
    for key, seat in used:
        with contextlib.closing(Client(port, seat)) as client:
            await attempt(log, client, f"{key} says {seat.name}", key)
            asked = log.invoke(seat.name, "another text", key)
            with contextlib.suppress(Unanswered):
                answer = await client.post(f"{secrets.token_hex(8)} is another text", key)
                statuses[answer.status] += 1
                asked.fail(answer.status)
    wrong = set(statuses) - set(REFUSED)
    assert not wrong, f"another text under a used key was answered {statuses}"
    return ", ".join(f"{count} with {status}" for status, count in statuses.items())
