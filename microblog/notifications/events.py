"""What happened to someone's notifications."""

from __future__ import annotations

from dataclasses import dataclass

from microblog.kernel.events import Event


@dataclass(frozen=True, slots=True)
class NotificationAdded(Event):
    notification_id: int
    account_id: int

    @property
    def subject(self) -> str:
        return f"account.{self.account_id}"


@dataclass(frozen=True, slots=True)
class NotificationsChanged(Event):
    """Some were read or withdrawn: count again."""

    account_id: int

    @property
    def subject(self) -> str:
        return f"account.{self.account_id}"
