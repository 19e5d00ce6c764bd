from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from microblog.kernel.clock import now
from microblog.kernel.model import Base, BigInt

WAITING, VERIFIED, MISSING, UNREACHABLE = "waiting", "verified", "missing", "unreachable"


class Backlink(Base):
    __tablename__ = "backlinks"
    __table_args__ = (UniqueConstraint("account_id", "url"),)

    id: Mapped[int] = mapped_column(BigInt, primary_key=True, autoincrement=False)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    url: Mapped[str] = mapped_column(String(500))
    state: Mapped[str] = mapped_column(String(16), default=WAITING, server_default=WAITING)
    problem: Mapped[str] = mapped_column(String(16), default="", server_default=text("''"))
    tries: Mapped[int] = mapped_column(default=0, server_default=text("0"))  # since it was found
    verified_at: Mapped[datetime | None]
    checked_at: Mapped[datetime | None]
    due_at: Mapped[datetime] = mapped_column(default=now, index=True)
    leased_until: Mapped[datetime | None]  # somebody is looking
    # Raised by each lease: who has lost it can change nothing any more.
    fence: Mapped[int] = mapped_column(default=0, server_default=text("0"))
