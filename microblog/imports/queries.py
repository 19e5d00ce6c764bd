"""Questions about imports, and about where posts come from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, func, or_, select

from microblog.imports.model import (
    ARRIVING,
    OVER,
    UNDERWAY,
    BroughtPost,
    Import,
    ImportPart,
    LeftOut,
)  # fmt: skip
from microblog.kernel.clock import now
from microblog.kernel.errors import NotFound
from microblog.kernel.model import Session
from microblog.kernel.rows import fetch
from microblog.posts.model import Post

MOST_LISTED = 20


@dataclass(frozen=True, slots=True)
class ImportView:
    """What its owner sees of it."""

    id: int
    kind: str
    state: str
    host: str
    reason: str
    done: int
    total: int
    created_at: datetime
    expires_at: datetime | None
    counts: tuple[tuple[str, int], ...]
    contents: tuple[tuple[str, Any], ...]

    @property
    def is_over(self) -> bool:
        return self.state in OVER

    @property
    def is_underway(self) -> bool:
        return self.state in UNDERWAY

    @property
    def percent(self) -> int:
        return min(99, 100 * self.done // max(1, self.total))

    def count(self, what: str) -> int:
        """What came of it."""
        return dict(self.counts).get(what, 0)

    def has(self, what: str) -> Any:  # noqa: ANN401 - numbers, names and days
        """What there is to choose from."""
        return dict(self.contents).get(what) or 0


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a post was written."""

    host: str
    at: datetime  # when it came here
    answered: str  # whom it answered there: name@host, or empty


_ORIGIN = select(BroughtPost.host, BroughtPost.at, BroughtPost.answered).where(
    BroughtPost.post_id == bindparam("post_id")
)


def idle() -> Select[Import]:
    """The one to go on with: the oldest that nobody is at."""
    free = or_(Import.leased_until.is_(None), Import.leased_until <= now())
    return select(Import).where(Import.state.in_(UNDERWAY), free).order_by(Import.id).limit(1)


async def is_waiting(session: Session) -> bool:
    return await session.scalar(idle()) is not None


async def own(session: Session, account_id: int, import_id: int) -> Import:
    """Somebody's own, while it is kept; another's is not found."""
    wanted = select(Import).where(Import.id == import_id, Import.account_id == account_id)
    found = await session.scalar(wanted.where(_kept()))
    if found is None:
        raise NotFound
    return found


async def view(session: Session, account_id: int, import_id: int) -> ImportView:
    """Raises `NotFound`, as `own` does."""
    return _view(await own(session, account_id, import_id))


async def recent(session: Session, account_id: int) -> list[ImportView]:
    """Theirs, the newest first."""
    mine = select(Import).where(Import.account_id == account_id, Import.state != ARRIVING, _kept())
    rows = await session.scalars(mine.order_by(Import.id.desc()).limit(MOST_LISTED))
    return [_view(row) for row in rows]


async def underway(session: Session, account_id: int) -> int | None:
    mine = select(Import.id).where(Import.account_id == account_id, Import.state.in_(UNDERWAY))
    return await session.scalar(mine.limit(1))


async def part(session: Session, import_id: int, number: int) -> bytes | None:
    wanted = (ImportPart.import_id == import_id, ImportPart.number == number)
    return await session.scalar(select(ImportPart.content).where(*wanted))


async def left_out(session: Session, import_id: int, *, after: int, limit: int) -> list[LeftOut]:
    page = select(LeftOut).where(LeftOut.import_id == import_id, LeftOut.number > after)
    return list(await session.scalars(page.order_by(LeftOut.number).limit(limit)))


async def count_brought(session: Session, import_id: int) -> int:
    """Posts that came with it and that nobody has deleted since."""
    standing = (
        select(func.count())
        .select_from(BroughtPost)
        .join(Post, Post.id == BroughtPost.post_id)
        .where(BroughtPost.import_id == import_id, Post.deleted_at.is_(None))
    )
    return await session.scalar(standing) or 0


async def brought(session: Session, import_id: int, limit: int) -> list[BroughtPost]:
    """Posts that came with it, the newest first, so that answers go before what they answer."""
    some = select(BroughtPost).where(BroughtPost.import_id == import_id)
    return list(await session.scalars(some.order_by(BroughtPost.post_id.desc()).limit(limit)))


async def last_brought(session: Session, import_id: int) -> int:
    """The post that it brought last."""
    highest = select(func.max(BroughtPost.post_id)).where(BroughtPost.import_id == import_id)
    return await session.scalar(highest) or 0


async def origin(session: Session, post_id: int) -> Origin | None:
    """Where a post was written, if not here."""
    found = await fetch(session, _ORIGIN, {"post_id": post_id})
    return next((Origin(*row) for row in found), None)


async def here(session: Session, account_id: int, host: str, number: str) -> Post | None:
    """A post of theirs that was brought here from there, whether it still stands or not."""
    wanted = (
        BroughtPost.account_id == account_id,
        BroughtPost.host == host,
        BroughtPost.origin_id == number,
    )
    found = select(Post).join(BroughtPost, BroughtPost.post_id == Post.id)
    return await session.scalar(found.where(*wanted))


async def written_here(session: Session, account_id: int, number: str) -> Post | None:
    """A post of theirs by the number it has here."""
    return await session.scalar(
        select(Post).where(Post.id == int(number), Post.author_id == account_id)
    )


def _view(row: Import) -> ImportView:
    return ImportView(
        row.id, row.kind, row.state, row.host, row.reason, row.done, row.total, row.created_at,
        row.expires_at, counts=tuple(row.counts.items()), contents=tuple(row.contents.items()),
    )  # fmt: skip


def _kept() -> ColumnElement[bool]:
    return or_(Import.expires_at.is_(None), Import.expires_at > now())
