"""Following.  Doing it twice is doing it once."""

from __future__ import annotations

from microblog.follows.events import AccountFollowed, AccountUnfollowed
from microblog.follows.model import Follow
from microblog.kernel.errors import N_, Invalid
from microblog.kernel.events import record
from microblog.kernel.model import Session
from microblog.kernel.order import take_turn

YOURSELF = N_("You cannot follow yourself; your own posts are on your home page anyway.")


async def follow(session: Session, follower_id: int, followed_id: int) -> None:
    if follower_id == followed_id:
        raise Invalid("", YOURSELF)
    await take_turn(session)  # two clicks at once: the second sees what the first did
    if await session.get(Follow, (follower_id, followed_id)) is None:
        session.add(Follow(follower_id=follower_id, followed_id=followed_id))
        await record(session, AccountFollowed(follower_id, followed_id))


async def unfollow(session: Session, follower_id: int, followed_id: int) -> None:
    await take_turn(session)
    if found := await session.get(Follow, (follower_id, followed_id)):
        await session.delete(found)
        await record(session, AccountUnfollowed(follower_id, followed_id))
