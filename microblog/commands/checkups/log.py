"""The event log and the outbox: does everything that follows keep up?"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

from sqlalchemy import func, select

from microblog.commands.checkups.findings import Finding, broken, fine, look, many
from microblog.kernel import events, lag
from microblog.kernel.clock import now
from microblog.kernel.db import Database
from microblog.kernel.events import LoggedEvent
from microblog.kernel.model import Session
from microblog.kernel.readers import ConsumerOffset
from microblog.mail import queries as mail
from microblog.mail.outbox import Email

BEHIND = 60.0  # seconds
LATE = timedelta(minutes=10)
RECENT = timedelta(days=7)
AHEAD = timedelta(seconds=5)


async def examine(database: Database) -> AsyncIterator[Finding]:
    async with database.reading() as session:
        names = list(await session.scalars(select(ConsumerOffset.consumer)))
        everything = dict.fromkeys(names, frozenset[str]())
        yield await _place(session)
        for look_at in (_clock, _outbox, _dead_mail):
            if finding := await look_at(session):
                yield finding
        for name, behind in (await lag.of_consumers(session, everything)).items():
            yield _kept_up(name, behind)
        for name, given_up in (await lag.dead_letters(session, names)).items():
            if given_up:
                yield look(
                    "event log", f"{name} has given up {many(given_up, 'event')}",
                    "The table dead_letters says why. Report it as a bug, please.",
                )  # fmt: skip


async def _place(session: Session) -> Finding:
    if not await events.epoch(session):
        return look("event log", "it has not begun", "The first start begins it.")
    return fine("event log", f"position {await events.present(session)}")


async def _clock(session: Session) -> Finding | None:
    newest = await session.scalar(select(func.max(LoggedEvent.at)))
    if newest is None or newest < now() + AHEAD:
        return None
    return broken(
        "clock", f"the newest event happens in the future, at {newest:%Y-%m-%d %H:%M:%S} UTC",
        "The clock was wrong or is. Let the machine set it by NTP.",
    )  # fmt: skip


def _kept_up(name: str, behind: lag.Lag) -> Finding:
    if behind.seconds < BEHIND:
        return fine("event log", f"{name} has read what there is")
    return look(
        "event log", f"{name} is {many(behind.behind, 'event')} or {behind.seconds:,.0f} s behind",
        "Does the site run? With MICROBLOG_WORKERS_HERE=off, does microblog worker?",
    )  # fmt: skip


async def _outbox(session: Session) -> Finding:
    waiting = sum((await mail.queue_depth(session)).values())
    due = await mail.oldest_due(session)
    says = f"{many(waiting, 'mail')} to be sent"
    if due is None or due > now() - LATE:
        return fine("outbox", says)
    minutes = (now() - due).total_seconds() / 60
    return look(
        "outbox", f"{says}, the first one for {minutes:,.0f} minutes longer than it should",
        "Does the site or a microblog worker run, and does mail work (see below)?",
    )  # fmt: skip


async def _dead_mail(session: Session) -> Finding | None:
    dead = Email.state == "dead", Email.created_at > now() - RECENT
    lost = await session.scalar(select(func.count()).select_from(Email).where(*dead))
    if not lost:
        return None
    newest = select(Email.reason).where(*dead).order_by(Email.id.desc()).limit(1)
    return look(
        "outbox", f"{many(lost, 'mail')} of the last week could not be delivered",
        f"The newest, in the server's words: {await session.scalar(newest)}",
    )  # fmt: skip
