"""What happened to posts.  Ids only; whoever reacts loads the present state."""

from __future__ import annotations

from dataclasses import dataclass

from microblog.kernel.events import Event


@dataclass(frozen=True, slots=True)
class PostPublished(Event):
    post_id: int
    author_id: int
    root_id: int


@dataclass(frozen=True, slots=True)
class PostEdited(Event):
    post_id: int
    author_id: int
    root_id: int
    version: int


@dataclass(frozen=True, slots=True)
class PostDeleted(Event):
    post_id: int
    author_id: int
    root_id: int
