"""What moderators' open pages are told of people who ask to be let in."""

from __future__ import annotations

from dataclasses import dataclass

from microblog.kernel.events import Event


@dataclass(frozen=True, slots=True)
class ApplicationFiled(Event):
    application_id: int

    @property
    def subject(self) -> str:
        return "moderation.ApplicationFiled"  # staff may be anywhere


@dataclass(frozen=True, slots=True)
class ApplicationDecided(Event):
    """Approved, declined, or overtaken."""

    application_id: int

    @property
    def subject(self) -> str:
        return "moderation.ApplicationDecided"
