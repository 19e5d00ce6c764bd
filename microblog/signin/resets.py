"""A forgotten password: ask for a link by mail, use it once.

Asking never tells whether the address has an account: the request only writes a row for the outbox,
and whoever writes the mail looks (`emails`).
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete

from microblog.accounts import queries as accounts
from microblog.accounts.addresses import check_email
from microblog.accounts.model import Account
from microblog.kernel import tokens
from microblog.kernel.clock import now
from microblog.kernel.errors import Forbidden, NotFound
from microblog.kernel.model import Session
from microblog.mail import outbox
from microblog.signin.actions import SUSPENDED, end_all, set_password
from microblog.signin.model import (
    EmailChange,
    Passkey,
    PasswordReset,
    RecoveryCode,
    SecondFactor,
    SignInStep,
)  # fmt: skip
from microblog.signin.queries import password_reset

LIFE = timedelta(minutes=30)


async def ask(session: Session, email: str) -> None:
    """Have a link mailed to `email`, if that is somebody's address."""
    await outbox.enqueue(session, "password_reset", {"email": check_email(email)}, give_up=LIFE)


async def start_over(session: Session, account_id: int, email: str | None, since: datetime) -> None:
    """Somebody else got in at `since`: nothing that they hold, made or asked for then opens the
    account.  Ways in through others are the caller's (`identities.forget_since`).

    A link to a new password goes to `email`.
    """
    account = await accounts.account(session, account_id)
    account.password_hash = None
    for mine in (
        delete(PasswordReset).where(PasswordReset.account_id == account_id),
        delete(SignInStep).where(SignInStep.account_id == account_id),
        delete(EmailChange).where(EmailChange.account_id == account_id),
        delete(Passkey).where(Passkey.account_id == account_id, Passkey.created_at >= since),
    ):
        await session.execute(mine)
    factor = delete(SecondFactor).where(
        SecondFactor.account_id == account_id, SecondFactor.confirmed_at >= since
    )
    if await session.scalar(factor.returning(SecondFactor.account_id)) is not None:
        await session.execute(delete(RecoveryCode).where(RecoveryCode.account_id == account_id))
    await end_all(session, account_id)
    if email:
        await ask(session, email)


async def issue_link(session: Session, account_id: int) -> str:
    """The token of a new link; the one before stops working."""
    token = tokens.new_token()
    await session.execute(delete(PasswordReset).where(PasswordReset.account_id == account_id))
    session.add(
        PasswordReset(
            account_id=account_id, token_hash=tokens.digest(token), expires_at=now() + LIFE
        )
    )
    await session.flush()
    return token


async def account_of(session: Session, token: str) -> Account:
    """Whose password the link sets; raises NotFound when it does not work any more."""
    reset = await password_reset(session, token)
    if reset is None:
        raise NotFound
    return await accounts.account(session, reset.account_id)


async def reset(session: Session, token: str, new_hash: str) -> Account:
    """Set the password, use the link up, end every session of the account."""
    account_id = await session.scalar(
        delete(PasswordReset)
        .where(PasswordReset.token_hash == tokens.digest(token), PasswordReset.expires_at > now())
        .returning(PasswordReset.account_id)
    )
    if account_id is None:
        raise NotFound
    account = await accounts.account(session, account_id)
    if account.suspended_at is not None:
        raise Forbidden(SUSPENDED)
    await set_password(session, account, new_hash)
    await end_all(session, account.id)
    return account
