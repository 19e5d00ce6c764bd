"""A copy that is wanted, being made or ready, and its bytes.

The bytes are in the database, in parts: a file would lie on the one host that made it, where the
others, which answer the same person, could not reach it.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from microblog.kernel.clock import now
from microblog.kernel.model import Base, BigInt

WAITING, READY, FAILED = "waiting", "ready", "failed"


class Archive(Base):
    """One at most for each account: asking again replaces it."""

    __tablename__ = "archives"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True, autoincrement=False)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), unique=True)
    state: Mapped[str] = mapped_column(String(16), default=WAITING, server_default=WAITING)
    asked_at: Mapped[datetime] = mapped_column(default=now)
    leased_until: Mapped[datetime | None]  # somebody is making it
    expires_at: Mapped[datetime | None]  # once it is ready
    # Raised by each lease: who has lost it can change nothing any more.
    fence: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    done: Mapped[int] = mapped_column(default=0, server_default=text("0"))  # posts, twice
    total: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    size: Mapped[int] = mapped_column(BigInt, default=0, server_default=text("0"))


class ArchivePart(Base):
    __tablename__ = "archive_parts"

    archive_id: Mapped[int] = mapped_column(
        ForeignKey("archives.id", ondelete="CASCADE"), primary_key=True
    )
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    content: Mapped[bytes] = mapped_column(LargeBinary)
