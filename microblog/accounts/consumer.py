"""An address that refuses mail for good is noted with its owner, who is told on the next visit."""

from __future__ import annotations

from microblog.accounts import actions
from microblog.accounts.model import Account
from microblog.kernel.model import Session
from microblog.kernel.readers import Consumer
from microblog.mail.events import MailRefused
from microblog.mail.outbox import Email


async def note_refusal(session: Session, event: MailRefused) -> None:
    email = await session.get(Email, event.email_id)
    account = await session.get(Account, event.account_id) if event.account_id else None
    if email is None or account is None or email.recipient != account.email:
        return  # gone, or the address has changed since
    await actions.note_mail_refusal(session, account.id, email.reason or "")


consumer = Consumer("accounts", {MailRefused: note_refusal})
