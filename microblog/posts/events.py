"""What happened to posts.  Ids only; whoever reacts loads the present state."""

from __future__ import annotations

from dataclasses import dataclass

from microblog.kernel.events import Event


class _OfPost:
    """Told to those who watch its author, and to those who watch its thread."""

    __slots__ = ()

    author_id: int
    root_id: int

    @property
    def subject(self) -> str:
        return f"post.{self.author_id}.{self.root_id}"


@dataclass(frozen=True, slots=True)
class PostPublished(_OfPost, Event):
    post_id: int
    author_id: int
    root_id: int


@dataclass(frozen=True, slots=True)
class PostEdited(_OfPost, Event):
    post_id: int
    author_id: int
    root_id: int
    version: int


@dataclass(frozen=True, slots=True)
class PostDeleted(_OfPost, Event):
    post_id: int
    author_id: int
    root_id: int


@dataclass(frozen=True, slots=True)
class PostTakenDown(Event):
    """Deleted by a moderator, whose reason stands in that entry of their log."""

    account_id: int
    entry_id: int

    @property
    def subject(self) -> str:
        return f"account.{self.account_id}"
