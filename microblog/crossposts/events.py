"""What happened to copies of somebody's posts."""

from __future__ import annotations

from dataclasses import dataclass

from microblog.kernel.events import Event


@dataclass(frozen=True, slots=True)
class CrosspostsChanged(Event):
    """Those of one post: its author may be looking at it."""

    post_id: int
    account_id: int

    @property
    def subject(self) -> str:
        return f"account.{self.account_id}"


@dataclass(frozen=True, slots=True)
class CrosspostFailed(Event):
    """For good, or nobody knows: its author has to look."""

    crosspost_id: int
    account_id: int

    @property
    def subject(self) -> str:
        return f"account.{self.account_id}"
