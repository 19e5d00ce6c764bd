"""E-mail waiting to be sent: rows written in the same transaction as what they tell of.

    queued -> leased -> sent
                     -> deferred (tried; again at due_at)
                     -> dead (refused for good, or given up; `reason` says why)
                     -> cancelled (what it speaks of is gone, or was seen on screen)

The Message-ID is made here, once.  A row is composed at its first lease; from then on its bytes
stay as they are for every retry.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    JSON,
    Index,
    LargeBinary,
    String,
    Text,
    delete,
    literal_column,
    select,
    text,
)  # fmt: skip
from sqlalchemy.orm import Mapped, mapped_column

from microblog.kernel.clock import now
from microblog.kernel.model import Base, BigInt, Partial, Session
from microblog.kernel.order import ring_at_commit

GIVE_UP = timedelta(days=4)
ACTIVE = ("queued", "deferred", "leased")
FORGOTTEN = 1000
MAIL = "mail"  # what those are told of who send it


class Email(Base):
    __tablename__ = "emails"
    __table_args__ = (
        Partial("ix_emails_due", "due_at", where="state IN ('queued', 'deferred', 'leased')"),
        Partial(
            "ix_emails_settled",
            "created_at",
            where="state NOT IN ('queued', 'deferred', 'leased')",
        ),
        Index(None, "bundle", "state", "sent_at"),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    kind: Mapped[str] = mapped_column(String(32))
    payload: Mapped[dict[str, Any]] = mapped_column(JSON)
    recipient: Mapped[str | None] = mapped_column(String(254))  # settled when composed
    # Emails of one bundle count together against the hourly limit and may be told in one digest.
    bundle: Mapped[str | None] = mapped_column(String(32))
    message_id: Mapped[str] = mapped_column(String(128))
    state: Mapped[str] = mapped_column(String(16), default="queued", server_default="queued")
    due_at: Mapped[datetime]
    give_up_at: Mapped[datetime]
    created_at: Mapped[datetime] = mapped_column(default=now)
    sent_at: Mapped[datetime | None]
    tries: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    throttled: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    lease_owner: Mapped[str | None] = mapped_column(String(64))
    fence: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    reason: Mapped[str | None] = mapped_column(Text)
    content: Mapped[bytes | None] = mapped_column(LargeBinary)


# In the words of the indexes; were they given as values, no database could tell that one fits.
IS_ACTIVE = Email.state.in_([literal_column(f"'{state}'") for state in ACTIVE])


async def enqueue(
    session: Session,
    kind: str,
    payload: dict[str, Any],
    *,
    hold: float = 0.0,
    bundle: str | None = None,
    give_up: timedelta = GIVE_UP,
) -> None:
    """Write an email of `kind` about `payload` (ids only), due after `hold` seconds."""
    moment = now()
    session.add(
        Email(
            kind=kind,
            payload=payload,
            bundle=bundle,
            message_id=secrets.token_hex(16),
            due_at=moment + timedelta(seconds=hold),
            give_up_at=moment + timedelta(seconds=hold) + give_up,
        )
    )
    await session.flush()
    ring_at_commit(session, MAIL, "mail")


async def forget_settled(session: Session, before: datetime) -> bool:
    """Delete what was sent, refused or cancelled and written before `before`.

    No more than `FORGOTTEN` at once, the oldest: whether there may be more.
    """
    settled = select(Email.id).where(~IS_ACTIVE, Email.created_at < before)
    oldest = list(await session.scalars(settled.order_by(Email.created_at).limit(FORGOTTEN)))
    if oldest:
        await session.execute(delete(Email).where(Email.id.in_(oldest)))
    return bool(oldest)
