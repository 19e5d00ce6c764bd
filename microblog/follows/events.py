"""What happened between people.  Recorded only when something changed."""

from __future__ import annotations

from dataclasses import dataclass

from microblog.kernel.events import Event


class _Between:
    __slots__ = ()

    follower_id: int
    followed_id: int

    @property
    def subject(self) -> str:
        return f"follow.{self.follower_id}.{self.followed_id}"


@dataclass(frozen=True, slots=True)
class AccountFollowed(_Between, Event):
    follower_id: int
    followed_id: int


@dataclass(frozen=True, slots=True)
class AccountUnfollowed(_Between, Event):
    follower_id: int
    followed_id: int


@dataclass(frozen=True, slots=True)
class FollowRequested(_Between, Event):
    follower_id: int
    followed_id: int


@dataclass(frozen=True, slots=True)
class FollowRequestEnded(_Between, Event):
    """Declined, or taken back."""

    follower_id: int
    followed_id: int


@dataclass(frozen=True, slots=True)
class FollowAccepted(_Between, Event):
    """They follow now: it stands for `AccountFollowed`, of which the followed needs no news."""

    follower_id: int
    followed_id: int
