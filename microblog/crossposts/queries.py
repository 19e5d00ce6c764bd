"""Questions about places and copies.  Nothing that comes back has a token in it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, bindparam, func, select

from microblog.accounts.model import Account
from microblog.crossposts.model import DELETE, Crosspost, Place
from microblog.kernel.model import Session
from microblog.kernel.rows import fetch
from microblog.posts.model import Post

PAGE = 500


@dataclass(frozen=True, slots=True)
class PlaceView:
    id: int
    kind: str
    shown: str
    is_ready: bool  # else it has to be connected again
    is_on: bool
    connected_at: datetime


@dataclass(frozen=True, slots=True)
class CrosspostView:
    """As its author sees it."""

    id: int
    post_id: int
    kind: str
    shown: str
    task: str
    state: str
    reason: str
    url: str

    @property
    def waits(self) -> bool:
        return self.state in ("queued", "leased", "deferred")

    @property
    def may_be_there(self) -> bool:
        return self.state in ("done", "leased", "unknown")


_PLACE = (
    Place.id, Place.kind, Place.shown, Place.sealed.is_not(None), Place.is_on, Place.connected_at,
)  # fmt: skip
_CROSSPOST = (
    Crosspost.id, Crosspost.post_id, Crosspost.kind, Crosspost.shown, Crosspost.task,
    Crosspost.state, func.coalesce(Crosspost.reason, ""), func.coalesce(Crosspost.remote_url, ""),
)  # fmt: skip
_OF_POST = (
    select(*_CROSSPOST).where(Crosspost.post_id == bindparam("post_id")).order_by(Crosspost.id)
)


async def places_of(session: Session, account_id: int, *, chosen: bool = True) -> list[PlaceView]:
    """The oldest first; or those that can be chosen."""
    mine = select(*_PLACE).where(Place.account_id == account_id, Place.is_chosen.is_(chosen))
    return [PlaceView(*row) for row in await session.execute(mine.order_by(Place.id))]


async def places_to_write(session: Session, account_id: int) -> list[PlaceView]:
    """What is offered below a text: nothing to somebody who writes for their followers alone."""
    mine = select(*_PLACE).join(Account, Account.id == Place.account_id)
    public = (Place.account_id == account_id, Place.is_chosen, Account.private_at.is_(None))
    return [
        PlaceView(*row) for row in await session.execute(mine.where(*public).order_by(Place.id))
    ]


async def crossposts_of(session: Session, post_id: int) -> tuple[CrosspostView, ...]:
    return _views(await fetch(session, _OF_POST, {"post_id": post_id}))


async def left_behind(session: Session, account_id: int) -> tuple[CrosspostView, ...]:
    """Of posts that are deleted here, and still there or perhaps there."""
    mine = select(*_CROSSPOST).where(Crosspost.account_id == account_id)
    stuck = (Crosspost.state.in_(("failed", "unknown")), Post.deleted_at.is_not(None))
    found = mine.join(Post, Post.id == Crosspost.post_id).where(*stuck)
    return _views(await session.execute(found.order_by(Crosspost.id.desc()).limit(PAGE)))


async def stands(session: Session, post_id: int) -> bool:
    return await session.scalar(_standing(post_id)) is not None


async def is_public(session: Session, post_id: int) -> bool:
    """Whether everybody may still read it here."""
    visible = (Account.suspended_at.is_(None), Account.private_at.is_(None))
    found = _standing(post_id).join(Account, Account.id == Post.author_id)
    return await session.scalar(found.where(*visible)) is not None


async def failed(session: Session, crosspost_id: int) -> CrosspostView | None:
    """None once it was tried again, or dismissed."""
    found = select(*_CROSSPOST).where(Crosspost.id == crosspost_id)
    stuck = Crosspost.state.in_(("failed", "unknown"))
    return next(iter(_views(await session.execute(found.where(stuck)))), None)


async def exported_after(session: Session, account_id: int, after: int) -> list[dict[str, Any]]:
    """For the copy that somebody takes along; oldest first."""
    mine = select(Crosspost).where(Crosspost.account_id == account_id, Crosspost.id > after)
    return [
        {
            "id": str(one.id), "post": str(one.post_id), "site": one.kind, "at": one.shown,
            "state": "deleting" if one.task == DELETE else one.state, "address": one.remote_url,
            "asked_at": one.created_at.isoformat(),
            "sent_at": one.sent_at.isoformat() if one.sent_at else None,
        }
        for one in await session.scalars(mine.order_by(Crosspost.id).limit(PAGE))
    ]  # fmt: skip


def _standing(post_id: int) -> Select[int]:
    return select(Post.id).where(Post.id == post_id, Post.deleted_at.is_(None))


def _views(rows: Iterable[Any]) -> tuple[CrosspostView, ...]:
    return tuple(CrosspostView(*row) for row in rows)
