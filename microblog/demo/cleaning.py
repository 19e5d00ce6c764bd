"""Keeps the demo world from growing: the cast's oldest posts go, people's own never do."""

from __future__ import annotations

from sqlalchemy import ColumnElement, delete, exists, select
from sqlalchemy.orm import aliased

from microblog.kernel.db import Database
from microblog.kernel.model import Session
from microblog.notifications.model import Notification, SeenPost
from microblog.posts import actions as posts
from microblog.posts.model import Post

KEPT = 3000
_AT_ONCE = 100


async def clean(db: Database, prefix: str, kept: int = KEPT) -> None:
    """Delete what is older than the newest `kept` posts whose key begins with `prefix`.

    First as its author would, which takes it off pages and out of notifications; a later time the
    row itself, once nothing hangs on it.
    """
    ours = Post.idempotency_key.startswith(prefix, autoescape=True)
    async with db.writing() as session:
        newest = select(Post.id).where(ours).order_by(Post.id.desc())
        oldest = await session.scalar(newest.offset(kept - 1).limit(1))
        if oldest is None:
            return
        old = (ours, Post.id < oldest)
        await _remove_tombstones(session, *old)
        standing = select(Post.author_id, Post.id).where(*old, Post.deleted_at.is_(None))
        rows = await session.execute(standing.order_by(Post.id).limit(_AT_ONCE))
        for author_id, post_id in rows.all():
            await posts.delete(session, author_id, post_id)


async def _remove_tombstones(session: Session, *old: ColumnElement[bool]) -> None:
    """Those that hold nothing together any more."""
    answer = aliased(Post)
    held = [answer.in_reply_to_id, Notification.post_id, SeenPost.post_id]
    free = [~exists().where(holder == Post.id) for holder in held]
    tombstones = select(Post.id).where(*old, Post.deleted_at.is_not(None), *free)
    gone = list(await session.scalars(tombstones.limit(_AT_ONCE)))
    await session.execute(delete(Post).where(Post.id.in_(gone)))
