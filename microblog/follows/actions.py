"""Following, and asking to.  Doing it twice is doing it once."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import select

from microblog.accounts.model import Account
from microblog.follows.events import (
    AccountFollowed,
    AccountUnfollowed,
    FollowAccepted,
    FollowRequested,
    FollowRequestEnded,
)
from microblog.follows.model import Follow, FollowRequest
from microblog.kernel.errors import N_, Invalid
from microblog.kernel.events import record
from microblog.kernel.model import Session
from microblog.kernel.order import take_turn

BITE = 200  # let in at once, so that others write in between

YOURSELF = N_("You cannot follow yourself; your own posts are on your home page anyway.")


class Answer(StrEnum):
    """What came of wanting to follow somebody."""

    FOLLOWED = "followed"
    REQUESTED = "requested"  # they are private, and decide
    ALREADY = "already"  # nothing has changed: one or the other was so before


async def follow(session: Session, follower_id: int, followed_id: int) -> Answer:
    """Follow, or ask to follow whose account is private."""
    if follower_id == followed_id:
        raise Invalid("", YOURSELF)
    await take_turn(session)  # two clicks at once: the second sees what the first did
    pair = (follower_id, followed_id)
    if await session.get(Follow, pair) is not None:
        return Answer.ALREADY
    private = select(Account.private_at).where(Account.id == followed_id)
    if await session.scalar(private) is not None:
        return await _ask(session, *pair)
    if waiting := await session.get(FollowRequest, pair):
        await session.delete(waiting)
    session.add(Follow(follower_id=follower_id, followed_id=followed_id))
    await record(session, AccountFollowed(*pair))
    return Answer.FOLLOWED


async def unfollow(session: Session, follower_id: int, followed_id: int) -> bool:
    """Take back a follow or the wish for it: whether there was one.  Removing a follower is this,
    too."""
    await take_turn(session)
    pair = (follower_id, followed_id)
    found = await session.get(Follow, pair)
    if found is not None:
        await session.delete(found)
        await record(session, AccountUnfollowed(*pair))
    return await _end(session, *pair) or found is not None


async def accept(session: Session, followed_id: int, follower_id: int) -> bool:
    """Let somebody follow: whether they have asked, without which nothing changes."""
    await take_turn(session)
    found = await session.get(FollowRequest, (follower_id, followed_id))
    if found is not None:
        await _let_in(session, found)
    return found is not None


async def decline(session: Session, followed_id: int, follower_id: int) -> bool:
    """Whether they had asked.  They are not told, and may ask again."""
    await take_turn(session)
    return await _end(session, follower_id, followed_id)


async def accept_some(session: Session, followed_id: int) -> bool:
    """Let in some of those who wait: whether there may be more."""
    await take_turn(session)
    waiting = select(FollowRequest).where(FollowRequest.followed_id == followed_id)
    found = list(await session.scalars(waiting.order_by(FollowRequest.follower_id).limit(BITE)))
    for each in found:
        await _let_in(session, each)
    return len(found) == BITE


async def _ask(session: Session, follower_id: int, followed_id: int) -> Answer:
    if await session.get(FollowRequest, (follower_id, followed_id)) is not None:
        return Answer.ALREADY
    session.add(FollowRequest(follower_id=follower_id, followed_id=followed_id))
    await record(session, FollowRequested(follower_id, followed_id))
    return Answer.REQUESTED


async def _let_in(session: Session, wish: FollowRequest) -> None:
    pair = (wish.follower_id, wish.followed_id)
    await session.delete(wish)
    if await session.get(Follow, pair) is None:
        session.add(Follow(follower_id=wish.follower_id, followed_id=wish.followed_id))
    await record(session, FollowAccepted(*pair))


async def _end(session: Session, follower_id: int, followed_id: int) -> bool:
    found = await session.get(FollowRequest, (follower_id, followed_id))
    if found is not None:
        await session.delete(found)
        await record(session, FollowRequestEnded(follower_id, followed_id))
    return found is not None
