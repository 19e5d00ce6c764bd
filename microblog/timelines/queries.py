"""Which posts stand on a page, and in which order.  Pages are cut by id, never by number.

Deleted posts are left out, except in a conversation, where one with replies keeps its place.
Nobody is led to silenced and private people: their posts are missing where strangers would find
them.
Every statement is bounded by an id even on the first page, so that it always is a search in an
index, and costs what it shows, not what there is.

Home is looked for in two ways.  Who follows many finds a page among the newest posts of everybody:
half a millisecond, however many they follow.  For who follows few the authors are gone through
one by one, some microseconds each; so are those of many, where the newest posts hold no full page.
Either way alone is slow for somebody: 10 quiet people among the newest of 1 M posts, or 5,000
people one by one.
"""

from __future__ import annotations

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Select,
    bindparam,
    case,
    func,
    literal_column,
    or_,
    select,
    true,
    tuple_,
    union_all,
)  # fmt: skip
from sqlalchemy.orm import aliased

from microblog.accounts.model import Account
from microblog.follows.model import Follow
from microblog.kernel.dialects import per_dialect
from microblog.kernel.ids import LARGEST
from microblog.kernel.model import Session
from microblog.kernel.rows import fetch_column
from microblog.posts import visibility
from microblog.posts.model import Post, Tag

FEW = 200  # people one follows: from here on the window is looked at first
WINDOW = 2000  # newest posts

_BEFORE = bindparam("before", type_=Post.id.type)
_ME = bindparam("account_id", type_=Post.author_id.type)
_NEWEST = (
    select(Post.id)
    .where(Post.deleted_at.is_(None), Post.id < _BEFORE)
    .order_by(Post.id.desc())
    .limit(bindparam("limit"))
)
# A value for each post, by the key of its author: no planner can take it for a list to read first.
_reserved = (
    select(visibility.RESERVED).where(Account.id == Post.author_id).correlate(Post)
)  # fmt: skip
PUBLIC = _NEWEST.where(_reserved.scalar_subquery().is_(None))
_AUTHOR = bindparam("author_id", type_=Post.author_id.type)
AUTHOR_SQLITE = _NEWEST.where(Post.author_id == _AUTHOR)
# Where few write, PostgreSQL would go through everybody's posts, newest first, until it has a page
# of one's own.  In the order of the index it cannot; SQLite would use half of the comparison.
AUTHOR_POSTGRESQL = (
    select(Post.id)
    .where(Post.deleted_at.is_(None), Post.author_id >= _AUTHOR)
    .where(tuple_(Post.author_id, Post.id) < tuple_(_AUTHOR, _BEFORE))
    .order_by(Post.author_id.desc(), Post.id.desc())
    .limit(bindparam("limit"))
)

# Written into the statement, not given to it: PostgreSQL plans for a window of a known size.
_few: ColumnElement[int] = literal_column(str(FEW))
_window: ColumnElement[int] = literal_column(str(WINDOW))
# In order, which tempts PostgreSQL to no other index and no scan.
_some = select(Follow.followed_id).where(Follow.follower_id == _ME).order_by(Follow.followed_id)
_follows_few = (
    select(func.count() < _few).select_from(_some.limit(_few).subquery()).scalar_subquery()
)
_other = aliased(Post)
_floor = (
    select(_other.id)
    .where(_other.id < _BEFORE)
    .order_by(_other.id.desc())
    .limit(1)
    .offset(_window)
    .scalar_subquery()
)
# A value, where EXISTS would let PostgreSQL read all whom one follows for a page that needs a few.
_is_followed = (
    select(true())
    .where(Follow.follower_id == _ME, Follow.followed_id == Post.author_id)
    .scalar_subquery()
)
# The window is empty for who follows few, as `_ME_IF_FEW` is nobody for the others.
_AMONG_NEWEST = _NEWEST.where(
    Post.id > case((_follows_few, _BEFORE), else_=func.coalesce(_floor, 0)),
    or_(Post.author_id == _ME, _is_followed),
)
_ME_IF_FEW = case((_follows_few, _ME))


def _one_by_one_sqlite(me: ColumnElement[int]) -> Select[int]:
    """SQLite leaves an author as soon as the page is full of newer posts."""
    return _NEWEST.where(Post.author_id.in_(_authors(me)))


