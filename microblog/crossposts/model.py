"""Where posts may be copied to, and the copies."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    ForeignKey,
    Index,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    literal_column,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from microblog.kernel.clock import now
from microblog.kernel.model import Base, BigInt, Partial

POST, DELETE = "post", "delete"  # tasks
# States: queued -> leased -> done, deferred (again at `due_at`), failed, or unknown.
ACTIVE = ("queued", "deferred", "leased")
_IS_ACTIVE = "state IN ('queued', 'deferred', 'leased')"


class Place(Base):
    """With what it takes to post there, sealed; without, it has to be connected again.

    One that is not chosen was offered (a Page of several) and is forgotten soon.  It goes with the
    way of signing in that it belongs to: the database sees to that.
    """

    __tablename__ = "crosspost_places"
    __table_args__ = (UniqueConstraint("account_id", "kind", "external_id"),)

    id: Mapped[int] = mapped_column(BigInt, primary_key=True, autoincrement=False)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    identity_id: Mapped[int] = mapped_column(
        ForeignKey("identities.id", ondelete="CASCADE"), index=True
    )
    kind: Mapped[str] = mapped_column(String(16))  # "x" or "facebook", as providers are
    external_id: Mapped[str] = mapped_column(String(64))  # of the account or Page over there
    shown: Mapped[str] = mapped_column(String(255))
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    expires_at: Mapped[datetime | None]  # of the access token; None: it does not, or nobody said
    is_chosen: Mapped[bool] = mapped_column(default=True, server_default=text("true"))
    # Whether the switch in the composer was on when it was last used.
    is_on: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    connected_at: Mapped[datetime] = mapped_column(default=now)


class Crosspost(Base):
    __tablename__ = "crossposts"
    __table_args__ = (
        UniqueConstraint("post_id", "kind", "external_id"),
        Partial("ix_crossposts_due", "due_at", where=_IS_ACTIVE),
        Index(None, "account_id", "id"),
    )

    id: Mapped[int] = mapped_column(BigInt, primary_key=True, autoincrement=False)
    post_id: Mapped[int] = mapped_column(ForeignKey("posts.id"))
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    # The place by what it is over there: it may be disconnected and connected again meanwhile.
    kind: Mapped[str] = mapped_column(String(16))
    external_id: Mapped[str] = mapped_column(String(64))
    shown: Mapped[str] = mapped_column(String(255))
    task: Mapped[str] = mapped_column(String(8), default=POST, server_default=POST)
    state: Mapped[str] = mapped_column(String(16), default="queued", server_default="queued")
    body: Mapped[str] = mapped_column(Text)  # as it is sent; emptied once it is there
    due_at: Mapped[datetime] = mapped_column(default=now)
    give_up_at: Mapped[datetime]
    tries: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    lease_owner: Mapped[str | None] = mapped_column(String(64))
    fence: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    # Noted before the words leave: a lease that ends with it is in doubt, and not tried again.
    sending_at: Mapped[datetime | None]
    # Its post was deleted, there too, while it was on its way.
    is_unwanted: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    reason: Mapped[str | None] = mapped_column(String(16))  # of `answers`
    remote_id: Mapped[str | None] = mapped_column(String(64))
    remote_url: Mapped[str | None] = mapped_column(String(255))  # where its author can look
    created_at: Mapped[datetime] = mapped_column(default=now)
    sent_at: Mapped[datetime | None]


# In the words of the index; were they given as values, no database could tell that it fits.
IS_ACTIVE = Crosspost.state.in_([literal_column(f"'{state}'") for state in ACTIVE])
