"""Every reader sees everything once and in order, whatever happens to server and connections.

Authors post, and now and then edit or delete.  Readers sit behind proxies that cut, delay and
swallow; the server is killed and restarted.  In the end each reader's list is compared with the
log.  Then one who missed many comes back, and one whose position is older than the log.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import secrets
import time
from datetime import timedelta
from itertools import cycle

from microblog.kernel import clock, events
from microblog.posts import actions
from tests.faults import history, report
from tests.faults.chaos import Chaos
from tests.faults.client import Client, Unanswered, a_while
from tests.faults.database import writing
from tests.faults.history import History
from tests.faults.log import Logged, logged
from tests.faults.page import Page
from tests.faults.people import Seat, seated
from tests.faults.proxy import Proxy, proxy
from tests.faults.r01_kill9_writes import attempt, kept
from tests.faults.report import Findings, Size
from tests.faults.scale import Scale
from tests.faults.serving import serving
from tests.process import SiteProcess

ID = "R4"
NAME = "gapless feed under chaos"
FULL = 1000.0

WIRES = 4  # proxies, each with its share of the readers
SETTLING = 40.0  # seconds within which everybody must have everything
LEAST, MOST = 60, 10_000  # posts; fewer prove nothing
AUTHORS, READERS = 50, 200
LATE = 1000  # posts that somebody missed


class Stage:
    """Who writes, who reads, and what was written."""

    def __init__(self, database: str, authors: list[Seat], readers: list[Seat]) -> None:
        self.database = database
        self.authors = authors
        self.readers = readers
        self.log = History()
        self.follows: dict[int, set[int]] = {}
        self.pages: list[Page] = []
        self.stuck: list[str] = []  # how those stood who missed something to the end
        self.is_over = asyncio.Event()


async def run(scale: Scale, database: str) -> Findings:
    stage = await _stage(database, scale.of(AUTHORS, 5), scale.of(READERS, 12))
    async with serving(database) as site, contextlib.AsyncExitStack() as wires:
        proxies = [await wires.enter_async_context(proxy(site.port)) for _ in range(WIRES)]
        chaos = Chaos(site, proxies, pause=scale.of((1.0, 5.0), (0.05, 0.3)))
        settled = await _played(stage, site, proxies, chaos, scale)
        due = await logged(database)
        wrong = [*_wrong(stage, due), *await _lost(stage)]
        late = await _late(stage, site, scale.of(LATE, 300))
        wrong += [*late[2], *await _stale(stage, site)]
    return Findings(
        f"{len(due.posts)} events; {chaos}; {sum(page.accepted for page in stage.pages)}"
        f" connections, {sum(page.repeats for page in stage.pages)} repeats on the wire",
        [
            Size("authors", len(stage.authors), AUTHORS),
            Size("readers", len(stage.pages), READERS),
            Size("posts", len(stage.log.acknowledged("post")), MOST),
        ],
        [report.time("all told after", settled, 10), report.time(late[0], late[1], 2)],
        wrong,
        history=stage.log,
    )


async def _lost(stage: Stage) -> list[str]:
    ids = {key: post_id for key, post_id, _ in await kept(stage.database)}
    asked = stage.log.of("post")
    return [*history.lost(asked, ids), *history.changed(asked, ids), *history.reordered(asked)]


async def _stage(database: str, authors: int, readers: int) -> Stage:
    writers = [f"author{number}" for number in range(authors)]
    fans = [f"reader{number}" for number in range(readers)]
    pairs = [(fans[0], author) for author in writers]  # this one follows everybody
    for fan in fans[1:]:
        pairs += [(fan, author) for author in random.sample(writers, max(2, authors // 5))]
    seats = await seated(database, [*writers, *fans], following=pairs)
    stage = Stage(database, [seats[n] for n in writers], [seats[n] for n in fans])
    for fan, author in pairs:
        stage.follows.setdefault(seats[fan].id, set()).add(seats[author].id)
    return stage


async def _played(
    stage: Stage, site: SiteProcess, proxies: list[Proxy], chaos: Chaos, scale: Scale
) -> float:
    """Until there are enough posts or no time is left; how long after it all were told."""
    async with asyncio.TaskGroup() as group:
        silence = scale.of(10.0, 3.0)  # then a connection is taken for dead; the script's are 60
        stage.pages = [
            Page(site.port, seat, via=wire.port, silence=silence, hurry=scale.of(1.0, 0.3))
            for seat, wire in zip(stage.readers, cycle(proxies), strict=False)
        ]
        for page in stage.pages:
            await page.open()
        reading = [group.create_task(page.run()) for page in stage.pages]
        writing = [group.create_task(_write(stage, site.port, one)) for one in stage.authors]
        disturbing = group.create_task(chaos.run())
        await _until_enough(stage, scale)
        chaos.enough.set()
        await disturbing
        await _until_posted(stage, LEAST)
        stage.is_over.set()
        await asyncio.gather(*writing)
        took = await _settled(stage)
        if stage.stuck:
            stage.stuck.append(f"the site said:\n{site.said()[-2000:]}")
        for task in reading:
            task.cancel()
    return took


async def _until_enough(stage: Stage, scale: Scale) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(scale.seconds * 0.7):
            await _until_posted(stage, MOST)


async def _until_posted(stage: Stage, posts: int) -> None:
    while len(stage.log.acknowledged("post")) < posts:
        await asyncio.sleep(0.1)


async def _write(stage: Stage, port: int, seat: Seat) -> None:
    mine: list[int] = []
    with contextlib.closing(Client(port, seat)) as client:
        while not stage.is_over.is_set():
            act = random.random()
            if mine and act < 0.05:
                await _insist(
                    client, f"/posts/{mine[-1]}/edit", body=f"{secrets.token_hex(4)} edited"
                )
            elif mine and act < 0.1:
                await _insist(client, f"/posts/{mine.pop()}/delete")
            else:
                mine.append(await _post(stage, client, seat))
            await asyncio.sleep(random.uniform(0, 0.05))


async def _post(stage: Stage, client: Client, seat: Seat) -> int:
    key = secrets.token_hex(8)
    while not await attempt(stage.log, client, f"{key} says {seat.name}", key):
        await a_while()
    return int(stage.log.acknowledged_value(key))


async def _insist(client: Client, path: str, **fields: str) -> None:
    while True:
        with contextlib.suppress(Unanswered):
            answer = await client.submit(path, **fields)
            if answer.status in (303, 404):
                return
            assert answer.status >= 500, (path, answer.status)
        await a_while()


async def _settled(stage: Stage) -> float:
    """How long it took until nobody missed anything, or for how long it was waited."""
    began = time.monotonic()
    due = await logged(stage.database)
    while late := [page for page in stage.pages if _missing(stage, due, page)]:
        if time.monotonic() > began + SETTLING:
            stage.stuck = [f"at the end {page}" for page in late]
            break
        await asyncio.sleep(0.05)
    return time.monotonic() - began


def _missing(stage: Stage, due: Logged, page: Page) -> set[int]:
    assert page.seat is not None
    wanted = {one for one in due.of(stage.follows[page.seat.id]) if one not in due.undone}
    return wanted.difference(page.told)


def _wrong(stage: Stage, due: Logged) -> list[str]:
    found = stage.stuck[-4:]  # that is enough to begin with
    for page in stage.pages:
        assert page.seat is not None
        theirs = due.of(stage.follows[page.seat.id])
        found += history.feed(page.seat.name, theirs, page.told, may_miss=due.undone)
        found += history.repeated(page.seat.name, page.shown)
        if page.repeats > page.accepted:  # those that were cut while they caught up included
            found.append(
                f"{page.seat.name} had {page.repeats} repeats in {page.accepted} connections"
            )
        if page.resets:
            found.append(f"{page.seat.name} was told to start over")
    return found


async def _late(stage: Stage, site: SiteProcess, missed: int) -> tuple[str, float, list[str]]:
    """Somebody closes the page, and comes back after so many posts."""
    page = await Page(site.port, stage.readers[0]).open()
    page.leave()
    before = len((await logged(stage.database)).posts)
    await _publish(stage, site, missed)
    due = (await logged(stage.database)).posts[before:]
    assert len(due) == missed
    began = time.monotonic()
    await page.open()
    took = time.monotonic() - began
    page.leave()
    return f"{missed:,} missed, caught up", took, history.feed("the late one", due, page.told)


async def _publish(stage: Stage, site: SiteProcess, posts: int) -> None:
    """All at once, by another process; returns when the live feed is through with them."""
    witness = await Page(site.port, stage.readers[0], hurry=0.1).open()
    watching = asyncio.ensure_future(witness.run())
    async with writing(stage.database) as session:
        for number in range(posts):
            author = stage.authors[number % len(stage.authors)]
            await actions.publish(session, author.id, f"post {number} that was missed", limit=500)
    async with asyncio.timeout(SETTLING):
        while len(witness.told) < posts:
            await asyncio.sleep(0.02)
    watching.cancel()
    await asyncio.wait([watching])


async def _stale(stage: Stage, site: SiteProcess) -> list[str]:
    """The log forgets; a position from before gets a `reset`, never silence."""
    due = await logged(stage.database)
    async with writing(stage.database) as session:
        epoch, tomorrow = await events.epoch(session), clock.now() + timedelta(days=1)
        while await events.trim(session, tomorrow, through=due.posts[len(due.posts) // 2]):
            pass
    page = await Page(site.port, stage.readers[0], since=f"{epoch}.{due.posts[0]}").open()
    page.leave()
    return [] if page.resets == 1 else ["a position older than the log got no reset"]