def _one_by_one_postgresql(me: ColumnElement[int]) -> Select[int]:
    """PostgreSQL would sort all that they ever wrote.  As many posts as fit on a page come from no
    more authors than that: those whose newest post is newest.  A page of each is looked at."""
    author = _authors(me).subquery()
    last = _NEWEST.where(Post.author_id == author.c.id).limit(1).lateral()
    ranked = select(author.c.id).join_from(author, last, true()).order_by(last.c.id.desc())
    latest = ranked.limit(bindparam("limit")).subquery()
    post = _NEWEST.where(Post.author_id == latest.c.id).lateral()
    found = select(post.c.id).join_from(latest, post, true()).order_by(post.c.id.desc())
    return found.limit(bindparam("limit"))


def _authors(me: ColumnElement[int]) -> CompoundSelect[int]:
    followed = select(Follow.followed_id.label("id")).where(Follow.follower_id == me)
    return union_all(followed, select(me))


def _home(one_by_one: Select[int]) -> Select[int]:
    both = union_all(select(_AMONG_NEWEST.subquery().c.id), select(one_by_one.subquery().c.id))
    found = both.subquery()
    return select(found.c.id).order_by(found.c.id.desc()).limit(bindparam("limit"))


_HOME_SQLITE = _home(_one_by_one_sqlite(_ME_IF_FEW))
_HOME_POSTGRESQL = _home(_one_by_one_postgresql(_ME_IF_FEW))
_ONE_BY_ONE_SQLITE = _one_by_one_sqlite(_ME)
_ONE_BY_ONE_POSTGRESQL = _one_by_one_postgresql(_ME)
_tag_reserved = (
    select(visibility.RESERVED)
    .join(Post, Post.author_id == Account.id)
    .where(Post.id == Tag.post_id)
    .correlate(Tag)
)
TAG = (
    select(Tag.post_id)
    .where(Tag.tag == bindparam("tag"), Tag.post_id < _BEFORE)
    .where(_tag_reserved.scalar_subquery().is_(None))
    .order_by(Tag.post_id.desc())
    .limit(bindparam("limit"))
)
_for_the_reader = (
    select(visibility.is_open(Account, visibility.READER))
    .where(Account.id == Post.author_id)
    .correlate(Post)
)
CONVERSATION = (
    select(Post.id)
    .where(
        Post.root_id == bindparam("root_id"),
        Post.id > bindparam("after"),
        or_(Post.deleted_at.is_(None), Post.reply_count > 0),
        _for_the_reader.scalar_subquery(),
    )
    .order_by(Post.id)
    .limit(bindparam("limit"))
)


async def home(
    session: Session, account_id: int, *, before: int | None = None, limit: int = 25
) -> list[int]:
    """Posts of the account and of those it follows, newest first."""
    page = {"account_id": account_id, "before": before or LARGEST, "limit": limit}
    quick = per_dialect(session, sqlite=_HOME_SQLITE, postgresql=_HOME_POSTGRESQL)
    found = await fetch_column(session, quick, page)
    if len(found) == limit:
        return found
    whole = per_dialect(session, sqlite=_ONE_BY_ONE_SQLITE, postgresql=_ONE_BY_ONE_POSTGRESQL)
    return await fetch_column(session, whole, page)


async def public(session: Session, *, before: int | None = None, limit: int = 25) -> list[int]:
    return await fetch_column(session, PUBLIC, {"before": before or LARGEST, "limit": limit})


async def by_author(
    session: Session, author_id: int, *, before: int | None = None, limit: int = 25
) -> list[int]:
    """Whether the reader may see them is for the caller to ask (`posts.visibility.shows`)."""
    page = {"author_id": author_id, "before": before or LARGEST, "limit": limit}
    newest = per_dialect(session, sqlite=AUTHOR_SQLITE, postgresql=AUTHOR_POSTGRESQL)
    return await fetch_column(session, newest, page)


async def tagged(
    session: Session, tag: str, *, before: int | None = None, limit: int = 25
) -> list[int]:
    """`tag` is a key (`posts.text.tag_key`)."""
    page = {"tag": tag, "before": before or LARGEST, "limit": limit}
    return await fetch_column(session, TAG, page)


async def conversation(
    session: Session,
    root_id: int,
    *,
    reader: int | None = None,
    after: int | None = None,
    limit: int = 100,
) -> list[int]:
    """What the reader may see of it, oldest first."""
    page = {"root_id": root_id, "after": after or 0, "limit": limit}
    page["reader"] = reader or visibility.VISITOR
    return await fetch_column(session, CONVERSATION, page)
