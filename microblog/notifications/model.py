"""What someone is told, what they have seen on screen, and which mail they want."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from microblog.kernel.clock import now
from microblog.kernel.model import Base, BigInt, Partial


class Notification(Base):
    __tablename__ = "notifications"
    __table_args__ = (
        # `about` names what it speaks of ("post-7", "account-3"): once each, whatever repeats.
        UniqueConstraint("account_id", "kind", "about"),
        Index(None, "account_id", "id"),
        Index(None, "actor_id"),  # all that somebody did, when they leave
        Partial("ix_notifications_unread", "account_id", "id", where="read_at IS NULL"),
    )

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    kind: Mapped[str] = mapped_column(String(16))  # of queries.KINDS, or of queries.UNMAILED
    about: Mapped[str] = mapped_column(String(32))
    actor_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    post_id: Mapped[int | None] = mapped_column(ForeignKey("posts.id"), index=True)
    at: Mapped[datetime] = mapped_column(default=now)
    read_at: Mapped[datetime | None]


class SeenPost(Base):
    """A post that concerned someone was on their screen: no mail about it is needed.

    Kept for posts that mention or answer the reader only, so it grows with notifications, not
    with reading.
    """

    __tablename__ = "seen_posts"

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    post_id: Mapped[int] = mapped_column(ForeignKey("posts.id"), primary_key=True)
    at: Mapped[datetime] = mapped_column(default=now)


class MutedMail(Base):
    """A kind of mail someone has switched off; no row means on."""

    __tablename__ = "muted_mail"

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16), primary_key=True)
