"""That something was set."""

from __future__ import annotations

from dataclasses import dataclass

from microblog.kernel.events import Event


@dataclass(frozen=True, slots=True)
class SiteSettingsChanged(Event):
    """Every process asks again; `entry_id` is the entry of the moderators' log."""

    entry_id: int

    @property
    def subject(self) -> str:
        return "moderation.SiteSettingsChanged"  # every process hears of those
