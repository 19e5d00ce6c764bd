"""What happened to imports, as far as their owner's open pages are concerned."""

from __future__ import annotations

from dataclasses import dataclass

from microblog.kernel.events import Event


@dataclass(frozen=True, slots=True)
class ImportMoved(Event):
    """It is further than it was, or over; told about once a second, not for every post."""

    account_id: int
    import_id: int

    @property
    def subject(self) -> str:
        return f"account.{self.account_id}"
