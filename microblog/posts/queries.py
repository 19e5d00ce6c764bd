"""Questions about posts.  A `PostView` is what everyone sees of one, whoever asks.

Posts of suspended people are not found.  Views are read as Core rows through statements that are
built once; the HTML of a text is kept, since nothing but an edit changes it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from markupsafe import Markup
from sqlalchemy import Row, bindparam, func, select
from sqlalchemy.orm import aliased

from microblog.accounts.model import Account
from microblog.accounts.queries import PersonCard
from microblog.kernel.errors import N_, NotFound
from microblog.kernel.model import Session
from microblog.posts import text
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
    in_reply_to: int | None
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
_SHOWN = (
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
    )
    .join(Account, Account.id == Post.author_id)
    .outerjoin(_answered, _answered.id == Post.in_reply_to_id)
    .outerjoin(_asked, (_asked.id == _answered.author_id) & _asked.suspended_at.is_(None))
    .where(Post.id.in_(bindparam("ids", expanding=True)), Account.suspended_at.is_(None))
)
_MENTIONED = (
    select(Mention.post_id, Account.name_key, Account.name)
    .join(Account, Account.id == Mention.account_id)
    .where(Mention.post_id.in_(bindparam("ids", expanding=True)))
)

_Text: TypeAlias = tuple[int, int, str]  # post, version, body
_drawn: OrderedDict[_Text, Markup] = OrderedDict()


async def view(session: Session, post_id: int) -> PostView:
    """Raises `NotFound`; a deleted post is found, without its text."""
    found = (await views(session, [post_id])).get(post_id)
    if found is None:
        raise NotFound(GONE)
    return found


async def views(session: Session, ids: Sequence[int]) -> dict[int, PostView]:
    """By id; posts that do not exist, and those of suspended people, are left out."""
    found: dict[int, PostView] = {}
    for start in range(0, len(ids), _CHUNK):
        rows = (await session.execute(_SHOWN, {"ids": ids[start : start + _CHUNK]})).all()
        drawn = await _html(session, [(r.id, r.version, r.body) for r in rows if not r.deleted_at])
        found |= {row.id: _view(row, drawn.get(row.id, Markup())) for row in rows}
    return found


async def root_of(session: Session, post_id: int) -> int:
    root = await session.scalar(select(Post.root_id).where(Post.id == post_id))
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
        in_reply_to=row.in_reply_to_id,
        reply_to_name=row.reply_to_name,
        root_id=row.root_id,
        reply_count=row.reply_count,
    )
