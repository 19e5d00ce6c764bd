"""Questions about notifications.  Ids and dataclasses come back, never rows to be changed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, SQLColumnExpression, bindparam, func, or_, select, tuple_
from sqlalchemy.orm import aliased

from microblog.accounts import queries as accounts
from microblog.accounts.model import Account
from microblog.accounts.queries import PersonCard
from microblog.kernel import events
from microblog.kernel.dialects import per_dialect
from microblog.kernel.errors import NotFound
from microblog.kernel.events import Position
from microblog.kernel.ids import LARGEST
from microblog.kernel.model import Session
from microblog.kernel.rows import fetch, fetch_column
from microblog.notifications.model import MutedMail, Notification, SeenPost
from microblog.posts import queries as posts
from microblog.posts.model import Mention, Post
from microblog.posts.queries import PostView
from microblog.signin import queries as logins
from microblog.signin.queries import Viewer

KINDS = ("follow", "request", "accept", "mention", "reply")
UNMAILED = ("crosspost", "silence", "takedown")  # or mailed by others; the actor is the reader
PAGE = 30
MANY = 100  # unread: counted no further, "99+" where it is shown
LOOKED_AT = 300  # unread, the newest: of these only the ones that are shown are counted


@dataclass(frozen=True, slots=True)
class NotificationView:
    id: int
    kind: str  # one of KINDS or UNMAILED
    actor: PersonCard
    post: PostView | None  # None for what is about following
    at: datetime
    read: bool


@dataclass(frozen=True, slots=True)
class Arrival:
    """Somebody who comes, and where the log stood then."""

    viewer: Viewer
    position: Position


_COLUMNS = (
    Notification.id,
    Notification.account_id,
    Notification.kind,
    Notification.actor_id,
    Notification.post_id,
    Notification.at,
    Notification.read_at,
)
# A deleted post is gone from here at once, even before the consumer takes its notification away.
_SHOWN = (
    select(*_COLUMNS)
    .outerjoin(Post, Post.id == Notification.post_id)
    .where(Post.deleted_at.is_(None))
)
_PAGE_SQLITE = (
    _SHOWN.where(Notification.account_id == bindparam("account_id"))
    .where(Notification.id < bindparam("before"))
    .order_by(Notification.id.desc())
    .limit(bindparam("limit"))
)
# Where few have very many, PostgreSQL would go through everybody's, newest first, until it has a
# page of one's own.  In the order of the index it cannot; SQLite would use half of the comparison.
_PAGE_POSTGRESQL = (
    _SHOWN.where(Notification.account_id >= bindparam("account_id"))
    .where(
        tuple_(Notification.account_id, Notification.id)
        < tuple_(bindparam("account_id"), bindparam("before"))
    )
    .order_by(Notification.account_id.desc(), Notification.id.desc())
    .limit(bindparam("limit"))
)
_ONE = _SHOWN.where(Notification.id == bindparam("id"))
_Actor = aliased(Account)


def _unread(account_id: SQLColumnExpression[int]) -> Select[int]:
    """No more are counted than are told apart; in order, or PostgreSQL might go through others'.
    The page shows nothing of suspended people, so it is not counted either; past hundreds of
    theirs nobody looks for more."""
    newest = (
        select(Notification.id, Notification.actor_id)
        .where(Notification.account_id == account_id, Notification.read_at.is_(None))
        .order_by(Notification.id.desc())
        .limit(LOOKED_AT)
        .correlate(Account)
        .subquery()
    )
    news = select(newest.c.id).join(_Actor, _Actor.id == newest.c.actor_id)
    few = news.where(_Actor.suspended_at.is_(None)).limit(MANY)
    return select(func.count()).select_from(few.subquery())


_UNREAD = _unread(bindparam("account_id"))
_UNREAD_OF_EACH = select(Account.id, _unread(Account.id).scalar_subquery()).where(
    Account.id.in_(bindparam("account_ids", expanding=True))
)
_STANDING = (_unread(Account.id).scalar_subquery(), events.EPOCH, events.LATEST)
_ARRIVING = logins.HOLDER.add_columns(*_STANDING)
_ARRIVING_TOGETHER = logins.HOLDERS.add_columns(*_STANDING, logins.TOKEN_HASH)
_Parent = aliased(Post)
_MENTIONING = select(Mention.post_id).where(
    Mention.account_id == bindparam("account_id"),
    Mention.post_id.in_(bindparam("post_ids", expanding=True)),
)
_CONCERNED = (
    select(Post.id)
    .outerjoin(_Parent, _Parent.id == Post.in_reply_to_id)
    .where(Post.id.in_(bindparam("post_ids", expanding=True)), Post.deleted_at.is_(None))
    .where(Post.author_id != bindparam("account_id"))
    .where(or_(_Parent.author_id == bindparam("account_id"), Post.id.in_(_MENTIONING)))
)
_SEEN = select(SeenPost.post_id).where(
    SeenPost.account_id == bindparam("account_id"),
    SeenPost.post_id.in_(bindparam("post_ids", expanding=True)),
)
_UNREAD_AMONG = select(Notification.id).where(
    Notification.account_id == bindparam("account_id"),
    Notification.id.in_(bindparam("ids", expanding=True)),
    Notification.read_at.is_(None),
)


async def arrival(session: Session, token_hash: str) -> Arrival | None:
    """Who holds a token (`signin.queries.viewer`) and how things stand, in one statement."""
    for *known, epoch, latest in await fetch(
        session, _ARRIVING, logins.lasting(token_hash=token_hash)
    ):
        return Arrival(Viewer(*known), Position(epoch or "", latest or 0))
    return None


async def arrivals(session: Session, token_hashes: Iterable[str]) -> dict[str, Arrival]:
    """Of all who hold one of these, by token."""
    asked = logins.lasting(token_hashes=list(token_hashes))
    found = {}
    for *known, epoch, latest, token_hash in await fetch(session, _ARRIVING_TOGETHER, asked):
        found[token_hash] = Arrival(Viewer(*known), Position(epoch or "", latest or 0))
    return found


async def unread(session: Session, account_id: int) -> int:
    """No more than `MANY`."""
    (count,) = await fetch_column(session, _UNREAD, {"account_id": account_id})
    return int(count)


async def unread_of_each(session: Session, account_ids: Set[int]) -> dict[int, int]:
    """As `unread`, of some hundred accounts."""
    rows = await fetch(session, _UNREAD_OF_EACH, {"account_ids": list(account_ids)})
    return {row[0]: row[1] for row in rows}


async def page(
    session: Session, account_id: int, *, before: int | None = None, limit: int = PAGE
) -> list[NotificationView]:
    """Newest first, older than the notification `before`."""
    asked = {"account_id": account_id, "before": before or LARGEST, "limit": limit}
    newest = per_dialect(session, sqlite=_PAGE_SQLITE, postgresql=_PAGE_POSTGRESQL)
    return await _views(session, await fetch(session, newest, asked))


async def view(session: Session, notification_id: int) -> NotificationView:
    if (found := await find(session, notification_id)) is None:
        raise NotFound
    return found


async def find(session: Session, notification_id: int) -> NotificationView | None:
    rows = await fetch(session, _ONE, {"id": notification_id})
    return next(iter(await _views(session, rows)), None)


async def concerned(session: Session, account_id: int, post_ids: Iterable[int]) -> set[int]:
    """Those of `post_ids` that mention or answer this account and were not seen yet."""
    asked = {"account_id": account_id, "post_ids": list(post_ids)}
    about_me = set(await session.scalars(_CONCERNED, asked))
    return about_me - set(await session.scalars(_SEEN, asked)) if about_me else about_me


async def unread_among(session: Session, account_id: int, ids: Iterable[int]) -> set[int]:
    """Those of `ids` that are this account's and unread."""
    return set(await session.scalars(_UNREAD_AMONG, {"account_id": account_id, "ids": list(ids)}))


async def saw(session: Session, account_id: int, post_id: int) -> bool:
    return await session.get(SeenPost, (account_id, post_id)) is not None


async def muted(session: Session, account_id: int) -> set[str]:
    """Kinds of mail this account has switched off."""
    return set(
        await session.scalars(select(MutedMail.kind).where(MutedMail.account_id == account_id))
    )


async def _views(session: Session, rows: Sequence[Any]) -> list[NotificationView]:
    """Of one account: what it may not see (any more) is left out."""
    people = await accounts.cards(session, {row.actor_id for row in rows})
    reader = rows[0].account_id if rows else None
    shown = await posts.views(session, [row.post_id for row in rows if row.post_id], reader)
    return [
        NotificationView(
            id=row.id, kind=row.kind, actor=people[row.actor_id], at=row.at,
            post=shown.get(row.post_id), read=row.read_at is not None,
        )
        for row in rows
        if row.actor_id in people and (row.post_id is None or row.post_id in shown)
    ]  # fmt: skip
