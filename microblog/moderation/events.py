"""What moderators are told, as far as their open pages show it.  Ids only."""

from __future__ import annotations

from dataclasses import dataclass

from microblog.kernel.events import Event


class _OfModeration:
    """Every process hears of it: it is rare, and staff may be anywhere."""

    __slots__ = ()

    @property
    def subject(self) -> str:
        return f"moderation.{type(self).__name__}"


@dataclass(frozen=True, slots=True)
class ReportFiled(_OfModeration, Event):
    report_id: int


@dataclass(frozen=True, slots=True)
class ReportClosed(_OfModeration, Event):
    report_id: int


@dataclass(frozen=True, slots=True)
class AppealFiled(_OfModeration, Event):
    entry_id: int


@dataclass(frozen=True, slots=True)
class AppealDecided(_OfModeration, Event):
    entry_id: int
