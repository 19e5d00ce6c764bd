"""What has run out is swept away, in bites: none is so large that others wait for their turn."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, func, insert, select

from microblog.kernel import events
from microblog.kernel.clock import now
from microblog.kernel.db import Database
from microblog.kernel.events import LoggedEvent
from microblog.kernel.model import Base
from microblog.mail import outbox
from microblog.mail.outbox import Email
from microblog.signin import actions as signin
from microblog.signin.model import LoginSession
from tests.world import World

LONG_AGO = now() - timedelta(days=365)
MANY = 4500


async def fill(db: Database, model: type[Base], rows: list[dict[str, Any]]) -> None:
    async with db.writing() as session:
        await session.execute(insert(model), rows)


async def count(db: Database, model: type[Base]) -> int:
    async with db.reading() as session:
        return await session.scalar(select(func.count()).select_from(model)) or 0


def old_events() -> list[dict[str, Any]]:
    return [{"kind": "Unknown", "payload": {}, "at": LONG_AGO} for _ in range(MANY)]


def old_emails(state: str) -> list[dict[str, Any]]:
    return [
        {"kind": "x", "payload": {}, "message_id": "m", "state": state, "due_at": LONG_AGO,
         "give_up_at": LONG_AGO, "created_at": LONG_AGO}
        for _ in range(MANY)
    ]  # fmt: skip


async def test_a_site_sweeps_away_all_that_has_run_out_and_nothing_else(world: World) -> None:
    susan = await world.person("susan")
    await fill(world.db, LoggedEvent, old_events())
    await fill(world.db, Email, old_emails("queued")[:1] + old_emails("sent"))
    idle = [
        {"id": n, "account_id": susan.id, "token_hash": f"{n}", "created_at": LONG_AGO,
         "last_seen_at": LONG_AGO, "expires_at": now() + timedelta(days=1)}
        for n in range(1, 2 * signin.SWEPT)
    ]  # fmt: skip
    await fill(world.db, LoginSession, idle)
    await susan.posts("fresh")
    for consumer in world.machinery.consumers:
        await consumer.catch_up(world.db)

    keep_house, _ = world.machinery.steps()["housekeeping"]
    await keep_house()

    assert await count(world.db, LoggedEvent) == 1
    assert await count(world.db, Email) == 1
    assert await count(world.db, LoginSession) == 1
    assert "fresh" in await susan.page("/")


async def test_one_bite_is_bounded(db: Database) -> None:
    await fill(db, LoggedEvent, old_events())
    await fill(db, Email, old_emails("sent"))
    async with db.writing() as session:
        assert await events.trim(session, now())
        assert await outbox.forget_settled(session, now())
    assert await count(db, LoggedEvent) == MANY - events.TRIMMED
    assert await count(db, Email) == MANY - outbox.FORGOTTEN


async def test_others_write_between_the_bites(world: World) -> None:
    await fill(world.db, LoggedEvent, old_events())
    for consumer in world.machinery.consumers:
        await consumer.catch_up(world.db)
    commits: list[int] = []
    async with world.db.writing() as session:
        engine = session.get_bind()
    event.listen(engine, "commit", lambda _: commits.append(1))

    await world.machinery.steps()["housekeeping"][0]()

    assert len(commits) >= MANY // events.TRIMMED


@pytest.mark.parametrize("state", outbox.ACTIVE)
async def test_mail_that_still_waits_is_never_forgotten(db: Database, state: str) -> None:
    await fill(db, Email, old_emails(state)[:10])
    async with db.writing() as session:
        assert not await outbox.forget_settled(session, now())
    assert await count(db, Email) == 10
