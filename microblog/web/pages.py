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
    next: str | None = None
    live: bool = True

    @property
    def order(self) -> str:
        """A conversation reads from its beginning."""
        return "oldest" if self.stream.startswith("thread:") else "newest"


async def present(session: Session) -> Position:
    """Where the log stands, or stood when we asked who is asking."""
    return g.get("position") or await events.present(session)


async def timeline(
    session: Session,
    ids: Sequence[int],
    *,
    position: Position,
    stream: str,
    next_url: str | None = None,
    live: bool = True,
    known: Sequence[PostView] = (),
) -> Timeline:
    """`known`: those that have been read already."""
    found = {post.id: post for post in known}
    unread = [post_id for post_id in ids if post_id not in found]
    found |= await posts.views(session, unread, reader_id())
    shown = [found[post_id] for post_id in ids if post_id in found]
    return Timeline(shown, str(position), stream, next_url, live)
