"""`kill -9` while eight people post as fast as they are answered.

Each sends a post under its key until it is answered, then the next.  The process is killed at
random moments; after the last kill the database is read as it was left behind.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import secrets

from tests.faults import history, report
from tests.faults.client import Client, Unanswered, a_while
from tests.faults.database import damage, rows
from tests.faults.history import History
from tests.faults.people import Seat, seated
from tests.faults.report import Findings, Size
from tests.faults.scale import Scale
from tests.faults.serving import killed_and_restarted, serving
from tests.process import SiteProcess

ID = "R1"
NAME = "kill -9 under write load"
FULL = 420.0

WRITERS = 8
PAUSE = (0.05, 0.6)  # seconds from the restart to the next kill
KILLS, ACKNOWLEDGED = 200, 5000
LEAST = 4  # acknowledged posts between two kills: without any, a kill proves nothing


async def run(scale: Scale, database: str) -> Findings:
    log = History()
    seats = await seated(database, [f"writer{number}" for number in range(WRITERS)])
    async with serving(database) as site, asyncio.TaskGroup() as group:
        writing = [group.create_task(write(log, site.port, one)) for one in seats.values()]
        least = scale.of(ACKNOWLEDGED // KILLS, LEAST)
        restarts = [
            await _killed(log, site, least) for _ in scale.rounds(scale.of(KILLS - 1, 1), 1)
        ]
        await some_work(log, least)
        await site.kill()
        for task in writing:
            task.cancel()
    return await _judged(log, database, restarts)


async def _killed(log: History, site: SiteProcess, least: int) -> float:
    await some_work(log, least)
    await asyncio.sleep(random.uniform(*PAUSE))
    return await killed_and_restarted(site)


async def some_work(log: History, least: int) -> None:
    before = len(log.acknowledged("post"))
    async with asyncio.timeout(20):
        while len(log.acknowledged("post")) < before + least:
            await asyncio.sleep(0.02)


async def write(log: History, port: int, seat: Seat) -> None:
    client = Client(port, seat)
    with contextlib.closing(client):
        while True:
            key = secrets.token_hex(8)
            while not await attempt(log, client, f"{key} says {seat.name}", key):
                await a_while()


async def attempt(log: History, client: Client, body: str, key: str) -> bool:
    """Send a post once; whether it was acknowledged."""
    assert client.seat is not None
    asked = log.invoke(client.seat.name, "post", key)
    try:
        answer = await client.post(body, key)
    except Unanswered:
        return False
    if answer.status == 303:
        asked.ok(answer.post_id)
    elif answer.status < 500:
        asked.fail(answer.status)
        raise AssertionError((answer.status, answer.body[:300]))
    return answer.status == 303


async def _judged(log: History, database: str, restarts: list[float]) -> Findings:
    posts, done = await kept(database), log.acknowledged("post")
    return Findings(
        f"{len(posts)} kept",
        [
            Size("kills", len(restarts) + 1, KILLS),
            Size("acknowledged posts", len(done), ACKNOWLEDGED),
        ],
        [report.time("slowest restart", max(restarts), 2)],
        [*wrong_posts(log, posts), *await damage(database)],
        history=log,
    )


async def kept(database: str) -> list[tuple[str, int, str]]:
    """Key, id and text of every post."""
    statement = "SELECT idempotency_key, id, body FROM posts ORDER BY id"
    return [(row[0], row[1], row[2]) for row in await rows(database, statement)]


def wrong_posts(log: History, posts: list[tuple[str, int, str]]) -> list[str]:
    """Loss, change, duplicates, order; each text begins with its key."""
    ids, asked = {key: post_id for key, post_id, _ in posts}, log.of("post")
    return [
        *history.lost(asked, ids),
        *history.changed(asked, ids),
        *history.disagreeing(asked),
        *history.uninvited(asked, ids),
        *history.reordered(asked),
        *history.repeated("the database", [key for key, _, _ in posts]),
        *(f"{key} has another text: {body}" for key, _, body in posts if not body.startswith(key)),
    ]
