"""Whose account is open to everybody needs to let nobody in any more: who waits, follows."""

from __future__ import annotations

from microblog.accounts.events import AccountMadePublic
from microblog.accounts.model import Account
from microblog.follows import actions
from microblog.kernel.events import record
from microblog.kernel.model import Session
from microblog.kernel.readers import Consumer


async def let_everybody_in(session: Session, event: AccountMadePublic) -> None:
    """Some at a time: what is left comes with the next event."""
    account = await session.get(Account, event.account_id)
    if account is None or account.private_at is not None:
        return  # they have thought better of it
    if await actions.accept_some(session, event.account_id):
        await record(session, AccountMadePublic(event.account_id))


consumer = Consumer("follows", {AccountMadePublic: let_everybody_in})
