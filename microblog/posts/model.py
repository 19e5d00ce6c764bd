"""Posts and what hangs on them.  A deleted post keeps its row, so that its thread holds together,
and none of its words."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from microblog.kernel.model import Base, BigInt, Partial


class Post(Base):
    __tablename__ = "posts"
    __table_args__ = (
        # So timelines of many authors never look at a row to see whether it stands.
        Partial(None, "author_id", "id", where="deleted_at IS NULL"),
        Index(None, "root_id", "id"),
        UniqueConstraint("author_id", "idempotency_key"),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(BigInt, primary_key=True, autoincrement=False)
    author_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    body: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]
    edited_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1, server_default=text("1"))
    in_reply_to_id: Mapped[int | None] = mapped_column(ForeignKey("posts.id"), index=True)
    root_id: Mapped[int] = mapped_column(BigInt)  # the first post of the thread, maybe this one
    reply_count: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    idempotency_key: Mapped[str | None] = mapped_column(String(64))
    # Tells a retry of the same form from another text under the same key.
    request_digest: Mapped[str | None] = mapped_column(String(64))


class Revision(Base):
    """What a post said before it was edited."""

    __tablename__ = "post_revisions"

    post_id: Mapped[int] = mapped_column(ForeignKey("posts.id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    body: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]


class Mention(Base):
    __tablename__ = "mentions"
    __table_args__ = (Index(None, "account_id", "post_id"),)

    post_id: Mapped[int] = mapped_column(ForeignKey("posts.id"), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), primary_key=True)


class Tag(Base):
    __tablename__ = "post_tags"
    __table_args__ = (Index(None, "tag", "post_id"),)

    post_id: Mapped[int] = mapped_column(ForeignKey("posts.id"), primary_key=True)
    tag: Mapped[str] = mapped_column(String(100), primary_key=True)  # casefolded, without #
