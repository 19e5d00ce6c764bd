"""A page of posts as templates see it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from quart import g

from microblog.kernel import events
from microblog.kernel.events import Position
from microblog.kernel.model import Session
from microblog.posts import queries as posts
from microblog.posts.queries import PostView
from microblog.site import reader_id


@dataclass(frozen=True, slots=True)
class Timeline:
    """`position` was read before the posts were, so a socket opened from it leaves no gap."""

    posts: list[PostView]
    position: str
    stream: str
    order: str = "newest"
    next: str | None = None
    live: bool = True


async def present(session: Session) -> Position:
    """Where the log stands, or stood when we asked who is asking."""
    return g.get("position") or await events.present(session)


async def timeline(
    session: Session,
    ids: Sequence[int],
    *,
    position: Position,
    stream: str,
    order: str = "newest",
    next_url: str | None = None,
    live: bool = True,
) -> Timeline:
    found = await posts.views(session, ids, reader_id())
    shown = [found[post_id] for post_id in ids if post_id in found]
    return Timeline(shown, str(position), stream, order, next_url, live)
