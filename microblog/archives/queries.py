"""Questions about copies, and all that goes into one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, TypeAlias

from sqlalchemy import Select, and_, func, or_, select
from sqlalchemy.orm import aliased

from microblog.accounts.model import Account
from microblog.admissions.model import Invitation
from microblog.archives.model import READY, WAITING, Archive, ArchivePart
from microblog.backlinks import queries as backlinks
from microblog.follows.model import Follow, FollowRequest
from microblog.identities import queries as identities
from microblog.imports.model import BroughtPost
from microblog.kernel.clock import now
from microblog.kernel.errors import NotFound
from microblog.kernel.model import Session
from microblog.notifications.model import MutedMail, Notification
from microblog.posts import visibility
from microblog.posts.model import Post, Revision

Record: TypeAlias = dict[str, Any]

PAGE = 500


class Person(NamedTuple):
    id: int
    name: str


Ask: TypeAlias = Callable[[Session, int, int], Awaitable[list[Person]]]


_PROFILE = (
    "name", "display_name", "bio", "pronouns", "location", "links", "email", "role", "created_at",
    "avatar", "avatar_alt", "header", "header_alt", "header_focus",
)  # fmt: skip
_SETTINGS = ("language", "time_zone", "theme", "feed_mode", "accent", "text_size", "motion")


@dataclass(frozen=True, slots=True)
class ArchiveView:
    """What its owner sees of it."""

    id: int
    state: str
    done: int
    total: int
    size: int
    asked_at: datetime
    expires_at: datetime | None
    is_mailed: bool

    @property
    def percent(self) -> int:
        return min(99, 100 * self.done // max(1, self.total))

    @property
    def shown_size(self) -> str:
        kilobytes = -(-self.size // 1000)
        return f"{self.size / 1_000_000:.1f} MB" if kilobytes >= 1000 else f"{kilobytes} kB"


async def view(session: Session, account_id: int) -> ArchiveView | None:
    found = await archive_of(session, account_id)
    if found is None:
        return None
    account = await session.get_one(Account, account_id)
    return ArchiveView(
        found.id, found.state, found.done, found.total, found.size, found.asked_at,
        found.expires_at, is_mailed=bool(account.email),
    )  # fmt: skip


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
    """Profile, settings, and how many follow them."""
    account = await session.get_one(Account, account_id)
    followers = select(func.count()).where(Follow.followed_id == account_id)
    muted = select(MutedMail.kind).where(MutedMail.account_id == account_id)
    asked = (
        select(Account.name)
        .join(FollowRequest, FollowRequest.followed_id == Account.id)
        .where(FollowRequest.follower_id == account_id, Account.suspended_at.is_(None))
        .order_by(FollowRequest.at)
    )
    return {
        "profile": {name: _plain(getattr(account, name, None)) for name in _PROFILE},
        "settings": {name: getattr(account, name, None) for name in _SETTINGS}
        | {
            "private": account.private_at is not None,
            "mail_not_wanted_about": sorted(await session.scalars(muted)),
        },
        "asked_to_follow": list(await session.scalars(asked)),
        "followers": await session.scalar(followers) or 0,
        "invitations": await _invitations(session, account_id),
        "verified_links": await _verified_links(session, account_id),
        "linked_identities": await _identities(session, account_id),
    }


async def _verified_links(session: Session, account_id: int) -> Record:
    found = await backlinks.verified_of(session, account_id)
    return {url: _plain(since) for url, since in sorted(found.items())}


async def _identities(session: Session, account_id: int) -> list[Record]:
    """Which accounts elsewhere open this one."""
    return [
        {"issuer": one.issuer, "shown": one.shown, "linked_at": one.linked_at.isoformat()}
        for one in await identities.identities_of(session, account_id)
    ]


async def posts_after(session: Session, account_id: int, after: int) -> list[Record]:
    """Oldest first, with earlier texts."""
    answered, asked = aliased(Post), aliased(Account)
    own = (answered.author_id == account_id) & answered.deleted_at.is_(None)
    seen = (asked.suspended_at.is_(None), visibility.is_open(asked, account_id))
    mine = (
        select(Post, asked.name, own, BroughtPost)
        .outerjoin(answered, answered.id == Post.in_reply_to_id)
        .outerjoin(asked, and_(asked.id == answered.author_id, *seen))
        .outerjoin(BroughtPost, BroughtPost.post_id == Post.id)
        .where(Post.author_id == account_id, Post.deleted_at.is_(None), Post.id > after)
    )
    rows = (await session.execute(mine.order_by(Post.id).limit(PAGE))).all()
    earlier = await _earlier(session, [row[0].id for row in rows])
    return [
        _post(post, earlier.get(post.id, []))
        | {"in_reply_to_name": name, "in_reply_to_own": bool(own), "origin": _origin(origin)}
        for post, name, own, origin in rows
    ]


async def following_after(session: Session, account_id: int, after: int) -> list[Person]:
    """Without people who are not here (any more)."""
    names = select(Account.id, Account.name).join(Follow, Follow.followed_id == Account.id)
    return await _people(session, names.where(Follow.follower_id == account_id), after)


async def followers_after(session: Session, account_id: int, after: int) -> list[Person]:
    names = select(Account.id, Account.name).join(Follow, Follow.follower_id == Account.id)
    return await _people(session, names.where(Follow.followed_id == account_id), after)


async def every_name(session: Session, ask: Ask, account_id: int) -> AsyncIterator[str]:
    """Of all that `following_after` or `followers_after` has."""
    after = 0
    while page := await ask(session, account_id, after):
        for person in page:
            yield person.name
        after = page[-1].id


async def notifications_after(session: Session, account_id: int, after: int) -> list[Record]:
    told = (
        select(Notification, Account.name)
        .join(Account, Account.id == Notification.actor_id)
        .where(Notification.account_id == account_id, Account.suspended_at.is_(None))
        .where(or_(Notification.post_id.is_(None), visibility.is_open(Account, account_id)))
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


async def _invitations(session: Session, account_id: int) -> list[Record]:
    """That they made."""
    mine = select(Invitation).where(Invitation.account_id == account_id).order_by(Invitation.id)
    return [
        {"note": one.note, "made_at": one.created_at.isoformat(), "used": one.used}
        for one in await session.scalars(mine.limit(PAGE))
    ]


async def _people(session: Session, people: Select[int, str], after: int) -> list[Person]:
    here = people.where(Account.suspended_at.is_(None), Account.id > after)
    return [Person(*row) for row in await session.execute(here.order_by(Account.id).limit(PAGE))]


async def _earlier(session: Session, ids: list[int]) -> dict[int, list[Record]]:
    found: dict[int, list[Record]] = {}
    rows = select(Revision).where(Revision.post_id.in_(ids)).order_by(Revision.version)
    for one in await session.scalars(rows):
        told = {"version": one.version, "at": one.at.isoformat(), "text": one.body}
        found.setdefault(one.post_id, []).append(told)
    return found


def _post(post: Post, earlier: list[Record]) -> Record:
    return {
        "id": str(post.id),
        "at": post.created_at.isoformat(),
        "edited_at": post.edited_at.isoformat() if post.edited_at else None,
        "text": post.body,
        "in_reply_to": str(post.in_reply_to_id) if post.in_reply_to_id else None,
        "thread": str(post.root_id),
        "earlier": earlier,
    }


def _origin(brought: BroughtPost | None) -> Record | None:
    """Where it was written, if not on this site."""
    if brought is None:
        return None
    return {"host": brought.host, "id": brought.origin_id, "answered": brought.answered}


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value
