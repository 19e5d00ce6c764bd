from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from microblog.kernel.clock import now
from microblog.kernel.model import Base, BigInt


class Identity(Base):
    __tablename__ = "identities"
    __table_args__ = (UniqueConstraint("issuer", "subject"),)

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    issuer: Mapped[str] = mapped_column(String(255))
    subject: Mapped[str] = mapped_column(String(255))
    # How its owner knows it again: a handle or a name, as the provider said last.
    shown: Mapped[str] = mapped_column(String(255), default="", server_default=text("''"))
    # What they may take over into their profile: a name, and the address of a picture.
    display_name: Mapped[str] = mapped_column(Text, default="", server_default=text("''"))
    picture: Mapped[str] = mapped_column(Text, default="", server_default=text("''"))
    email: Mapped[str | None] = mapped_column(String(254))  # as the provider said; decides nothing
    linked_at: Mapped[datetime] = mapped_column(default=now)
    last_used_at: Mapped[datetime] = mapped_column(default=now)


class SpentState(Base):
    """A journey that has come back, kept until it could not come back anyway: it does so once."""

    __tablename__ = "spent_states"

    state_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(index=True)
