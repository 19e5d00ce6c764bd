"""What happened to copies, as far as their owner's open pages are concerned."""

from __future__ import annotations

from dataclasses import dataclass

from microblog.kernel.events import Event


@dataclass(frozen=True, slots=True)
class ArchiveMoved(Event):
    """It is further than it was, or ready; told about once a second."""

    account_id: int
    archive_id: int

    @property
    def subject(self) -> str:
        return f"account.{self.account_id}"
