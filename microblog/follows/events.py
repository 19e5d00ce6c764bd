"""What happened between people.  Recorded only when something changed."""

from __future__ import annotations

from dataclasses import dataclass

from microblog.kernel.events import Event


@dataclass(frozen=True, slots=True)
class AccountFollowed(Event):
    follower_id: int
    followed_id: int


@dataclass(frozen=True, slots=True)
class AccountUnfollowed(Event):
    follower_id: int
    followed_id: int
