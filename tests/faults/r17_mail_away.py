"""The mail server swallows everything: people sign up as quickly as before, and when it is back
what has gathered goes out.

The wire to it becomes a black hole, which is worse than a refusal: each conversation under way has
to find out by waiting.  Sign-ups are timed before, meanwhile, and after.
"""

from __future__ import annotations

import asyncio
import contextlib
import time

from tests.faults import report
from tests.faults.crowd import percentile
from tests.faults.mailing import Whimsical, let_waits_end, people, states, write_mails
from tests.faults.proxy import Proxy, proxy
from tests.faults.report import Findings, Size
from tests.faults.scale import Scale
from tests.faults.serving import serving
from tests.person import PASSWORD, Person, token_in
from tests.process import SiteProcess

ID = "R17"
NAME = "mail server is a black hole"
SHORT_KINDS = ("sqlite",)  # one writer at a time: there a sender that held on would be in the way
FULL = 150.0

AT_ONCE = 2  # people who sign up
LINES = 4  # conversations under way when it begins: what they had sent may come again
BACKLOG = 2000
PATIENCE = 180.0  # seconds until what has gathered must be out
WAITING = {"queued", "deferred", "leased"}


async def run(scale: Scale, database: str) -> Findings:
    server, backlog = Whimsical(), scale.of(BACKLOG, 100)
    ids = await people(database, backlog)
    async with (
        server.open(),
        proxy(server.port) as wire,
        serving(database, smtp_url=f"smtp://127.0.0.1:{wire.port}", confirm_email="on") as site,
    ):
        each = scale.of(100, 6)
        well = await _signed_up(site, "before", each)
        await _all_sent(database)
        wire.black_hole()
        away = await _signed_up(site, "meanwhile", each)
        await write_mails(database, ids)
        waited, rate, left = await _drained(database, wire, server)
        well += await _signed_up(site, "after", each)
        left += await _all_sent(database)
    before, meanwhile = percentile(well, 99), percentile(away, 99)
    repeated = sum(len(taken) - 1 for taken in server.sent_to.values())
    lost = 3 * each + backlog - len(server.sent_to)
    return Findings(
        f"{3 * each} sign-ups, p99 {before * 1000:.0f} ms, meanwhile {meanwhile * 1000:.0f} ms;"
        f" the first mail {waited:.1f} s after the return",
        [Size("mails waiting", backlog, BACKLOG)],
        [
            report.time("sign-up p99 meanwhile", meanwhile / before, 1.1, "times that otherwise"),
            report.rate("drained", rate, 50, "mails/s"),
            report.bound("repeated", repeated, LINES, "mails"),
        ],
        [*left, *([f"{lost} people never got their mail"] if lost else [])],
    )


async def _signed_up(site: SiteProcess, when: str, number: int) -> list[float]:
    """Seconds each took, from the form sent to its answer."""
    waiting, took = iter(range(number)), list[float]()

    async def some() -> None:
        for one in waiting:
            async with Person(site.url, f"{when}{one}") as person:
                token = token_in(await person.page("/register"))
                began = time.monotonic()
                answer = await person.http.post("/register", data={
                    "csrf_token": token, "username": person.name, "password": PASSWORD,
                    "email": f"{person.name}@example.org",
                })  # fmt: skip
                took.append(time.monotonic() - began)
                assert answer.status_code == 303, answer.text[:1000]

    await asyncio.gather(*(some() for _ in range(AT_ONCE)))
    return took


async def _drained(database: str, wire: Proxy, server: Whimsical) -> tuple[float, float, list[str]]:
    """From the return: seconds until a first mail is out, and mails a second from there on."""
    wire.restore()
    began, before = time.monotonic(), len(server.taken)
    aging = asyncio.ensure_future(_age(database))
    try:
        async with asyncio.timeout(PATIENCE):
            while len(server.taken) == before:
                await asyncio.sleep(0.01)
        first = time.monotonic()
        left = await _all_sent(database)
        rate = (len(server.taken) - before) / (time.monotonic() - first)
    finally:
        aging.cancel()
        await asyncio.gather(aging, return_exceptions=True)
    return first - began, rate, left


async def _age(database: str) -> None:
    while True:
        await let_waits_end(database)
        await asyncio.sleep(0.5)


async def _all_sent(database: str) -> list[str]:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE):
            while set(await states(database)) & WAITING:
                await asyncio.sleep(0.05)
            return []
    return [f"after {PATIENCE:g} s mails still wait: {await states(database)}"]
