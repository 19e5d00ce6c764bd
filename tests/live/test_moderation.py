"""What moderators do, on pages that are open."""

from __future__ import annotations

import time

import pytest
from sqlalchemy import update

from microblog.accounts.model import Account
from microblog.kernel.db import Database
from tests.live.conftest import Meet
from tests.live.test_socket import watching
from tests.person import Person
from tests.process import SiteProcess

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def promoted(site: SiteProcess, person: Person, role: str = "moderator") -> int:
    """Their id."""
    db = Database(site._settings["MICROBLOG_DATABASE_URL"])
    async with db.writing() as session:
        change = update(Account).where(Account.name == person.name).values(role=role)
        found = await session.scalar(change.returning(Account.id))
    await db.close()
    assert found is not None
    return found


async def test_a_suspension_empties_open_pages_and_closes_theirs(
    site: SiteProcess, meet: Meet
) -> None:
    mo, susan = await meet(), await meet()
    david = await meet(susan)
    await promoted(site, mo)
    who = await promoted(site, susan, "member")
    visitor = Person(site.url, "visitor")
    root = await david.post("A question")
    await susan.reply(root, "A rude answer")
    async with (
        watching(susan) as theirs, watching(david) as home,
        watching(visitor, stream="public") as public,
        watching(visitor, stream=f"thread:{root}") as thread,
    ):  # fmt: skip
        began = time.monotonic()
        answer = await mo.submit(f"/admin/people/{who}", act="suspend", reason="Rude.")
        assert answer.status_code == 303
        for page in (home, public, thread):
            while (await page.event()) != ("remove", f"author-{who}"):
                pass  # david hears of the reply, too
        assert await theirs.closed_with() == 4001
        assert time.monotonic() - began < 5 * 2  # on a busy machine
    assert (await susan.http.get("/")).text.count("A rude answer") == 0


async def test_a_report_is_counted_for_staff_and_for_nobody_else(
    site: SiteProcess, meet: Meet
) -> None:
    mo, susan, david = await meet(), await meet(), await meet()
    await promoted(site, mo)
    async with watching(mo) as desk, watching(susan) as theirs:
        await david.submit(f"/@{susan.name}/report", category="spam", words="")
        said = await desk.until("count")
        while said["name"] != "waiting":
            said = await desk.until("count")
        assert said["value"] == 1
        of_each = [await desk.until("count") for _ in range(3)]
        assert {one["name"]: one["value"] for one in of_each} == {
            "waiting_reports": 1, "waiting_appeals": 0, "waiting_applications": 0,
        }  # fmt: skip
        assert await theirs.stays_quiet()


async def test_a_silenced_voice_is_heard_at_home_and_not_in_public(
    site: SiteProcess, meet: Meet
) -> None:
    mo, susan = await meet(), await meet()
    david = await meet(susan)
    await promoted(site, mo)
    who = await promoted(site, susan, "member")
    await mo.submit(f"/admin/people/{who}", act="silence", reason="Shouting.")
    visitor = Person(site.url, "visitor")
    async with (
        watching(david) as home, watching(visitor, stream="public") as public,
        watching(visitor, stream="tag:bees") as tag,
    ):  # fmt: skip
        post = await susan.post("again #bees")
        assert await home.event() == ("insert", f"post-{post}")
        assert await public.stays_quiet()
        assert await tag.stays_quiet()
