"""Login sessions and passwords: what can be done with them, in the caller's transaction.

Passwords are hashed and compared outside of it (`passwords`): an action is handed the outcome.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.orm import InstrumentedAttribute

from microblog.accounts import queries as accounts
from microblog.accounts.model import Account, KeptName
from microblog.kernel import tokens
from microblog.kernel.clock import now
from microblog.kernel.errors import N_, Forbidden
from microblog.kernel.events import record
from microblog.kernel.ids import next_id
from microblog.kernel.model import Session
from microblog.kernel.text import one_line
from microblog.mail import outbox
from microblog.signin.events import LoginSessionEnded
from microblog.signin.model import (
    EmailChange,
    EmailUndo,
    LoginSession,
    PasswordReset,
    Registration,
    SignInNotice,
    SignInStep,
)  # fmt: skip
from microblog.signin.queries import IDLE, LONGEST, Credentials, alive

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
SUSPENDED = N_("This account is suspended.")
ENDED = N_("This device was signed out in the meantime, so nothing was changed.")
SWEPT = 500
NETWORKS_KEPT = timedelta(days=30)
LEFT_ADDRESSES_KEPT = timedelta(days=30)  # as long as mail to them, so that it goes with an account
_EXPIRING: tuple[tuple[InstrumentedAttribute[Any], InstrumentedAttribute[datetime]], ...] = (
    (Registration.id, Registration.expires_at),
    (PasswordReset.account_id, PasswordReset.expires_at),
    (LoginSession.id, LoginSession.expires_at),
    (EmailChange.id, EmailChange.expires_at),
    (SignInStep.token_hash, SignInStep.expires_at),
    (SignInNotice.id, SignInNotice.expires_at),
    (KeptName.name_key, KeptName.until),
)


async def accept(session: Session, proven: Credentials, *, rehashed: str | None = None) -> bool:
    """Whether they may come in, whose password matched `proven`; a better hash of it is kept.

    Not when the password was changed between the comparison and now.
    """
    account = await accounts.account(session, proven.account_id)
    if account.password_hash != proven.password_hash:
        return False
    if account.suspended_at is not None:
        raise Forbidden(SUSPENDED)
    if rehashed:
        account.password_hash = rehashed
        await session.flush()
    return True


async def open_session(
    session: Session,
    account_id: int,
    *,
    remembered: bool,
    user_agent: str,
    address: str,
    language: str | None = None,
    time_zone: str | None = None,
) -> str:
    """The new session's token.  `address` is the coarse one (/24, /64)."""
    token, moment = tokens.new_token(), now()
    session.add(
        LoginSession(
            id=await next_id(session, LoginSession.id),
            account_id=account_id,
            token_hash=tokens.digest(token),
            remembered=remembered,
            user_agent=one_line(user_agent)[:256],
            address=address,
            language=language,
            time_zone=time_zone,
            created_at=moment,
            last_seen_at=moment,
            authenticated_at=moment,
            expires_at=moment + LONGEST,
        )
    )
    await session.flush()
    return token


async def renew_session(session: Session, session_id: int) -> str:
    """A new token for the same login session, after a change of what it may do; the old one dies.

    The row stays, and with it the sockets of this browser.
    """
    token = tokens.new_token()
    mine = update(LoginSession).where(LoginSession.id == session_id)
    await session.execute(mine.values(token_hash=tokens.digest(token)))
    return token


async def doubt(session: Session, token: str) -> None:
    """Whoever opened this login session came by a provider that may not have asked who is there:
    they are asked here, before the first thing that needs it."""
    mine = update(LoginSession).where(LoginSession.token_hash == tokens.digest(token))
    await session.execute(mine.values(authenticated_at=LONG_AGO))


async def prove_again(session: Session, session_id: int) -> str:
    """Whoever uses this login session has just proved who they are; its new token."""
    mine = update(LoginSession).where(LoginSession.id == session_id)
    await session.execute(mine.values(authenticated_at=now()))
    return await renew_session(session, session_id)


async def require_open(session: Session, session_id: int) -> None:
    """Raises `Forbidden` when that login session has ended by now, or its account is suspended."""
    if not await alive(session, [session_id]):
        raise Forbidden(ENDED)


