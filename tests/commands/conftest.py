"""Commands as an operator gives them, in this process; and a site that has some of everything."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from microblog.__main__ import main
from microblog.accounts.model import Account
from microblog.kernel import events, transfer
from microblog.kernel.clock import now
from microblog.kernel.db import Database
from microblog.kernel.events import LoggedEvent
from microblog.kernel.readers import DeadLetter
from microblog.mail import outbox
from microblog.mail.outbox import Email
from tests.posts.stage import Stage


@dataclass
class Said:
    status: int
    out: str
    err: str


Microblog = Callable[..., Coroutine[Any, Any, Said]]


@pytest.fixture
def microblog(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Microblog:
    """Runs a command; settings are given by keyword."""

    async def run(*arguments: str | Path, **settings: str | Path) -> Said:
        given = {"data_dir": tmp_path / "data", **settings}
        with monkeypatch.context() as env:
            for name, value in given.items():
                env.setenv(f"MICROBLOG_{name.upper()}", str(value))
            status = await asyncio.to_thread(main, [str(each) for each in arguments])
        out, err = capsys.readouterr()
        return Said(status, out, err)

    return run


async def lively(url: str) -> None:
    """Every kind of value that a column may hold, and a log whose newest event was trimmed."""
    db = Database(url)
    stage = Stage(db)
    ada, ben = await stage.person("ada", bio="née 🇩🇪 字\t\n"), await stage.person("ben")
    await stage.follows(ada, ben)
    first = await stage.says(ben, "hello @ada #tag")
    answer = await stage.says(ada, "hello back", in_reply_to=first.id)
    await stage.edits(ada, answer.id, "hello again")
    await stage.deletes(ben, (await stage.says(ben, "no")).id)
    async with db.writing() as session:
        await events.ensure_epoch(session)
        await outbox.enqueue(session, "reply", {"post_id": 2**62, "words": ["ü", None, 1.5]})
        await outbox.enqueue(session, "reply", {"old": True})
        await session.execute(
            update(Email).where(Email.id == 1).values(content=bytes(range(256)), throttled=True)
        )
        old = now() - timedelta(days=2)
        await session.execute(update(Email).where(Email.id == 2).values(created_at=old))
        session.add(DeadLetter(consumer="ümlaut", event_id=1, traceback="it broke"))
        newest = await events.latest_id(session)
        await session.execute(delete(LoggedEvent).where(LoggedEvent.id == newest))
    await db.close()


async def contents(url: str) -> transfer.Sums:
    db = Database(url)
    async with db.reading() as session:
        found = await transfer.sums(session)
    await db.close()
    return found


async def rows(url: str) -> dict[str, list[dict[str, Any]]]:
    db = Database(url)
    async with db.reading() as session:
        found = {
            table.name: [dict(row) for row in (await session.execute(
                select(table).order_by(*table.primary_key))).mappings()]
            for table in transfer.tables()
        }  # fmt: skip
    await db.close()
    return found


async def next_ids(url: str) -> tuple[int, int]:
    """Of an event and an account made now."""
    db = Database(url)
    author = await Stage(db).person("new")
    await Stage(db).says(author)
    async with db.reading() as session:
        account = await session.scalar(select(Account.id).where(Account.name == "new"))
        event = await events.latest_id(session)
    await db.close()
    assert account
    return event, account
