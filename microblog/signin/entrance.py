"""The way in, once somebody has shown who they are: a session, or first a second factor.

Every way of signing in goes through here, so that none goes past the second factor (SECURITY 21),
and whoever signs in on a device not seen before is heard of.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select

from microblog.accounts import queries as accounts
from microblog.kernel import tokens
from microblog.kernel.clock import now
from microblog.kernel.errors import Forbidden
from microblog.kernel.ids import next_id
from microblog.kernel.model import Session
from microblog.kernel.text import one_line
from microblog.mail import outbox
from microblog.signin import email_changes, resets, two_factor
from microblog.signin.actions import SUSPENDED, doubt, open_session
from microblog.signin.model import LoginSession, SignInNotice, SignInStep

STEP_LIFE = timedelta(minutes=5)
NOTICE_LIFE = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Browser:
    """What one says of itself, and where its request came from (/24, /64)."""

    user_agent: str
    address: str
    language: str | None = None
    time_zone: str | None = None
    is_known: bool = True  # somebody has signed in to the account on it before


@dataclass(frozen=True, slots=True)
class Entered:
    """`token` is of a login session, or of the step at which a code is asked for."""

    account_id: int
    token: str
    remembered: bool
    next_path: str
    waits_for_code: bool = False


async def enter(
    session: Session,
    account_id: int,
    browser: Browser,
    *,
    remembered: bool,
    next_path: str,
    proven_twice: bool = False,
    proven: bool = True,
) -> Entered:
    """For whoever has shown to be this account's owner; raises Forbidden when it is suspended.

    `proven_twice`: with a passkey, which asked for a finger, a face or a PIN itself.
    `proven`: just now, rather than by a provider that may have asked long ago.
    """
    if (await accounts.account(session, account_id)).suspended_at is not None:
        raise Forbidden(SUSPENDED)
    if proven_twice or not await two_factor.is_on(session, account_id):
        return await _let_in(session, account_id, browser, remembered, next_path, proven=proven)
    token = await begin_step(session, account_id, remembered=remembered, next_path=next_path)
    return Entered(account_id, token, remembered, next_path, waits_for_code=True)


async def begin_step(
    session: Session, account_id: int, *, remembered: bool = False, next_path: str = "/"
) -> str:
    """The token with which the code is awaited."""
    token = tokens.new_token()
    session.add(
        SignInStep(
            token_hash=tokens.digest(token),
            account_id=account_id,
            remembered=remembered,
            next_path=next_path,
            expires_at=now() + STEP_LIFE,
        )
    )
    await session.flush()
    return token


async def step(session: Session, token: str) -> SignInStep | None:
    """The sign-in that waits for its code, for five minutes."""
    wanted = select(SignInStep).where(
        SignInStep.token_hash == tokens.digest(token), SignInStep.expires_at > now()
    )
    return await session.scalar(wanted)


async def finish(session: Session, waiting: SignInStep, browser: Browser) -> Entered:
    """The second factor is shown, too."""
    account_id, remembered, path = waiting.account_id, waiting.remembered, waiting.next_path
    if (await accounts.account(session, account_id)).suspended_at is not None:
        raise Forbidden(SUSPENDED)
    await end_step(session, waiting)
    return await _let_in(session, account_id, browser, remembered, path)


async def end_step(session: Session, waiting: SignInStep) -> None:
    await session.execute(delete(SignInStep).where(SignInStep.token_hash == waiting.token_hash))


async def notice(session: Session, token: str) -> SignInNotice | None:
    """The sign-in that a mailed link tells of."""
    wanted = select(SignInNotice).where(
        SignInNotice.token_hash == tokens.digest(token), SignInNotice.expires_at > now()
    )
    return await session.scalar(wanted)


async def issue_link(session: Session, told: SignInNotice) -> str:
    """The token of the link that says: this was not me."""
    token = tokens.new_token()
    told.token_hash = tokens.digest(token)
    await session.flush()
    return token


async def disown(session: Session, account_id: int, since: datetime) -> None:
    """That sign-in was not them: nothing of it lasts, and a link to a new password is mailed."""
    await session.execute(delete(SignInNotice).where(SignInNotice.account_id == account_id))
    email = await email_changes.undo_since(session, account_id, since)
    await resets.start_over(session, account_id, email, since)


async def _let_in(
    session: Session,
    account_id: int,
    browser: Browser,
    remembered: bool,
    next_path: str,
    *,
    proven: bool = True,
) -> Entered:
    token = await open_session(
        session, account_id, remembered=remembered, user_agent=browser.user_agent,
        address=browser.address, language=browser.language, time_zone=browser.time_zone,
    )  # fmt: skip
    if not proven:
        await doubt(session, token)
    if not browser.is_known:
        await _tell(session, account_id, token, browser)
    return Entered(account_id, token, remembered, next_path)


async def _tell(session: Session, account_id: int, token: str, browser: Browser) -> None:
    """Its own row: the mail comes even when that session ends before it leaves."""
    opened = select(LoginSession.id).where(LoginSession.token_hash == tokens.digest(token))
    row = SignInNotice(
        id=await next_id(session, SignInNotice.id),
        account_id=account_id,
        login_session_id=(await session.scalars(opened)).one(),
        user_agent=one_line(browser.user_agent)[:256],
        expires_at=now() + NOTICE_LIFE,
    )
    session.add(row)
    await session.flush()
    await outbox.enqueue(session, "new_device", {"notice_id": row.id})
