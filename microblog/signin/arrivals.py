"""Signing in without a password: somebody else has vouched for them (`microblog.identities`)."""

from __future__ import annotations

from sqlalchemy import delete

from microblog.accounts import addresses
from microblog.accounts import queries as accounts
from microblog.kernel.errors import Forbidden
from microblog.kernel.model import Session
from microblog.signin.actions import SUSPENDED, open_session
from microblog.signin.model import Registration


async def admit(session: Session, account_id: int, *, user_agent: str, address: str) -> str:
    """The token of a new login session."""
    account = await accounts.account(session, account_id)
    if account.suspended_at is not None:
        raise Forbidden(SUSPENDED)
    return await open_session(
        session, account_id, remembered=False, user_agent=user_agent, address=address
    )


async def forget_registrations(session: Session, email: str) -> None:
    """The address has an account whose owner is known.  What somebody registered for it, with a
    password of theirs, must not come to life (SECURITY 24)."""
    prepared = Registration.email_key == addresses.key(email)
    await session.execute(delete(Registration).where(prepared))
