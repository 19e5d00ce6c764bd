from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from microblog.kernel.clock import now
from microblog.kernel.model import Base


class Follow(Base):
    __tablename__ = "follows"
    __table_args__ = (Index(None, "followed_id", "follower_id"),)

    follower_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    followed_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    at: Mapped[datetime] = mapped_column(default=now)


class FollowRequest(Base):
    """Somebody asks to follow a private account.  The row goes with the answer, whatever it is."""

    __tablename__ = "follow_requests"
    __table_args__ = (Index(None, "followed_id", "follower_id"),)

    follower_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    followed_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    at: Mapped[datetime] = mapped_column(default=now)
