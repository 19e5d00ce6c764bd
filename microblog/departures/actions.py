"""Leaving and coming back.  From the moment somebody leaves they are hidden as suspended people
are, everywhere and by the same rules; what they wrote is taken away later (`erasure`)."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import delete

from microblog.accounts import queries as accounts
from microblog.accounts.events import AccountHidden
from microblog.accounts.model import Account
from microblog.departures import queries
from microblog.departures.model import Departure, WayBack
from microblog.kernel import tokens
from microblog.kernel.clock import now
from microblog.kernel.errors import N_, Conflict, NotFound
from microblog.kernel.events import record
from microblog.kernel.model import Session
from microblog.mail import outbox
from microblog.signin.actions import end_all

GRACE = timedelta(days=7)
LAST = N_("You are the only administrator of this site. Make somebody else one first.")


async def leave(session: Session, account_id: int) -> Departure:
    """Hide them, sign them out everywhere, and mail the way back.  Asking twice is asking once.

    Raises `Conflict` for the last administrator: nobody could look after the site any more.
    """
    if underway := await session.get(Departure, account_id):
        return underway
    if await accounts.is_last_administrator(session, account_id):
        raise Conflict("", LAST)
    account = await accounts.account(session, account_id)
    account.leaving_at = now()
    account.suspended_at = account.suspended_at or account.leaving_at
    begun = Departure(account_id=account_id, due_at=account.leaving_at + GRACE)
    session.add(begun)
    await end_all(session, account_id)
    await record(session, AccountHidden(account_id))
    if account.email:
        await outbox.enqueue(session, "departure", {"account_id": account_id}, give_up=GRACE)
    return begun


async def way_back(session: Session, account_id: int) -> str | None:
    """The token of a new link that undoes the departure; None when there is nothing to undo."""
    if await queries.departure(session, account_id) is None:
        return None
    token = tokens.new_token()
    session.add(WayBack(token_hash=tokens.digest(token), account_id=account_id))
    await session.flush()
    return token


async def come_back(session: Session, token: str) -> Account:
    """Everything is as before, but what others were told of them.  Raises NotFound for a link
    that does not work (any more)."""
    begun = await queries.undone_by(session, token)
    if begun is None:
        raise NotFound
    account = await accounts.account(session, begun.account_id)
    if account.suspended_at == account.leaving_at:  # else a moderator has suspended them, too
        account.suspended_at = None
    account.leaving_at = None
    await session.execute(delete(WayBack).where(WayBack.account_id == account.id))
    await session.delete(begun)
    return account
