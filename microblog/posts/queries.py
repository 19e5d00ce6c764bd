"""Questions about posts.  A `PostView` is what everyone sees of one who may see it.

Posts of suspended people are not found, nor those of private ones by who does not follow them
(`posts.visibility`): each question says who asks, and who does not say it is a visitor.  Views are
read as Core rows through statements that are built once; what was made of a row is kept, since
nothing but another row changes it, or a name that somebody mentioned had, which still leads on.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from markupsafe import Markup
from sqlalchemy import Select, bindparam, func, or_, select, union_all
from sqlalchemy.orm import aliased

from microblog.accounts.model import Account, KeptName
from microblog.accounts.queries import PersonCard
from microblog.kernel.errors import N_, NotFound
from microblog.kernel.model import Session
from microblog.kernel.rows import fetch, fetch_column
from microblog.posts import text, visibility
from microblog.posts.model import Mention, Post, Revision, Tag

GONE = N_("This post is not here. It may have been deleted.")
MOST_REVISIONS = 50

_CHUNK = 500
_KEPT = 5000  # about 15 MB at most of what people usually write


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

    def __hash__(self) -> int:  # of all fields, it took longer than what is kept by it
        return hash((self.id, self.version, self.reply_count))

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
_COUNT_BY = select(func.count()).where(
    Post.author_id == bindparam("author_id"), Post.deleted_at.is_(None)
)
_ids = Mention.post_id.in_(bindparam("ids", expanding=True))
_whom = Account.id == Mention.account_id
# By the name they have, and by those they had and are still found by.
_MENTIONED = union_all(
    select(Mention.post_id, Account.name_key, Account.name).join(Account, _whom).where(_ids),
    select(Mention.post_id, KeptName.name_key, Account.name)
    .join(Account, _whom)
    .join(KeptName, KeptName.account_id == Account.id)
    .where(_ids),
)

_Row: TypeAlias = tuple[Any, ...]
# By all that the database says of one to this reader, so that it is never another's view.
_kept: OrderedDict[_Row, PostView] = OrderedDict()


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
        rows = await fetch(session, wanted, asked)
        found |= {view.id: view for view in await _made(session, [tuple(row) for row in rows])}
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


async def earlier_tags(
    session: Session, post_id: int, versions: Sequence[int]
) -> dict[int, set[str]]:
    """The tags that these versions had, as far as they are not the present one."""
    mine = (Revision.post_id == post_id, Revision.version.in_(versions))
    found = await session.execute(select(Revision.version, Revision.body).where(*mine))
    return {version: set(text.tags(body)) for version, body in found}


async def count_by(session: Session, author_id: int) -> int:
    """How many posts of theirs stand."""
    (count,) = await fetch_column(session, _COUNT_BY, {"author_id": author_id})
    return int(count)


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


async def _made(session: Session, rows: list[_Row]) -> list[PostView]:
    # Others may forget what we have found here, while we wait.
    found = {row: _kept[row] for row in rows if row in _kept}
    if new := [row for row in rows if row not in found]:
        # Nobody is mentioned without the sign, so most posts need not be asked about.
        known = await _mentioned(session, [row[0] for row in new if "@" in row[1]])
        found |= {row: _view(row, known.get(row[0], {})) for row in new}
    for row in rows:
        _kept[row] = found[row]
        _kept.move_to_end(row)
    while len(_kept) > _KEPT:
        _kept.popitem(last=False)
    return [found[row] for row in rows]


async def _mentioned(session: Session, ids: list[int]) -> dict[int, dict[str, str]]:
    found: dict[int, dict[str, str]] = {}
    if not ids:
        return found
    for post_id, key, name in await fetch(session, _MENTIONED, {"ids": ids}):
        found.setdefault(post_id, {})[key] = name
    return found


def _view(row: _Row, mentioned: dict[str, str]) -> PostView:
    (post_id, body, created_at, edited_at, deleted_at, version, in_reply_to, root_id, reply_count,
     *author, reply_to_name, is_open) = row  # fmt: skip
    author_id, name, display_name, bio, avatar = author
    return PostView(
        id=post_id,
        author=PersonCard(author_id, name, display_name or name, bio, avatar),
        body=body,
        html=Markup() if deleted_at else text.html(body, mentioned),
        created_at=created_at,
        edited_at=edited_at,
        version=version,
        deleted=deleted_at is not None,
        in_reply_to=in_reply_to if is_open else None,
        reply_to_name=reply_to_name if is_open else None,
        root_id=root_id,
        reply_count=reply_count,
    )
