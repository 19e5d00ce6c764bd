"""Who may see what somebody posts, and whom they follow: the one place that says so (SECURITY 35).

It goes by the account and is asked at the moment of reading, never kept with a post: all that a
private account has ever posted is for itself and for those who follow it.  Whoever else asks is
answered as if it did not exist.  A *reader* is the id of an account, or None for a visitor.

Nobody is *led* to what private and silenced accounts post, not even who follows them: pages that
are the same for everybody (all posts, tags) leave it out.
"""

from __future__ import annotations

from collections.abc import Set
from typing import Any, NamedTuple, TypeAlias

from sqlalchemy import ColumnElement, bindparam, func, or_, select, true
from sqlalchemy.orm.util import AliasedClass

from microblog.accounts.model import Account
from microblog.follows import queries as follows
from microblog.follows.model import Follow
from microblog.kernel.model import Session

_Author: TypeAlias = type[Account] | AliasedClass[Account]

VISITOR = 0  # no account has this id
READER = bindparam("reader", type_=Account.id.type)

# Not null: nobody is led to what they post.
RESERVED = func.coalesce(Account.silenced_at, Account.private_at)


class Reserved(NamedTuple):
    silenced: set[int]
    private: set[int]


def is_open(author: _Author, reader: ColumnElement[int] | int) -> ColumnElement[bool]:
    """Whether the reader may see what `author`, a row of accounts, posts.

    The follow is a value, not EXISTS, for which PostgreSQL might read all whom the reader follows;
    and only asked for where the author is private.
    """
    theirs: Any = author
    follow = select(true()).where(Follow.follower_id == reader, Follow.followed_id == theirs.id)
    is_followed = follow.correlate(theirs).scalar_subquery()
    return or_(theirs.private_at.is_(None), theirs.id == reader, is_followed)


async def shows(session: Session, author: Account, reader: int | None) -> bool:
    """Whether the reader may see what the author posts and whom they follow."""
    if author.private_at is None or author.id == reader:
        return True
    return reader is not None and await follows.follows(session, reader, author.id)


async def is_private(session: Session, account_id: int) -> bool:
    private = select(Account.private_at).where(Account.id == account_id)
    return await session.scalar(private) is not None


async def reserved_among(session: Session, account_ids: Set[int]) -> Reserved:
    """Those to whom nobody is led."""
    columns = select(Account.id, Account.silenced_at, Account.private_at)
    some = columns.where(Account.id.in_(account_ids), RESERVED.is_not(None))
    rows = (await session.execute(some)).all()
    silenced = {row.id for row in rows if row.silenced_at is not None}
    return Reserved(silenced, {row.id for row in rows if row.private_at is not None})


async def readers_among(session: Session, author_id: int, among: Set[int]) -> frozenset[int]:
    """Those who may see what a private author posts."""
    followers = await follows.followers_among(session, author_id, among)
    return frozenset(followers | ({author_id} & among))
