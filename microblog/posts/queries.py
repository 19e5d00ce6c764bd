"""Questions about posts.  A `PostView` is what everyone sees of one who may see it.

Posts of suspended people are not found, nor those of private ones by who does not follow them
(`posts.visibility`): each question says who asks, and who does not say it is a visitor.  Views are
read as Core rows through statements that are
built once; the HTML of a text is kept, since nothing but an edit changes it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from markupsafe import Markup
from sqlalchemy import Row, Select, bindparam, func, or_, select
from sqlalchemy.orm import aliased

from microblog.accounts.model import Account
from microblog.accounts.queries import PersonCard
from microblog.kernel.errors import N_, NotFound
from microblog.kernel.model import Session
from microblog.posts import text, visibility
from microblog.posts.model import Mention, Post, Revision, Tag

GONE = N_("This post is not here. It may have been deleted.")
MOST_REVISIONS = 50

_CHUNK = 500
_KEPT = 5000  # texts; about 10 MB at most of what people usually write


@dataclass(frozen=True, slots=True)
class PostView:
    id: int
    author: PersonCard
    body: str
    html: Markup
    created_at: datetime
    edited_at: datetime | None
    version: int
    deleted: bool
    in_reply_to: int | None  # None, too, where the reader may not see what it answers
    reply_to_name: str | None
    root_id: int
    reply_count: int

    @property
    def path(self) -> str:
        return f"/@{self.author.name}/{self.id}"


@dataclass(frozen=True, slots=True)
class Version:
    """A text that a post has had, from `at` on."""

    version: int
    at: datetime
    body: str


_answered = aliased(Post)
_asked = aliased(Account)
_VIEW = (
    select(
        Post.id,
        Post.body,
        Post.created_at,
        Post.edited_at,
        Post.deleted_at,
        Post.version,
        Post.in_reply_to_id,
        Post.root_id,
        Post.reply_count,
        Account.id.label("author_id"),
        Account.name,
        Account.display_name,
        Account.bio,
        Account.avatar,
        _asked.name.label("reply_to_name"),
        # Its author sees what they answered themselves.
        or_(_asked.id == Account.id, visibility.is_open(_asked, visibility.READER)).label("open"),
    )
    .join(Account, Account.id == Post.author_id)
    .outerjoin(_answered, _answered.id == Post.in_reply_to_id)
    .outerjoin(_asked, (_asked.id == _answered.author_id) & _asked.suspended_at.is_(None))
    .where(Post.id.in_(bindparam("ids", expanding=True)), Account.suspended_at.is_(None))
)
_SHOWN = _VIEW.where(visibility.is_open(Account, visibility.READER))
_ROOT = (
    select(Post.root_id)
    .join(Account, Account.id == Post.author_id)
    .where(Post.id == bindparam("id"), Account.suspended_at.is_(None))
    .where(visibility.is_open(Account, visibility.READER))
)
_MENTIONED = (
    select(Mention.post_id, Account.name_key, Account.name)
    .join(Account, Account.id == Mention.account_id)
    .where(Mention.post_id.in_(bindparam("ids", expanding=True)))
)

_Text: TypeAlias = tuple[int, int, str]  # post, version, body
_drawn: OrderedDict[_Text, Markup] = OrderedDict()


async def view(session: Session, post_id: int, reader: int | None = None) -> PostView:
    """Raises `NotFound`; a deleted post is found, without its text."""
    found = (await views(session, [post_id], reader)).get(post_id)
    if found is None:
        raise NotFound(GONE)
    return found


async def views(
    session: Session, ids: Sequence[int], reader: int | None = None
) -> dict[int, PostView]:
    """By id; posts that do not exist, or are not for the reader, are left out."""
    return await _views(session, _SHOWN, ids, reader or visibility.VISITOR)


async def unguarded_views(session: Session, ids: Sequence[int]) -> dict[int, PostView]:
    """Whoever may see them: the caller has to choose who does."""
    return await _views(session, _VIEW, ids, visibility.VISITOR)


async def _views(
    session: Session, wanted: Select[*tuple[Any, ...]], ids: Sequence[int], reader: int
) -> dict[int, PostView]:
    found: dict[int, PostView] = {}
    for start in range(0, len(ids), _CHUNK):
        asked = {"ids": ids[start : start + _CHUNK], "reader": reader}
        rows = (await session.execute(wanted, asked)).all()
        drawn = await _html(session, [(r.id, r.version, r.body) for r in rows if not r.deleted_at])
        found |= {row.id: _view(row, drawn.get(row.id, Markup())) for row in rows}
    return found


async def root_of(session: Session, post_id: int, reader: int | None = None) -> int:
    """Raises `NotFound`; a deleted post has one, too."""
    asked = {"id": post_id, "reader": reader or visibility.VISITOR}
    root = await session.scalar(_ROOT, asked)
    if root is None:
        raise NotFound(GONE)
    return root


async def tags_of(session: Session, post_id: int) -> list[str]:
    return list(await session.scalars(select(Tag.tag).where(Tag.post_id == post_id)))


async def count_by(session: Session, author_id: int) -> int:
    """How many posts of theirs stand."""
    mine = select(func.count()).where(Post.author_id == author_id, Post.deleted_at.is_(None))
    return await session.scalar(mine) or 0


async def own(session: Session, author_id: int, post_id: int) -> Post:
    """The author's own post; somebody else's and a deleted one are not found."""
    post = await session.get(Post, post_id)
    if post is None or post.author_id != author_id or post.deleted_at:
        raise NotFound(GONE)
    return post


async def versions(session: Session, post: PostView) -> list[Version]:
    """Every text the post has had, the present one first; no more than `MOST_REVISIONS`."""
    earlier = select(Revision.version, Revision.at, Revision.body).where(
        Revision.post_id == post.id
    )
    newest_first = earlier.order_by(Revision.version.desc()).limit(MOST_REVISIONS - 1)
    present = Version(post.version, post.edited_at or post.created_at, post.body)
    return [present, *(Version(*row) for row in await session.execute(newest_first))]


async def _html(session: Session, wanted: Iterable[_Text]) -> dict[int, Markup]:
    wanted = list(wanted)
    if missing := [one for one in wanted if one not in _drawn]:
        known = await _mentioned(session, [post_id for post_id, _, _ in missing])
        for one in missing:
            _drawn[one] = text.html(one[2], known.get(one[0], {}))
    found = {one[0]: _drawn[one] for one in wanted}
    for one in wanted:
        _drawn.move_to_end(one)
    while len(_drawn) > _KEPT:
        _drawn.popitem(last=False)
    return found


async def _mentioned(session: Session, ids: list[int]) -> dict[int, dict[str, str]]:
    found: dict[int, dict[str, str]] = {}
    for post_id, key, name in await session.execute(_MENTIONED, {"ids": ids}):
        found.setdefault(post_id, {})[key] = name
    return found


def _view(row: Row[*tuple[Any, ...]], html: Markup) -> PostView:
    return PostView(
        id=row.id,
        author=PersonCard(
            row.author_id, row.name, row.display_name or row.name, row.bio, row.avatar
        ),
        body=row.body,
        html=html,
        created_at=row.created_at,
        edited_at=row.edited_at,
        version=row.version,
        deleted=row.deleted_at is not None,
        in_reply_to=row.in_reply_to_id if row.open else None,
        reply_to_name=row.reply_to_name if row.open else None,
        root_id=row.root_id,
        reply_count=row.reply_count,
    )
