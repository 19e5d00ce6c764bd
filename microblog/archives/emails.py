"""The mail that says a copy is ready."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from microblog.accounts.model import Account
from microblog.archives import queries
from microblog.archives.model import READY
from microblog.kernel.i18n import DEFAULT
from microblog.kernel.model import Session
from microblog.mail.letters import Cancelled, Compose, Letter


def composers(base_url: str) -> dict[str, Compose]:
    return {"archive": Desk(base_url).archive}


@dataclass(frozen=True, slots=True)
class Desk:
    base_url: str

    async def archive(self, session: Session, payloads: list[dict[str, Any]]) -> Letter | Cancelled:
        account = await session.get(Account, payloads[0]["account_id"])
        made = await queries.archive_of(session, payloads[0]["account_id"])
        if account is None or not account.email or account.suspended_at is not None:
            return Cancelled("no address")
        if made is None or made.id != payloads[0]["archive_id"] or made.state != READY:
            return Cancelled("replaced or expired")
        context = {
            "name": account.display_name or account.name,
            "url": f"{self.base_url}/settings/export",
            "until": made.expires_at,
            **({"time_zone": account.time_zone} if account.time_zone else {}),
        }
        return Letter("archive", account.email, account.language or DEFAULT, context)
