"""The signed-in home page (25 posts) and the writing of a post, beside two peers with the same
contents in SQLite: a tutorial's Flask under one gunicorn worker, and Quart with ORM entities.

In each round every site is asked for as long, one after the other.  *CPU* is that of the server's
processes, what ours does after a post (notifications, its page's readers) included.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median, quantiles

import httpx2
from sqlalchemy import create_engine
from werkzeug.security import generate_password_hash

from tests.bench.content import SENTENCES, Content, into_ours, into_peer
from tests.bench.flask_peer import db
from tests.bench.plan import Plan
from tests.bench.processes import cpu_seconds, serving
from tests.bench.table import Goal, Row, at_most, times
from tests.bench.visitor import Answer, Visitor, Visits, visits
from tests.person import PASSWORD, Person, token_in
from tests.process import SiteProcess

READERS = tuple(f"reader{number}" for number in range(8))  # as many connections
PEERS = {"flask": "Flask tutorial, gunicorn", "quart": "Quart + ORM entities"}
WARM = 0.5  # seconds before the first round


@dataclass
class Asked:
    """What one site was asked in all rounds."""

    visits: Visits = field(default_factory=Visits)
    cpu: float = 0.0
    rates: list[float] = field(default_factory=list)  # answers a second, by round

    @property
    def cpu_ms(self) -> float:
        return self.cpu / len(self.visits.latencies) * 1000


class Place:
    """One site with its readers signed in."""

    def __init__(self, name: str, pid: int, form: str, path: str) -> None:
        self.name = name
        self.pid = pid
        self.readers: list[tuple[Visitor, str]] = []  # with the token of their forms
        self._form = form
        self._path = path

    async def home(self, number: int) -> Answer:
        return await self.readers[number][0].get("/")

    async def publish(self, number: int) -> Answer:
        visitor, token = self.readers[number]
        key = secrets.token_hex(8)
        more = {"idempotency_key": key} if self.name == "ours" else {}
        body = f"{SENTENCES[number % len(SENTENCES)]} {key}"
        return await visitor.submit(self._path, csrf_token=token, **{self._form: body}, **more)

    async def publish_and_see(self, number: int) -> Answer:
        """As a browser without script does: it follows the answer to a page."""
        answer = await self.publish(number)
        return await self.readers[number][0].get(answer.location)


async def run(plan: Plan) -> list[Row]:
    content = Content(READERS, plan.of(10_000, 2_000))
    async with contextlib.AsyncExitStack() as stack:
        places = [
            await stack.enter_async_context(_ours(plan.room("ours"), content)),
            await stack.enter_async_context(_flask(plan.room("flask"), content)),
            await stack.enter_async_context(_quart(plan.room("quart"), content)),
        ]
        for place in places:
            await _shows_the_same(place)
        rounds, seconds = plan.of(5, 2), plan.of(3.0, 1.0)
        plan.say("the home page")
        pages = await _rounds(places, "home", 200, rounds, seconds)
        plan.say("posts")
        posts = await _rounds(places, "publish", None, rounds, seconds)
        seen = await _rounds(places, "publish_and_see", 200, rounds, seconds)
    return [*_page_rows(pages), *_post_rows(posts), *_seen_rows(seen)]


async def _rounds(
    places: Sequence[Place], verb: str, status: int | None, rounds: int, seconds: float
) -> dict[str, Asked]:
    found = {place.name: Asked() for place in places}
    for number in range(-1, rounds):
        for place in (*places[number % 3 :], *places[: number % 3]):
            wanted = status or (303 if place.name == "ours" else 302)
            used = cpu_seconds(place.pid)
            ask = getattr(place, verb)
            here = await visits(ask, len(READERS), seconds if number >= 0 else WARM, wanted)
            if number >= 0:
                found[place.name].cpu += cpu_seconds(place.pid) - used
                found[place.name].visits.add(here)
                found[place.name].rates.append(here.per_second)
    return found


def _page_rows(found: dict[str, Asked]) -> list[Row]:
    bounds = {"flask": 0.125, "quart": 0.4}
    return [
        row
        for name, peer in PEERS.items()
        for row in _rows("home page", found["ours"], found[name], peer, times(bounds[name]))
    ]


def _post_rows(found: dict[str, Asked]) -> list[Row]:
    rows = _rows("a post", found["ours"], found["flask"], PEERS["flask"], times(0.2))
    late = next(row for row in rows if "p99" in row.name)
    rows[rows.index(late)] = replace(late, goal=at_most(150))
    return rows + _rows("a post", found["ours"], found["quart"], PEERS["quart"], None)


def _seen_rows(found: dict[str, Asked]) -> list[Row]:
    what, ours = "a post and the page that follows, CPU", found["ours"].cpu_ms
    return [Row(what, "ms", ours, peer, found[name].cpu_ms) for name, peer in PEERS.items()]


def _rows(what: str, ours: Asked, theirs: Asked, peer: str, goal: Goal | None) -> list[Row]:
    at = f"{len(READERS)} in flight"
    late = [(quantiles(one.visits.latencies, n=100)) for one in (ours, theirs)]
    return [
        Row(f"{what}, CPU", "ms", ours.cpu_ms, peer, theirs.cpu_ms, goal),
        Row(f"{what}, {at}", "/s", median(ours.rates), peer, median(theirs.rates)),
        Row(f"{what}, {at}, p50", "ms", late[0][49], peer, late[1][49]),
        Row(f"{what}, {at}, p99", "ms", late[0][98], peer, late[1][98]),
    ]


@contextlib.asynccontextmanager
async def _ours(folder: Path, content: Content) -> AsyncIterator[Place]:
    async with SiteProcess(folder, confirm_email="off") as site:
        assert site.process is not None
        place = Place("ours", site.process.pid, "body", "/posts")
        for name in READERS:
            async with Person(site.url, name) as person:
                await person.register()
                token = token_in(await person.page("/posts/new"))
                place.readers.append((Visitor(site.port, person.cookies()), token))
        into_ours(content, folder / "microblog.db")
        yield place


@contextlib.asynccontextmanager
async def _flask(folder: Path, content: Content) -> AsyncIterator[Place]:
    file = _peer_file(folder, content)
    app = f"tests.bench.flask_peer:create_app('{file}')"
    command = lambda port: [  # noqa: E731
        "-m", "gunicorn", "--workers", "1", "--bind", f"127.0.0.1:{port}", app
    ]  # fmt: skip
    async with serving(command, folder / "log") as (pid, port):
        yield await _signed_in(Place("flask", pid, "post", "/"), port)


@contextlib.asynccontextmanager
async def _quart(folder: Path, content: Content) -> AsyncIterator[Place]:
    file = _peer_file(folder, content)
    command = lambda port: ["-m", "tests.bench.quart_peer", str(file), str(port)]  # noqa: E731
    async with serving(command, folder / "log") as (pid, port):
        yield await _signed_in(Place("quart", pid, "post", "/"), port)


def _peer_file(folder: Path, content: Content) -> Path:
    file = folder / "peer.db"
    engine = create_engine(f"sqlite:///{file}")
    db.metadata.create_all(engine)
    engine.dispose()
    into_peer(content, file, generate_password_hash(PASSWORD, method="pbkdf2:sha256:1000"))
    return file


async def _signed_in(place: Place, port: int) -> Place:
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http:
        for name in READERS:
            http.cookies.clear()
            answer = await http.post("/login", data={"username": name, "password": PASSWORD})
            cookies = "; ".join(f"{c.name}={c.value}" for c in http.cookies.jar)
            place.readers.append((Visitor(port, cookies), answer.text))
    return place


async def _shows_the_same(place: Place) -> None:
    answer = await place.home(0)
    shown = max(answer.body.count(b'<article id="post-'), answer.body.count(b'class="post"'))
    if answer.status != 200 or shown != 25:
        raise SystemExit(f"{place.name}: {answer.status}, {shown} posts: {answer.body[:1000]!r}")
