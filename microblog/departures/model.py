"""Who is leaving, and the links that bring them back."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String, text
from sqlalchemy.orm import Mapped, mapped_column

from microblog.kernel.model import Base


class Departure(Base):
    """Somebody who has asked to be deleted.  The row goes when that is done, or taken back."""

    __tablename__ = "departures"

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    due_at: Mapped[datetime]
    # Whether what others were told of them has been taken back.
    is_untold: Mapped[bool] = mapped_column(default=False, server_default=text("false"))


class WayBack(Base):
    """A link that undoes a departure: mailed, or given to who signs in."""

    __tablename__ = "ways_back"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("departures.account_id"), index=True)
