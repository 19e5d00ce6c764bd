"""Who is signed out is out at once, in every process; nobody else is.

Two processes serve one database.  A person has a desk and a phone, each with a page open on both
processes; on one of them something ends the desk's session, the phone's or both.

A moderator who suspends them does so at one process, too.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from microblog.accounts import queries as accounts
from microblog.signin import passwords, resets
from tests.faults import report
from tests.faults.client import Client
from tests.faults.database import writing
from tests.faults.page import SIGNED_OUT, Page
from tests.faults.people import Seat, another_device, seated
from tests.faults.report import Findings, Size
from tests.faults.scale import Scale
from tests.faults.serving import several_serving
from tests.person import PASSWORD
from tests.process import SiteProcess

ID = "R7"
NAME = "sign-outs across processes"
FULL = 160.0

ROUNDS = 100

NEW = "another horse staple"
MINE = "/settings/sessions"
DESK, PHONE = "desk", "phone"


@dataclass
class Found:
    here: list[float] = field(default_factory=list)  # seconds until a socket was closed
    there: list[float] = field(default_factory=list)  # and in the other process
    wrong: list[str] = field(default_factory=list)


@dataclass
class Case:
    """One person, their two devices and pages, and what is about to happen."""

    name: str
    desk: Seat
    phone: Seat
    host: SiteProcess
    database: str
    moderator: Seat


Act = Callable[[Case], Awaitable[None]]


async def run(scale: Scale, database: str) -> Findings:
    found, rounds = Found(), 0
    hashed = await passwords.hashed(PASSWORD)
    moderator = await _moderator(database)
    async with several_serving(database, 2) as hosts:
        for number in scale.rounds(scale.of(ROUNDS, 1)):
            names = [f"{name}{number}" for name in ACTS]
            seats = await seated(database, names, password_hash=hashed)
            for host_number, (name, (act, ended)) in enumerate(ACTS.items()):
                here, there = hosts[host_number % 2], hosts[1 - host_number % 2]
                seat = seats[f"{name}{number}"]
                phone = await another_device(database, seat)
                case = Case(name, seat, phone, here, database, moderator)
                await _tried(case, act, ended, there, found)
            rounds += 1
    return Findings(
        f"{len(ACTS)} ways, {len(found.here) + len(found.there)} sockets closed",
        [Size("rounds", rounds, ROUNDS)],
        [
            report.time("same process", max(found.here, default=0.0), 2),
            report.time("other process", max(found.there, default=0.0), 5),
        ],
        found.wrong,
    )


async def _tried(
    case: Case, act: Act, ended: tuple[str, ...], there: SiteProcess, found: Found
) -> None:
    devices = {DESK: case.desk, PHONE: case.phone}
    async with _watching(case, there, devices) as pages:
        await act(case)
        done = time.monotonic()
        for device, seat in devices.items():
            if device in ended:
                await _out(case, device, seat, (case.host, there), found)
                found.here.append(await _closed(case, pages[device, "here"], done, found))
                found.there.append(await _closed(case, pages[device, "there"], done, found))
            else:
                await _still_in(case, device, seat, (case.host, there), pages, found)


@asynccontextmanager
async def _watching(
    case: Case, there: SiteProcess, devices: dict[str, Seat]
) -> AsyncIterator[dict[tuple[str, str], Page]]:
    pages = {
        (device, place): Page(host.port, seat)
        for device, seat in devices.items()
        for place, host in (("here", case.host), ("there", there))
    }
    for page in pages.values():
        await page.open()
    try:
        yield pages
    finally:
        for page in pages.values():
            page.leave()


async def _out(
    case: Case, device: str, seat: Seat, hosts: tuple[SiteProcess, ...], found: Found
) -> None:
    """The very next request of the device, to either process, is a stranger's."""
    for host in hosts:
        if (status := await _asked(host, seat)) != 303:
            found.wrong.append(f"{case.name}: the {device} was answered {status} afterwards")


async def _closed(case: Case, page: Page, done: float, found: Found) -> float:
    """Seconds until the page's socket was closed, as it must be."""
    assert page.socket is not None
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(15):
            code = await asyncio.shield(page.socket.closed)
            if code != SIGNED_OUT:
                found.wrong.append(f"{case.name}: a socket was closed with {code}")
            return max(0.0, page.socket.closed_at - done)
    found.wrong.append(f"{case.name}: a socket of an ended session stays open")
    return time.monotonic() - done


async def _still_in(
    case: Case, device: str, seat: Seat, hosts: tuple[SiteProcess, ...],
    pages: dict[tuple[str, str], Page], found: Found,
) -> None:  # fmt: skip
    if case.name != "password":  # its own cookie is renewed
        for host in hosts:
            if (status := await _asked(host, seat)) != 200:
                found.wrong.append(f"{case.name}: the {device}, not concerned, got {status}")
    for (whose, _), page in pages.items():
        if whose == device and (page.socket is None or page.socket.closed.done()):
            found.wrong.append(f"{case.name}: a socket of the {device}, not concerned, was closed")


async def _asked(host: SiteProcess, seat: Seat) -> int:
    with contextlib.closing(Client(host.port, seat)) as client:
        return (await client.get(MINE)).status


async def _moderator(database: str) -> Seat:
    seats = await seated(database, ["watchful"])
    async with writing(database) as session:
        account = await accounts.account(session, seats["watchful"].id)
        account.role = "moderator"
    return seats["watchful"]


# -- what ends sessions ---------------------------------------------------------------------------


async def _sign_out(case: Case) -> None:
    await _submitted(case, "/logout")


async def _sign_others_out(case: Case) -> None:
    await _submitted(case, MINE, end="others")


async def _change_password(case: Case) -> None:
    await _submitted(case, "/settings/account", current_password=PASSWORD, password=NEW)


async def _submitted(case: Case, path: str, **fields: str) -> None:
    with contextlib.closing(Client(case.host.port, case.desk)) as client:
        answer = await client.submit(path, **fields)
        assert answer.status == 303, (path, answer.status, answer.body[:500])


async def _reset_password(case: Case) -> None:
    async with writing(case.database) as session:
        token = await resets.issue_link(session, case.desk.id)
        await resets.reset(session, token, await passwords.hashed(NEW))


async def _suspend(case: Case) -> None:
    with contextlib.closing(Client(case.host.port, case.moderator)) as client:
        answer = await client.submit(
            f"/admin/people/{case.desk.id}", act="suspend", reason="spam", days=""
        )
        assert answer.status == 303, (answer.status, answer.body[:500])


ACTS: dict[str, tuple[Act, tuple[str, ...]]] = {
    "signout": (_sign_out, (DESK,)),
    "others": (_sign_others_out, (PHONE,)),
    "password": (_change_password, (PHONE,)),
    "reset": (_reset_password, (DESK, PHONE)),
    "suspended": (_suspend, (DESK, PHONE)),
}
