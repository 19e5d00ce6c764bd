"""Rows behind a sign-in.  Tokens are stored as their SHA-256 only.

Registrations, login sessions and their like are deleted, while mails and events still name them:
their ids come from `kernel.ids`, since SQLite would give the next row the id of the one that went.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, LargeBinary, String, Text, text
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
    reason: Mapped[str] = mapped_column(Text, default="", server_default=text("''"))
    invitation_id: Mapped[int | None] = mapped_column(BigInt)  # which may be gone by now
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
    # What the browser said of itself at sign-in: all that is known of where it is.
    language: Mapped[str | None] = mapped_column(String(35))
    time_zone: Mapped[str | None] = mapped_column(String(64))
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


class EmailChange(Base):
    """Someone wants another address, and it has not been confirmed.  One at most an account."""

    __tablename__ = "email_changes"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), unique=True)
    login_session_id: Mapped[int] = mapped_column(BigInt)  # that asked, and stays signed in
    email: Mapped[str] = mapped_column(String(254))
    token_hash: Mapped[str | None] = mapped_column(String(64), unique=True)  # set when mailed
    expires_at: Mapped[datetime] = mapped_column(index=True)


class EmailUndo(Base):
    """An address that an account had: whoever reads its mail can take the change back."""

    __tablename__ = "email_undos"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    email: Mapped[str] = mapped_column(String(254))
    email_key: Mapped[str] = mapped_column(String(254), index=True)
    token_hash: Mapped[str | None] = mapped_column(String(64), unique=True)  # set when mailed
    changed_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime] = mapped_column(index=True)


class SecondFactor(Base):
    """What an authenticator app shares with us, sealed with a key that is not in the database."""

    __tablename__ = "second_factors"

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    secret: Mapped[bytes] = mapped_column(LargeBinary)
    last_step: Mapped[int | None] = mapped_column(BigInt)  # of the code used last
    confirmed_at: Mapped[datetime | None]  # None: being set up


class RecoveryCode(Base):
    """For the day the phone is gone.  Each works once."""

    __tablename__ = "recovery_codes"

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    code_hash: Mapped[str] = mapped_column(String(64), primary_key=True)


class SignInStep(Base):
    """The password was right; the code is still to come, from the same browser."""

    __tablename__ = "sign_in_steps"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    remembered: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    next_path: Mapped[str] = mapped_column(Text, default="/", server_default=text("'/'"))
    expires_at: Mapped[datetime] = mapped_column(index=True)


class SignInNotice(Base):
    """A sign-in on a device not seen before: its owner is told, and can say it was not them."""

    __tablename__ = "sign_in_notices"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    login_session_id: Mapped[int] = mapped_column(BigInt)
    user_agent: Mapped[str] = mapped_column(String(256))
    token_hash: Mapped[str | None] = mapped_column(String(64), unique=True)  # set when mailed
    created_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime] = mapped_column(index=True)


class Passkey(Base):
    """A key that a device or password manager keeps; we have its public half (WebAuthn)."""

    __tablename__ = "passkeys"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    credential_id: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    sign_count: Mapped[int] = mapped_column(BigInt, default=0, server_default=text("0"))
    name: Mapped[str] = mapped_column(String(60))
    created_at: Mapped[datetime] = mapped_column(default=now)
    last_used_at: Mapped[datetime | None]
