"""Imports, the bytes they are made from, what they left out, and where brought posts come from.

The bytes are in the database for the reason that those of copies are (`archives.model`).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, LargeBinary, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from microblog.kernel.clock import now
from microblog.kernel.model import Base, BigInt

ARCHIVE, LIST = "archive", "list"
# Still coming in; shown to its owner, who decides; on its way.
ARRIVING, OFFERED, WAITING, UNDOING = "arriving", "offered", "waiting", "undoing"
DONE, STOPPED, FAILED, UNDONE = "done", "stopped", "failed", "undone"
UNDERWAY = (WAITING, UNDOING)
OVER = (DONE, STOPPED, FAILED, UNDONE)


class Import(Base):
    """At most one of an account is underway."""

    __tablename__ = "imports"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True, autoincrement=False)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    kind: Mapped[str] = mapped_column(String(16))
    state: Mapped[str] = mapped_column(String(16))
    host: Mapped[str] = mapped_column(String(255), default="", server_default=text("''"))
    created_at: Mapped[datetime] = mapped_column(default=now)
    contents: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)  # `reading.Contents`
    wanted: Mapped[list[str]] = mapped_column(JSON, default=list)  # of `actions.CHOICES`
    counts: Mapped[dict[str, int]] = mapped_column(JSON, default=dict)  # what came of it
    reason: Mapped[str] = mapped_column(String(200), default="", server_default=text("''"))
    leased_until: Mapped[datetime | None]  # somebody is at it
    expires_at: Mapped[datetime | None] = mapped_column(index=True)  # then it is forgotten
    # Raised by each lease: who has lost it can change nothing any more.
    fence: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    tries: Mapped[int] = mapped_column(default=0, server_default=text("0"))  # without a bite since
    stage: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    place: Mapped[int] = mapped_column(default=0, server_default=text("0"))  # within the stage
    done: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    total: Mapped[int] = mapped_column(default=0, server_default=text("0"))


class ImportPart(Base):
    __tablename__ = "import_parts"

    import_id: Mapped[int] = mapped_column(
        ForeignKey("imports.id", ondelete="CASCADE"), primary_key=True
    )
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    content: Mapped[bytes] = mapped_column(LargeBinary)


class LeftOut(Base):
    """`why` is a sentence to translate, into which `details` go."""

    __tablename__ = "import_left_out"

    import_id: Mapped[int] = mapped_column(
        ForeignKey("imports.id", ondelete="CASCADE"), primary_key=True
    )
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    what: Mapped[str] = mapped_column(String(500))
    why: Mapped[str] = mapped_column(String(200))
    details: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)


class BroughtPost(Base):
    """Where a post was written.  It outlives the report of its import, and its post's words."""

    __tablename__ = "brought_posts"
    __table_args__ = (UniqueConstraint("account_id", "host", "origin_id"),)

    post_id: Mapped[int] = mapped_column(
        ForeignKey("posts.id"), primary_key=True, autoincrement=False
    )
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    import_id: Mapped[int | None] = mapped_column(
        ForeignKey("imports.id", ondelete="SET NULL"), index=True
    )
    host: Mapped[str] = mapped_column(String(255))
    origin_id: Mapped[str] = mapped_column(String(19))
    # Whom it answered there: name@host; empty for posts that stand alone, or in a thread of theirs.
    answered: Mapped[str] = mapped_column(String(300), default="", server_default=text("''"))
    at: Mapped[datetime] = mapped_column(default=now)  # when it came here
