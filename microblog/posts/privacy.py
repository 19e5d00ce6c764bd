"""For whom somebody's posts are.  Every function runs inside its caller's writing transaction."""

from __future__ import annotations

from sqlalchemy import func, select, update
from sqlalchemy.orm import aliased

from microblog.accounts import queries as accounts
from microblog.accounts.events import AccountMadePrivate, AccountMadePublic
from microblog.kernel.clock import now
from microblog.kernel.events import record
from microblog.kernel.model import Session
from microblog.kernel.order import take_turn
from microblog.posts.model import Post


async def make_private(session: Session, account_id: int) -> None:
    """All they posted and post is for their followers, and who wants to follow has to ask.

    Those who follow them stay.
    """
    await take_turn(session)  # no post and no follow comes in between
    account = await accounts.account(session, account_id)
    if account.private_at is None:
        account.private_at = now()
        await _count_replies(session, account_id, -1)
        await record(session, AccountMadePrivate(account_id))


async def make_public(session: Session, account_id: int) -> None:
    """Those who wait are let in by the consumer of the event (`follows.consumer`)."""
    await take_turn(session)
    account = await accounts.account(session, account_id)
    if account.private_at is not None:
        account.private_at = None
        await _count_replies(session, account_id, 1)
        await record(session, AccountMadePublic(account_id))


async def _count_replies(session: Session, account_id: int, change: int) -> None:
    """A number that counts what is hidden would tell that it is there."""
    reply, other = aliased(Post), aliased(Post)
    answered = select(reply.in_reply_to_id).where(
        reply.author_id == account_id,
        reply.deleted_at.is_(None),
        reply.in_reply_to_id.is_not(None),
    )
    theirs = select(func.count()).where(
        other.in_reply_to_id == Post.id,
        other.author_id == account_id,
        other.deleted_at.is_(None),
    )
    count = theirs.correlate(Post).scalar_subquery()
    counting = update(Post).where(Post.id.in_(answered))
    await session.execute(
        counting.values(reply_count=Post.reply_count + change * count),
        execution_options={"synchronize_session": False},
    )
