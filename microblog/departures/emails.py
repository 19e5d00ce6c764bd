"""The mail that confirms a departure and holds the way back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from microblog.accounts.model import Account
from microblog.departures import actions, queries
from microblog.kernel.i18n import DEFAULT
from microblog.kernel.model import Session
from microblog.mail.letters import Cancelled, Compose, Letter


def composers(base_url: str) -> dict[str, Compose]:
    return {"departure": Desk(base_url).departure}


@dataclass(frozen=True, slots=True)
class Desk:
    base_url: str

    async def departure(
        self, session: Session, payloads: list[dict[str, Any]]
    ) -> Letter | Cancelled:
        account = await session.get(Account, payloads[0]["account_id"])
        begun = await queries.departure(session, payloads[0]["account_id"])
        if account is None or not account.email or begun is None:
            return Cancelled("came back, or gone")
        context = {
            "name": account.display_name or account.name,
            "url": f"{self.base_url}/leave/undo/{await actions.way_back(session, account.id)}",
            "due_at": begun.due_at,
            **({"time_zone": account.time_zone} if account.time_zone else {}),
        }
        return Letter("departure", account.email, account.language or DEFAULT, context)
