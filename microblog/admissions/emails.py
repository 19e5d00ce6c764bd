"""The mail to people who asked to be let in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from microblog.accounts.model import Account
from microblog.admissions import applications
from microblog.admissions.model import Application
from microblog.kernel.i18n import DEFAULT
from microblog.kernel.model import Session
from microblog.mail.letters import Cancelled, Compose, Letter


def composers(base_url: str) -> dict[str, Compose]:
    desk = Desk(base_url)
    return {
        "application_approved": desk.approved,
        "application_declined": desk.declined,
    }


@dataclass(frozen=True, slots=True)
class Desk:
    base_url: str

    async def approved(
        self, session: Session, payloads: list[dict[str, Any]]
    ) -> Letter | Cancelled:
        owner = await session.get(Account, payloads[0]["account_id"])
        if owner is None or not owner.email:
            return Cancelled("no address")
        told = {
            "name": owner.name,
            "asked": payloads[0]["asked"],
            "login_url": f"{self.base_url}/login",
        }
        return Letter("application_approved", owner.email, owner.language or DEFAULT, told)

    async def declined(
        self, session: Session, payloads: list[dict[str, Any]]
    ) -> Letter | Cancelled:
        """The last that is kept of it goes into the letter."""
        asked = await session.get(Application, payloads[0]["application_id"])
        if asked is None or not asked.email:
            return Cancelled("gone")
        told = {"answer": asked.answer, "days": applications.LIFE.days}
        letter = Letter("application_declined", asked.email, asked.language or DEFAULT, told)
        await session.delete(asked)
        return letter
