"""How a site gets its administrator: from the shell, or by the one-time link its console prints.

Never whoever comes first (SECURITY 45).
"""

from __future__ import annotations

from sqlalchemy import delete

from microblog.accounts import actions as accounts
from microblog.accounts import queries as people
from microblog.accounts.model import Account
from microblog.kernel import tokens
from microblog.kernel.errors import N_, NotFound
from microblog.kernel.model import Session
from microblog.signin.actions import end_all, end_others, renew_session
from microblog.signin.model import AdminClaim
from microblog.signin.queries import is_claimable

REPLACED = N_(
    "This link does not work. Every start of the server prints a new one, which ends those before"
    " it: look at its console, or start it again."
)
APPOINTED = N_(
    "This site has its administrator. Whoever keeps the server can appoint another one with:"
    " microblog admin promote"
)


async def issue_claim(session: Session) -> str | None:
    """The token of a new link, replacing the one before; None once there is an administrator."""
    await _withdraw(session)
    if await people.has_administrator(session):
        return None
    token = tokens.new_token()
    session.add(AdminClaim(id=1, token_hash=tokens.digest(token)))
    await session.flush()
    return token


async def claim(session: Session, token: str, account_id: int, session_id: int) -> str:
    """Use the link up; the new token of the login session, whose rights have changed.

    Sessions opened elsewhere with fewer rights end.
    """
    await require(session, token)
    if not await _withdraw(session):
        raise NotFound(APPOINTED)
    await accounts.promote(session, account_id)
    await end_others(session, account_id, session_id)
    return await renew_session(session, session_id)


async def require(session: Session, token: str) -> None:
    """Raises NotFound, with what to do, for a link that makes nobody administrator."""
    if not await is_claimable(session, token):
        is_late = await people.has_administrator(session)
        raise NotFound(APPOINTED if is_late else REPLACED)


async def create_administrator(
    session: Session, *, name: str, email: str, password_hash: str
) -> Account:
    """``microblog admin create``.  The address counts as confirmed: the shell's owner says so."""
    account = await accounts.create(session, name=name, email=email, password_hash=password_hash)
    await _appoint(session, account.id)
    return account


async def promote(session: Session, name: str) -> Account:
    """``microblog admin promote``.  Sessions opened with fewer rights end."""
    account = await people.by_name(session, name.removeprefix("@"))
    if account.role != "administrator":
        await _appoint(session, account.id)
        await end_all(session, account.id)
    return account


async def _appoint(session: Session, account_id: int) -> None:
    await accounts.promote(session, account_id)
    await _withdraw(session)


async def _withdraw(session: Session) -> bool:
    """Whether there was a link; of two who use it at once, one gets True."""
    return await session.scalar(delete(AdminClaim).returning(AdminClaim.id)) is not None
