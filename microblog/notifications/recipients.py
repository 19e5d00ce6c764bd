"""Whether someone is to get a mail of a kind at all."""

from __future__ import annotations

from microblog.accounts.model import Account
from microblog.kernel.model import Session
from microblog.notifications.model import MutedMail

# An address that refused this many mails for good gets no more, until its owner says "try again".
REFUSALS = 3


async def refusal(session: Session, account: Account, kind: str) -> str | None:
    """Why no mail of `kind` goes to them; None when it does."""
    if account.suspended_at is not None:
        return "gone"
    if account.email is None:
        return "no address"
    if account.mail_refusals >= REFUSALS:
        return "bouncing"
    muted = await session.get(MutedMail, (account.id, kind)) is not None
    return "muted" if muted else None
