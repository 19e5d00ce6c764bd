"""What moderators did, what they were told, and what was said against it.

Posts go, and what was said of them stays: their ids are no foreign keys here.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from microblog.kernel.clock import now
from microblog.kernel.model import Base, BigInt, Partial


class Entry(Base):
    """One act.  Entries are added, never changed and never deleted; only the words of a person go
    from them when that person's account is erased (`departures.erasure`)."""

    __tablename__ = "moderation_log"
    __table_args__ = (Index(None, "account_id", "id"), Index(None, "is_public", "id"))

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    at: Mapped[datetime] = mapped_column(default=now)
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))  # None: time did it
    act: Mapped[str] = mapped_column(String(32))
    account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    post_id: Mapped[int | None] = mapped_column(BigInt)
    reason: Mapped[str] = mapped_column(Text, default="", server_default=text("''"))
    before: Mapped[dict[str, Any]] = mapped_column(JSON)
    after: Mapped[dict[str, Any]] = mapped_column(JSON)
    is_public: Mapped[bool]


class Report(Base):
    __tablename__ = "reports"
    __table_args__ = (
        Index(None, "account_id", "id"),
        Index(None, "reporter_id", "id"),
        Partial("ix_reports_open", "id", where="closed_at IS NULL"),
    )

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    reporter_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))  # of whom it tells
    post_id: Mapped[int | None] = mapped_column(BigInt)
    category: Mapped[str] = mapped_column(String(16))
    words: Mapped[str] = mapped_column(Text)
    quoted: Mapped[str] = mapped_column(Text)  # the post as it was then: it may be edited away
    at: Mapped[datetime] = mapped_column(default=now)
    closed_at: Mapped[datetime | None]
    closed_by_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    outcome: Mapped[str | None] = mapped_column(String(16))


class Appeal(Base):
    """One at most for each act."""

    __tablename__ = "appeals"
    __table_args__ = (Partial("ix_appeals_open", "entry_id", where="decided_at IS NULL"),)

    entry_id: Mapped[int] = mapped_column(
        ForeignKey("moderation_log.id"), primary_key=True, autoincrement=False
    )
    words: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(default=now)
    decided_at: Mapped[datetime | None]
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    granted: Mapped[bool | None]
