"""A link of a profile is looked behind, and what is found there stands or falls."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from quart import Response
from sqlalchemy import delete, select, update

from microblog.accounts import actions as accounts
from microblog.accounts.model import Account
from microblog.backlinks import actions, checker, queries
from microblog.backlinks.checker import LinkChecker
from microblog.backlinks.findings import LINKS_BACK, NOTHING, PROBLEMS
from microblog.backlinks.model import MISSING, UNREACHABLE, VERIFIED, WAITING, Backlink
from microblog.kernel.clock import now
from microblog.kernel.db import Database
from microblog.outbound.client import Outbound
from tests.outbound.elsewhere import Elsewhere, Names, elsewhere
from tests.signin.people import person, suspend

BASE = "https://social.example"
BACK = f'<p>Hi <a rel="me noopener" href="{BASE}/@ada">me</a>'


@pytest.fixture
async def there() -> AsyncIterator[Elsewhere]:
    async with elsewhere() as site:
        site.pages["/"] = Response(BACK)
        yield site


@pytest.fixture
def links(db: Database, there: Elsewhere) -> LinkChecker:
    return LinkChecker(db, Outbound(reachable=(there.place,)), BASE)


async def has_links(db: Database, account_id: int, *urls: str) -> None:
    async with db.writing() as session:
        await accounts.edit_profile(session, account_id, links=[("", url) for url in urls])
        await actions.follow_profile(session, account_id)


async def states(db: Database, account_id: int) -> dict[str, tuple[str, str]]:
    async with db.reading() as session:
        found = await queries.states_of(session, account_id)
    return {one.url: (one.state, one.problem) for one in found}


async def state(db: Database, account_id: int) -> tuple[str, str]:
    (only,) = (await states(db, account_id)).values()
    return only


async def verified(db: Database, account_id: int) -> list[str]:
    async with db.reading() as session:
        return sorted(await queries.verified_of(session, account_id))


async def due_again(db: Database) -> None:
    async with db.writing() as session:
        before = now() - timedelta(minutes=2)
        await session.execute(update(Backlink).values(due_at=before, checked_at=before))


async def wait_of(db: Database) -> timedelta:
    async with db.reading() as session:
        (due,) = await session.scalars(select(Backlink.due_at))
    return due - now()


async def test_a_page_that_links_back_is_verified(
    db: Database, there: Elsewhere, links: LinkChecker
) -> None:
    ada = await person(db, "ada")
    await has_links(db, ada, f"{there.url}/")
    assert await state(db, ada) == (WAITING, "")
    await links.step()
    assert await state(db, ada) == (VERIFIED, "")
    assert await verified(db, ada) == [f"{there.url}/"]
    assert timedelta(days=6) < await wait_of(db) < timedelta(days=8)
    await links.step()
    assert len(there.asked) == 1


@pytest.mark.parametrize(
    ("page", "problem"),
    [
        (Response("<p>Nothing"), ""),
        (Response(f'<a href="{BASE}/@ada">me'), ""),
        (Response(f'<a rel="me" href="{BASE}/@eve">me'), ""),
        (Response('<a rel="me" href="https://other.example/@ada">me'), ""),
        (Response(BACK, status=404), "no page"),
        (Response(BACK, mimetype="text/plain"), "no page"),
        (Response(BACK, mimetype="image/png"), "no page"),
    ],
)  # fmt: skip
async def test_what_does_not_link_back_is_not(
    db: Database, there: Elsewhere, links: LinkChecker, page: Response, problem: str
) -> None:
    ada, _eve = await person(db, "ada"), await person(db, "eve")
    there.pages["/"] = page
    await has_links(db, ada, f"{there.url}/")
    await links.step()
    assert await state(db, ada) == (MISSING, problem)
    assert await verified(db, ada) == []


@pytest.mark.parametrize(
    ("url", "page", "problem"),
    [
        ("{url}/", Response(BACK, status=500), "status"),
        ("{url}/", Response("x" * 1_100_000), "too large"),
        ("{url}/", Response(status=302, headers={"Location": "/"}), "astray"),
        ("{url}/", Response(status=302, headers={"Location": "http://10.0.0.1/"}), "unsafe"),
        ("http://127.0.0.1/", Response(), "unsafe"),
        ("http://10.0.0.1/", Response(), "unsafe"),
        ("http://nobody.invalid/", Response(), "away"),
    ],
)
async def test_what_cannot_be_fetched_is_said_to_be_so(
    db: Database, there: Elsewhere, url: str, page: Response, problem: str
) -> None:
    ada = await person(db, "ada")
    there.pages["/"] = page
    await has_links(db, ada, url.format(url=there.url))
    names = Names(**{"127.0.0.1": [["127.0.0.1"]], "10.0.0.1": [["10.0.0.1"]]})
    outbound = Outbound(reachable=(there.place,), resolve=names.resolve)
    await LinkChecker(db, outbound, BASE).step()
    assert await state(db, ada) == (UNREACHABLE, problem)
    assert timedelta(minutes=50) < await wait_of(db) < timedelta(hours=2)


async def test_a_page_speaks_for_its_own_site_only(db: Database, there: Elsewhere) -> None:
    """Many sites have an address that leads wherever the visitor says."""
    ada = await person(db, "ada")
    names = Names(open_example=[["127.0.0.1"]], **{"www.open.example": [["127.0.0.1"]]})
    names.known["mine.example"] = [["127.0.0.1"]]
    outbound = Outbound(reachable=(there.place,), resolve=names.resolve)
    for host, found in (
        ("mine.example", (MISSING, "elsewhere")), ("www.open.example", (VERIFIED, "")),
    ):  # fmt: skip
        to = f"http://{host}:{there.port}/"
        there.pages["/go"] = Response(status=302, headers={"Location": to})
        await has_links(db, ada, f"http://open.example:{there.port}/go")
        await due_again(db)
        await LinkChecker(db, outbound, BASE).step()
        assert await state(db, ada) == found


async def test_an_old_name_counts_while_it_leads_to_them(
    db: Database, there: Elsewhere, links: LinkChecker
) -> None:
    ada = await person(db, "ada")
    async with db.writing() as session:
        await accounts.rename(session, ada, "lovelace")
    await has_links(db, ada, f"{there.url}/")
    await links.step()
    assert await state(db, ada) == (VERIFIED, "")


async def test_a_link_that_is_gone_ends_it_and_one_lost_answer_does_not(
    db: Database, there: Elsewhere, links: LinkChecker
) -> None:
    ada = await person(db, "ada")
    await has_links(db, ada, f"{there.url}/")
    await links.step()
    there.pages["/"] = Response(status=500)
    for _ in range(actions.FORGIVEN):
        await due_again(db)
        await links.step()
        assert await state(db, ada) == (VERIFIED, "")
    await due_again(db)
    await links.step()
    assert await state(db, ada) == (UNREACHABLE, "status")
    there.pages["/"] = Response(BACK)
    await due_again(db)
    await links.step()
    assert await state(db, ada) == (VERIFIED, "")
    there.pages["/"] = Response("<p>Nothing")
    await due_again(db)
    await links.step()
    assert await state(db, ada) == (MISSING, "")


async def test_what_is_not_found_is_looked_for_less_and_less_often(
    db: Database, there: Elsewhere, links: LinkChecker
) -> None:
    ada = await person(db, "ada")
    there.pages["/"] = Response("")
    await has_links(db, ada, f"{there.url}/")
    waits = []
    for _ in range(6):
        await links.step()
        waits.append(round((await wait_of(db)) / timedelta(hours=1)))
        await due_again(db)
    assert waits == [1, 6, 24, 72, 168, 168]


async def test_a_saved_profile_keeps_what_is_known_and_asks_for_the_rest(
    db: Database, there: Elsewhere, links: LinkChecker
) -> None:
    ada = await person(db, "ada")
    await has_links(db, ada, f"{there.url}/", f"{there.url}/lost", f"{there.url}/old")
    await links.step()
    await has_links(db, ada, f"{there.url}/", f"{there.url}/lost", f"{there.url}/new")
    assert await states(db, ada) == {
        f"{there.url}/": (VERIFIED, ""),
        f"{there.url}/lost": (MISSING, "no page"),  # a moment ago
        f"{there.url}/new": (WAITING, ""),
    }
    await due_again(db)
    async with db.writing() as session:
        await actions.try_again(session, ada)
    assert (await states(db, ada))[f"{there.url}/lost"][0] == WAITING


async def test_nobody_is_asked_for_people_who_are_not_shown(
    db: Database, there: Elsewhere, links: LinkChecker
) -> None:
    ada = await person(db, "ada")
    await has_links(db, ada, f"{there.url}/")
    await suspend(db, ada)
    await links.step()
    assert there.asked == []
    async with db.writing() as session:
        await session.execute(update(Account).values(suspended_at=None))
    await links.step()
    assert await state(db, ada) == (VERIFIED, "")


async def test_hosts_and_people_are_asked_and_served_now_and_then(
    db: Database, there: Elsewhere, links: LinkChecker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checker, "PER_ACCOUNT", 3)
    monkeypatch.setattr(checker, "PER_HOST", 5)
    links = LinkChecker(db, Outbound(reachable=(there.place,)), BASE)
    people = [await person(db, name) for name in ("ada", "bob")]
    for one in people:
        await has_links(db, one, *(f"{there.url}/{n}" for n in range(4)))
    for _ in range(3):
        await links.step()
    assert len(there.asked) == 5  # three of ada's, then what is left for the host
    found = [await states(db, one) for one in people]
    waiting = [sum(kept == (WAITING, "") for kept in one.values()) for one in found]
    assert waiting == [1, 2]
    async with db.reading() as session:
        assert not await queries.is_due(session)  # put off, not tried in a loop


async def test_two_workers_look_once(db: Database, there: Elsewhere) -> None:
    ada = await person(db, "ada")
    await has_links(db, ada, *(f"{there.url}/{n}" for n in range(4)))
    both = [LinkChecker(db, Outbound(reachable=(there.place,)), BASE) for _ in range(2)]
    await asyncio.gather(*(one.step() for one in both))
    assert len(there.asked) == 4


async def test_a_killed_worker_holds_nothing_up_and_changes_nothing(
    db: Database, there: Elsewhere, links: LinkChecker
) -> None:
    ada = await person(db, "ada")
    await has_links(db, ada, f"{there.url}/")
    async with db.writing() as session:
        (dead,) = await actions.lease(session, 4)
    await links.step()
    assert there.asked == []
    async with db.writing() as session:
        await session.execute(update(Backlink).values(leased_until=now()))
    await links.step()
    async with db.writing() as session:
        assert not await actions.settle(session, dead, NOTHING)
    assert await state(db, ada) == (VERIFIED, "")


async def test_a_link_taken_away_meanwhile_is_settled_by_nobody(
    db: Database, there: Elsewhere
) -> None:
    ada = await person(db, "ada")
    await has_links(db, ada, f"{there.url}/")
    async with db.writing() as session:
        (work,) = await actions.lease(session, 4)
    async with db.writing() as session:
        await session.execute(delete(Backlink))
    await has_links(db, ada, f"{there.url}/")
    async with db.writing() as session:
        assert not await actions.settle(session, work, LINKS_BACK)


def test_every_problem_fits_its_column() -> None:
    assert all(len(word) <= 16 for word in PROBLEMS)
