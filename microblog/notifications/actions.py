"""What people do with their notifications and their mail."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import delete, update

from microblog.kernel.clock import now
from microblog.kernel.errors import N_, Invalid
from microblog.kernel.events import record
from microblog.kernel.model import Session
from microblog.notifications import queries
from microblog.notifications.events import NotificationsChanged
from microblog.notifications.model import MutedMail, Notification, SeenPost
from microblog.notifications.queries import KINDS


async def read_all(session: Session, account_id: int) -> None:
    unread = update(Notification).where(
        Notification.account_id == account_id, Notification.read_at.is_(None)
    )
    done = await session.scalars(unread.values(read_at=now()).returning(Notification.id))
    if done.all():
        await record(session, NotificationsChanged(account_id))


async def see(
    session: Session, account_id: int, post_ids: Iterable[int], notification_ids: Iterable[int]
) -> None:
    """These were on the reader's screen.  Ask `queries` first: most need no write at all."""
    for post_id in await queries.concerned(session, account_id, post_ids):
        session.add(SeenPost(account_id=account_id, post_id=post_id))
    fresh = await queries.unread_among(session, account_id, notification_ids)
    if fresh:
        read = update(Notification).where(Notification.id.in_(fresh)).values(read_at=now())
        await session.execute(read)
        await record(session, NotificationsChanged(account_id))
    await session.flush()


async def mute_mail(session: Session, account_id: int, kind: str) -> None:
    """Send no more mail of this kind.  Muting twice is muting once."""
    _check(kind)
    if await session.get(MutedMail, (account_id, kind)) is None:
        session.add(MutedMail(account_id=account_id, kind=kind))
        await session.flush()


async def unmute_mail(session: Session, account_id: int, kind: str) -> None:
    _check(kind)
    mine = delete(MutedMail).where(MutedMail.account_id == account_id, MutedMail.kind == kind)
    await session.execute(mine)


def _check(kind: str) -> None:
    if kind not in KINDS:
        raise Invalid("kind", N_("There is no such kind of mail."))
