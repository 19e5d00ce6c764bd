"""Ids are drawn from `kernel.ids`: rows go while links and mails still name them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from microblog.kernel.clock import now
from microblog.kernel.model import Base, BigInt, Partial


class Invitation(Base):
    __tablename__ = "invitations"
    __table_args__ = (Index(None, "account_id", "id"),)

    id: Mapped[int] = mapped_column(BigInt, primary_key=True, autoincrement=False)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))  # who invites
    note: Mapped[str] = mapped_column(String(200), default="", server_default=text("''"))
    most: Mapped[int]  # people who may come by it
    used: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    created_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]


class InvitationUse(Base):
    """Who came by which."""

    __tablename__ = "invitation_uses"

    account_id: Mapped[int] = mapped_column(
        BigInt, ForeignKey("accounts.id"), primary_key=True, autoincrement=False
    )
    invitation_id: Mapped[int] = mapped_column(
        ForeignKey("invitations.id", ondelete="CASCADE"), index=True
    )
    at: Mapped[datetime] = mapped_column(default=now)


class Application(Base):
    """Somebody waits for a moderator.  Approved, it becomes an account and is gone.  Declined, all
    is gone but the address and the answer, until those have been mailed."""

    __tablename__ = "applications"
    __table_args__ = (
        UniqueConstraint("issuer", "subject"),
        Partial("ix_applications_waiting", "id", where="declined_at IS NULL"),
    )

    id: Mapped[int] = mapped_column(BigInt, primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(String(30))
    display_name: Mapped[str] = mapped_column(String(200), default="", server_default=text("''"))
    email: Mapped[str | None] = mapped_column(String(254))
    email_key: Mapped[str | None] = mapped_column(String(254), unique=True)
    password_hash: Mapped[str | None] = mapped_column(String(255))
    # Who a provider said that they are.
    issuer: Mapped[str | None] = mapped_column(String(255))
    subject: Mapped[str | None] = mapped_column(String(255))
    shown: Mapped[str] = mapped_column(String(255), default="", server_default=text("''"))
    language: Mapped[str | None] = mapped_column(String(8))
    time_zone: Mapped[str | None] = mapped_column(String(64))
    reason: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(default=now)
    declined_at: Mapped[datetime | None]
    answer: Mapped[str] = mapped_column(Text, default="", server_default=text("''"))
