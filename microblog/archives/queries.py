"""Questions about copies, and all that goes into one."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypeAlias

from sqlalchemy import func, or_, select
from sqlalchemy.orm import aliased

from microblog.accounts.model import Account
from microblog.archives.model import READY, WAITING, Archive, ArchivePart
from microblog.follows.model import Follow
from microblog.kernel.clock import now
from microblog.kernel.errors import NotFound
from microblog.kernel.model import Session
from microblog.notifications.model import MutedMail, Notification
from microblog.posts.model import Post, Revision

Record: TypeAlias = dict[str, Any]

PAGE = 500
_PROFILE = (
    "name", "display_name", "bio", "pronouns", "location", "links", "email", "role", "created_at",
    "avatar", "avatar_alt", "header", "header_alt",
)  # fmt: skip
_SETTINGS = ("language", "time_zone", "theme", "feed_mode", "accent", "text_size", "motion")


async def archive_of(session: Session, account_id: int) -> Archive | None:
    """The one somebody has asked for, unless its day is over."""
    mine = select(Archive).where(Archive.account_id == account_id)
    fresh = or_(Archive.expires_at.is_(None), Archive.expires_at > now())
    return await session.scalar(mine.where(fresh))


async def ready(session: Session, account_id: int, archive_id: int) -> Archive:
    """Somebody's own; another's is not found."""
    found = await archive_of(session, account_id)
    if found is None or found.id != archive_id or found.state != READY:
        raise NotFound
    return found


async def part(session: Session, archive_id: int, number: int) -> bytes | None:
    return await session.scalar(
        select(ArchivePart.content).where(
            ArchivePart.archive_id == archive_id, ArchivePart.number == number
        )
    )


async def is_waiting(session: Session) -> bool:
    idle = or_(Archive.leased_until.is_(None), Archive.leased_until <= now())
    waiting = select(Archive.id).where(Archive.state == WAITING, idle).limit(1)
    return await session.scalar(waiting) is not None


async def person(session: Session, account_id: int) -> Record:
    """Profile, settings, and how many follow them (who they are is theirs to tell)."""
    account = await session.get_one(Account, account_id)
    followers = select(func.count()).where(Follow.followed_id == account_id)
    muted = select(MutedMail.kind).where(MutedMail.account_id == account_id)
    return {
        "profile": {name: _plain(getattr(account, name, None)) for name in _PROFILE},
        "settings": {name: getattr(account, name, None) for name in _SETTINGS}
        | {"mail_not_wanted_about": sorted(await session.scalars(muted))},
        "followers": await session.scalar(followers) or 0,
    }


async def posts_after(session: Session, account_id: int, after: int) -> list[Record]:
    """Oldest first, with earlier texts."""
    answered, asked = aliased(Post), aliased(Account)
    mine = (
        select(Post, asked.name)
        .outerjoin(answered, answered.id == Post.in_reply_to_id)
        .outerjoin(asked, (asked.id == answered.author_id) & asked.suspended_at.is_(None))
        .where(Post.author_id == account_id, Post.deleted_at.is_(None), Post.id > after)
    )
    rows = (await session.execute(mine.order_by(Post.id).limit(PAGE))).all()
    earlier = await _earlier(session, [post.id for post, _ in rows])
    return [_post(post, name, earlier.get(post.id, [])) for post, name in rows]


async def following_after(session: Session, account_id: int, after: int) -> list[tuple[int, str]]:
    """Ids and names, without people who are not here (any more)."""
    names = select(Account.id, Account.name).join(Follow, Follow.followed_id == Account.id)
    mine = names.where(Follow.follower_id == account_id, Account.suspended_at.is_(None))
    page = mine.where(Account.id > after).order_by(Account.id).limit(PAGE)
    return [(row.id, row.name) for row in await session.execute(page)]


async def notifications_after(session: Session, account_id: int, after: int) -> list[Record]:
    told = (
        select(Notification, Account.name)
        .join(Account, Account.id == Notification.actor_id)
        .where(Notification.account_id == account_id, Account.suspended_at.is_(None))
        .where(Notification.id > after)
    )
    rows = await session.execute(told.order_by(Notification.id).limit(PAGE))
    return [
        {
            "id": one.id, "kind": one.kind, "by": name, "at": one.at.isoformat(),
            "post": str(one.post_id) if one.post_id else None, "read": one.read_at is not None,
        }
        for one, name in rows
    ]  # fmt: skip


async def _earlier(session: Session, ids: list[int]) -> dict[int, list[Record]]:
    found: dict[int, list[Record]] = {}
    rows = select(Revision).where(Revision.post_id.in_(ids)).order_by(Revision.version)
    for one in await session.scalars(rows):
        told = {"version": one.version, "at": one.at.isoformat(), "text": one.body}
        found.setdefault(one.post_id, []).append(told)
    return found


def _post(post: Post, answered: str | None, earlier: list[Record]) -> Record:
    return {
        "id": str(post.id),
        "at": post.created_at.isoformat(),
        "edited_at": post.edited_at.isoformat() if post.edited_at else None,
        "text": post.body,
        "in_reply_to": str(post.in_reply_to_id) if post.in_reply_to_id else None,
        "in_reply_to_name": answered,
        "thread": str(post.root_id),
        "earlier": earlier,
    }


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value
