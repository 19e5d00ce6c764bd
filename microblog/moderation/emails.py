"""The mail of moderators: what was done and why, what became of a report and of an appeal."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from microblog.accounts.model import Account
from microblog.kernel.i18n import DEFAULT
from microblog.kernel.model import Session
from microblog.mail.letters import Cancelled, Compose, Letter
from microblog.moderation import appeals
from microblog.moderation.appeals import APPEALABLE
from microblog.moderation.model import Appeal, Entry, Report


def composers(base_url: str, appeal_key: bytes) -> dict[str, Compose]:
    desk = Desk(base_url, appeal_key)
    return {
        "moderated": desk.moderated,
        "report_closed": desk.report_closed,
        "appeal_decided": desk.appeal_decided,
    }


@dataclass(frozen=True, slots=True)
class Desk:
    base_url: str
    appeal_key: bytes

    async def moderated(
        self, session: Session, payloads: list[dict[str, Any]]
    ) -> Letter | Cancelled:
        """To the person, suspended or not: the reason, and how to appeal."""
        entry = await session.get_one(Entry, payloads[0]["entry_id"])
        until = entry.after.get("suspended_until")
        told = {
            "act": entry.act,
            "reason": entry.reason,
            "body": entry.before.get("body", ""),
            "role": entry.after.get("role", ""),
            "until": datetime.fromisoformat(until) if until else None,
            "appeal_url": self._appeal(entry.id) if entry.act in APPEALABLE else "",
        }
        return await self._letter(session, "moderated", entry.account_id, told)

    async def report_closed(
        self, session: Session, payloads: list[dict[str, Any]]
    ) -> Letter | Cancelled:
        """To who reported, without what was done."""
        report = await session.get_one(Report, payloads[0]["report_id"])
        reporter = await session.get(Account, report.reporter_id)
        if reporter is None or reporter.suspended_at is not None:
            return Cancelled("gone")
        about = await session.get_one(Account, report.account_id)
        told = {"about": about.name, "acted": report.outcome != "dismiss"}
        return await self._letter(session, "report_closed", report.reporter_id, told)

    async def appeal_decided(
        self, session: Session, payloads: list[dict[str, Any]]
    ) -> Letter | Cancelled:
        appeal = await session.get_one(Appeal, payloads[0]["entry_id"])
        entry = await session.get_one(Entry, appeal.entry_id)
        told = {"granted": bool(appeal.granted), "act": entry.act}
        return await self._letter(session, "appeal_decided", entry.account_id, told)

    def _appeal(self, entry_id: int) -> str:
        return f"{self.base_url}/appeals/{appeals.token(self.appeal_key, entry_id)}"

    async def _letter(
        self, session: Session, kind: str, account_id: int | None, told: dict[str, Any]
    ) -> Letter | Cancelled:
        owner = await session.get(Account, account_id or 0)
        if owner is None or not owner.email:
            return Cancelled("no address")
        known = {"name": owner.display_name or owner.name, "home_url": f"{self.base_url}/"}
        if owner.time_zone:
            known["time_zone"] = owner.time_zone
        return Letter(kind, owner.email, owner.language or DEFAULT, {**known, **told})
