"""What happens to a copy: asked for, leased, written part by part, ready, forgotten."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

from sqlalchemy import CursorResult, delete, or_, select, update

from microblog.archives.events import ArchiveMoved
from microblog.archives.model import FAILED, READY, WAITING, Archive, ArchivePart
from microblog.kernel.clock import now
from microblog.kernel.events import record
from microblog.kernel.ids import next_id
from microblog.kernel.model import Session
from microblog.mail import outbox
from microblog.posts import queries as posts

LIFE = timedelta(hours=24)
LEASE = timedelta(minutes=1)
MOST_LEASES = 4  # so often begun and never finished: making it ends the process
PART = 256 * 1024
SWEPT = 40  # parts: 10 MB
PASSES = 2  # each post is written for programs, and once more for people


@dataclass(frozen=True, slots=True)
class Work:
    """A copy that is ours to make, while nobody raises the fence."""

    archive_id: int
    account_id: int
    fence: int


async def ask(session: Session, account_id: int) -> Archive:
    """One that is being made is waited for; one that is ready is replaced."""
    known = await session.scalar(select(Archive).where(Archive.account_id == account_id))
    if known is not None:
        if known.state == WAITING:
            return known
        await session.delete(known)
        await session.flush()
    total = PASSES * await posts.count_by(session, account_id)
    wanted = Archive(id=await next_id(session, Archive.id), account_id=account_id, total=total)
    session.add(wanted)
    await session.flush()
    return wanted


async def lease(session: Session) -> Work | None:
    """The one that has waited longest, if there is any that nobody is making."""
    idle = or_(Archive.leased_until.is_(None), Archive.leased_until <= now())
    waiting = select(Archive).where(Archive.state == WAITING, idle)
    found = await session.scalar(waiting.order_by(Archive.id).limit(1).with_for_update())
    if found is None:
        return None
    found.fence += 1
    found.done, found.leased_until = 0, now() + LEASE
    if found.fence > MOST_LEASES:
        found.state, found.expires_at = FAILED, now() + LIFE
        await record(session, ArchiveMoved(found.account_id, found.id))
        return None
    await session.execute(delete(ArchivePart).where(ArchivePart.archive_id == found.id))
    return Work(found.id, found.account_id, found.fence)


async def note(session: Session, work: Work, done: int, *, tell: bool = False) -> bool:
    """How far it is, and that we are still at it; False when somebody else has taken over."""
    held = await _change(session, work, done=done, leased_until=now() + LEASE)
    if held and tell:
        await record(session, ArchiveMoved(work.account_id, work.archive_id))
    return held


async def add_part(session: Session, work: Work, number: int, content: bytes) -> bool:
    held = await _change(session, work, leased_until=now() + LEASE)
    if held:
        session.add(ArchivePart(archive_id=work.archive_id, number=number, content=content))
    return held


async def finish(session: Session, work: Work, size: int) -> bool:
    """It is ready, and its owner is told by mail."""
    until = now() + LIFE
    if not await _change(session, work, state=READY, size=size, expires_at=until):
        return False
    told = {"account_id": work.account_id, "archive_id": work.archive_id}
    await outbox.enqueue(session, "archive", told, give_up=LIFE)
    await record(session, ArchiveMoved(work.account_id, work.archive_id))
    return True


async def forget_expired(session: Session) -> bool:
    """Sweep away what is older than a day, some parts at a time: whether there may be more."""
    old = await session.scalar(select(Archive.id).where(Archive.expires_at <= now()).limit(1))
    if old is None:
        return False
    some = select(ArchivePart.number).where(ArchivePart.archive_id == old).limit(SWEPT)
    numbers = list(await session.scalars(some))
    parts = delete(ArchivePart).where(ArchivePart.archive_id == old)
    await session.execute(parts.where(ArchivePart.number.in_(numbers)))
    if not numbers:
        await session.execute(delete(Archive).where(Archive.id == old))
    return True


async def _change(session: Session, work: Work, **values: object) -> bool:
    held = (Archive.id == work.archive_id, Archive.fence == work.fence, Archive.state == WAITING)
    changed = await session.execute(update(Archive).where(*held).values(**values))
    return cast(CursorResult[Any], changed).rowcount == 1