async def end_session(session: Session, session_id: int, account_id: int) -> None:
    """End one of the account's own; another's, or one that has ended, is left alone."""
    await _end(session, account_id, LoginSession.id == session_id)


async def end_device(session: Session, session_id: int, account_id: int) -> None:
    """The same from another device, perhaps because somebody else sits there: the address that
    was asked for there is forgotten, too."""
    await end_session(session, session_id, account_id)
    await _forget_asked(session, account_id, EmailChange.login_session_id == session_id)


async def end_others(session: Session, account_id: int, *session_ids: int) -> None:
    """End all of the account's but those, and forget the address that was asked for there."""
    await _end(session, account_id, LoginSession.id.not_in(session_ids))
    await _forget_asked(session, account_id, EmailChange.login_session_id.not_in(session_ids))


async def end_all(session: Session, account_id: int) -> None:
    await _end(session, account_id)


async def touch(session: Session, session_id: int) -> None:
    """The device was seen just now."""
    mine = update(LoginSession).where(LoginSession.id == session_id)
    await session.execute(mine.values(last_seen_at=now()))


async def change_password(
    session: Session, account_id: int, session_id: int, *, proven_hash: str | None, new_hash: str
) -> str | None:
    """Set the password, end all other sessions, tell by mail; this session's new token.

    None when the password was changed between the comparison with `proven_hash` and now.
    """
    account = await accounts.account(session, account_id)
    if account.password_hash != proven_hash:
        return None
    await set_password(session, account, new_hash)
    await end_others(session, account_id, session_id)
    return await renew_session(session, session_id)


async def set_password(session: Session, account: Account, new_hash: str) -> None:
    """The new password, nothing under way that the old one began, and a mail that tells of it."""
    account.password_hash = new_hash
    for under_way in (PasswordReset, EmailChange, SignInStep):
        await session.execute(delete(under_way).where(under_way.account_id == account.id))
    if account.email:
        told = {"account_id": account.id, "at": now().isoformat()}
        await outbox.enqueue(session, "password_changed", told)


async def forget_expired(session: Session) -> bool:
    """Sweep away what has run out: registrations, links, login sessions, networks, names that were
    kept.

    No more than `SWEPT` of each at once: whether there may be more.
    """
    moment = now()
    swept = [await _sweep(session, key, at, moment) for key, at in _EXPIRING]
    swept += [await _sweep(session, LoginSession.id, LoginSession.last_seen_at, moment - IDLE)]
    undone = moment - LEFT_ADDRESSES_KEPT
    swept += [await _sweep(session, EmailUndo.id, EmailUndo.expires_at, undone)]
    swept += [await _forget_networks(session, moment)]
    return any(swept)


async def _sweep(
    session: Session,
    key: InstrumentedAttribute[Any],
    at: InstrumentedAttribute[datetime],
    until: datetime,
) -> bool:
    """Delete the rows that are the oldest by `at`; whether there were any."""
    some = list(await session.scalars(select(key).where(at <= until).order_by(at).limit(SWEPT)))
    if some:
        await session.execute(delete(key.class_).where(key.in_(some)))
    return bool(some)


async def _forget_networks(session: Session, moment: datetime) -> bool:
    """Where a device was when it signed in, after a month; by when its session ends, which has an
    index, and not by when it began."""
    began = LoginSession.expires_at <= moment - NETWORKS_KEPT + LONGEST
    old = select(LoginSession.id).where(began, LoginSession.address != "")
    some = list(await session.scalars(old.order_by(LoginSession.expires_at).limit(SWEPT)))
    if some:
        mine = update(LoginSession).where(LoginSession.id.in_(some))
        await session.execute(mine.values(address=""))
    return bool(some)


async def _forget_asked(session: Session, account_id: int, *where: ColumnElement[bool]) -> None:
    mine = EmailChange.account_id == account_id
    await session.execute(delete(EmailChange).where(mine, *where))


async def _end(session: Session, account_id: int, *which: ColumnElement[bool]) -> None:
    mine = delete(LoginSession).where(LoginSession.account_id == account_id, *which)
    for session_id in sorted(await session.scalars(mine.returning(LoginSession.id))):
        await record(session, LoginSessionEnded(session_id, account_id))
