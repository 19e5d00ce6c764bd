"""What happened to accounts, as far as everybody's open pages are concerned."""

from __future__ import annotations

from dataclasses import dataclass

from microblog.kernel.events import Event


@dataclass(frozen=True, slots=True)
class AccountHidden(Event):
    """Nothing of them is shown any more: it leaves every open page."""

    account_id: int

    @property
    def subject(self) -> str:
        return f"hidden.{self.account_id}"


@dataclass(frozen=True, slots=True)
class AccountMadePrivate(Event):
    """What they posted leaves the open pages of all who do not follow them."""

    account_id: int

    @property
    def subject(self) -> str:
        return f"hidden.{self.account_id}"


@dataclass(frozen=True, slots=True)
class AccountMadePublic(Event):
    """Who has asked to follow them may."""

    account_id: int

    @property
    def subject(self) -> str:
        return f"account.{self.account_id}"


@dataclass(frozen=True, slots=True)
class AccountSilenced(Event):
    """By a moderator, whose reason stands in that entry of their log."""

    account_id: int
    entry_id: int

    @property
    def subject(self) -> str:
        return f"account.{self.account_id}"
