"""Rows behind a sign-in.  Tokens are stored as their SHA-256 only.

Registrations and login sessions are deleted, while mails and events still name them: their ids come
from `kernel.ids`, since SQLite would give the next row the id of the one that went.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String, text
from sqlalchemy.orm import Mapped, mapped_column

from microblog.kernel.clock import now
from microblog.kernel.model import Base, BigInt


class Registration(Base):
    """Someone who has not yet confirmed the address.  It becomes an account, or it expires."""

    __tablename__ = "registrations"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    name: Mapped[str] = mapped_column(String(30))
    name_key: Mapped[str] = mapped_column(String(30), index=True)
    email: Mapped[str] = mapped_column(String(254))
    email_key: Mapped[str] = mapped_column(String(254), index=True)
    password_hash: Mapped[str] = mapped_column(String(255))
    language: Mapped[str | None] = mapped_column(String(8))
    time_zone: Mapped[str | None] = mapped_column(String(64))
    token_hash: Mapped[str | None] = mapped_column(String(64), unique=True)  # set when mailed
    created_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime] = mapped_column(index=True)


class LoginSession(Base):
    __tablename__ = "login_sessions"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    remembered: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    user_agent: Mapped[str] = mapped_column(String(256), default="", server_default=text("''"))
    # The network only: /24 or /64.
    address: Mapped[str] = mapped_column(String(64), default="", server_default=text("''"))
    created_at: Mapped[datetime] = mapped_column(default=now)
    last_seen_at: Mapped[datetime] = mapped_column(default=now, index=True)
    # When its owner last proved who they are: the sign-in, or the last time they were asked again.
    authenticated_at: Mapped[datetime | None]
    expires_at: Mapped[datetime] = mapped_column(index=True)


class PasswordReset(Base):
    """One at most for each account: asking again replaces it."""

    __tablename__ = "password_resets"

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    expires_at: Mapped[datetime] = mapped_column(index=True)


class AdminClaim(Base):
    """The one-time link printed at the start of a site without an administrator.  One row."""

    __tablename__ = "admin_claims"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    token_hash: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(default=now)
