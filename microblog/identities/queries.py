"""Questions about who is who at other sites."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from microblog.identities.model import Identity
from microblog.kernel.model import Session
from microblog.oauth.vouched import Vouched


@dataclass(frozen=True, slots=True)
class LinkedIdentity:
    """As its owner sees it."""

    id: int
    issuer: str
    shown: str
    linked_at: datetime
    last_used_at: datetime
    display_name: str  # what they may take over into their profile
    picture: str


async def identity(session: Session, who: Vouched) -> Identity | None:
    """By issuer and subject, and by nothing else."""
    wanted = select(Identity).where(Identity.issuer == who.issuer, Identity.subject == who.subject)
    return await session.scalar(wanted)


async def identities_of(session: Session, account_id: int) -> list[LinkedIdentity]:
    """The oldest first."""
    rows = await session.execute(
        select(
            Identity.id, Identity.issuer, Identity.shown, Identity.linked_at,
            Identity.last_used_at, Identity.display_name, Identity.picture,
        )
        .where(Identity.account_id == account_id)
        .order_by(Identity.id)
    )  # fmt: skip
    return [LinkedIdentity(*row) for row in rows]
