"""Questions about sign-ins: who is behind a cookie, a login, a link."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, func, select

from microblog.accounts import names
from microblog.accounts import queries as accounts
from microblog.accounts.model import Account
from microblog.kernel import tokens
from microblog.kernel.clock import now
from microblog.kernel.model import Session
from microblog.kernel.text import one_line
from microblog.mail.addresses import LONGEST as LONGEST_ADDRESS
from microblog.signin.model import (
    AdminClaim,
    EmailChange,
    EmailUndo,
    LoginSession,
    PasswordReset,
    Registration,
)  # fmt: skip

IDLE = timedelta(days=30)
LONGEST = timedelta(days=90)
_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who is asking: the account and the login session in one row."""

    id: int
    name: str
    display_name: str
    language: str | None
    time_zone: str | None
    theme: str
    feed_mode: str
    accent: str
    text_size: str
    motion: str
    avatar: str | None
    role: str
    email: str | None
    mail_trouble: str | None
    session_id: int
    remembered: bool
    last_seen_at: datetime
    authenticated_at: datetime
    unread: int = 0

    @property
    def shown(self) -> str:
        return self.display_name


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a password is held against."""

    account_id: int
    password_hash: str | None
    suspended: bool


@dataclass(frozen=True, slots=True)
class Device:
    """A login session as its owner sees it."""

    id: int
    user_agent: str
    language: str | None
    time_zone: str | None
    created_at: datetime
    last_seen_at: datetime


# Neither too old nor unused for too long; asked with `lasting`.
_LASTING = (
    LoginSession.expires_at > bindparam("moment"),
    LoginSession.last_seen_at > bindparam("used_since"),
)
_VIEWER = (
    select(  # in the order of a `Viewer`
        Account.id, Account.name,
        func.coalesce(func.nullif(Account.display_name, ""), Account.name),
        Account.language, Account.time_zone, Account.theme, Account.feed_mode,
        Account.accent, Account.text_size, Account.motion, Account.avatar, Account.role,
        Account.email, Account.mail_refusal,
        LoginSession.id, LoginSession.remembered, LoginSession.last_seen_at,
        func.coalesce(LoginSession.authenticated_at, LoginSession.created_at),
    )
    .join(LoginSession, LoginSession.account_id == Account.id)
    .where(Account.suspended_at.is_(None))
    .where(*_LASTING)
)  # fmt: skip
HOLDER = _VIEWER.where(LoginSession.token_hash == bindparam("token_hash"))
TOKEN_HASH = LoginSession.token_hash
HOLDERS = _VIEWER.where(TOKEN_HASH.in_(bindparam("token_hashes", expanding=True)))
_ALIVE = _VIEWER.with_only_columns(LoginSession.id).where(
    LoginSession.id.in_(bindparam("ids", expanding=True))
)


async def viewer(session: Session, token_hash: str) -> Viewer | None:
    """Who holds the token; None when it is unknown, ended, too old or the account suspended."""
    row = (await session.execute(HOLDER, lasting(token_hash=token_hash))).one_or_none()
    return Viewer(*row) if row else None


async def alive(session: Session, session_ids: Iterable[int]) -> set[int]:
    """Those login sessions that still let somebody in."""
    wanted = list(session_ids)
    found: set[int] = set()
    for start in range(0, len(wanted), _CHUNK):
        found |= set(await session.scalars(_ALIVE, lasting(ids=wanted[start : start + _CHUNK])))
    return found


def lasting(**asked: object) -> dict[str, object]:
    """What a statement about login sessions that last is asked with, and `asked`."""
    moment = now()
    return {"moment": moment, "used_since": moment - IDLE, **asked}


async def credentials(session: Session, login: str) -> Credentials | None:
    """Of the account with that name or e-mail address."""
    written = login_key(login)
    wanted = (
        Account.email_key == written
        if "@" in written
        else (Account.name_key == written) & (Account.host == "")
    )
    columns = select(Account.id, Account.password_hash, Account.suspended_at)
    row = (await session.execute(columns.where(wanted))).one_or_none()
    return Credentials(row.id, row.password_hash, row.suspended_at is not None) if row else None


async def credentials_of(session: Session, account_id: int) -> Credentials:
    account = await accounts.account(session, account_id)
    return Credentials(account.id, account.password_hash, account.suspended_at is not None)


def login_key(login: str) -> str:
    """What was typed as name or address, in the one spelling under which it is looked up."""
    return names.key(one_line(login)[: LONGEST_ADDRESS + 1].removeprefix("@"))


async def devices(session: Session, account_id: int) -> list[Device]:
    """Live login sessions, the one used last first."""
    mine = (
        select(
            LoginSession.id, LoginSession.user_agent, LoginSession.language, LoginSession.time_zone,
            LoginSession.created_at, LoginSession.last_seen_at,
        )
        .where(LoginSession.account_id == account_id, *_LASTING)
        .order_by(LoginSession.last_seen_at.desc(), LoginSession.id.desc())
        .limit(100)
    )  # fmt: skip
    return [Device(*row) for row in await session.execute(mine, lasting())]


async def registration(session: Session, token: str) -> Registration | None:
    """The one that a mailed link confirms, while it lasts."""
    wanted = select(Registration).where(
        Registration.token_hash == tokens.digest(token), Registration.expires_at > now()
    )
    return await session.scalar(wanted)


async def password_reset(session: Session, token: str) -> PasswordReset | None:
    """The one that a mailed link opens, while it lasts."""
    wanted = select(PasswordReset).where(
        PasswordReset.token_hash == tokens.digest(token), PasswordReset.expires_at > now()
    )
    return await session.scalar(wanted)


async def email_change(session: Session, token: str) -> EmailChange | None:
    """The one that a mailed link confirms, while it lasts."""
    wanted = select(EmailChange).where(
        EmailChange.token_hash == tokens.digest(token), EmailChange.expires_at > now()
    )
    return await session.scalar(wanted)


async def email_undo(session: Session, token: str) -> EmailUndo | None:
    """What a mailed link takes back, while it lasts."""
    wanted = select(EmailUndo).where(
        EmailUndo.token_hash == tokens.digest(token), EmailUndo.expires_at > now()
    )
    return await session.scalar(wanted)


async def asked_email(session: Session, account_id: int) -> str | None:
    """The address whose confirmation somebody is waiting for."""
    mine = select(EmailChange.email).where(
        EmailChange.account_id == account_id, EmailChange.expires_at > now()
    )
    return await session.scalar(mine)


async def is_claimable(session: Session, token: str) -> bool:
    """Whether this is the printed link of a site that still has no administrator."""
    claim = await session.get(AdminClaim, 1)
    if claim is None or not tokens.same(claim.token_hash, tokens.digest(token)):
        return False
    return not await accounts.has_administrator(session)
