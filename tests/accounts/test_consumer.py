from __future__ import annotations

import pytest
from sqlalchemy import select

from microblog.accounts import actions, queries
from microblog.accounts.consumer import consumer
from microblog.kernel.db import Database
from microblog.kernel.events import record
from microblog.mail import outbox
from microblog.mail.events import MailRefused
from microblog.mail.outbox import Email


@pytest.mark.parametrize(
    ("recipient", "noted"),
    [("ada@example.org", "550 5.1.1 no such user"), ("old@example.org", None)],
)
async def test_a_refused_address_is_noted_if_it_still_is_theirs(
    db: Database, recipient: str, noted: str | None
) -> None:
    async with db.writing() as session:
        account = await actions.create(
            session, name="ada", email="ada@example.org", password_hash=None
        )
        await outbox.enqueue(session, "follow", {"account_id": account.id})
        email = await session.scalar(select(Email))
        assert email is not None
        email.recipient, email.reason = recipient, "550 5.1.1 no such user"
        await record(session, MailRefused(email.id, account.id))
        await record(session, MailRefused(email.id, None))
        await record(session, MailRefused(email.id, 99))
        await record(session, MailRefused(99, account.id))
    await consumer.catch_up(db)
    async with db.reading() as session:
        assert (await queries.account(session, account.id)).mail_refusal == noted
