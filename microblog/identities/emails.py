"""The mail about ways of signing in: one was added, one was removed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from microblog.accounts.model import Account
from microblog.kernel.i18n import DEFAULT
from microblog.kernel.model import Session
from microblog.mail.letters import Cancelled, Compose, Letter


def composers(base_url: str) -> dict[str, Compose]:
    desk = Desk(base_url)
    return {"identity_linked": desk.changed, "identity_unlinked": desk.changed}


@dataclass(frozen=True, slots=True)
class Desk:
    base_url: str

    async def changed(self, session: Session, payloads: list[dict[str, Any]]) -> Letter | Cancelled:
        told = payloads[0]
        owner = await session.get(Account, told["account_id"])
        if owner is None or not owner.email:
            return Cancelled("no address")
        context = {
            "name": owner.display_name or owner.name,
            "settings_url": f"{self.base_url}/settings/identities",
            "provider": told["provider"],
            "shown": told["shown"],
            "at": datetime.fromisoformat(told["at"]),
        }
        if owner.time_zone:
            context["time_zone"] = owner.time_zone
        return Letter(told["kind"], owner.email, owner.language or DEFAULT, context)
