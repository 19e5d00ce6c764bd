"""Another e-mail address: asked for, confirmed at the new one, for a week undone at the old one.

Asking never tells whether the address belongs to somebody else; that is written to its owner
(`emails`).  Taking a change back assumes the worst: somebody else made it.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete, func, select

from microblog.accounts import actions as accounts
from microblog.accounts import addresses
from microblog.accounts import queries as people
from microblog.accounts.addresses import check_email
from microblog.accounts.model import Account
from microblog.kernel import tokens
from microblog.kernel.clock import now
from microblog.kernel.errors import N_, Conflict, Forbidden, Invalid, NotFound
from microblog.kernel.ids import next_id
from microblog.kernel.model import Session
from microblog.mail import outbox
from microblog.signin import resets
from microblog.signin.actions import SUSPENDED, end_others
from microblog.signin.model import EmailChange, EmailUndo, PasswordReset, SignInNotice
from microblog.signin.queries import email_change, email_undo

LIFE = timedelta(hours=1)
UNDO = timedelta(days=7)

TAKEN = N_("By now another account has this address. Write to the people who run this site.")


async def ask(session: Session, account_id: int, session_id: int, email: str) -> None:
    """Mail a link to `email`; one that was asked for before stops working."""
    email = await _another(session, account_id, email)
    await _forget_asked(session, account_id)
    asked = EmailChange(
        id=await next_id(session, EmailChange.id),
        account_id=account_id,
        login_session_id=session_id,
        email=email,
        expires_at=now() + LIFE,
    )
    session.add(asked)
    await session.flush()
    await outbox.enqueue(session, "email_change", {"change_id": asked.id}, give_up=LIFE)


async def change_at_once(session: Session, account_id: int, session_id: int, email: str) -> None:
    """Where addresses are not confirmed; raises `Conflict("email")`."""
    email = await _another(session, account_id, email)
    await _change(session, await people.account(session, account_id), email)
    await end_others(session, account_id, session_id)


async def issue_link(session: Session, asked: EmailChange) -> str:
    """The token of the link, for the mail that is being written; one before it stops working."""
    token = tokens.new_token()
    asked.token_hash = tokens.digest(token)
    await session.flush()
    return token


async def issue_undo_link(session: Session, undo: EmailUndo) -> str:
    token = tokens.new_token()
    undo.token_hash = tokens.digest(token)
    await session.flush()
    return token


async def confirm(session: Session, token: str, here: int | None) -> Account:
    """The address is theirs: it is the account's from now on, and other devices are signed out.

    The login session that asked stays, and `here`, the one of the browser that confirms.  Raises
    NotFound for a link that does not work any more, or when somebody took the address since.
    """
    asked = await email_change(session, token)
    if asked is None:
        raise NotFound
    kept, email = {asked.login_session_id, here or 0}, asked.email
    account = await people.account(session, asked.account_id)
    try:
        await _change(session, account, email)
    except Conflict as error:
        raise NotFound from error
    await end_others(session, account.id, *kept)
    return account


async def undo(session: Session, token: str) -> Account:
    """The old address again, no session, no password, nothing that came since."""
    found = await email_undo(session, token)
    if found is None:
        raise NotFound
    account = await people.account(session, found.account_id)
    try:
        await _take_back(session, found)
    except Conflict as error:
        raise Conflict("", TAKEN) from error
    await resets.start_over(session, account.id, found.email, await got_in_at(session, found))
    return account


async def got_in_at(session: Session, found: EmailUndo) -> datetime:
    """Since when somebody else was there, who changed the address: the first sign-in on a device
    not seen before of which they were told this week, else the change itself.  A thief adds a
    passkey first."""
    told = select(func.min(SignInNotice.created_at)).where(
        SignInNotice.account_id == found.account_id,
        SignInNotice.expires_at > now(),
        SignInNotice.created_at <= found.changed_at,
    )
    return await session.scalar(told) or found.changed_at


async def undo_since(session: Session, account_id: int, since: datetime) -> str | None:
    """Whoever got in at `since` may have changed the address: the one before holds again.

    The address that may be written to; None if that is somebody else's by now.
    """
    mine = (EmailUndo.account_id == account_id, EmailUndo.expires_at > now())
    first = select(EmailUndo).where(*mine, EmailUndo.changed_at >= since).order_by(EmailUndo.id)
    found = await session.scalar(first.limit(1))
    if found is None:
        return (await people.account(session, account_id)).email
    try:
        await _take_back(session, found)
    except (Conflict, Invalid):
        return None
    return found.email


async def is_reserved(session: Session, email: str) -> bool:
    """Whether a change away from this address can still be undone: nobody else may have it."""
    reserved = select(EmailUndo.id).where(
        EmailUndo.email_key == addresses.key(email), EmailUndo.expires_at > now()
    )
    return await session.scalar(reserved.limit(1)) is not None


async def _another(session: Session, account_id: int, written: str) -> str:
    email = check_email(written)
    account = await people.account(session, account_id)
    if account.suspended_at is not None:
        raise Forbidden(SUSPENDED)
    if account.email_key == addresses.key(email):
        raise Invalid("email", N_("That is your address already."))
    return email


async def _change(session: Session, account: Account, email: str) -> None:
    if account.suspended_at is not None:
        raise Forbidden(SUSPENDED)
    before = account.email
    await accounts.set_email(session, account.id, email)
    if before:
        await _tell(session, account.id, before)
    await session.execute(delete(PasswordReset).where(PasswordReset.account_id == account.id))
    await _forget_asked(session, account.id)


async def _tell(session: Session, account_id: int, before: str) -> None:
    """Write to the address that the account had."""
    row = EmailUndo(
        id=await next_id(session, EmailUndo.id),
        account_id=account_id,
        email=before,
        email_key=addresses.key(before),
        expires_at=now() + UNDO,
    )
    session.add(row)
    await session.flush()
    await outbox.enqueue(session, "email_changed", {"undo_id": row.id}, give_up=UNDO)


async def _forget_asked(session: Session, account_id: int) -> None:
    await session.execute(delete(EmailChange).where(EmailChange.account_id == account_id))


async def _take_back(session: Session, found: EmailUndo) -> None:
    """Whoever changed the address may have changed it again."""
    await accounts.set_email(session, found.account_id, found.email)
    theirs = EmailUndo.account_id == found.account_id
    await session.execute(delete(EmailUndo).where(theirs, EmailUndo.id >= found.id))
