"""People.  Accounts of this site have an empty `host`, so that others can exist later."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from microblog.kernel.clock import now
from microblog.kernel.model import Base, BigInt, Partial


class Account(Base):
    __tablename__ = "accounts"
    __table_args__ = (
        UniqueConstraint("name_key", "host"),
        Partial(
            "ix_accounts_suspended_until",
            "suspended_until",
            where="suspended_until IS NOT NULL",
        ),
        Partial("ix_accounts_staff", "id", where="role <> 'member'"),
    )

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    host: Mapped[str] = mapped_column(String(255), default="", server_default=text("''"))
    name: Mapped[str] = mapped_column(String(30))
    name_key: Mapped[str] = mapped_column(String(30))  # lower case; what must be unique
    display_name: Mapped[str] = mapped_column(String(200), default="", server_default=text("''"))
    bio: Mapped[str] = mapped_column(Text, default="", server_default=text("''"))
    pronouns: Mapped[str] = mapped_column(String(200), default="", server_default=text("''"))
    location: Mapped[str] = mapped_column(String(240), default="", server_default=text("''"))
    links: Mapped[list[list[str]]] = mapped_column(  # label and address of each
        JSON, default=list, server_default=text("'[]'")
    )
    # What the names of their files begin with (`media.store`), and what they show, in words.
    avatar: Mapped[str | None] = mapped_column(String(32), index=True)
    avatar_alt: Mapped[str] = mapped_column(Text, default="", server_default=text("''"))
    header: Mapped[str | None] = mapped_column(String(32), index=True)
    header_alt: Mapped[str] = mapped_column(Text, default="", server_default=text("''"))
    header_focus: Mapped[str] = mapped_column(  # `media.framing.FOCUSES`
        String(16), default="middle-middle", server_default="middle-middle"
    )
    email: Mapped[str | None] = mapped_column(String(254))
    email_key: Mapped[str | None] = mapped_column(String(254), unique=True)  # lower case
    password_hash: Mapped[str | None] = mapped_column(String(255))
    role: Mapped[str] = mapped_column(String(16), default="member", server_default="member")
    language: Mapped[str | None] = mapped_column(String(8))
    time_zone: Mapped[str | None] = mapped_column(String(64))
    theme: Mapped[str] = mapped_column(String(8), default="auto", server_default="auto")
    feed_mode: Mapped[str] = mapped_column(String(8), default="pill", server_default="pill")
    accent: Mapped[str] = mapped_column(String(8), default="pine", server_default="pine")
    text_size: Mapped[str] = mapped_column(String(8), default="normal", server_default="normal")
    motion: Mapped[str] = mapped_column(String(8), default="auto", server_default="auto")
    created_at: Mapped[datetime] = mapped_column(default=now)
    # Nothing of them is shown, nobody mentions or mails them, and they cannot come in: suspended by
    # a moderator or, where both moments are the same, hidden because they are leaving.
    suspended_at: Mapped[datetime | None]
    leaving_at: Mapped[datetime | None]
    suspended_until: Mapped[datetime | None]  # None: until somebody lifts it
    # Their posts are for those who follow them; nobody else is led to them or told of them.
    silenced_at: Mapped[datetime | None]
    # Since when what they post is for their followers, who have to ask first (`posts.visibility`).
    private_at: Mapped[datetime | None]
    # Why the last mail to this address was refused for good, and how many were.
    mail_refusal: Mapped[str | None] = mapped_column(Text)
    mail_refusals: Mapped[int] = mapped_column(default=0, server_default=text("0"))


class KeptName(Base):
    """Of somebody who has left or has another name now: nobody else may be taken for them."""

    __tablename__ = "kept_names"

    name_key: Mapped[str] = mapped_column(String(30), primary_key=True)
    until: Mapped[datetime] = mapped_column(index=True)
    account_id: Mapped[int | None] = mapped_column(BigInt, index=True)  # to whom it still leads


class Ban(Base):
    """What nobody may come with: a name, a domain of e-mail addresses, a range of IP addresses."""

    __tablename__ = "bans"
    __table_args__ = (UniqueConstraint("kind", "value"),)

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    kind: Mapped[str] = mapped_column(String(8))  # name, domain, network
    value: Mapped[str] = mapped_column(String(255))
    created_at: Mapped[datetime] = mapped_column(default=now)
